"""Every kind that the language knows is explained, with the units of its parameters."""

from pathlib import Path

import pytest

from specfit import pipeline
from specfit.cli import main
from specfit.model.glossary import explain, meanings, symbols
from specfit.model.kinds import MODEL_KINDS
from specfit.model.records import class_ranges
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
        assert line.split()[1] == (parameter.unit or "–")
        if parameter.unit:
            parse_unit(parameter.unit)


def test_a_series_of_coefficients_takes_one_line():
    lines = explain("sextet_distribution")
    assert len([x for x in lines if x.strip().startswith("c1 … c")]) == 1


@pytest.mark.parametrize("kind", MODEL_KINDS)
def test_every_kind_of_model_lists_its_sites_and_its_own_parameters(kind):
    text = "\n".join(explain(kind))
    for word in (*MODEL_KINDS[kind].components, "N0", "curvature", "half_slope"):
        assert f" {word} " in text
    assert ("thickness" in text) == (kind == "mossbauer57Fe")


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
    model = pipeline.check(MODELS / f"{name}.spec", False).require().models[0]
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
