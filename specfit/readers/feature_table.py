"""A table of features: columns found by number or by the words that head them.

The file of names is a table of words with a heading: `number` says which feature a row
is about (counted from 1), `label`, `unit` and whatever column the groups are in say what
it is.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import FloatArray, Measurement
from specfit.features import Features
from specfit.readers.checks import MINIMUM_ROWS, check_enough, check_finite
from specfit.readers.errors import ReaderError
from specfit.readers.tables import COMMENT, DIALECTS, NUMBER, Table

if TYPE_CHECKING:
    from specfit.model.ir import DataSource

FOUND = "posterior"
"""The option of a table whose features other models find."""
TARGET = "target"
Column = Callable[[str], tuple[FloatArray, str]]
"""A declared column by name, and its canonical unit."""


def headed(source: DataSource, table: Table, text: str) -> DataSource:
    """The source with the numbers of its features, and what heads their columns."""
    options = dict(source.options)
    features = () if FOUND in options else options.get("feature", ())
    words = _heading(text, table) if features else []
    if isinstance(features, str):
        numbers = [_found(word, words, source.file) for word in features.split("\n")]
        options["feature"] = tuple(float(number) for number in numbers)
        options["labels"] = features
    elif isinstance(features, tuple) and 0 < max(features, default=0) <= len(words):
        names = [words[int(number) - 1] for number in features]
        sound = len({*names}) == len(names) and all(names)
        if sound and not any(map(NUMBER.fullmatch, words)):
            options["labels"] = "\n".join(names)
    return source.model_copy(update={"options": options})


def _heading(text: str, table: Table) -> list[str]:
    """The words above the columns, as many as there are columns; else none."""
    *above, first = text.split("\n")[: table.lines[0]]
    width = table.values.shape[1]
    apart = dict.fromkeys(dialect.separator for dialect in DIALECTS)
    plain = [line for line in above if not COMMENT.match(line)]
    for separator in (one for one in apart if len(one.split(first.strip())) == width):
        for line in (*plain, *above):  # of two lines of words the lower is of units
            words = separator.split(line.strip().lstrip("#%!;").strip())
            if len(words) == width:
                return [word.strip().strip('"') for word in words]
    return []


def _found(word: str, words: list[str], file: str) -> int:
    if words.count(word) == 1:
        return words.index(word) + 1
    known = ", ".join(f"`{one}`" for one in words[:12]) or "—"
    raise ReaderError("data-heading", {"file": file, "word": word, "known": known})


def feature_measurement(
    source: DataSource, table: Table, column: Column, names: str | None
) -> Measurement:
    """The rows of a table in their order: the target, and the features beside it.

    names: the text of the file of names, None where there is none.
    """
    check_enough(len(table.values), source.file, MINIMUM_ROWS)
    numbers = [int(n) for n in _numbers(source)]
    most = table.values.shape[1]
    for number in numbers:
        if number > most:
            words = {"file": source.file, "column": str(number), "name": "feature"}
            raise ReaderError("data-column", words | {"found": str(most)})
        check_finite(table, number, source.file)
    columns = {name: column(name)[0] for name in source.columns}
    values, unit = column(TARGET)
    matrix = table.values[:, [n - 1 for n in numbers]]
    features = _features(source, matrix, names) if numbers else None
    return Measurement(
        np.arange(1.0, len(values) + 1),
        values,
        "",
        unit,
        axis_jacobian=np.zeros((len(values), 0)),
        found=(("rows", str(len(values))), ("features", str(len(numbers)))),
        columns=columns,
        features=features,
    )


def _numbers(source: DataSource) -> tuple[float, ...]:
    said = () if FOUND in source.options else source.options.get("feature", ())
    assert isinstance(said, tuple)  # `headed` has seen to it
    return said


def _features(source: DataSource, values: FloatArray, names: str | None) -> Features:
    count = values.shape[1]
    labels = tuple(str(source.options.get("labels", "")).split("\n"))
    labels = labels if len(labels) == count and labels != ("",) else ()
    if names is None:
        return Features(values, labels)
    file = str(source.options["names"])
    rows = _named_rows(names, file, count)
    group = str(source.options.get("group", "group"))
    if "group" in source.options and group not in rows[0]:
        known = ", ".join(f"`{one}`" for one in rows[0])
        raise ReaderError("data-heading", {"file": file, "word": group, "known": known})
    said = {
        key: tuple(row.get(word, "") for row in rows)
        for key, word in (("labels", "label"), ("groups", group), ("units", "unit"))
    }
    return Features(values, said["labels"], said["groups"], said["units"])


def _named_rows(text: str, file: str, count: int) -> list[dict[str, str]]:
    """The rows of the file of names in the order of the features."""
    lines = [line for line in text.split("\n") if not re.match(r"\s*(#|$)", line)]
    read = csv.DictReader(io.StringIO("\n".join(lines)), skipinitialspace=True)
    rows = [{k: v or "" for k, v in row.items() if isinstance(k, str)} for row in read]
    found = {row.get("number", "").strip(): row for row in rows}
    wanted = [str(number) for number in range(1, count + 1)]
    lacking = [number for number in wanted if number not in found]
    if lacking or len(found) < len(rows):
        words = {"file": file, "number": (lacking or ["number"])[0]}
        raise ReaderError("data-names", words)
    return [found[number] for number in wanted]
