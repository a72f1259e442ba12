"""Files of absorption spectra: XDI, projects of Athena, columns by title or ratio."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from specfit.model.ir import DataSource
from specfit.readers import ReaderError, read

REAL = Path(__file__).parents[3] / "shared" / "data" / "xas"
XDI = """# XDI/1.0
# Column.1: energy eV
# Column.2: i0
# Column.3: itrans
# ///
# a remark of five words here
#-------
"""
BY_TITLE = {"energy": (0, "eV"), "mu": (0, "")}


def source(file, told, columns=None, **options):
    return DataSource(
        data="x",
        kind="absorption",
        file=file,
        columns=columns or BY_TITLE,
        told=told,
        options=options,
    )


def fault(root, *arguments, **options):
    with pytest.raises(ReaderError) as caught:
        read(source(*arguments, **options), root)
    return caught.value


def written(tmp_path, head, count=20):
    energy = 8300.0 + np.arange(count)
    i0, itrans = 1e5 + 10.0 * np.arange(count), 4e4 - 100.0 * np.arange(count)
    rows = [f"{e} {a} {b}" for e, a, b in zip(energy, i0, itrans, strict=True)]
    path = tmp_path / "a.xdi"
    path.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    return energy, i0, itrans


LOG = {"energy": ("", "energy"), "mu": ("log", "i0", "itrans")}


def test_absorption_is_the_logarithm_of_what_goes_in_over_what_comes_out(tmp_path):
    energy, i0, itrans = written(tmp_path, XDI)
    seen = read(source("a.xdi", LOG), tmp_path)
    np.testing.assert_allclose(seen.axis, energy)
    np.testing.assert_allclose(seen.values, np.log(i0 / itrans))


def test_fluorescence_is_a_ratio_and_titles_stand_above_columns(tmp_path):
    _, i0, itrans = written(tmp_path, "# by hand\n# Energy I0 If\n")
    told = {"energy": ("", "energy"), "mu": ("ratio", "if", "2")}
    seen = read(source("a.xdi", told), tmp_path)
    np.testing.assert_allclose(seen.values, itrans / i0)


def test_what_cannot_be_found_is_told_with_what_there_is(tmp_path):
    written(tmp_path, XDI)
    told = {**LOG, "mu": ("log", "i0", "iref")}
    error = fault(tmp_path, "a.xdi", told)
    assert (error.code, error.words["known"]) == (
        "data-title",
        "`energy`, `i0`, `itrans`",
    )
    written(tmp_path, "")
    assert fault(tmp_path, "a.xdi", LOG).code == "data-no-titles"
    written(tmp_path, XDI, count=500)
    assert fault(tmp_path, "a.xdi", LOG).code == "data-not-positive"
    assert fault(tmp_path, "a.xdi", LOG, group="a").code == "data-no-groups"


PROJECT = """# Athena project file -- Demeter version 0.9.21
$old_group = 'abcde';
@args = ('label','Ni\\'s oxide','titles',[],'is_nor',0);
@x = ({x});
@y = ({y});
[record]
$old_group = 'fghij';
@args = ('is_nor',0,'label','foil');
@x = ({x});
@y = ({z});
[record]
"""


def project(tmp_path, packed=True):
    x = ",".join(f"'{8300 + i}'" for i in range(20))
    y, z = (",".join(f"'{k * i:.3f}'" for i in range(20)) for k in (0.1, 0.2))
    text = PROJECT.format(x=x, y=y, z=z).encode()
    (tmp_path / "a.prj").write_bytes(gzip.compress(text) if packed else text)


@pytest.mark.parametrize("packed", [True, False])
def test_a_group_of_a_project_is_told_by_its_label(tmp_path, packed):
    project(tmp_path, packed)
    told = {"energy": ("", "energy"), "mu": ("", "mu")}
    foil = read(source("a.prj", told, group="foil"), tmp_path)
    np.testing.assert_allclose(foil.values, 0.2 * np.arange(20))
    oxide = read(source("a.prj", told, group="Ni's oxide"), tmp_path)
    np.testing.assert_allclose(oxide.values, 0.1 * np.arange(20))
    assert fault(tmp_path, "a.prj", told).code == "data-group-unsaid"
    error = fault(tmp_path, "a.prj", told, group="Fe")
    assert (error.code, error.words["known"]) == ("data-group", "`Ni's oxide`, `foil`")


def test_a_project_that_is_broken_off_is_refused(tmp_path):
    project(tmp_path)
    path = tmp_path / "a.prj"
    path.write_bytes(path.read_bytes()[:60])
    assert fault(tmp_path, "a.prj", LOG, group="foil").code == "data-binary"


def test_standards_of_manganese_and_iron_are_read_with_their_edges():
    if not REAL.is_dir():
        pytest.skip("shared spectra absent")
    edges = {"Mn": (6539.0, 6575.0), "Fe": (7112.0, 7140.0)}
    for path in sorted((REAL / "xaslib").rglob("*.xdi")):
        seen = read(source(path.name, LOG), path.parent)
        low, high = edges[path.parent.name]
        rise = np.diff(np.interp([low - 12.0, high], seen.axis, seen.values))
        assert 0.1 < rise < 3.0, path.name


def test_a_real_project_and_a_real_table():
    if not REAL.is_dir():
        pytest.skip("shared spectra absent")
    told = {"energy": ("", "energy"), "mu": ("", "mu")}
    nickel = read(source("NiO.prj", told, group="naqow"), REAL / "larch")
    assert nickel.axis.size == 522
    steep = nickel.axis[np.argmax(np.diff(nickel.values) / np.diff(nickel.axis))]
    assert 8330.0 < steep < 8355.0
    copper = read(source("cu_10k.xmu", told), REAL / "larch")
    assert copper.axis[0] > 8000.0
