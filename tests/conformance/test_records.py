"""What every record of the database must satisfy."""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter

import numpy as np
import pytest

from specfit.assets import folder
from specfit.constants import SOURCE_SHIFTS
from specfit.model import records
from specfit.model.ir import Citation
from specfit.model.lookup import (
    ORDERING,
    PATTERN_PARAMETERS,
    area_fractions,
    locate,
    record_for,
    transitions_of,
)
from specfit.model.priors import density, describe, quantile, resolve
from specfit.model.thermal import isomer_shift_change

PHASES = records.phases()
ROOM = folder("priors_db")


def test_the_database_is_whole():
    states = [s for name in PHASES for _, s in records.states(records.phase(name))]
    observations = [o for state in states for o in state.observations]
    assert len(PHASES) == 247
    assert len(states) == 487
    assert len(observations) == 627
    assert sum(o.status == "excluded" for o in observations) == 17
    assert all(o.reason for o in observations if o.status == "excluded")


def test_ids_are_unique_over_all_files():
    ids = Counter(
        identifier
        for name in PHASES
        for _, state in records.states(records.phase(name))
        for identifier in (state.id, *(o.id for o in state.observations))
    )
    assert [key for key, n in ids.items() if n > 1] == []


def test_every_file_is_toml_with_a_schema():
    files = sorted(ROOM.rglob("*.toml"))
    assert len(files) > len(PHASES)
    for path in files:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        assert table.get("schema") == 1 or path.stem == "aliases", path


def test_locators_name_publications_and_not_hosts():
    bad = re.compile(r"https?:|/home|/work|pypi|github\.com|curator|find_string", re.I)
    for path in ROOM.rglob("*.toml"):
        assert not bad.search(path.read_text(encoding="utf-8")), path


def test_every_cited_source_exists():
    known = records.sources()

    def walk(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("source", "sources") and not isinstance(value, dict):
                    cited = [value] if isinstance(value, str) else value
                    assert set(cited) <= set(known), cited
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    for path in ROOM.rglob("*.toml"):
        if path.stem != "sources":
            walk(tomllib.loads(path.read_text(encoding="utf-8")))


def test_aliases_lead_somewhere_and_hide_no_phase():
    for name, target in records.aliases().items():
        assert name not in PHASES
        entry, site = locate(name)
        assert target in (entry.phase, f"{entry.phase}.{site}")


@pytest.mark.parametrize("name", PHASES)
def test_phase_file(name):
    entry = records.phase(name)
    assert entry.phase == name
    for site, state in records.states(entry):
        assert "." not in site
        assert state.id.startswith(f"{name}.{site}.")
        assert state.class_range in records.class_ranges()
        _check_values(state)
        for seen in state.observations:
            assert seen.T_K == state.T_K
            assert seen.source in records.sources()
            assert seen.locator or seen.access == "recalled"
            reference = seen.IS_reference
            assert reference in SOURCE_SHIFTS or seen.status == "excluded"
            if seen.status == "used" and seen.QS is not None:
                sextet = state.pattern == "sextet"
                assert (seen.QS_kind in ("two_epsilon", "epsilon")) == sextet


def _check_values(state):
    for parameter in PATTERN_PARAMETERS[state.pattern]:
        known = state.assessed(parameter)
        if known is None:
            continue
        assert known.sd > 0
        if parameter == "QS":
            assert known.kind == (
                "two_epsilon" if state.pattern == "sextet" else "delta_EQ"
            )
        if known.obs_min is not None:
            assert known.obs_min <= known.value <= known.obs_max
    assert state.width.low <= state.width.typical <= state.width.high
    assert state.width.low >= 0.194 or state.width.confidence == "recalled"


@pytest.mark.parametrize("name", PHASES)
def test_values_lie_in_the_range_of_their_class_or_say_that_they_do_not(name):
    for _, state in records.states(records.phase(name)):
        allowed = records.class_ranges()[state.class_range]
        change = 0.0
        if allowed.T_K is not None:
            change, _, _ = isomer_shift_change(allowed.T_K, state.T_K)
        limits = {
            "IS": (allowed.IS[0] + change - 0.04, allowed.IS[1] + change + 0.04),
            "QS": (-0.05, allowed.QS_abs[1] + 0.05),
            "Bint": (0.0, (allowed.Bint_saturation or (0.0, 63.0))[1] + 0.5),
        }
        for parameter, (low, high) in limits.items():
            known = state.assessed(parameter)
            if known is None or parameter in state.outside_class:
                continue
            value = abs(known.value) if parameter == "QS" else known.value
            assert low <= value <= high, (state.id, parameter)


@pytest.mark.parametrize("name", PHASES)
def test_a_sextet_is_recorded_only_below_the_ordering_temperature(name):
    entry = records.phase(name)
    for site, state in records.states(entry):
        for transition in transitions_of(entry, entry.sites[site]):
            if transition.kind not in ORDERING or state.blocked:
                continue
            if state.pattern == "sextet":
                assert transition.high_K > state.T_K
            else:
                assert transition.low_K <= state.T_K


@pytest.mark.parametrize("name", PHASES)
def test_area_fractions_of_the_sites_of_a_phase_can_sum_to_one(name):
    entry = records.phase(name)
    for temperature in {state.T_K for _, state in records.states(entry)}:
        here = [
            s for s, t in records.states(entry) if temperature == t.T_K and s != "mean"
        ]
        shares = area_fractions(name, temperature)
        if len(here) > 1 and all(site in shares for site in here):
            low = sum(shares[site][0] for site in here)
            high = sum(shares[site][1] for site in here)
            assert low - 0.02 <= 1.0 <= high + 0.02, (name, temperature, shares)


@pytest.mark.parametrize("name", PHASES)
def test_the_prior_covers_what_it_cites_and_integrates_to_one(name):
    for site, state in records.states(records.phase(name)):
        record = record_for(f"{name}.{site}", state.T_K)
        assert record.pattern == state.pattern
        for parameter in record.parameters:
            citation = Citation(
                record=f"{name}.{site}", parameter=parameter, temperature=state.T_K
            )
            prior = resolve(citation)
            known = state.assessed(parameter)
            value = known.value
            if parameter == "QS" and state.pattern == "doublet":
                value = abs(value)
            x = np.linspace(prior.dist.low, prior.dist.high, 20001)
            y = density(prior.dist, x)
            assert math.isclose(float(np.trapezoid(y, x)), 1.0, abs_tol=2e-3)
            at = float(density(prior.dist, np.array([value]))[0])
            assert at > 0.05 * float(y.max()), (state.id, parameter)
            assert prior.provenance.observations
            if value > prior.dist.low:
                assert quantile(prior.dist, 0.02) <= value <= quantile(prior.dist, 0.98)
            assert describe(prior)
