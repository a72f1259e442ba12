"""Athena project files: gzipped text of Perl assignments, one group of data each.

Only quoted lists of `@args`, `@x`, `@y` and their like are taken out, by a pattern for one
quoted word after another; nothing in the file is run.

Source: B. Ravel, M. Newville, J. Synchrotron Rad. 12, 537 (2005) for Athena.
"""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from specfit.contracts import FloatArray
from specfit.readers.errors import ReaderError
from specfit.readers.formats import FileFormat
from specfit.readers.tables import Table

HEAD = "# Athena project file"
_LINE = re.compile(r"^[@$](\w+)\s*=\s*(.*)$")
_WORD = re.compile(r"'((?:[^'\\]|\\.)*)'|([-+.\w]+)|\[[^\]]*\]")
_COLUMNS = {"x": "energy", "y": "mu", "i0": "i0", "signal": "signal"}


@dataclass(frozen=True)
class Group:
    """One group of a project: its name, its label and its columns."""

    name: str
    label: str
    columns: dict[str, FloatArray]
    line: int


def unpacked(data: bytes, limit: int, name: str) -> bytes:
    """The text of a project that is gzipped, as Athena writes it.

    Raises
    ------
    ReaderError
        `data-too-large` or `data-binary`.

    """
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as stream:
            text = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        raise ReaderError("data-binary", {"file": name}) from None
    if len(text) > limit:
        words = {"file": name, "size": f"more than {limit >> 20}"}
        raise ReaderError("data-too-large", words | {"limit": f"{limit >> 20}"})
    return text


def groups(text: str, name: str) -> list[Group]:
    """Every group of a project that has data."""
    found: list[Group] = []
    title, label, columns, start = "", "", dict[str, FloatArray](), 1
    for number, line in enumerate(text.split("\n"), start=1):
        said = _LINE.match(line)
        if said is None:
            continue
        key, value = said[1], said[2]
        if key == "old_group":
            found += _made(title, label, columns, start)
            title, label, columns, start = _words(value)[0], "", {}, number
        elif key == "args":
            words = _words(value)
            label = dict(zip(words[::2], words[1::2], strict=False)).get("label", "")
        elif key in _COLUMNS:
            columns[_COLUMNS[key]] = _numbers(value, name, number)
    return found + _made(title, label, columns, start)


def _made(
    name: str, label: str, columns: dict[str, FloatArray], line: int
) -> list[Group]:
    length = columns["energy"].size if {"energy", "mu"} <= columns.keys() else 0
    alike = {key: one for key, one in columns.items() if one.size == length}
    return [Group(name, label or name, alike, line)] if length else []


def _words(text: str) -> list[str]:
    """The words of a Perl list; a list inside it is one empty word."""
    found = []
    for quoted in _WORD.finditer(text):
        word = quoted[1] if quoted[1] is not None else quoted[2] or ""
        found.append(word.replace("\\'", "'").replace("\\\\", "\\"))
    return found or [""]


def _numbers(text: str, name: str, line: int) -> FloatArray:
    try:
        return np.array([float(word) for word in _words(text)])
    except ValueError:
        words = {"file": name, "line": str(line), "text": text[:40]}
        raise ReaderError("data-line", words) from None


def parse_group(text: str, name: str, wanted: str) -> Table:
    """The columns of one group, by its label or the name that Athena gave it.

    Raises
    ------
    ReaderError
        `data-no-numbers`, or `data-group` where it is not told which is meant.

    """
    found = groups(text, name)
    if not found:
        raise ReaderError("data-no-numbers", {"file": name})
    chosen = [g for g in found if wanted in (g.label, g.name)] if wanted else found
    if len(chosen) != 1:
        labels = dict.fromkeys(
            g.label if sum(o.label == g.label for o in found) == 1 else g.name
            for g in found
        )
        known = ", ".join(f"`{label}`" for label in labels)
        code = "data-group" if wanted else "data-group-unsaid"
        raise ReaderError(code, {"file": name, "group": wanted, "known": known})
    group = chosen[0]
    values = np.stack(list(group.columns.values()), axis=1)
    lines = (group.line,) * len(values)
    said = (("group", f"{group.label} ({group.name})"),)
    return Table(values, lines, said, tuple(group.columns))


FORMAT = FileFormat(
    "athena",
    "Athena project",
    lambda text: text.startswith(HEAD),
    lambda text, name: parse_group(text, name, ""),
)
