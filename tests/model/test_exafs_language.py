"""EXAFS in the language: files, records by state of charge, levels, settings."""

import tomllib

import numpy as np
import pytest

from specfit import pipeline
from specfit.assets import folder
from specfit.cli import main
from specfit.exafs.synthetic import write_paths
from specfit.model import path_records, records
from specfit.model.exafs_kinds import EXAFS
from specfit.model.ir import PathCitation
from specfit.model.priors import describe, quantile

K = np.arange(2.0, 13.01, 0.05)


@pytest.fixture
def place(tmp_path):
    write_paths(tmp_path)
    for stage in (1, 2):
        np.savetxt(tmp_path / f"chi_{stage}.dat", np.column_stack([K, np.sin(4 * K)]))
    return tmp_path


def checked(place, body, levels="", conditions=""):
    file = "chi_{stage}.dat" if levels else "chi_1.dat"
    (place / "m.spec").write_text(
        f"""specfit 1
data s{levels} : absorption {{
  file = "{file}"; k = column(1) Å^-1; chi = column(2); window = [3, 12] Å^-1
  {conditions}
}}
model m : exafs on s {{
  {body}
  observe s.chi ~ gaussian(sd = halfnormal(0.01))
}}
""",
        encoding="utf-8",
    )
    return pipeline.check_with_data(place / "m.spec")


def model_of(found):
    assert not found.errors, [(e.code, e.words) for e in found.errors]
    return found.require().models[0]


def test_every_symbol_has_a_name_in_both_languages():
    text = (folder("grammars") / "messages.toml").read_text("utf-8")
    terms = tomllib.loads(text)["terms"]
    for entry in (*EXAFS.scalars, *EXAFS.components["feff"].parameters):
        assert set(terms[f"symbol-{entry.symbol}"]) == {"en", "ja"}


def test_files_and_settings_are_part_of_the_model(place):
    body = 'k_weight = 2; R_range = [1, 3.2] Å; path A : feff { file = "ni_o1.dat" }'
    model = model_of(checked(place, body))
    assert model.spectra[0].sites[0].settings == {"file": "ni_o1.dat"}
    assert model.settings["k_weight"] == 2.0
    assert (model.settings["R_range.low"], model.settings["R_range.high"]) == (1, 3.2)
    for changed in (("ni_o1", "ni_o2"), ("= 2", "= 1"), ("3.2", "3.1")):
        assert model_of(checked(place, body.replace(*changed))).digest() != (
            model.digest()
        )


def test_what_was_read_of_a_path_is_told(place):
    body = 'R_range = [1, 3.2] Å; path A : feff { file = "ni_o1.dat" }'
    found = checked(place, body)
    (measured,) = pipeline.measure(model_of(found), found)
    told = dict(measured.found)
    path = measured.scattering.paths["A"]
    assert path.sha256 in told["path A"]
    assert "2.03 Å, 6 of them" in told["path A"]
    assert told["independent points, of 2ΔkΔR/π"] == "10 of 12.5"
    assert measured.axis_unit == "Å"
    assert measured.values.size == 10


def test_a_path_outside_the_folder_is_refused_unless_allowed(place):
    inner = place / "inner"
    inner.mkdir()
    (inner / "chi_1.dat").write_bytes((place / "chi_1.dat").read_bytes())
    body = 'path A : feff { file = "../ni_o1.dat" }'
    assert [e.code for e in checked(inner, body).errors] == ["data-outside"]
    allowed = pipeline.check_with_data(inner / "m.spec", allow_outside=True)
    assert not allowed.errors


def test_levels_share_paths_and_have_edges_of_their_own(place):
    body = 'path A : feff { file = "ni_o1.dat"; R ~ normal(reff, 0.1 Å) per stage }'
    model = model_of(checked(place, body, "[stage = [1, 2]]"))
    sites = [spectrum.sites[0].parameters for spectrum in model.spectra]
    assert [s["R"] for s in sites] == ["A.R[1]", "A.R[2]"]
    assert [s["dE0"] for s in sites] == ["A.dE0[1]", "A.dE0[2]"]
    assert [s["sigma2"] for s in sites] == ["A.sigma2", "A.sigma2"]
    assert [s["reff"] for s in sites] == ["A.reff", "A.reff"]


def test_a_path_may_be_a_template(place):
    (place / "m.spec").write_text("", encoding="utf-8")
    body = """path A : shell("ni_o1.dat")
  path B : shell("ni_m1.dat")"""
    found = checked(place, body)
    text = found.text.replace(
        "model m", "template shell(name) : feff { file = name }\nmodel m"
    )
    (place / "m.spec").write_text(text, encoding="utf-8")
    model = model_of(pipeline.check_with_data(place / "m.spec"))
    files = [site.settings["file"] for site in model.spectra[0].sites]
    assert files == ["ni_o1.dat", "ni_m1.dat"]


# ------------------------------------------------------------------------ records


def cited(charge, parameter="R", record="NMC111.Ni-O", widen=1.0):
    return path_records.resolve(
        PathCitation(record=record, parameter=parameter, charge=charge, widen=widen)
    )


@pytest.mark.parametrize(
    ("charge", "parameter", "location", "scale"),
    [
        (0.0, "R", 2.035, 0.02),
        (0.25, "R", (2.035 + 1.96) / 2, 0.025),
        (0.5, "sigma2", 0.008, 0.003),
        (1.0, "R", 1.895, 0.02),
        (1.3, "R", 1.895, 0.04),  # beyond the last record, with twice its spread
    ],
)
def test_records_are_linear_in_the_charge(charge, parameter, location, scale):
    prior = cited(charge, parameter)
    assert prior.provenance.location == pytest.approx(location)
    assert prior.provenance.scale == pytest.approx(scale)
    assert quantile(prior.dist, 0.5) == pytest.approx(location, rel=0.03)


@pytest.mark.parametrize("record", path_records.names())
def test_every_record_answers_and_knows_its_source(record):
    for row in path_records.find(record):
        for parameter in path_records.PARAMETERS:
            prior = cited(row.charge, parameter, record)
            assert prior.provenance.location == getattr(row, parameter)
            assert prior.provenance.observations == (row.id,)
            low, high = path_records.BOUNDS[parameter]
            assert low < prior.provenance.location < high
        assert records.source(row.source).citation
        assert row.number > 0


def test_a_prior_tells_its_rows_and_what_was_done():
    lines = describe(cited(0.25, widen=3.0))
    assert lines[0] == ("NMC111.Ni-O.R at a state of charge of 25%: 1.998 ± 0.025 Å")
    assert lines[1] == "widened 3 × → ± 0.075 Å"
    assert sum(line.startswith("record NMC111.Ni-O@") for line in lines) == 2
    assert any("recalled" in line for line in lines)
    outside = describe(cited(1.3))
    assert any("outside the recorded states of charge" in line for line in outside)


def test_a_path_takes_its_priors_from_the_database(place):
    body = 'path A : feff from db("NMC111.Ni-O") { file = "ni_o1.dat" }'
    model = model_of(checked(place, body, conditions="SOC = 50 %"))
    priors = {p.name: p.prior.provenance for p in model.parameters}
    assert priors["A.R"].location == pytest.approx(1.96)
    assert priors["A.sigma2"].charge == 0.5
    assert priors["S02"] is None
    each = model_of(
        checked(
            place,
            'path A : feff from db("NMC111.Ni-O", SOC = (s.stage - 1) * 50 %) '
            '{ file = "ni_o1.dat" }',
            "[stage = [1, 2]]",
        )
    )
    found = {p.name: p.prior.provenance for p in each.parameters}
    assert found["A.R[1]"].location == pytest.approx(2.035)
    assert found["A.R[2]"].location == pytest.approx(1.96)


def test_the_command_finds_paths(capsys):
    assert main(["db", "search", "ni-o"]) == 0
    assert "NMC111.Ni-O" in capsys.readouterr().out
    assert main(["db", "show", "NMC111.Co-M"]) == 0
    shown = capsys.readouterr().out
    assert "2.838 ± 0.015" in shown
    assert "nmc111_exafs: W.-S. Yoon" in shown
    assert main(["db", "list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in path_records.names())
    assert main(["explain", "exafs", "feff"]) == 0
    assert "~ normal(reff, 0.1 Å)" in capsys.readouterr().out
