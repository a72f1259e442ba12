"""The `run` and `report` blocks of a file, once its models are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from specfit.model import ir
from specfit.model.elaborate import Elaborator
from specfit.model.faults import Faults
from specfit.model.outline import Outline
from specfit.model.regression_kinds import REGRESSION
from specfit.model.settings import report_settings, run_settings
from specfit.model.typed import Typer


def settings_of(
    found: Outline,
    works: Sequence[Elaborator],
    faults: Faults,
    texts: Mapping[str, str],
) -> tuple[ir.RunSettings, tuple[ir.ReportSettings, ...]]:
    """How to look and what to show."""
    run = ir.RunSettings()
    dimensions = {w.data.levels.dimension for w in works} - {""}
    for block in found.runs:
        said = run_settings(block, faults, texts, dimensions)
        run = said if block is found.runs[0] else run
    if not works and not found.analyses:
        return run, ()
    typers: dict[str, Typer] = {}
    for work in works:  # a model comes before its variants
        typers.setdefault(work.block.name or "", work.typer)
    scored = [work.block.name for work in works if work.kind is REGRESSION]
    known = [f"{name}.score" for name in (*found.analyses, *scored)]
    reports = (
        report_settings(b, faults, typers, known, tuple(found.variants))
        for b in found.reports
    )
    return run, tuple(reports)
