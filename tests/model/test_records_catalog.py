"""The database as text."""

from __future__ import annotations

import pytest

from specfit.model import records
from specfit.model.catalog import list_phases, show_phase, table, width
from specfit.model.records import RecordError
from specfit.model.searching import search_phases


def test_every_phase_is_listed_once():
    lines = [
        line.split()[0]
        for line in list_phases().splitlines()
        if line[:3] == "  " + line[2:3]
    ]
    for name in records.phases():
        assert lines.count(name) == 1


def test_a_phase_is_shown_with_rows_sources_exclusions_and_density():
    text = show_phase("magnetite")
    assert "Verwey 119–125 K (recalled)" in text
    assert "EXCLUDED: 44.4 T is 1.6 T below" in text
    assert "density at 295 K (sextet)" in text
    assert "cornell2003: R. M. Cornell" in text
    assert "MinSight database" in text
    assert "area fractions at 295 K" in text


def test_one_site_may_be_shown_alone():
    text = show_phase("magnetite.B")
    assert "magnetite.B — B (octahedral" in text
    assert "magnetite.A —" not in text


def test_values_have_units_and_the_digits_of_their_spread():
    text = show_phase("hematite")
    assert "Bint assessed 51.73 ± 0.32 T" in text
    assert "IS assessed 0.370 ± 0.010 mm/s" in text
    head = next(line for line in text.splitlines() if line.lstrip().startswith("row"))
    names = [part.strip() for part in head.split("  ") if part]
    assert names[1:5] == ["IS / mm/s", "QS / mm/s", "Bint / T", "width / mm/s"]


def test_every_phase_can_be_shown():
    for name in records.phases():
        assert show_phase(name).startswith(name)


def test_an_unknown_phase_is_a_record_error():
    with pytest.raises(RecordError):
        show_phase("magnetit")


def test_search_by_words_and_by_numbers():
    assert search_phases("goethite").splitlines()[1].startswith("goethite")
    ranked = search_phases("IS=0.36 QS=0.8").splitlines()
    assert "ferrihydrite.mean" in ranked[1]
    near = search_phases("IS=0.67 Bint=46").splitlines()
    assert near[1].split()[1] == "magnetite.B"
    assert "T / K" in near[0]
    cold = search_phases("IS=0.49 Bint=54 T=4.2").splitlines()
    assert "hematite" in "".join(cold[1:4])
    assert search_phases("unobtainium").startswith("nothing found")


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("51.7 T", "hematite"),
        ("Bint 51.7", "hematite"),
        ("Bint=51.7 T, IS 0.37 mm/s", "hematite"),
        ("0.37 mm/s -0.20 mm/s 51.7 T", "hematite"),
        ("33.0 T", "iron"),
        ("54.2 T 4.2 K", "hematite"),
        ("iron 33.0 T", "iron"),
    ],
)
def test_search_by_values_as_they_are_written(text, record):
    head, *rows = search_phases(text).splitlines()
    assert head.split()[:2] == ["distance", "record"]
    assert record in "".join(rows[:4])
    assert float(rows[0].split()[0]) < 1


@pytest.mark.parametrize(
    "text", ["hematite 80 K", "hematite T=80", "hematite T = 80 K"]
)
def test_search_at_a_temperature_alone(text):
    _, *rows = search_phases(text).splitlines()
    assert rows
    assert all("hematite" in row for row in rows)
    assert all(abs(float(row.split()[2]) - 80.0) <= 25.0 for row in rows)


def test_a_velocity_without_a_name_is_a_shift_or_a_splitting():
    rows = search_phases("0.80 mm/s").splitlines()[1:]
    off = [row.split() for row in rows]
    assert all(float(row[0]) < 1 for row in off)


def test_columns_line_up_under_east_asian_text():
    first, second = table([("磁鉄鉱", "x"), ("iron", "y")])
    assert width(first[: first.index("x")]) == width(second[: second.index("y")])
    assert width("磁鉄鉱") == 6
