"""An `analysis` of the language with a table → what its methods find."""

from __future__ import annotations

import numpy as np

from specfit.contracts import FloatArray, Measurement, Progress
from specfit.features import AnalysisResult
from specfit.model import ir


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
