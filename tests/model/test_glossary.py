"""Every kind that the language knows is explained, with the units of its parameters."""

from pathlib import Path

import pytest

from specfit import pipeline
from specfit.cli import main
from specfit.model.glossary import explain, meanings, symbols
from specfit.model.kinds import MODEL_KINDS
from specfit.model.records import class_ranges
from specfit.model.rule_library import state_called
from specfit.units import parse_unit

MODELS = Path(__file__).parents[2] / "models"
GALLERY = sorted(path.stem for path in MODELS.glob("*.spec"))
KINDS = [(name, word) for name, kind in MODEL_KINDS.items() for word in kind.components]


@pytest.mark.parametrize(("kind", "word"), KINDS)
def test_every_kind_of_site_says_what_its_parameters_are(kind, word):
    signature = MODEL_KINDS[kind].components[word]
    head, *lines = explain(kind, word)
    assert signature.title in head
    assert kind in head
    for parameter in signature.parameters:
        if parameter.symbol[1:].isdecimal() and parameter.symbol[0] == "c":
            continue  # waves of a histogram, on one line
        assert parameter.meaning
        (line,) = [x for x in lines if x.split()[0] == parameter.symbol]
        assert parameter.meaning in line
        if kind.startswith("mossbauer"):  # peaks have the units of their data
            assert line.split()[1] == (parameter.unit or "–")
        if parameter.unit:
            parse_unit(parameter.unit)


def test_a_series_of_coefficients_takes_one_line():
    lines = explain("sextet_distribution")
    assert len([x for x in lines if x.strip().startswith("c1 … c")]) == 1


@pytest.mark.parametrize("kind", [k for k in MODEL_KINDS if "mossbauer" in k])
def test_every_kind_of_model_lists_its_sites_and_its_own_parameters(kind):
    text = "\n".join(explain(kind))
    for word in (*MODEL_KINDS[kind].components, "N0", "curvature", "half_slope"):
        assert f" {word} " in text
    assert "thickness" in text


def test_all_states_are_listed(capsys):
    assert main(["explain", "state"]) == 0
    said = capsys.readouterr().out
    for entry in class_ranges().values():
        assert entry.title in said
    (line,) = [x for x in said.splitlines() if "Fe3+ HS tet O" in x]
    assert "0.13 … 0.32" in line


@pytest.mark.parametrize("name", GALLERY)
def test_nothing_in_the_gallery_is_without_a_meaning(name):
    """Of sites, of the model and of the calibration; the file's own names speak alone."""
    document = pipeline.check(MODELS / f"{name}.spec", False).require()
    if document.maps:
        pytest.skip(
            "a factorisation has spectra and maps, and no parameters to explain"
        )
    model = document.models[0]
    said = meanings(model)
    for parameter in model.parameters:
        assert parameter.origin == "explicit" or said[parameter.name]
    for definition in model.definitions:
        assert not definition.name.count(".") or said[definition.name]


def test_isomer_shifts_of_tin_count_from_its_own_zero(capsys):
    spec = MODELS / "tin_powder.spec"
    model = pipeline.check(spec, False).require().models[0]
    assert dict(symbols(model, ["IS"])) == {"IS": "isomer shift against CaSnO3"}
    assert main(["explain", str(spec), "doublet"]) == 0
    assert "119Sn" in capsys.readouterr().out
    assert main(["explain", str(spec), "metal"]) == 0
    assert "    isomer shift against CaSnO3\n" in capsys.readouterr().out


def test_what_is_no_kind_is_still_a_missing_file(capsys):
    assert main(["explain", "doubblet"]) == 2
    assert "there is no file `doubblet`" in capsys.readouterr().err


def test_a_state_may_be_called_by_its_title_or_its_key():
    for said in ("Fe2+ HS oct (oxides, silicates)", "Fe2+ HS oct O", "fe2_hs_oct_o"):
        assert state_called(said) == "fe2_hs_oct_o"
    assert state_called("Fe3+ hs oct o") == "fe3_hs_oct_o"
    assert state_called("Fe4+ HS oct O") is None


VARIANTS = """specfit 1
data s : transmission {
  file = "data/iron_foil.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
}
model m : mossbauer57Fe on s {
  absorber = "thick"
  thickness ~ 5 ± 2
  source_width = 0.11 mm/s
  baseline : parabola { curvature ~ 0 ± 0.01 }
  site A : sextet
  observe s.counts ~ poisson
}
variant thin { absorber = "thin"; area ~ 0.3 ± 0.2 mm/s }
variant flat { baseline : constant }
variant wrong { absorber = "thin"; background = 0.2 }
"""


def test_a_variant_leaves_out_what_its_own_setting_has_not(tmp_path):
    """`thickness` is no parameter of the thin variant, nor `curvature` of the flat one."""
    (tmp_path / "data").symlink_to(MODELS / "data")
    path = tmp_path / "m.spec"
    text, wrong = VARIANTS.rsplit("variant wrong", 1)
    path.write_text(text, encoding="utf-8")
    document = pipeline.check(path, False).require()
    names = {
        name: {p.name for p in model.parameters}
        for name, model in document.variants.items()
    }
    assert "area" in names["thin"]
    assert "curvature" in names["thin"]
    assert names["thin"].isdisjoint({"thickness", "source_width"})
    assert "thickness" in names["flat"]
    assert "curvature" not in names["flat"]
    path.write_text(f"{text}variant wrong{wrong}", encoding="utf-8")
    found = pipeline.check(path, False).diagnostics
    assert [d.code for d in found] == ["parameter-elsewhere"]
    assert found[0].words["name"] == "background"


def test_numbered_arguments_of_a_default_are_shown_together():
    lines = explain("sextet_distribution")
    (line,) = [line for line in lines if "histogram_mean" in line]
    assert "(low, high, roughness, c1 … c16) " in line
