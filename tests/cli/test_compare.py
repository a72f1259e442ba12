"""Models of the same data are ranked; unlike ones are refused."""

import json

import numpy as np
import pytest

from specfit.cli import main

SPEC = """specfit 1
data s : transmission {
  file = "line.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
}
model one "One line" : mossbauer57Fe on s {
  N0 ~ free in [10000, 100000] counts
  area ~ free in [0.01, 2] mm/s
  site A : singlet { IS ~ free in [-1, 1] mm/s; width ~ free in [0.2, 0.6] mm/s }
  observe s.counts ~ poisson
}
variant wide { A.IS ~ free in [-1.5, 1.5] mm/s }
"""
TRUTH = """seed = 5
[axis]
low = -4.0
high = 4.0
channels = 128
[values]
N0 = 5e4
area = 0.2
A = { IS = 0.3, width = 0.3 }
"""
QUICK = ["--quiet", "--json", "--draws", "400"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    (folder / "line.spec").write_text(SPEC, encoding="utf-8")
    sloped = SPEC.split("variant")[0].replace("model one", "model two")
    line = "  baseline b : linear\n  slope ~ free in [-0.05, 0.05]\n  observe"
    sloped = sloped.replace("  observe", line)
    (folder / "sloped.spec").write_text(sloped, encoding="utf-8")
    truth = folder / "truth.toml"
    truth.write_text(TRUTH, encoding="utf-8")
    spec = str(folder / "line.spec")
    assert main(["simulate", spec, "--truth", str(truth), "--out", str(folder)]) == 0
    return folder


@pytest.mark.slow
def test_evidence_is_that_of_the_stated_priors(folder, capsys):
    capsys.readouterr()
    files = [str(folder / "line.spec"), str(folder / "sloped.spec")]
    out = folder / "ranked"
    assert main(["compare", *files, *QUICK, "--out", str(out)]) == 0
    record = json.loads(capsys.readouterr().out)
    found = {model["name"]: model for model in record["models"]}
    assert next(iter(found)) == "line"
    # a flat prior half as wide again costs log 1.5, whatever the data
    behind = found["line:wide"]["log_evidence_difference"]
    assert behind["value"] == pytest.approx(-np.log(1.5), abs=5 * behind["sd"] + 0.01)
    assert "do not decide" in record["conclusion"]
    # a slope that is not there is paid for, and predicts no better
    sloped = found["sloped"]
    assert sloped["log_evidence_difference"]["value"] < -1.0
    short = sloped["elpd_loo_difference"]
    assert -3.0 < short["value"] < 2.0
    assert sum(model["probability"] for model in found.values()) == pytest.approx(1.0)
    assert json.loads((out / "comparison.json").read_text(encoding="utf-8")) == record
    assert (out / "line.wide" / "report.html").exists()


def test_the_table_says_what_follows(folder, capsys):
    capsys.readouterr()
    arguments = ["--quiet", "--draws", "400", "--out", str(folder / "table")]
    assert main(["compare", str(folder / "line.spec"), *arguments]) == 0
    said = capsys.readouterr().out
    assert "line:wide" in said
    assert "probability" in said
    assert "The data do not decide between line and line:wide" in said


def test_other_data_and_other_likelihoods_are_refused(folder, capsys):
    spec = (folder / "line.spec").read_text(encoding="utf-8")
    cut = spec.replace("  T = 295 K\n", "  T = 295 K\n  window = [-3, 3] mm/s\n")
    (folder / "cut.spec").write_text(cut, encoding="utf-8")
    noisy = spec.replace("~ poisson", "~ negative_binomial(100)")
    (folder / "noisy.spec").write_text(noisy, encoding="utf-8")
    for other, code in (("cut", "compare-data"), ("noisy", "compare-likelihood")):
        files = [str(folder / "line.spec"), str(folder / f"{other}.spec")]
        assert main(["compare", *files, *QUICK]) == 2
        assert f"error[{code}]" in capsys.readouterr().err
    single = str(folder / "sloped.spec")
    assert main(["compare", single, *QUICK]) == 2
    assert "error[compare-one]" in capsys.readouterr().err
