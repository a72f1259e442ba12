"""`run likelihood`: rules are kept, an early end is told, and a point has no sd."""

import json

import jax
import numpy as np
import pytest

from specfit import pipeline
from specfit.cli import main
from specfit.inference import likeliest as ascent

LINE = """specfit 1
data d : table {{ file = "d.txt"; x = column(1); y = column(2) }}
model m : curve on d {{
  a ~ free in [-10, 10]
  b ~ free in [-10, 10]
  {rule}
  observe d.y ~ normal(a + b * d.x, 0.1)
}}
run likelihood {{ seed = 1 }}
"""
X = np.linspace(0.0, 1.0, 30)


def run_of(folder, rule=""):
    y = 1.0 + 2.0 * X + 0.1 * np.random.default_rng(3).standard_normal(30)
    np.savetxt(folder / "d.txt", np.column_stack([X, y]))
    path = folder / "m.spec"
    path.write_text(LINE.format(rule=rule), encoding="utf-8")
    return path, y


def fitted(folder, rule=""):
    path, y = run_of(folder, rule)
    run = pipeline.run(pipeline.check_with_data(path), pipeline.Options())
    return run, {n: float(x.mean()) for n, x in run.fit.draws.items()}, y


def test_it_is_the_least_squares(tmp_path):
    run, found, y = fitted(tmp_path)
    slope, intercept = np.polyfit(X, y, 1)
    assert found["a"] == pytest.approx(intercept, abs=1e-9)
    assert found["b"] == pytest.approx(slope, abs=1e-9)
    passed = {name: ok for name, _, _, ok in run.fit.gates}
    assert passed["likelihood_reached"]


def test_a_rule_that_only_a_barrier_keeps_is_not_stepped_over(tmp_path):
    run, found, _ = fitted(
        tmp_path, 'require a^2 + b^2 < 4 because "inside a circle of radius 2"'
    )
    assert found["a"] ** 2 + found["b"] ** 2 < 4.0
    assert found["a"] ** 2 + found["b"] ** 2 > 3.5  # as far as the rule lets it go
    passed = {name: ok for name, _, _, ok in run.fit.gates}
    assert not passed["likelihood_reached"]
    assert any("stopped before" in reason for reason in run.verdict.reasons)


def test_an_ascent_that_is_cut_short_says_so(tmp_path, monkeypatch):
    path, _ = run_of(tmp_path)
    monkeypatch.setattr(ascent, "STEPS", 0)
    checked = pipeline.check_with_data(path)
    model = checked.require().models[0]
    with jax.enable_x64(True):
        built = pipeline.build(model, pipeline.measure(model, checked))
        end = ascent.likeliest(built, np.zeros(2))
    assert end.gain > 1.0


def test_a_point_has_no_sd_and_no_quantiles(tmp_path, capsys):
    path, _ = run_of(tmp_path)
    assert main(["run", str(path), "--out", str(tmp_path / "run"), "--quiet"]) == 3
    assert "no errors" in capsys.readouterr().out
    result = json.loads((tmp_path / "run" / "result.json").read_text("utf-8"))
    for figures in result["parameters"].values():
        assert figures["mean"] == figures["median"]
        assert [figures[k] for k in ("sd", "q05", "q95", "q025", "q975")] == [None] * 5
    rows = (tmp_path / "run" / "tables" / "parameters.csv").read_text("utf-8")
    name, _, _, _, sd, *_ = rows.splitlines()[1].split(",")
    assert (name, sd) == ("a", "")
