"""How priors are carried in temperature, and what is said of it."""

from __future__ import annotations

import pytest
from scipy import integrate

from specfit.constants import BOLTZMANN_OVER_MC
from specfit.model.ir import Citation
from specfit.model.priors import resolve
from specfit.model.records import RecordError
from specfit.model.thermal import doppler_shift, isomer_shift_change, reduced_field


def said(record, parameter, temperature):
    citation = Citation(record=record, parameter=parameter, temperature=temperature)
    return resolve(citation).provenance


@pytest.mark.parametrize(
    ("debye", "at_77", "at_4"),
    [
        (200.0, 0.147, 0.166),
        (300.0, 0.134, 0.144),
        (400.0, 0.119, 0.125),
        (500.0, 0.105, 0.109),
        (600.0, 0.092, 0.094),
    ],
)
def test_doppler_shift_against_tabulated_differences(debye, at_77, at_4):
    room = doppler_shift(295.0, debye)
    assert doppler_shift(77.0, debye) - room == pytest.approx(at_77, abs=6e-4)
    assert doppler_shift(4.2, debye) - room == pytest.approx(at_4, abs=6e-4)


def test_doppler_shift_against_adaptive_quadrature():
    import math

    integral, _ = integrate.quad(lambda x: x**3 / math.expm1(x), 0, 400.0 / 150.0)
    expected = -4.5 * BOLTZMANN_OVER_MC * (50.0 + 150.0 * (150 / 400) ** 3 * integral)
    assert doppler_shift(150.0) == pytest.approx(expected, rel=1e-5)
    assert doppler_shift(0.0) == pytest.approx(-4.5 * BOLTZMANN_OVER_MC * 50.0)


def test_isomer_shift_near_room_temperature_is_linear():
    change, error, law = isomer_shift_change(295.0, 315.0)
    assert change == pytest.approx(-0.0146)
    assert error == 0.0
    assert "7.3e-4" in law
    near, here = said("siderite", "IS", 315.0), said("siderite", "IS", 295.0)
    assert near.location - here.location == pytest.approx(-0.0146, abs=1e-6)


def test_a_record_within_25_kelvin_counts_as_the_temperature_asked_for():
    assert (
        said("siderite", "QS", 300.0).location == said("siderite", "QS", 295.0).location
    )
    near = said("goethite", "Bint", 300.0)
    assert near.location == said("goethite", "Bint", 295.0).location
    assert not any("Bint by" in note for note in near.notes)


def test_isomer_shift_on_cooling_follows_the_doppler_shift_and_says_so():
    cold = said("siderite", "IS", 77.0)
    assert any("Debye" in note for note in cold.notes)
    assert set(cold.observations) == {"siderite.Fe.140K/1"}
    assert cold.location == pytest.approx(
        1.34 + isomer_shift_change(140.0, 77.0)[0], abs=1e-3
    )


def test_field_between_records_follows_the_law_through_both():
    fields = [said("goethite", "Bint", t).location for t in (4.2, 77, 150, 220, 295)]
    assert fields == sorted(fields, reverse=True)
    middle = said("goethite", "Bint", 150.0)
    assert any("through the records at 4.2 K and 295 K" in n for n in middle.notes)
    assert middle.scale > said("goethite", "Bint", 295.0).scale * 0.5
    by_law = 50.15 * reduced_field(150.0, 400.0)
    assert middle.location == pytest.approx(by_law, abs=0.5)


def test_field_beyond_the_records_widens():
    far, near = said("hematite", "Bint", 600.0), said("hematite", "Bint", 295.0)
    assert far.location < near.location - 5
    assert far.scale > 2 * near.scale


def test_reduced_field_law_against_measured_fields():
    # T_order, B(4.2 K), B(295 K): goethite, hematite, metallic iron
    for ordering, cold, room in (
        (400, 50.15, 38.0),
        (955, 54.2, 51.7),
        (1043, 33.9, 33.0),
    ):
        assert cold * reduced_field(295.0, ordering) == pytest.approx(room, rel=0.02)
    assert reduced_field(900.0, 858.0) == 0.0


def test_hematite_changes_the_sign_of_its_quadrupole_shift_at_the_morin_transition():
    assert said("hematite", "QS", 295.0).location == pytest.approx(-0.20, abs=0.02)
    assert said("hematite", "QS", 200.0).location == pytest.approx(0.40, abs=0.02)


def test_a_field_without_an_ordering_temperature_is_not_carried():
    with pytest.raises(RecordError) as caught:
        said("talnakhite", "Bint", 77.0)
    assert caught.value.code == "db-no-temperature"


def test_ferrous_quadrupole_splitting_is_less_certain_away_from_its_records():
    far, near = said("fayalite.mean", "QS", 150.0), said("fayalite.mean", "QS", 295.0)
    assert far.location == pytest.approx(near.location)
    assert far.scale > near.scale + 0.2
