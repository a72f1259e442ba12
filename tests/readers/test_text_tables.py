"""Columns of numbers in every dress laboratories export, and each fault of them."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specfit.readers import FORMATS, ReaderError, detect_raw, read
from specfit.readers.tables import decode, read_numbers

ROWS = [(-10 + 0.5 * i, 1000 + i) for i in range(40)]


def write(folder, text, encoding="utf-8"):
    path = folder / "s.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path.name


def body(separator, comma=False, end="\n"):
    lines = (f"{v}{separator}{n}" for v, n in ROWS)
    return end.join(s.replace(".", ",") if comma else s for s in lines) + end


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (body("\t"), "tab, decimal point"),
        (body("\t", comma=True), "tab, decimal comma"),
        (body(";"), "semicolon, decimal point"),
        (body(" ; ", comma=True), "semicolon, decimal comma"),
        (body(","), "comma, decimal point"),
        (body(", "), "comma, decimal point"),
        (body("   "), "blanks, decimal point"),
        (body(" ", comma=True), "blanks, decimal comma"),
        (body(" ", end="\r\n"), "blanks, decimal point"),
        (body(" ", end="\r"), "blanks, decimal point"),
        ("Sample: x\nvelocity counts\n" + body(" "), "blanks, decimal point"),
        ("# a\n% b\n; c\n\n" + body(","), "comma, decimal point"),
        ("512\n" + body(","), "comma, decimal point"),
        (body(",").replace("-", "\N{MINUS SIGN}"), "comma, decimal point"),
        (body(",") + "\x1a", "comma, decimal point"),
        (body(",").replace("\n", ",\n"), "comma, decimal point"),
    ],
)
def test_every_dress_reads_the_same(text, label, tmp_path, source, two_columns):
    found = read(source(write(tmp_path, text), two_columns), tmp_path)
    np.testing.assert_array_equal(found.axis, [v for v, _ in ROWS])
    np.testing.assert_array_equal(found.values, [n for _, n in ROWS])
    assert dict(found.found)["separator"] == label


@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with BOM"),
        ("utf-16", "UTF-16 with BOM"),
        ("cp932", "cp932 (Shift JIS)"),
    ],
)
def test_encodings(encoding, label, tmp_path, source, two_columns):
    name = write(tmp_path, "# 磁鉄鉱 室温\n" + body("\t"), encoding)
    found = read(source(name, two_columns), tmp_path)
    assert dict(found.found)["encoding"] == label
    assert len(found.axis) == len(ROWS)


def test_utf16_without_a_mark(tmp_path, source, two_columns):
    name = write(tmp_path, body("\t"), "utf-16-le")
    assert len(read(source(name, two_columns), tmp_path).axis) == len(ROWS)


def test_descending_velocity_is_reversed(tmp_path, source, two_columns):
    lines = body(",").strip().split("\n")[::-1]
    found = read(source(write(tmp_path, "\n".join(lines)), two_columns), tmp_path)
    assert np.all(np.diff(found.axis) > 0)
    np.testing.assert_array_equal(found.values, [n for _, n in ROWS])
    assert "reversed" in dict(found.found)["order"]


def replaced(row, line):
    lines = body(",").strip().split("\n")
    lines[row] = line
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (replaced(4, "-8.0,nan"), "data-not-finite", {"line": "5", "column": "2"}),
        (replaced(4, "inf,5"), "data-not-finite", {"line": "5", "column": "1"}),
        (replaced(4, "-8.0,-3"), "data-negative-counts", {"line": "5", "value": "-3"}),
        (replaced(4, "-8.0,3.5"), "data-fractional-counts", {"line": "5"}),
        (replaced(4, "-8.5,3"), "data-duplicate", {"line": "4", "other": "5"}),
        (replaced(4, "-9.1,3"), "data-unordered", {"line": "5"}),
        (replaced(4, "-8.0"), "data-ragged", {"line": "5", "found": "1"}),
        (replaced(4, "-8.0,3,4"), "data-ragged", {"line": "5", "expected": "2"}),
        (replaced(4, "-8.0,broken"), "data-line", {"line": "5"}),
        (replaced(4, "-8.0,1_000"), "data-line", {"line": "5"}),
        (body(",")[:60], "data-too-few", {"needed": "16"}),
        ("nothing here\nat all\n", "data-no-numbers", {}),
        ("", "data-empty", {}),
        (b"\x00\x01\x02\xff" * 50, "data-binary", {}),
        (b"\xff\xfe\x00", "data-binary", {}),
        (b"\x1f\x8b\x08\x00" + bytes(40), "data-compressed", {"kind": "gzip"}),
        ("\n".join(str(n) for _, n in ROWS), "data-column-raw", {"column": "2"}),
    ],
)
def test_each_fault_has_its_own_error(
    text, code, words, tmp_path, source, two_columns, told
):
    with pytest.raises(ReaderError) as caught:
        read(source(write(tmp_path, text), two_columns), tmp_path)
    assert caught.value.code == code
    assert all(told(caught.value))
    assert words.items() <= caught.value.words.items()


@pytest.mark.parametrize(
    ("columns", "options", "code"),
    [
        ({"velocity": (1, "mm/s"), "counts": (3, "counts")}, {}, "data-column"),
        ({"velocity": (0, "mm/s"), "counts": (2, "counts")}, {}, "data-column"),
        ({"velocity": (1, "mm/q"), "counts": (2, "counts")}, {}, "data-unit"),
        ({"velocity": (1, "mm/s")}, {}, "data-columns"),
        ({}, {}, "raw-columns"),
        ({}, {"fold": "twice"}, "data-option"),
        (None, {"IS_zero": "57Co(Rd)"}, "reference-unknown"),
        (None, {"IS_zero": "alpha-Fe, 4.2 K"}, "reference-temperature"),
        (None, {"calibration": "a.adt"}, "velocity-twice"),
        (None, {"field_scale": "33 T"}, "data-option"),
    ],
)
def test_faults_of_the_block(
    columns, options, code, tmp_path, source, two_columns, told
):
    declared = two_columns if columns is None else columns
    with pytest.raises(ReaderError) as caught:
        read(source(write(tmp_path, body(",")), declared, **options), tmp_path)
    assert caught.value.code == code
    assert all(told(caught.value))


def test_a_misspelt_source_is_offered_its_neighbour(tmp_path, source, two_columns):
    name = write(tmp_path, body(","))
    with pytest.raises(ReaderError) as caught:
        read(source(name, two_columns, IS_zero="57Co(Rd)"), tmp_path)
    assert caught.value.words["similar"] == "57Co(Rh)"


def test_axis_of_another_source_is_moved_to_iron(tmp_path, source, two_columns):
    name = write(tmp_path, body(","))
    found = read(source(name, two_columns, IS_zero="57Co(Rh)"), tmp_path)
    np.testing.assert_allclose(found.axis, [v + 0.108 for v, _ in ROWS], rtol=1e-14)
    assert found.axis_jacobian.shape == (len(ROWS), 0)


def test_units_are_converted(tmp_path, source):
    columns = {"velocity": (1, "cm/s"), "counts": (2, "counts")}
    found = read(source(write(tmp_path, body(",")), columns), tmp_path)
    np.testing.assert_allclose(found.axis, [10 * v for v, _ in ROWS])
    assert found.axis_unit == "mm/s"


def test_a_spectrum_without_velocity(tmp_path, source):
    columns = {"theta2": (1, "deg"), "counts": (2, "counts")}
    name = write(tmp_path, body(","))
    found = read(source(name, columns, kind="pattern"), tmp_path)
    assert (found.axis_unit, found.value_unit) == ("deg", "counts")
    assert found.field_scale == ""


def test_window_and_mask(tmp_path, source, two_columns):
    name = write(tmp_path, body(","))
    block = source(name, two_columns, window=(-6.0, 6.0), mask=((-1.0, 1.0),))
    found = read(block, tmp_path)
    assert found.axis.min() == -6.0
    assert found.axis.max() == 6.0
    assert not np.any((found.axis >= -1) & (found.axis <= 1))
    assert dict(found.found)["window and mask"] == "20 of 40 channels remain"
    assert len(found.values) == len(found.axis) == len(found.axis_jacobian)
    with pytest.raises(ReaderError, match="data-window"):
        read(source(name, two_columns, window=(50.0, 60.0)), tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("iron.adt", True), ("magnetite.ws5", True), ("table.csv", False)],
)
def test_raw_files_are_told_by_content(name, expected, samples):
    assert detect_raw(samples / name) is expected


def test_every_format_reads_its_sample(samples):
    wanted = {"ws5": "magnetite.ws5", "counts": "iron.adt", "columns": "table.csv"}
    wanted |= {"tka": "iron.tka", "rows": "iron.exp"}
    own = {"athena"}  # compressed, with a group to choose: it has tests of its own
    assert {entry.name for entry in FORMATS} == set(wanted) | own
    for entry in [entry for entry in FORMATS if entry.name not in own]:
        data = (samples / wanted[entry.name]).read_bytes()
        assert len(data) < 20_000
        text, _ = decode(data, entry.name)
        assert entry.recognises(text)
        assert len(entry.parse(text, entry.name).values) in (256, 512)


def test_ws5_lines_are_numbered_as_in_the_file(tmp_path, source):
    counts = ["1000"] * 600
    counts[9] = "-1"
    text = "<a>\n<b>x</b>\n<data id='1'>\n" + "\n".join(counts) + "\n</data>\n</a>\n"
    with pytest.raises(ReaderError) as caught:
        read(source(write(tmp_path, text), velocity_max=10.0), tmp_path)
    assert caught.value.words["line"] == "13"


def test_a_stated_number_of_channels_is_dropped(tmp_path):
    from specfit.readers.counts import FORMAT

    table = FORMAT.parse("header\n64\n" + "1000\n" * 64, "x")
    assert len(table.values) == 64


def test_every_code_has_its_sentences():
    root = Path(__file__).parents[2]
    messages = tomllib.loads((root / "grammars" / "messages.toml").read_text("utf-8"))
    text = "".join(
        p.read_text("utf-8") for p in (root / "specfit/readers").glob("*.py")
    )
    codes = re.findall(
        r'"((?:data|raw|fold|calibration|velocity|reference)-[a-z-]+)"', text
    )
    assert len(set(codes)) > 30
    for code in codes:
        assert {"en", "ja", "help_en", "help_ja"} <= messages[code].keys()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(-1e6, 1e6, allow_nan=False),
            st.integers(0, 10**9),
        ),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([("\t", "."), (";", ","), (",", "."), (" ", ","), ("  ", ".")]),
)
def test_numbers_survive_any_dialect(rows, dialect):
    separator, decimal = dialect
    lines = [f"{v!r}".replace(".", decimal) + f"{separator}{n}" for v, n in rows]
    table = read_numbers("\n".join(lines), "x")
    np.testing.assert_array_equal(table.values, np.array(rows, dtype=float))


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=300))
def test_junk_is_an_error_and_never_a_crash(data):
    try:
        text, _ = decode(data, "junk")
        entry = next(entry for entry in FORMATS if entry.recognises(text))
        table = entry.parse(text, "junk")
    except ReaderError:
        return
    assert table.values.ndim == 2
