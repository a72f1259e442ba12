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
    sulphides = {p.name for p in candidates(295.0, (), ("Fe", "S"))}
    assert {"pyrite", "troilite"} <= sulphides
    assert not oxides & {"pyrite", "siderite", "NiFe2O4", "chlorite", "HbO2"}
    assert elements_of("Fe, O; Na!") == ({"Fe", "O", "Na"}, {"Na"})
    with pytest.raises(NotAnElement, match="Xy"):
        elements_of("Fe, Xy")


def test_formulas():
    assert elements_in("alpha-FeOOH") == {"Fe", "O", "H"}
    assert elements_in("FeS2 (cubic)") == {"Fe", "S"}
    assert elements_in("theta-Fe3C") == elements_in("chi-Fe5C2") == {"Fe", "C"}
    assert elements_in("delta-prime-FeOOH") == {"Fe", "O", "H"}
    assert elements_in("FeNi (L1_0)") == {"Fe", "Ni"}
    assert elements_in("Fe2+/Fe3+ LDH-Cl") == {"Fe", "O", "H", "Cl"}
    assert elements_in("[Fe(H2O)6]2+ frozen") == {"Fe", "O", "H"}
    assert elements_in("Na2FeP2O7") == {"Na", "Fe", "P", "O"}
    assert not elements_in("frozen solution")
