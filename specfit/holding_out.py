"""A regression model refitted without each row: its held-out score and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import Fit, FloatArray, Measurement, Progress, Verdict
from specfit.features import HeldOut
from specfit.model import ir
from specfit.record import Clock

if TYPE_CHECKING:
    from specfit.inference.left_out import LeftOut
    from specfit.inference.loo import Loo


RHAT, ESS = 1.05, 100.0
"""Beyond which what a short refit predicts is called unsettled."""
STOPPED = "no held-out scores: interrupted while rows were left out"


def held_out(
    model: ir.Model[ir.Prior],
    measurements: Sequence[Measurement],
    fit: Fit,
    clock: Clock,
    verdict: Verdict,
) -> tuple[HeldOut | None, str]:
    """Leave-one-out by refits; None of other kinds, and without a posterior.

    And why there is none where there should be; the posterior stands all the same.  Call
    it inside `enable_x64(True)`.
    """
    from specfit.inference.settings import NonFiniteStart

    few = fit.positions.shape[0] * fit.positions.shape[1] <= fit.positions.shape[-1]
    if model.kind != "regression" or verdict.outcome == "not_converged" or few:
        return None, ""
    try:
        with clock("leaving out"):
            (measured,) = measurements
            return left_out_rows(model, measured, fit, clock.progress), ""
    except KeyboardInterrupt:
        return None, STOPPED
    except NonFiniteStart as error:
        return None, f"no held-out scores, a refit could not begin: {error}"


def left_out_rows(
    model: ir.Model[ir.Prior],
    measured: Measurement,
    fit: Fit,
    progress: Progress | None,
) -> HeldOut:
    """The same, whatever the verdict."""
    from specfit import density
    from specfit.density.regression import without
    from specfit.inference.left_out import Fold, left_out
    from specfit.inference.loo import loo

    problem = density.build(model, (measured,))
    n = measured.values.size
    folds = [
        Fold((i,), *without(model, measured, problem.data, (i,))) for i in range(n)
    ]

    def tell(done: float) -> None:
        if progress is not None:
            progress("leaving out", done, "")

    found = left_out(problem, fit.positions, folds, int(fit.settings["seed"]), tell)
    return _scored(measured.values, found, loo(fit.pointwise))


def _scored(y: FloatArray, found: LeftOut, whole: Loo) -> HeldOut:
    from specfit.inference.estimators.folds import leave_one_out, q2_pooled, r2_pooled

    return HeldOut(
        predicted=found.mean,
        band=found.band,
        log_density=found.log_density,
        r2=r2_pooled(y, found.mean),
        q2=q2_pooled(y, found.mean, leave_one_out(y.size)),
        coverage=float(np.mean((found.band[0] <= y) & (y <= found.band[1]))),
        psis_elpd=whole.elpd,
        psis_worst=float(whole.pareto_k.max()),
        divergences=found.divergences,
        unsettled=int(np.sum(~((found.rhat <= RHAT) & (found.ess >= ESS)))),
    )
