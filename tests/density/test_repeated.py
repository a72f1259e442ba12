"""Definitions of every level worked out together are what each of them says."""

from pathlib import Path

import jax
import numpy as np
import pytest

from specfit import pipeline
from specfit.density.repeated import steps
from specfit.density.scope import Scope
from specfit.model.expressions import evaluate

SERIES = Path(__file__).parents[2] / "models" / "temperature_series.spec"
KNOWN = {
    "Θ_oxide": 410.0, "Θ_salt": 190.0, "IS_oxide": 0.6, "IS_salt": 1.3,
    "B_0": 51.0, "T_N": 420.0, "QS_0": 3.3, "Δ": 650.0,
}  # fmt: skip


def test_stacked_definitions_equal_each_by_itself():
    model = pipeline.check(SERIES).require().models[0]
    said = {d.name: d.value for d in model.definitions}
    together = [s for s in steps(said.items()) if len(s.names) > 1]
    temperatures = (80, 150, 220, 295)
    shifts = {f"{s}.IS[{t}]" for s in ("oxide", "salt") for t in temperatures}
    assert shifts in [set(step.names) for step in together]
    assert sorted(len(s.names) for s in together) == [4, 4, 8, 8]  # Bint, QS, f, IS

    def values():
        scope = Scope(KNOWN, {})
        for step in together:
            step.into(scope, float)
        return {name: scope[name] for step in together for name in step.names}

    with jax.enable_x64(True):
        found = jax.jit(values)()
    for name, value in found.items():
        alone = float(evaluate(said[name], KNOWN, np))
        assert float(value) == pytest.approx(alone, rel=1e-12), name
