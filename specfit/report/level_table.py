"""A table with one row for each spectrum: what each is made of, and how far it is moved."""

from __future__ import annotations

from collections.abc import Iterator

from specfit.contracts import Run
from specfit.indices import at_level
from specfit.model import ir


def by_level(report: ir.ReportSettings, model: ir.Model[ir.Prior]) -> bool:
    """Does a report ask for rows that are levels, and no sites?"""
    sites = {site.name for spectrum in model.spectra for site in spectrum.sites}
    labelled = all(spectrum.label for spectrum in model.spectra)
    return len(report.rows) == 1 and report.rows[0] not in sites and labelled


def columns(run: Run, report: ir.ReportSettings) -> tuple[str, ...]:
    """The columns by name: `w` stands for `w[0]`, `w[20]` and all others of its family."""
    known = list(dict.fromkeys(_plain_names(run)))
    wanted = report.table or tuple(known)
    found: dict[str, None] = {}
    for symbol in wanted:
        family = [n for n in known if n.partition("[")[0] == symbol]
        found |= dict.fromkeys(family or [symbol])
    return tuple(found)


def _plain_names(run: Run) -> Iterator[str]:
    """The names of what was inferred, without levels, as the model has them."""
    label = run.model.spectra[0].label
    joined = [name for joint in run.model.joints for name in joint.names]
    names = [*joined, *(p.name for p in run.model.parameters), *run.fit.draws]
    for name in names:
        for short in (name[: -len(label) - 2], f"{name[: -len(label) - 2]}]"):
            if at_level(short, label) == name:
                yield short


def row(run: Run, symbols: tuple[str, ...], label: str) -> tuple[str | None, ...]:
    """The names of the quantities of a level, those that are of all levels included."""
    known = {*run.fit.draws, *(d.name for d in run.model.definitions)}
    own = ((at_level(symbol, label), symbol) for symbol in symbols)
    return tuple(next((n for n in pair if n in known), None) for pair in own)
