"""Four lines that two doublets share in three ways: each answer found and weighed."""

import json
import re

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import norm

from specfit import pipeline
from specfit.cli import main

from . import spectra

SPEC = """specfit 1
data s : transmission {
  file = "lines.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
}
model pairs "Four lines" : mossbauer57Fe on s {
  N0 ~ free in [10000, 1000000] counts
  area ~ free in [0.01, 5] mm/s
  site A : doublet {
    IS ~ free in [-0.5, 1.5] mm/s; QS ~ free in [0.1, 3] mm/s; width = 0.3 mm/s
  }
  site B : doublet {
    IS ~ free in [-0.5, 1.5] mm/s; QS ~ free in [0.1, 3] mm/s; width = 0.3 mm/s
  }
  (A.I, B.I) ~ dirichlet(1, 1)
  observe s.counts ~ poisson
}
"""
TRUTH = """seed = 3
[axis]
low = -4.0
high = 4.0
channels = 256
[values]
N0 = 1e5
area = 0.3
A = { IS = 0.2, QS = 0.6, I = 0.5 }
B = { IS = 0.9, QS = 1.5, I = 0.5 }
"""
# lines at −0.10, 0.15, 0.50, 1.65 mm/s: (IS, QS) of the two doublets, the first higher
PAIRINGS = [
    ((0.9, 1.5), (0.2, 0.6)),
    ((0.775, 1.75), (0.325, 0.35)),
    ((1.075, 1.15), (0.025, 0.25)),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "pairs.spec").write_text(SPEC, encoding="utf-8")
    (folder / "truth.toml").write_text(TRUTH, encoding="utf-8")
    arguments = ["--truth", str(folder / "truth.toml"), "--out", str(folder)]
    assert main(["simulate", str(folder / "pairs.spec"), *arguments]) == 0
    return folder


@pytest.fixture(scope="module")
def checked(folder):
    return pipeline.check_with_data(folder / "pairs.spec")


def pairing_of(values):
    """Which of `PAIRINGS` an answer is."""
    found = [values[name][0] for name in ("A.IS", "A.QS", "B.IS", "B.QS")]
    far = [np.abs(np.subtract(found, np.ravel(pairing))).max() for pairing in PAIRINGS]
    assert min(far) < 0.02
    return int(np.argmin(far))


def test_every_way_to_share_the_lines_is_reported(folder, capsys):
    out = folder / "run"
    spec = str(folder / "pairs.spec")
    assert main(["run", spec, "--out", str(out), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "3 answers fit these data" in said
    assert "answer 3 is accepted" in said
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    answers = result["answers"]
    assert {pairing_of(answer["values"]) for answer in answers} == {0, 1, 2}
    assert sum(answer["weight"] for answer in answers) == pytest.approx(1.0)
    assert all(answer["verdict"] == "accepted" for answer in answers)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Answers that fit" in page
    assert "A.IS ≥ B.IS" in page


def weights(checked, engine, seed):
    """The weight of each of `PAIRINGS`."""
    options = pipeline.Options(engine=engine, seed=seed)
    fit = pipeline.run(checked, options).fit
    assert fit.converged
    found = np.zeros(3)
    for answer in fit.answers:
        values = {n: (d.mean(),) for n, d in answer.fit.draws.items()}
        found[pairing_of(values)] = answer.weight
    return found


@pytest.mark.slow
def test_weights_are_those_of_tempering(checked):
    mixed = weights(checked, "nuts", 0)
    tempered = np.array([weights(checked, "smc", seed) for seed in range(20)])
    reference = tempered.mean(axis=0)
    error = tempered.std(axis=0, ddof=1) / np.sqrt(len(tempered))
    print(mixed, reference, error)
    assert np.all(error < 0.02 * reference)
    assert np.all(np.abs(mixed - reference) < 0.1 * reference)


@pytest.mark.slow
def test_an_open_number_of_components_is_settled_by_the_evidence(folder, capsys):
    text = re.sub(r"  site B .*?\n  }\n", "", SPEC, flags=re.DOTALL)
    text = re.sub(r"  \(A.I, B.I\).*\n", "", text)
    text = text.replace("site A", "site X[n = 1..2]")
    (folder / "open.spec").write_text(text, encoding="utf-8")
    spec, out = str(folder / "open.spec"), folder / "open"
    capsys.readouterr()
    assert main(["run", spec, "--out", str(out), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "n=2 is the most probable" in said
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert [count["name"] for count in result["counts"]] == ["n=1", "n=2"]
    assert result["counts"][1]["probability"] == pytest.approx(1.0)
    assert {"X1.IS", "X2.QS"} <= set(result["parameters"])
    assert "Shown is n=2." in (out / "report.html").read_text(encoding="utf-8")


def test_no_component_at_all_is_a_hypothesis(tmp_path, capsys):
    body = """  site X[n = 0..1] : singlet {
    IS ~ free in [-1, 1] mm/s; width ~ free in [0.2, 0.6] mm/s
  }"""
    path = spectra.spec(tmp_path, body, [], counts=5e4, channels=128, limit=4.0)
    out = tmp_path / "flat"
    assert main(["run", str(path), "--out", str(out), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "n=0 is the most probable" in said
    assert "no component: a flat spectrum" in said
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    counts = {count["name"]: count for count in result["counts"]}
    # N0 alone: its prior, a normal of log N0 of sd 0.1, against 128 Poisson channels
    seen = np.loadtxt(tmp_path / "spectrum.csv", delimiter=",")[:, 1]
    assert counts["n=0"]["log_evidence"]["value"] == pytest.approx(flat(seen), abs=0.1)
    assert result["parameters"]["N0"]["mean"] == pytest.approx(seen.mean(), rel=1e-3)
    assert "no site" not in (out / "report.html").read_text(encoding="utf-8")


def flat(seen):
    """Log-evidence of a constant rate, by quadrature over log N0."""
    rate = np.log(seen.mean()) + np.linspace(-0.005, 0.005, 2001)
    logs = np.sum(seen) * rate - len(seen) * np.exp(rate) - np.sum(gammaln(seen + 1))
    logs += norm.logpdf(rate, np.log(seen.max()), 0.1)
    top = logs.max()
    return top + np.log(np.trapezoid(np.exp(logs - top), rate))
