"""What counters and old programs write: two times first, rows of counts, stated channels."""

import numpy as np
import pytest

from specfit.readers import FORMATS, ReaderError, detect_raw, read
from specfit.readers.tables import decode

COUNTS = [200_000 + 37 * (i % 11) - (3000 if i % 64 == 20 else 0) for i in range(512)]


def chosen(text):
    return next(entry.name for entry in FORMATS if entry.recognises(text))


def lines(counts=COUNTS):
    return [str(n) for n in counts]


def rows(width, numbered=False, counts=COUNTS):
    table = []
    for first in range(0, len(counts), width):
        start = [f"{first:04d}"] if numbered else []
        table.append("  ".join([*start, *map(str, counts[first : first + width])]))
    return table


def fault(tmp_path, source, text, **options):
    (tmp_path / "s.txt").write_text(text)
    with pytest.raises(ReaderError) as caught:
        read(source("s.txt", velocity_max=12.0, **options), tmp_path)
    return caught.value


@pytest.mark.parametrize("name", ["iron.tka", "iron.exp", "iron_rows.dat"])
def test_each_dress_holds_the_same_counts(name, samples, source):
    """The calibration as one count a line and as others write it: the same spectrum."""
    plain = read(source("iron.adt", calibration="iron.adt"), samples)
    found = read(source(name, calibration=name), samples)
    np.testing.assert_array_equal(found.values, plain.values)
    np.testing.assert_allclose(found.axis, plain.axis, rtol=1e-14)
    assert detect_raw(samples / name)


@pytest.mark.parametrize(
    ("name", "format_name", "label", "text"),
    [
        ("iron.tka", "tka", "live time", "86012.4 s"),
        ("iron.exp", "rows", "counts a line", "8"),
        (
            "iron_rows.dat",
            "rows",
            "counts a line",
            "5, after the number of its first channel",
        ),
    ],
)
def test_formats_are_told_by_content(name, format_name, label, text, samples):
    content, _ = decode((samples / name).read_bytes(), name)
    assert chosen(content) == format_name
    table = next(f for f in FORMATS if f.name == format_name).parse(content, name)
    assert dict(table.found)[label] == text
    assert table.values.shape == (512, 1)


@pytest.mark.parametrize(
    ("text", "format_name"),
    [
        ("\n".join(["600", "601", *lines()]), "tka"),  # whole seconds, 2 too many
        ("\n".join(["600.5", "601.0", *lines(COUNTS[:500])]), "tka"),
        ("\n".join(lines()), "counts"),
        ("\n".join(["512", *lines()]), "counts"),
        ("\n".join(["601", "600", *lines()]), "counts"),  # live longer than real
        ("\n".join(["0", "600", *lines()]), "counts"),
        ("\n".join(rows(8)), "rows"),
        ("\n".join(rows(10)), "rows"),  # 512 = 51 · 10 + 2
        ("\n".join(["title", "(5X,5F11.0)", *rows(5, numbered=True)]), "rows"),
        ("\n".join(r.replace("  ", ", ") + "," for r in rows(8)), "rows"),
        ("\n".join(f"{i} 1000 1001 1002" for i in range(512)), "columns"),
        ("\n".join("1000 1001 1002 1003" for i in range(512)), "columns"),
        ("\n".join(f"0 0 {1000 + i} 9" for i in range(64)), "columns"),
        ("\n".join(f"{0.5 * i} 1000 1001 1002" for i in range(64)), "columns"),
    ],
)
def test_what_looks_alike_is_told_apart(text, format_name):
    assert chosen(text) == format_name


def test_rows_are_read_one_after_the_other(tmp_path, source):
    for text in (rows(10), rows(7, numbered=True)):
        table = next(f for f in FORMATS if f.name == "rows").parse("\n".join(text), "x")
        assert table.values[:, 0].tolist() == COUNTS
        assert len(table.lines) == 512
        assert table.lines[-1] == len(text)


def test_one_of_many_columns_may_be_the_counts(samples, source, tmp_path):
    """A file of thirteen counters, most of them idle, their sum in the tenth column."""
    iron = [int(n) for n in (samples / "iron.adt").read_text().split()]
    table = [f"0,0,0,0,0,0,0,{n // 3},{n - n // 3},{n},0,0,0" for n in iron]
    (tmp_path / "iron.asc").write_text("\n".join(table))
    block = source("iron.asc", {"counts": (10, "counts")}, velocity_max=12.0)
    (tmp_path / "iron.adt").write_text("\n".join(map(str, iron)))
    plain = read(source("iron.adt", velocity_max=12.0), tmp_path)
    np.testing.assert_array_equal(read(block, tmp_path).values, plain.values)


def spoilt(table, row, line):
    return "\n".join([*table[:row], line, *table[row + 1 :]])


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (spoilt(rows(8), 9, "1 2 3 x 5 6 7 8"), "data-line", {"line": "10"}),
        (spoilt(rows(8), 1, "1 2 3 x 5 6 7 8"), "data-line", {"line": "2"}),
        (spoilt(rows(8), 9, "1 2 3 4 5 6 7"), "data-ragged", {"line": "10"}),
        (spoilt(rows(8), 9, "1 2 3 4 5 6 7 8 9"), "data-ragged", {"found": "9"}),
        (
            spoilt(rows(8), 9, "1 2 -3 4 5 6 7 8"),
            "data-negative-counts",
            {"line": "10"},
        ),
        (spoilt(rows(8), 9, "1 2 3.5 4 5 6 7 8"), "data-line", {"line": "10"}),
        ("\n".join(rows(8)[:5]), "raw-too-few", {"found": "40"}),
        (
            "\n".join(rows(5, True)[:30] + rows(5, True)[31:]),
            "data-row-number",
            {"line": "31", "found": "155", "expected": "150"},
        ),
        (
            spoilt(["10.5", "11.0", *lines()], 40, "-7"),
            "data-negative-counts",
            {"line": "41"},
        ),
        (spoilt(["10.5", "11.0", *lines()], 40, "seven"), "data-line", {"line": "41"}),
        (spoilt(["10", "11", *lines()], 40, "7.5"), "data-fractional-counts", {}),
        ("10.5\n11.0\n" + "\n".join(lines()[:30]), "raw-too-few", {"found": "30"}),
        (
            '<w>\n<data channels="512" time="0">\n'
            + "\n".join(lines()[:400])
            + "\n</data>\n</w>\n",
            "data-truncated",
            {"stated": "512", "found": "400"},
        ),
        (
            "<w>\n<data channels='512'>\n" + "\n".join(lines()[:300]),
            "data-truncated",
            {"found": "300"},
        ),
        (
            "<w>\n<data>\nseven\n" + "\n".join(lines()) + "\n</data>\n</w>\n",
            "data-line",
            {"line": "3"},
        ),
        ("<w>\n<data channels='512'>\n</data>\n</w>\n", "data-no-numbers", {}),
    ],
)
def test_each_fault_has_its_own_error(text, code, words, tmp_path, source, told):
    error = fault(tmp_path, source, text)
    assert error.code == code
    assert words.items() <= error.words.items()
    assert all(told(error))
