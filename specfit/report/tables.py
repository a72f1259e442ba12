"""The CSV tables of a run: UTF-8, one header line, units in a column of their own."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from specfit.report.numbers import short
from specfit.report.quantities import Findings, Quantity, ResultTable
from specfit.report.stopped import one_point
from specfit.report.text import clean, file_name

_FORMULA = ("=", "+", "@", "\t", "-")


def write_tables(found: Findings, folder: Path) -> None:
    """`parameters.csv`, `rules.csv` and one file for each results table.

    A table's file has the name that `save` gives it, else that of its `report` block.
    """
    _write(folder / "parameters.csv", _PARAMETERS, _parameters(found))
    _write(folder / "rules.csv", _RULES, _rules(found))
    for table in found.tables:
        path = folder / (table.save or f"{file_name(table.name)}.csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, _header(table), _rows(table, one_point(found.run.fit)))


_PARAMETERS = (
    *("name", "title", "unit", "mean", "sd", "median", "q025", "q05", "q95", "q975"),
    *("rhat", "ess_bulk", "ess_tail", "prior", "origin"),
)
_RULES = (
    *("kind", "rule", "line", "text", "because", "outcome", "probability", "value"),
    *("detail", "strategy", "source", "severity"),
)


def _parameters(found: Findings) -> Iterable[Sequence[object]]:
    fit = found.run.fit
    point = one_point(fit)

    def one(value: float) -> float | None:
        return None if point else value

    for item in [*found.parameters.values(), *found.derived.values()]:
        s = item.summary
        ends = (s.low, s.q05, s.q95, s.high)
        yield (
            *(safe(item.name), safe(item.title), item.unit),
            *(_number(v) for v in (s.mean, one(s.sd), s.median, *map(one, ends))),
            *(
                short(table.get(item.name), 6).replace("–", "")
                for table in (fit.rhat, fit.ess_bulk, fit.ess_tail)
            ),
            *(safe(item.prior), item.origin),
        )


def _rules(found: Findings) -> Iterable[Sequence[object]]:
    for item in found.run.verdict.findings:
        yield (
            *(item.kind, item.rule, "" if item.line is None else item.line),
            *(safe(item.text), safe(item.because), item.outcome),
            *(_number(item.probability), _number(item.value)),
            *(safe(item.detail), safe(item.strategy), safe(item.source)),
            item.severity,
        )


def _header(table: ResultTable) -> Sequence[str]:
    columns = [table.levels] if table.levels else ["site", "title"]
    for symbol, unit in table.columns:
        name = f"{symbol} ({unit})" if unit else symbol
        columns += [name, f"{name} sd"]
    return [*columns, "value", "value sd"] if table.also else columns


def _rows(table: ResultTable, point: bool) -> Iterable[Sequence[object]]:
    for name, title, cells in table.rows:
        row: list[object] = [safe(name)] if table.levels else [safe(name), safe(title)]
        for cell in cells:
            row += _pair(cell.quantity, point)
        yield [*row, "", ""] if table.also else row
    blank = [""] * 2 * len(table.columns)
    for item in table.also:  # of no column's symbol and unit
        head = (
            [safe(item.name)] if table.levels else [safe(item.name), safe(item.title)]
        )
        yield [*head, *blank, *_pair(item, point)]


def _pair(item: Quantity | None, point: bool) -> tuple[str, str]:
    if item is None:
        return "", ""
    summary = item.summary
    return _number(summary.mean), "" if point else _number(summary.sd)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def safe(text: str) -> str:
    """Text that a spreadsheet will not take for a formula."""
    cleaned = clean(text)
    return f"'{cleaned}" if cleaned.startswith(_FORMULA) else cleaned


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
