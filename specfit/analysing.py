"""An `analysis` of the language with a table → what its methods find."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from specfit.checking import Checked
from specfit.contracts import FloatArray, Measurement, Progress
from specfit.features import AnalysisResult, AnalysisRun
from specfit.model import ir
from specfit.record import Clock, sha256, versions


def analyse(
    analysis: ir.Analysis,
    measurement: Measurement,
    seed: int,
    progress: Progress | None = None,
) -> AnalysisResult:
    """Every method of the analysis, judged by rows that were held out."""
    from specfit.inference.estimators import Asked, MethodAsked
    from specfit.inference.estimators import analyse as found

    methods = tuple(
        MethodAsked(
            name=method.name,
            title=method.title,
            function=method.function,
            arguments={n: numbers(v) for n, v in method.arguments.items()},
        )
        for method in analysis.methods
    )
    asked = Asked(
        name=analysis.name,
        methods=methods,
        folds=analysis.folds,
        block=analysis.block,
        by=analysis.by,
        scaled=analysis.scale == "standardize",
        nested=analysis.tuning == "nested",
        score=analysis.score.removesuffix("(pooled)"),
        permutations=analysis.permutations,
        resamples=analysis.resamples,
    )
    return found(asked, measurement, seed, progress)


def numbers(said: ir.Grid | tuple[float, ...]) -> FloatArray:
    """The numbers of a grid or a list, rising."""
    if not isinstance(said, ir.Grid):
        return np.array(said)
    space = np.geomspace if said.logarithmic else np.linspace
    made: FloatArray = space(said.low, said.high, said.count)
    return made


def run_analysis(
    checked: Checked,
    analysis: ir.Analysis,
    seed: int,
    progress: Progress | None = None,
    measurement: Measurement | None = None,
) -> AnalysisRun:
    """An analysis of a file, done and judged; nothing is written.

    measurement: the table, where it is not the one that the data block names.
    """
    from specfit.rules.analyses import judge_analysis

    clock = Clock(progress)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with clock("read data"):
        table = measurement or table_of(checked, analysis)
    with clock("analysis"):
        result = analyse(analysis, table, seed, progress)
    with clock("judge"):
        verdict = judge_analysis(analysis, result)
    return AnalysisRun(
        title=checked.require().title or analysis.title or analysis.name,
        analysis=analysis,
        measurement=table,
        result=result,
        verdict=verdict,
        spec=checked.path.name,
        text=checked.text,
        text_sha256=sha256(checked.text),
        versions=versions(),
        timings={**clock.seconds, "total": clock.total()},
        started=started,
    )


def table_of(checked: Checked, analysis: ir.Analysis) -> Measurement:
    """The table of an analysis as its data block has it."""
    return next(m for source, m in checked.measured if source == analysis.source)
