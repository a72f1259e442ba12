"""What is concluded from evidences, some of them missing."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from specfit.cli import main
from specfit.comparison import Comparison, Entry
from specfit.inference import NonFiniteStart
from specfit.inference.loo import Loo


def entry(name, evidence, converged=True):
    fit = SimpleNamespace(log_evidence=evidence, notes=("no log-evidence: k is 0.9",))
    found = Loo(np.zeros(3), np.zeros(3), 1.0) if converged else None
    verdict = SimpleNamespace(reasons=() if converged else ("rhat is 1.3",))
    return Entry(name, SimpleNamespace(fit=fit, verdict=verdict), found)


def test_a_model_without_evidence_leaves_the_ranking_open():
    best, second = entry("two", (-10.0, 0.01)), entry("one", (-30.0, 0.01))
    ranked = Comparison((best, second, entry("three", None)))
    assert ranked.probability(best) is None
    assert "Not among them: three (k is 0.9)" in ranked.words()
    whole = Comparison((best, second, entry("four", None, converged=False)))
    assert whole.probability(best) == 1.0 / (1.0 + np.exp(-20.0))
    assert "two is the most probable" in whole.words()
    assert "Nothing is known of four (rhat is 1.3)" in whole.words()
    near = Comparison((best, second, entry("four", (-8.0, 0.1), converged=False)))
    assert near.probability(best) is None
    assert "Not among them: four (rhat is 1.3)" in near.words()
    far = Comparison((best, second, entry("four", (-40.0, 0.1), converged=False)))
    assert far.probability(best) == 1.0 / (1.0 + np.exp(-20.0))
    assert "Far behind, and not converged: four (rhat is 1.3)." in far.words()
    assert Comparison((best,)).probability(best) is None


def test_a_difference_within_its_error_decides_nothing():
    ranked = Comparison((entry("two", (-10.0, 1.0)), entry("one", (-12.0, 1.0))))
    assert "do not decide" in ranked.words()


@pytest.fixture
def without_start(build, monkeypatch):
    """`without_start(names)`: those variants have no start; the others are synthetic."""
    written, strategies = build.standard_rules()
    done = build.Scene(rules=written, strategies=strategies).run()

    def patch(*names):
        def run(checked, options, progress=None, journal=None):
            if options.variant in names:
                raise NonFiniteStart(("likelihood of s",), 100)
            return done

        monkeypatch.setattr("specfit.pipeline.run", run)

    return patch


def opened(tmp_path):
    """A file with an open number of sites, and its data."""
    rows = "".join(f"{i / 8 - 4:.3f},50000\n" for i in range(64))
    (tmp_path / "line.csv").write_text(rows, encoding="utf-8")
    spec = tmp_path / "line.spec"
    spec.write_text(OPEN, encoding="utf-8")
    return spec


OPEN = """specfit 1
data s : transmission {
  file = "line.csv"; velocity = column(1) mm/s; counts = column(2) counts; T = 295 K
}
model one : mossbauer57Fe on s {
  site X[n = 0..2] : singlet { width = 0.3 mm/s }
  observe s.counts ~ poisson
}
"""


def test_check_says_that_the_number_is_open(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SPECFIT_LANG", "en")
    assert main(["check", str(opened(tmp_path))]) == 0
    said = capsys.readouterr().out
    assert "the number of components is open: `run` tries n=0, n=1, n=2" in said
    assert "sites: 2" in said
    assert "above are those of n=2" in said


def test_a_number_that_did_not_converge_is_named_with_its_gate(
    tmp_path, build, monkeypatch, capsys
):
    good, bad = (build.Scene(converged=converged).run() for converged in (True, False))

    def run(checked, options, progress=None, journal=None):
        return bad if options.variant == "n=2" else good

    monkeypatch.setattr("specfit.pipeline.run", run)
    out = tmp_path / "out"
    assert main(["run", str(opened(tmp_path)), "--out", str(out), "--quiet"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "n=2 (R-hat is 1.34, the gate is 1.01)" in said
    assert "n=2 (R-hat is 1.34, the gate is 1.01)" in (out / "report.html").read_text()
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["counts"][2]["reason"] == "R-hat is 1.34, the gate is 1.01"


def test_a_number_that_cannot_start_stops_no_other(tmp_path, without_start, capsys):
    without_start("n=2")
    out = tmp_path / "out"
    asked = ["run", str(opened(tmp_path)), "--out", str(out), "--quiet"]
    assert main(asked) == 0
    said = " ".join(capsys.readouterr().out.split())
    reason = NonFiniteStart(("likelihood of s",), 100)
    assert f"n=2 could not be run: {reason}." in said
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    counts = {count["name"]: count for count in result["counts"]}
    assert counts["n=2"]["verdict"] == "not_converged"
    assert counts["n=2"]["reason"] == str(reason)
    assert counts["n=2"]["probability"] is None
    assert counts["n=0"]["reason"] == ""
    assert counts["n=0"]["probability"] == counts["n=1"]["probability"] == 0.5


def test_where_no_number_can_start_there_is_no_answer(tmp_path, without_start, capsys):
    without_start("n=0", "n=1", "n=2")
    out = tmp_path / "out"
    asked = ["run", str(opened(tmp_path)), "--out", str(out), "--quiet"]
    assert main(asked) == 3
    assert "at fault: likelihood of s" in capsys.readouterr().err
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["verdict"] == "not_converged"
    assert not (tmp_path / ".out.partial").exists()


def test_a_variant_that_cannot_start_is_named_and_refused(
    tmp_path, without_start, capsys
):
    spec = opened(tmp_path)
    text = OPEN.replace("X[n = 0..2]", "X").rstrip()
    text += (
        "\nvariant wide { X.width = 0.4 mm/s }\nvariant thin { X.width = 0.2 mm/s }\n"
    )
    spec.write_text(text, encoding="utf-8")
    without_start("wide")
    out = tmp_path / "out"
    assert main(["compare", str(spec), "--out", str(out), "--quiet"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "line:wide could not be run: log-density or gradient not finite" in said
    record = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    found = {model["name"]: model for model in record["models"]}
    assert found["line:wide"]["verdict"] == "not_converged"
    assert "likelihood of s" in found["line:wide"]["reason"]
    assert found["line:thin"]["probability"] == 0.5
    refused = (out / "line.wide" / "result.json").read_text(encoding="utf-8")
    assert json.loads(refused)["verdict"] == "not_converged"
