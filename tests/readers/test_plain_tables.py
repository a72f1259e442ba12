"""The quick way to read a plain table gives what reading line by line gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specfit.readers import tables
from specfit.readers.errors import ReaderError

NUMBERS = st.one_of(
    st.integers(-(10**7), 10**7).map(str),
    st.floats(-1e6, 1e6).map(repr),
    st.just("9" * 400),
    st.sampled_from(
        [
            "+.5",
            "1.",
            "-0",
            "1e3",
            "1E-3",
            "nan",
            "inf",
            "7d2",
            "0x1",
            "1_0",
            "a",
            "007",
        ]
    ),
)
LINES = st.lists(
    st.tuples(
        st.sampled_from(["", " ", "\t"]),
        st.lists(NUMBERS, min_size=1, max_size=3),
        st.sampled_from(["", " ", ",", "\r"]),
    ),
    min_size=1,
    max_size=12,
)


def slowly(text, monkey):
    with monkey.context() as patched:
        patched.setattr(tables, "_plain_table", lambda *_: None)
        return outcome(text)


def outcome(text):
    try:
        found = tables.read_numbers(text, "a.txt")
    except ReaderError as error:
        return error.code, error.words
    return found.values.tobytes(), found.values.shape, found.lines, found.found


@given(
    lines=LINES,
    separator=st.sampled_from([",", "\t", ";", " ", "  ", ", "]),
    header=st.sampled_from(
        ["", "# x, y\n", "velocity,counts\n", "3\n", "\n\n", "# a\n512\n"]
    ),
    end=st.sampled_from(["", "\n", "\n\n", "\n# end\n"]),
)
def test_the_quick_way_is_the_slow_way(lines, separator, header, end):
    rows = [front + separator.join(row) + back for front, row, back in lines]
    text = header + "\n".join(rows) + end
    assert outcome(text) == slowly(text, pytest.MonkeyPatch)


def test_an_ordinary_file_takes_the_quick_way():
    text = "# v, n\n" + "\n".join(f"{v:.4f},{n}" for v, n in enumerate(range(100)))
    dialect, columns = tables.sniff(text)
    found = tables._plain_table(text, dialect, columns)
    assert found is not None
    np.testing.assert_array_equal(found.values[:, 1], np.arange(100))
    assert found.lines == tuple(range(2, 102))
