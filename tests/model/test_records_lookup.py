"""Names, sites and sides of transitions."""

from __future__ import annotations

import subprocess
import sys

import pytest

from specfit.model import records
from specfit.model.lookup import locate, record_for, sides
from specfit.model.records import RecordError, Transition


def fault(record: str, temperature: float) -> RecordError:
    with pytest.raises(RecordError) as caught:
        record_for(record, temperature)
    return caught.value


def test_a_misspelt_phase_is_answered_with_the_nearest_name():
    error = fault("magnetit.A", 295.0)
    assert error.code == "db-unknown-phase"
    assert "`magnetite`" in error.words["near"]


def test_a_misspelt_site_is_answered_with_the_sites():
    error = fault("magnetite.C", 295.0)
    assert error.code == "db-unknown-site"
    assert "`A`" in error.words["near"]
    assert "`B`" in error.words["near"]


def test_a_phase_with_several_sites_needs_one():
    error = fault("magnetite", 295.0)
    assert error.code == "db-site-needed"
    assert error.words["sites"] == "`A`, `B`"


def test_a_phase_with_one_site_does_not():
    assert record_for("siderite", 295.0).key == "siderite"
    assert record_for("siderite.Fe", 295.0).key == "siderite"


def test_the_only_site_on_this_side_of_a_transition_is_found():
    assert record_for("CaFeO3", 300.0).site == "Fe4"
    assert fault("CaFeO3", 4.2).words["sites"] == "`Fe3`, `Fe5`"


@pytest.mark.parametrize(
    ("alias", "phase", "site"),
    [
        ("alpha-Fe", "iron", "alpha"),
        ("α-Fe", "iron", "alpha"),
        ("Fe3O4", "magnetite", None),
        ("Fe3O4.B", "magnetite", "B"),
        ("Fe3C.mean", "cementite", "mean"),
    ],
)
def test_aliases(alias, phase, site):
    entry, found = locate(alias)
    assert (entry.phase, found) == (phase, site)


def test_nothing_is_carried_across_the_verwey_transition():
    error = fault("magnetite.B", 77.0)
    assert error.code == "db-no-temperature"
    assert "Verwey" in error.words["transition"]
    assert "`magnetite.A`" in error.words["others"]
    states = record_for("magnetite.A", 77.0).states
    assert [state.T_K for state in states] == [4.2]


def test_nothing_is_carried_across_an_ordering_temperature():
    assert fault("hematite", 1000.0).code == "db-no-temperature"
    assert record_for("siderite", 77.0).pattern == "doublet"
    assert record_for("siderite", 10.0).pattern == "sextet"
    assert fault("fayalite.M1", 4.2).code == "db-no-temperature"


def test_the_morin_transition_divides_hematite():
    assert {s.T_K for s in record_for("hematite", 295.0).states} == {295.0}
    assert {s.T_K for s in record_for("hematite", 200.0).states} == {78.0, 4.2}
    # inside the band the nearest record decides, and only its side is used
    assert {s.T_K for s in record_for("hematite", 258.0).states} == {295.0}


def test_siderite_is_a_doublet_at_room_temperature_and_orders_at_38_kelvin():
    record = record_for("siderite", 295.0)
    assert record.pattern == "doublet"
    assert record.parameters == ("IS", "QS")
    assert record.ordering_temperature == 38.0
    assert record.ordering == "Néel"


def test_area_fractions_are_known():
    assert record_for("magnetite.B", 295.0).area_fraction == pytest.approx(
        (2 / 3, 2 / 3)
    )


def test_sides_of_a_band():
    neel = Transition(kind="Néel", low_K=240, high_K=300, confidence="recalled")
    assert sides(neel, 200) == {"below"}
    assert sides(neel, 300) == {"above"}
    assert sides(neel, 260) == {"below", "above"}
    # a doublet recorded inside the band was above its own Néel temperature
    assert record_for("akaganeite.D1", 310.0).pattern == "doublet"
    assert fault("akaganeite.D1", 100.0).code == "db-no-temperature"


def test_search_finds_by_formula_class_and_alias():
    assert "magnetite" in {p.phase for p in records.search("Fe3O4")}
    assert "fayalite" in {p.phase for p in records.search("Fe2+ HS oct")}
    assert {p.phase for p in records.search("alpha-Fe iron")} == {"iron"}
    assert records.search("no such thing") == ()


def test_a_citation_reads_one_phase_file_and_no_sampler_library():
    code = (
        "import sys\n"
        "from specfit.model import records, priors\n"
        "from specfit.model.ir import Citation\n"
        "priors.resolve(Citation(record='magnetite.B', parameter='IS',"
        " temperature=295.0))\n"
        "assert records.phase.cache_info().currsize == 1\n"
        "assert not {'jax', 'scipy', 'sklearn', 'sympy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
