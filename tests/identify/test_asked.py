"""Which phases are considered."""

import pytest

from specfit.identify.asked import NotAnElement, candidates, listed
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
    with pytest.raises(NotAnElement, match="Xy"):
        candidates(295.0, (), ("Fe", "Xy"))
