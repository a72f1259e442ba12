"""The CSV tables of a run: UTF-8, one header line, units in a column of their own."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from specfit.report.numbers import short
from specfit.report.quantities import Findings, Quantity, ResultTable
from specfit.report.text import clean, file_name

_FORMULA = ("=", "+", "@", "\t", "-")


def write_tables(found: Findings, folder: Path) -> None:
    """`parameters.csv`, `rules.csv` and one file for each results table.

    A table that a report saves under a name of its own lies there, too, in the folder of
    the run, of which `folder` is a part.
    """
    _write(folder / "parameters.csv", _PARAMETERS, _parameters(found))
    _write(folder / "rules.csv", _RULES, _rules(found))
    for table in found.tables:
        path = folder / f"{file_name(table.name)}.csv"
        _write(path, _header(table), _rows(table))
    saved = {r.name: r.save for r in found.run.document.reports if r.save}
    for table in found.tables:
        if table.name in saved:
            path = (folder.parent / saved[table.name]).with_suffix(".csv")
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, _header(table), _rows(table))


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
    for item in [*found.parameters.values(), *found.derived.values()]:
        s = item.summary
        yield (
            *(safe(item.name), safe(item.title), item.unit),
            *(
                _number(v)
                for v in (s.mean, s.sd, s.median, s.low, s.q05, s.q95, s.high)
            ),
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
    columns = [table.rows_are, "title"]
    for symbol, unit in table.columns:
        name = f"{symbol} ({unit})" if unit else symbol
        columns += [name, f"{name} sd"]
    return [*columns, "value", "value sd"] if table.also else columns


def _rows(table: ResultTable) -> Iterable[Sequence[object]]:
    for name, title, cells in table.rows:
        row: list[object] = [safe(name), safe(title)]
        for cell in cells:
            row += _pair(cell.quantity)
        yield [*row, "", ""] if table.also else row
    blank = [""] * 2 * len(table.columns)
    for item in table.also:  # of no column's symbol and unit
        yield [safe(item.name), safe(item.title), *blank, *_pair(item)]


def _pair(item: Quantity | None) -> tuple[str, str]:
    if item is None:
        return "", ""
    return _number(item.summary.mean), _number(item.summary.sd)


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
