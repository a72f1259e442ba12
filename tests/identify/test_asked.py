"""Which phases are considered."""

import pytest

from specfit.identify.asked import NotAnElement, candidates, elements_of, listed
from specfit.identify.formulas import elements_in
from specfit.model.records import RecordError


def test_names_and_aliases():
    assert listed("magnetite, α-Fe;pyrite") == ("magnetite", "α-Fe", "pyrite")
    assert {p.name for p in candidates(295.0, ("hematite", "pyrite"), ())} == {
        "hematite",
        "pyrite",
    }
    with pytest.raises(RecordError, match="db-unknown-phase"):
        candidates(295.0, ("hematight",), ())


def test_elements_restrict():
    oxides = {p.name for p in candidates(295.0, (), ("Fe", "O", "H"))}
    assert {"hematite", "magnetite", "goethite"} <= oxides
    assert not oxides & {"pyrite", "siderite", "NiFe2O4", "chlorite", "HbO2"}
    assert elements_of("Fe, O; Na!") == ({"Fe", "O", "Na"}, {"Na"})
    with pytest.raises(NotAnElement, match="Xy"):
        elements_of("Fe, Xy")


def test_formulas():
    assert elements_in("alpha-FeOOH") == {"Fe", "O", "H"}
    assert elements_in("Na2FeP2O7") == {"Na", "Fe", "P", "O"}
    assert not elements_in("frozen solution")
