"""FEFF's files of scattering paths: read exactly, refused with their place."""

from pathlib import Path

import numpy as np
import pytest

from specfit.exafs.synthetic import feff_text, layered_oxide
from specfit.readers import ReaderError, load
from specfit.readers.feff import scattering_path

TEXT = feff_text(layered_oxide()["co_o1.dat"])
REAL = Path(__file__).parents[3] / "shared" / "data" / "xas" / "larch"


def read(tmp_path, text):
    (tmp_path / "feff0001.dat").write_text(text, encoding="utf-8")
    return scattering_path(load("feff0001.dat", tmp_path))


def test_every_column_is_where_it_belongs(tmp_path):
    path = read(tmp_path, TEXT)
    rows = TEXT.partition("real[p]@#\n")[2].splitlines()
    table = np.array([[float(word) for word in row.split()] for row in rows])
    np.testing.assert_array_equal(path.k, table[:, 0])
    np.testing.assert_array_equal(path.phase, table[:, 1] + table[:, 3])
    np.testing.assert_array_equal(path.amplitude, table[:, 2] * table[:, 4])
    np.testing.assert_array_equal(path.mean_free_path, table[:, 5])
    np.testing.assert_array_equal(path.wave, table[:, 6])
    assert (path.half_length, path.degeneracy) == (1.92, 6.0)
    assert dict(path.found)["path"] == "Co – O, 2 legs"
    assert len(path.sha256) == 64


def test_marks_before_the_lines_do_no_harm(tmp_path):
    """Newer versions write `#` before every line of the header."""
    head, mark, table = TEXT.partition("real[p]@#\n")
    marked = "\n".join(f"#{line}" for line in head.split("\n"))
    path, plain = read(tmp_path, marked + mark + table), read(tmp_path, TEXT)
    assert path.half_length == plain.half_length
    np.testing.assert_array_equal(path.phase, plain.phase)


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("-------", "", "feff-format", {}),
        ("real[p]@#", "", "feff-format", {}),
        ("   2   6.000", "   2   -6.00", "feff-value", {"what": "deg", "line": "8"}),
        ("   2   6.000", "  99   6.000", "feff-value", {"what": "nleg"}),
        ("6.000   1.9200", "6.000  99.9200", "feff-value", {"what": "reff"}),
        ("   2   6.000", "   two 6.000", "data-line", {"line": "8"}),
        ("\n  0.400 ", "\n  0.100 ", "feff-value", {"what": "k", "line": "15"}),
        ("\n  0.400 ", "\n  0.400 1 ", "data-line", {"line": "15"}),
        ("\n  0.400 ", "\n  nan   ", "data-line", {"line": "15"}),
        ("\n  0.400 ", "\n  k.400 ", "data-line", {"line": "15"}),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, old, new, code, words):
    assert old in TEXT
    with pytest.raises(ReaderError) as told:
        read(tmp_path, TEXT.replace(old, new))
    assert told.value.code == code
    assert words.items() <= told.value.words.items()


def test_a_table_cut_short_is_no_path(tmp_path):
    head, mark, table = TEXT.partition("real[p]@#\n")
    few = "\n".join(table.splitlines()[:3])
    with pytest.raises(ReaderError, match="feff-format"):
        read(tmp_path, head + mark + few)


@pytest.mark.parametrize(
    ("name", "half_length", "degeneracy", "atoms"),
    [
        ("feff_feo01.dat", 2.1387, 6.0, "Fe – O, 2 legs"),
        ("feff_feo02.dat", 3.0246, 12.0, "Fe – Fe, 2 legs"),
        ("feffcu01.dat", 2.5478, 12.0, "Cu – Cu, 2 legs"),
    ],
)
def test_real_files_are_read(name, half_length, degeneracy, atoms):
    if not REAL.is_dir():
        pytest.skip("shared data absent")
    path = scattering_path(load(name, REAL))
    assert path.half_length == pytest.approx(half_length, abs=1e-3)
    assert path.degeneracy == degeneracy
    assert dict(path.found)["path"] == atoms
    assert path.k[-1] == 20.0
