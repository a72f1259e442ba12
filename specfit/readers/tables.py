"""Numbers in text: encoding, separator and decimal sign found by trying, not by asking.

Every way of reading the lines is tried on a sample; the one that turns most lines into
numbers wins, and what was found is told to the reader of the report.  Chosen instead of
`csv.Sniffer`, which guesses from punctuation and takes a decimal comma for a separator.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np

from specfit.contracts import FloatArray
from specfit.readers.errors import ReaderError

SAMPLE = 60
MAXIMUM_CHANNELS = 1 << 20
COMMENT = re.compile(r"\s*(?:[#%!;*\"'/]|$)")
NUMBER = re.compile(
    r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eEdD][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)",
    re.IGNORECASE | re.ASCII,
)
_BINARY = bytes([*range(0x09), *range(0x0E, 0x1A), *range(0x1B, 0x20)])


@dataclass(frozen=True)
class Dialect:
    """How the numbers of a line are set apart, and their decimal sign."""

    name: str
    separator: re.Pattern[str]
    decimal: str


_COMMA, _TAB, _SEMICOLON, _BLANK = (
    re.compile(pattern) for pattern in (r"\s*,\s*", r"\t", r"\s*;\s*", r"\s+")
)
DIALECTS = (
    Dialect("comma", _COMMA, "."),
    Dialect("tab", _TAB, "."),
    Dialect("semicolon", _SEMICOLON, "."),
    Dialect("blanks", _BLANK, "."),
    Dialect("tab", _TAB, ","),
    Dialect("semicolon", _SEMICOLON, ","),
    Dialect("blanks", _BLANK, ","),
)


@dataclass(frozen=True)
class Table:
    """Numbers read from text.

    values: (n_rows, n_columns).  lines: (n_rows,) line number in the file, from 1.
    found: what was sniffed, as (label, text).  titles: of the columns, if they have any.
    words: columns, from 1, of which the numbers stand for words.
    """

    values: FloatArray
    lines: tuple[int, ...]
    found: tuple[tuple[str, str], ...] = ()
    titles: tuple[str, ...] = ()
    words: tuple[int, ...] = ()


def decode(data: bytes, name: str) -> tuple[str, str]:
    """The text of a file and the name of its encoding."""
    for mark, encoding, title in (
        (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8 with BOM"),
        (b"\xff\xfe", "utf-16", "UTF-16 with BOM"),
        (b"\xfe\xff", "utf-16", "UTF-16 with BOM"),
    ):
        if data.startswith(mark):
            return _decode_as(data, encoding, name), title
    if data[1:40:2].count(0) > len(data[1:40:2]) // 2:
        return _decode_as(data, "utf-16-le", name), "UTF-16 (little endian)"
    if len(data.translate(None, _BINARY)) < len(data):
        raise ReaderError("data-binary", {"file": name})
    for encoding, title in (("utf-8", "UTF-8"), ("cp932", "cp932 (Shift JIS)")):
        try:
            return _plain(data.decode(encoding)), "ASCII" if data.isascii() else title
        except UnicodeDecodeError:
            continue
    return _plain(data.decode("latin-1")), "Latin-1"


def _decode_as(data: bytes, encoding: str, name: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise ReaderError("data-binary", {"file": name}) from None
    if "\0" in text:
        raise ReaderError("data-binary", {"file": name})
    return _plain(text)


def _plain(text: str) -> str:
    """Line feeds only, an ASCII minus, and no end-of-file mark of DOS."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.rstrip("\x1a").replace("\N{MINUS SIGN}", "-").replace("\u3000", " ")


def split(line: str, dialect: Dialect) -> list[float] | None:
    """The numbers of one line, or None when it is not made of numbers."""
    fields = dialect.separator.split(line.strip().rstrip(",;\t "))
    numbers = []
    for field in fields:
        text = field.strip()
        if dialect.decimal == ",":
            text = text.replace(",", ".") if "." not in text else "?"
        if not NUMBER.fullmatch(text):
            return None
        numbers.append(float(text.replace("d", "e").replace("D", "e")))
    return numbers


_MARKS = {"comma": ",", "tab": "\t", "semicolon": ";", "blanks": None}
_FEED = ord("\n")


def _alike(text: str, dialect: Dialect) -> FloatArray | None:
    """The numbers of lines that all have as many; None for what only `split` can judge."""
    mark = _MARKS[dialect.name]
    if not text or dialect.decimal == "," or "_" in text or "|" in text:
        return None  # Python reads numbers with underscores, we join by bars
    if not text.isascii():
        return None
    columns = _width(text, mark)
    if not columns:
        return None
    fields = text.split() if mark is None else text.replace("\n", mark).split(mark)
    try:
        return np.stack([_numbers(fields[i::columns]) for i in range(columns)], 1)
    except ValueError:
        return None


def _width(text: str, mark: str | None) -> int:
    """How many fields every line has; 0 where they have not all as many."""
    if mark is None:
        widths = {len(line.split()) for line in text.split("\n")}
        return widths.pop() if len(widths) == 1 else 0
    raw = np.frombuffer(text.encode("ascii"), np.uint8)
    ends = raw[(raw == ord(mark)) | (raw == _FEED)] == _FEED
    columns = int(np.argmax(ends)) + 1 if ends.any() else ends.size + 1
    whole = np.append(ends, True)  # the last line ends with the text
    if whole.size % columns:
        return 0
    rows = whole.reshape(-1, columns)
    alike = rows[:, -1].all() and not rows[:, :-1].any()
    return columns if alike else 0


def _numbers(fields: list[str]) -> FloatArray:
    """A column; counts are most often written as whole numbers, which are quick to read."""
    if fields[0].isdigit() and fields[-1].isdigit():
        with suppress(ValueError, OverflowError):
            return np.array(list(map(int, fields)), dtype=np.float64)
    return _column("|".join(fields))


@lru_cache(maxsize=4)  # the files of a series have one axis
def _column(text: str) -> FloatArray:
    return np.array(list(map(float, text.split("|"))))


@lru_cache(maxsize=4)  # a file is asked for its format, then for its numbers
def sniff(text: str) -> tuple[Dialect, int]:
    """The dialect that reads most of the first lines, and how many columns it finds."""
    begin = text.split("\n", 4 * SAMPLE)[: 4 * SAMPLE]
    read = (line for line in begin if line.strip() and not COMMENT.match(line))
    sample = list(islice(read, SAMPLE))
    best, best_lines, best_columns = DIALECTS[0], 0, 0
    for dialect in DIALECTS:
        alike = _alike("\n".join(sample), dialect)
        if alike is not None:
            widths = [alike.shape[1]] * len(sample)
        else:
            rows = (split(line, dialect) for line in sample)
            widths = [len(row) for row in rows if row is not None]
        if len(widths) > best_lines:
            best, best_lines = dialect, len(widths)
            best_columns = max(set(widths), key=widths.count)
        if best_lines == len(sample) and best_columns > 1:
            break
    return best, best_columns


def read_numbers(text: str, name: str) -> Table:
    """All the numbers of a text; header lines before them and comments are skipped.

    Raises
    ------
    ReaderError
        `data-no-numbers`, `data-line` (a line that is not numbers), `data-ragged` (a
        line with more or fewer columns) or `data-too-many`.

    """
    dialect, columns = sniff(text)
    plain = _plain_table(text, dialect, columns)
    if plain is not None:
        return plain
    rows: list[list[float]] = []
    lines: list[int] = []
    header = comments = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        row = split(line, dialect)
        if row is None and COMMENT.match(line):
            comments += 1
        elif row is None and not rows:
            header += 1
        elif row is None:
            raise bad_line(name, number, line)
        elif len(row) != columns and not rows:
            header += 1  # "512" above two columns, or a line of settings
        else:
            _check_row(row, columns, name, number, len(rows))
            rows.append(row)
            lines.append(number)
    if not rows:
        raise ReaderError("data-no-numbers", {"file": name})
    found = _describe(dialect, columns, header, comments)
    return Table(np.array(rows, dtype=np.float64), tuple(lines), found)


def _plain_table(text: str, dialect: Dialect, columns: int) -> Table | None:
    """The numbers of a text that is a header and then nothing but rows, read at once.

    None for anything else; what is wrong with it, and where, is found line by line.
    """
    text = text.rstrip("\n")
    count = text.count("\n") + 1
    begin = text.split("\n", SAMPLE)[:SAMPLE]
    rows = (split(line, dialect) for line in begin)
    first = next((i for i, r in enumerate(rows) if r and len(r) == columns), None)
    if first is None or count > MAXIMUM_CHANNELS:
        return None
    above = begin[:first]
    values = _alike(text[sum(len(line) + 1 for line in above) :], dialect)
    if values is None or values.shape[1] != columns:
        return None
    comments = sum(bool(COMMENT.match(s)) for s in above if s.strip())
    header = sum(bool(s.strip()) for s in above) - comments
    found = _describe(dialect, columns, header, comments)
    return Table(values, tuple(range(first + 1, count + 1)), found)


def bad_line(name: str, number: int, line: str) -> ReaderError:
    """A line that is not numbers."""
    words = {"file": name, "line": str(number), "text": line.strip()[:40]}
    return ReaderError("data-line", words)


def ragged(name: str, number: int, found: int, expected: int) -> ReaderError:
    """A line with more or fewer numbers than the others."""
    words = {"file": name, "line": str(number), "found": str(found)}
    return ReaderError("data-ragged", words | {"expected": str(expected)})


def _check_row(
    row: list[float], columns: int, name: str, number: int, count: int
) -> None:
    if len(row) != columns:
        raise ragged(name, number, len(row), columns)
    if count >= MAXIMUM_CHANNELS:
        words = {"file": name, "limit": str(MAXIMUM_CHANNELS)}
        raise ReaderError("data-too-many", words)


def _describe(
    dialect: Dialect, columns: int, header: int, comments: int
) -> tuple[tuple[str, str], ...]:
    found = []
    if columns > 1:
        sign = "decimal point" if dialect.decimal == "." else "decimal comma"
        found.append(("separator", f"{dialect.name}, {sign}"))
    found.append(("columns in the file", str(columns)))
    if header or comments:
        found.append(("skipped", f"{header} header and {comments} comment lines"))
    return tuple(found)
