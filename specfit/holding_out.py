"""A regression model refitted without each row: its held-out score and calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from specfit.contracts import Fit, Measurement, Progress
from specfit.features import HeldOut
from specfit.model import ir


def held_out(
    model: ir.Model[ir.Prior],
    measured: Measurement,
    fit: Fit,
    settings: Mapping[str, Any],
    progress: Progress | None,
) -> HeldOut | None:
    """Exact leave-one-out by refits; None where there is no posterior to begin from.

    Call it inside `enable_x64(True)`.
    """
    from specfit import density
    from specfit.density.regression import without
    from specfit.inference.left_out import Fold, left_out
    from specfit.inference.loo import loo

    if fit.positions.shape[0] * fit.positions.shape[1] <= fit.positions.shape[2]:
        return None
    problem = density.build(model, (measured,))
    n = measured.values.size
    folds = [
        Fold((i,), *without(model, measured, problem.data, (i,))) for i in range(n)
    ]

    def tell(done: float) -> None:
        if progress is not None:
            progress("leaving out", done, "")

    found = left_out(problem, fit.positions, folds, int(settings["seed"]), tell)
    y = measured.values
    about = (y.sum() - y) / (n - 1)
    missed = float(np.sum((y - found.mean) ** 2))
    whole = loo(fit.pointwise)
    return HeldOut(
        predicted=found.mean,
        band=found.band,
        log_density=found.log_density,
        r2=1.0 - missed / float(np.sum((y - y.mean()) ** 2)),
        q2=1.0 - missed / float(np.sum((y - about) ** 2)),
        coverage=float(np.mean((found.band[0] <= y) & (y <= found.band[1]))),
        psis_elpd=whole.elpd,
        psis_worst=float(whole.pareto_k.max()),
        divergences=found.divergences,
    )
