"""A small series from its files to its weights, by the commands."""

import csv
import json

import numpy as np
import pytest

from specfit import pipeline
from specfit.cli import main
from specfit.inference.clusters import clustered
from specfit.made_of import remarks

SHARES = {"1": (0.6, 0.3, 0.1), "2": (0.1, 0.3, 0.6)}


def test_check_says_that_the_weights_sum_to_one_already(series, capsys):
    assert main(["check", str(series())]) == 0
    said = capsys.readouterr().out
    assert "already true, keeps 100 % of the prior" in said
    assert "unknowns: 8" in said


def test_a_variant_drops_bases(series):
    checked = pipeline.check_with_data(series())
    two = checked.require().variants["two"]
    assert {n for joint in two.joints for n in joint.names} == {
        *("w[0,1]", "w[130,1]", "w[0,2]", "w[130,2]")
    }
    assert [source.label for source in two.bases] == ["0", "130"]


@pytest.mark.slow
def test_run_finds_the_weights_and_saves_them(series, tmp_path):
    out = tmp_path / "run"
    assert main(["run", str(series()), "--out", str(out), "--quiet"]) == 0
    result = json.loads((out / "result.json").read_text("utf-8"))
    assert result["verdict"] == "accepted"
    for stage, shares in SHARES.items():
        for label, share in zip(("0", "40", "130"), shares, strict=True):
            found = result["parameters"][f"w[{label},{stage}]"]
            assert abs(found["mean"] - share) < 4 * found["sd"]
    with (out / "out" / "w.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["stage"] for row in rows] == ["1", "2"]
    assert {"w[0]", "w[0] sd", "w[130]", "dE (eV)"} <= rows[0].keys()
    total = sum(float(rows[0][f"w[{label}]"]) for label in ("0", "40", "130"))
    assert total == pytest.approx(1.0)
    assert (out / "figures" / "weights.png").stat().st_size > 5000
    assert "taken for exact" in (out / "report.html").read_text("utf-8")


CLUSTERED = """specfit 1
data xanes[stage = 1..2] : absorption {
  file = "x{stage}.xmu"; energy = column(1) eV; mu = column(2)
  window = [8325, 8415] eV
}
data basis[k = 1..2] : absorption { cluster = METHOD(xanes) }
model ni : linear_combination on xanes, basis per stage {
  w[k] ~ dirichlet(0.5)
  dE ~ 0.00 ± 0.10 eV
  s ~ halfnormal(0.01)
  observe xanes.mu ~ student_t(4, sum(w[k] * shift(basis[k].mu, dE) over k), s)
}
"""


@pytest.mark.parametrize("method", ["kmeans", "nmf"])
def test_bases_of_the_series_itself_warn_of_the_leak(series, method):
    checked = pipeline.check_with_data(series(CLUSTERED.replace("METHOD", method)))
    assert not checked.errors
    model = checked.require().models[0]
    measured = pipeline.measure(model, checked)
    bases = list(measured[0].bases.values())
    assert bases[0].axis[0] < measured[0].axis[0]  # all that was measured
    (said,) = remarks(model, measured)
    assert "made of the fitted spectra themselves" in said
    assert "basis[1]: 1 (" in said


def test_a_stage_that_is_its_own_basis_is_told(series, tmp_path):
    path = series()
    stage = np.loadtxt(tmp_path / "x1.xmu")
    wide = np.loadtxt(tmp_path / "b0.xmu")
    inside = (wide[:, 0] >= stage[0, 0]) & (wide[:, 0] <= stage[-1, 0])
    wide[inside, 1] = stage[:, 1]
    np.savetxt(tmp_path / "b0.xmu", wide)
    checked = pipeline.check_with_data(path)
    model = checked.require().models[0]
    (said,) = remarks(model, pipeline.measure(model, checked))
    assert said.endswith("xanes[1] is basis[0]")


def test_clusters_find_groups_in_the_order_of_the_series():
    generator = np.random.default_rng(4)
    centres = np.array([[0.0, 1.0, 1.0], [0.0, 0.4, 1.2], [0.1, 0.2, 1.4]])
    member = np.repeat([0, 1, 2], 4)
    spectra = centres[member] + generator.normal(0.0, 0.005, (12, 3))
    found, shares = clustered(spectra, 3, "kmeans")
    np.testing.assert_array_equal(np.argmax(shares, axis=1), member)
    for k in range(3):
        np.testing.assert_allclose(found[k], spectra[member == k].mean(axis=0))
    parts, amounts = clustered(spectra, 2, "nmf")
    assert (parts >= 0.0).all()
    assert np.sqrt(np.mean((amounts @ parts - spectra) ** 2)) < 0.03
