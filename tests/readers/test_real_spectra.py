"""Published raw spectra of two drives, and one folded by others."""

import numpy as np
import pytest

from specfit.readers import ReaderError, read


def centroid(spectrum):
    """Centre of gravity of what absorbs clearly, mm/s."""
    level = np.quantile(spectrum.values, 0.8)
    absorbed = 1 - spectrum.values / level
    absorbed[absorbed < 4 / np.sqrt(level)] = 0
    return float(np.sum(absorbed * spectrum.axis) / np.sum(absorbed))


def figure(spectrum, label):
    """The first number of what was found under a label."""
    words = dict(spectrum.found)[label].replace("channel ", "").split()
    return float(words[0])


def test_magnetite_of_a_triangular_drive(shared, source):
    """Published beside it: folding point 257.426, maximum 11.966 mm/s within 1 %."""
    block = source("Fe3O4.adt", calibration="calibration.adt", source="57Co(Rh)")
    found = read(block, shared / "fitbauer")
    assert figure(found, "mirror point") == pytest.approx(257.426, abs=0.05)
    assert figure(found, "maximum velocity") == pytest.approx(11.97, rel=0.01)
    assert dict(found.found)["dead channels"] == "1"
    assert 0.3 < centroid(found) < 0.7
    assert "displacement" in dict(found.found)["direction"]
    assert figure(found, "α-Fe against the drive's rest") == pytest.approx(
        -0.108, abs=0.006
    )


@pytest.mark.parametrize(
    ("folder", "name"),
    [("fitbauer", "calibration.adt"), ("grigg", "alphaFe_250624_v12.dat")],
)
def test_iron_lies_at_zero(folder, name, shared, source):
    found = read(source(name, calibration=name), shared / folder)
    assert centroid(found) == pytest.approx(0, abs=0.04)
    assert found.half_offset < 0.5 * 4 * 12.1 / len(found.axis) / 2
    for place in (-5.3123, -3.0760, -0.8397, 0.8397, 3.0760, 5.3123):
        near = np.abs(found.axis - place) < 0.4
        deepest = found.axis[near][np.argmin(found.values[near])]
        assert deepest == pytest.approx(place, abs=0.1)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("6L_Fh_110.0K_1h35m.dat", 0.35, 0.55), ("6L_Fh_25.0K_3h27m.dat", 0.40, 0.60)],
)
def test_ferrihydrite_lies_where_ferric_iron_does(name, low, high, shared, source):
    block = source(name, calibration="alphaFe_250624_v12.dat", source="57Co(Rh)")
    assert low < centroid(read(block, shared / "grigg")) < high


def test_samples_are_not_taken_for_calibrations(shared, source):
    for folder, name in (
        ("fitbauer", "Fe3O4.adt"),
        ("grigg", "6L_Fh_25.0K_3h27m.dat"),
        ("grigg", "6L_Fh_55.0K.dat"),
        ("grigg", "6L_Fh_77.0K_1h44m.dat"),
        ("grigg", "6L_Fh_110.0K_1h35m.dat"),
    ):
        with pytest.raises(ReaderError, match="calibration-lines"):
            read(source(name, calibration=name), shared / folder)


def test_a_folded_table(shared, source, two_columns):
    found = read(source("Standard_CMS.dat", two_columns), shared / "syncmoss")
    assert len(found.axis) == 512
    assert found.axis_jacobian.shape == (512, 0)
    assert dict(found.found)["separator"] == "tab, decimal point"
