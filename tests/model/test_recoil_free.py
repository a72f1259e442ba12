"""Recoil-free fractions of the database, and what a citation of one becomes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize

from specfit.model import recoil_free, records
from specfit.model.ir import Citation
from specfit.model.lookup import locate
from specfit.model.priors import describe, resolve
from specfit.model.records import RecordError


def asked(record: str, parameter: str, temperature: float, **more):
    return resolve(
        Citation(record=record, parameter=parameter, temperature=temperature, **more)
    )


def f_of(debye: float, temperature: float) -> float:
    area, _ = integrate.quad(lambda x: x / np.expm1(x), 1e-12, debye / temperature)
    return np.exp(-6 * 22.727 / debye * (0.25 + (temperature / debye) ** 2 * area))


def test_every_value_has_a_source_and_a_phase():
    rows = [row for name in records.phases() for row in recoil_free.recorded(name)]
    assert len(rows) == 19
    assert len({row.id for row in rows}) == len(rows)
    for row in rows:
        assert row.source in records.sources()
        assert locate(row.record)
        assert 0.0 < row.sd < 0.1
        low, high = recoil_free.BOUNDS[row.parameter]
        assert low < row.value < high
        assert row.id == f"{row.record}.{row.parameter}.{row.T_K:g}K"
        assert row.value > 0.6


def test_a_prior_is_a_normal_of_what_is_recorded():
    prior = asked("magnetite.B", "f_ratio", 295.0)
    assert [a.value for a in prior.dist.arguments] == [0.94, 0.02]
    prior = asked("magnetite.B", "f_ratio", 295.0, widen=3.0)
    assert prior.dist.arguments[1].value == pytest.approx(0.06)
    assert "widened 3 × → ± 0.060" in describe(prior)
    assert "Sawatzky" in "".join(describe(prior))
    assert (prior.dist.family, prior.provenance.class_range) == ("normal", "")


def test_a_fraction_is_carried_along_the_debye_solid_that_has_it():
    debye = optimize.brentq(lambda d: f_of(d, 80.0) - 0.915, 200.0, 900.0)
    found = asked("maghemite", "f", 4.2).provenance
    assert found.location == pytest.approx(f_of(debye, 4.2), abs=1e-6)
    assert found.scale > 0.02
    assert f"Θ = {debye:.0f} K" in found.notes[0]
    assert asked("maghemite.A", "f", 80.0).provenance.location == 0.915
    between = [asked("maghemite", "f", t).provenance.location for t in (100, 200, 290)]
    assert 0.915 > between[0] > between[1] > between[2] > 0.814


def test_a_ratio_is_linear_in_its_logarithm():
    found = asked("magnetite.B", "f_ratio", 147.5).provenance
    assert found.location == pytest.approx(np.sqrt(0.94 * 0.99))
    assert asked("magnetite.B", "f_ratio", 500.0).provenance.location < 0.94


def test_what_is_not_recorded_is_said_with_what_is():
    with pytest.raises(RecordError) as caught:
        asked("magnetite.A", "f_ratio", 295.0)
    assert caught.value.code == "db-no-recoil-free"
    assert caught.value.words["known"] == "`magnetite.B.f_ratio`"
