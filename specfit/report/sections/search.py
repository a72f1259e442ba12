"""How the answer was found: stages, modes, gates."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Mode
from specfit.report.blocks import Block, Bullets, Cell, Page, Paragraph, Section, Table
from specfit.report.numbers import fixed, short
from specfit.report.quantities import Findings

_GATES = {
    "rhat": "R-hat, the largest",
    "ess_bulk": "effective draws in the bulk, the fewest",
    "ess_tail": "effective draws in the tails, the fewest",
    "divergences": "divergent transitions",
    "e_bfmi": "energy mixing (E-BFMI), the worst chain",
    "pareto_k": "tail of the importance weights (Pareto k̂)",
    "non_finite": "values that are not finite",
    "interrupted": "interrupted by the user: 1 is yes",
}


def _build(page: Page) -> Sequence[Block]:
    fit = page.found.run.fit
    text = (
        "No starting value was given. Draws are from the posterior; each gate below "
        "had to hold before anything was called a result."
    )
    blocks: list[Block] = [Paragraph(text), _gates(page)]
    if fit.stages:
        rows = [
            [Cell(s.name, s.detail), Cell(f"{s.seconds:.1f} s", numeric=True)]
            for s in fit.stages
        ]
        blocks.append(Table(["stage", "time"], rows))
    if fit.modes:
        blocks.append(_modes(page, fit.modes))
    if fit.log_evidence is not None:
        value, sd = fit.log_evidence
        blocks.append(Paragraph(f"{value:.2f} ± {sd:.2f}", strong="Log-evidence:"))
    if fit.notes:
        blocks.append(Bullets(fit.notes))
    return blocks


def _gates(page: Page) -> Table:
    rows = [
        [
            Cell(
                _GATES.get(name, name.replace("_", " ")),
                _whose(page.found, name, value),
            ),
            Cell(short(value), numeric=True),
            Cell(short(bound), numeric=True),
            Cell("✓ holds" if passed else "✗ fails", tone="good" if passed else "bad"),
        ]
        for name, value, bound, passed in page.found.run.fit.gates
    ]
    return Table(["gate", "value", "bound", "outcome"], rows)


def _whose(found: Findings, gate: str, value: float) -> str:
    """The quantity whose figure a gate shows; it may be one that no table lists."""
    fit = found.run.fit
    figures = {"rhat": fit.rhat, "ess_bulk": fit.ess_bulk, "ess_tail": fit.ess_tail}
    of = (name for name, figure in figures.get(gate, {}).items() if figure == value)
    return next((f"of {name}" for name in of), "")


def _modes(page: Page, modes: Sequence[Mode]) -> Table:
    rows = [
        [
            Cell(str(number), numeric=True),
            Cell(short(mode.log_density, 7), numeric=True),
            Cell(short(mode.log_evidence, 7), numeric=True),
            Cell("–" if mode.weight is None else fixed(mode.weight, 4), numeric=True),
            Cell(_where(page, mode), tone="quiet"),
        ]
        for number, mode in enumerate(modes, start=1)
    ]
    header = ["mode", "log density", "log evidence", "weight", "where"]
    caption = "Local maxima of the posterior that the search met."
    return Table(header, rows, caption)


def _where(page: Page, mode: Mode) -> str:
    """The unknowns of a mode; what is held fixed or tied is left out."""
    values = [
        f"{name} {mode.values[name]:.4g}"
        for name in page.found.parameters
        if name in mode.values
    ]
    return ", ".join(values)


SECTION = Section("search", "How the answer was found", _build)
