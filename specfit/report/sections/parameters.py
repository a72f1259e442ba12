"""The results: the sites like a paper's table, then every unknown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.model.glossary import symbols
from specfit.report.blocks import Block, Cell, Fold, Page, Paragraph, Section, Table
from specfit.report.numbers import (
    concise,
    decimals,
    fixed,
    interval,
    plus_minus,
    short,
)
from specfit.report.quantities import Cell as Entry
from specfit.report.quantities import Findings, Quantity, ResultTable
from specfit.report.stopped import cut_short, maximum_alone, one_point
from specfit.report.words import component


def _build(page: Page) -> Sequence[Block]:
    found = page.found
    blocks: list[Block] = []
    if found.run.verdict.outcome == "not_converged":
        blocks.append(Paragraph(_doubt(found), tone="warn"))
    for table in found.tables:
        if table.rows:  # a flat spectrum has no site
            blocks.append(_results(found, table))
        if table.also:
            blocks.append(_further(table))
    everything = _all(found)
    return [*blocks, Fold("Every parameter, with its diagnostics", [everything])]


def _doubt(found: Findings) -> str:
    if cut_short(found.run.fit):
        return "These numbers are of an interrupted run: provisional, not a result."
    if maximum_alone(found.run.fit):
        return "These numbers are a maximum without errors; they are not a result."
    return "These numbers come from chains that disagree; they are not a result."


def _results(found: Findings, table: ResultTable) -> Table:
    symbols = (f"{s} ({unit})" if unit else s for s, unit in table.columns)
    header = [table.levels or component(found.run.model) or "", *symbols]
    point = one_point(found.run.fit)
    rows = [
        [
            Cell(title, "" if title == name else name),
            *(_entry(entry, point) for entry in cells),
        ]
        for name, title, cells in table.rows
    ]
    caption = (
        "Posterior mean with the standard deviation of the last digits in brackets; "
        "beneath, the interval that holds 95 % of the posterior."
    )
    if point:
        caption = "Values at the maximum alone, of which no error is known."
    return Table(header, rows, " ".join([caption, *_meanings(found, table)]))


def _meanings(found: Findings, table: ResultTable) -> list[str]:
    """What the columns are, in the words of the kinds of the sites."""
    words = [*dict.fromkeys(s.rpartition(".")[2] for s, _ in table.columns)]
    said = [f"{s}: {what}" for s, what in symbols(found.run.model, words)]
    return ["; ".join(said) + "."] if said else []


def _further(table: ResultTable) -> Table:
    rows = [
        [
            Cell(item.title or item.name, item.name if item.title else ""),
            Cell(f"{concise(item.summary)} {item.unit}".rstrip(), numeric=True),
            Cell(interval(item.summary), numeric=True),
        ]
        for item in table.also
    ]
    return Table(["of the model", "value", "95 % interval"], rows)


def _entry(entry: Entry, point: bool) -> Cell:
    if entry.quantity is None:
        return Cell("", numeric=True)
    summary = entry.quantity.summary
    if summary.fixed:
        return Cell(
            plus_minus(summary), "" if point else "fixed", "quiet", numeric=True
        )
    return Cell(concise(summary), interval(summary), numeric=True)


_HEADER = (
    *("parameter and prior", "unit", "mean", "sd", "5 %", "95 %"),
    *("R-hat", "ESS bulk", "ESS tail", "learned"),
)


def _all(found: Findings) -> Table:
    every = [*found.parameters.values(), *found.derived.values()]
    caption = (
        "“Learned” is 1 − (posterior sd / prior sd)², the share of the prior variance "
        "that the data removed: near 0 the answer is the prior's, near 1 the data's."
    )
    return Table(_HEADER, [_row(found, item) for item in every], caption)


def _row(found: Findings, item: Quantity) -> list[Cell]:
    fit, summary = found.run.fit, item.summary
    figures = [f"{summary.mean:.8g}", "–", "–", "–"]
    if not one_point(fit):
        places = decimals(summary.sd) + 1
        known = (summary.mean, summary.sd, summary.q05, summary.q95)
        figures = [fixed(value, places) for value in known]
    rhat = fit.rhat.get(item.name)
    sizes = (fit.ess_bulk.get(item.name), fit.ess_tail.get(item.name))
    learned = _learned(found, item)
    return [
        Cell(item.name, _prior(found, item)),
        Cell(item.unit),
        *(Cell(figure, numeric=True) for figure in figures),
        Cell("–" if rhat is None else fixed(rhat, 3), numeric=True),
        *(Cell(short(size), numeric=True) for size in sizes),
        Cell(
            "–" if learned is None else f"{learned:.2f}",
            tone="warn" if learned is not None and learned < 0.2 else "",
            numeric=True,
        ),
    ]


def _prior(found: Findings, item: Quantity) -> str:
    """The prior in a few words; `result.json` and `parameters.csv` hold the formula."""
    conflict = found.conflicts.get(item.name)
    if conflict is None:
        return item.prior
    origin = conflict.origin
    wide = f", widened ×{origin.widen:g}" if origin.widen != 1 else ""
    return f"{origin.record} at {origin.at}{wide}"


def _learned(found: Findings, item: Quantity) -> float | None:
    prior = found.run.fit.prior.get(item.name)
    if prior is None or np.size(prior) < 2:
        return None
    spread = _robust_sd(np.ravel(prior))
    if spread == 0:
        return None
    return max(0.0, 1 - (_robust_sd(item.draws) / spread) ** 2)


def _robust_sd(draws: np.ndarray) -> float:
    """Half the central 68 %: heavy tails of a prior would flatter the data."""
    low, high = np.quantile(draws, [0.16, 0.84])
    return float(high - low) / 2


SECTION = Section("parameters", "Results", _build)
