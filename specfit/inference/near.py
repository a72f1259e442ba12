"""A search that begins from the answer of a like problem, and ends there if that fits."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np

from specfit.contracts import FloatArray, Problem
from specfit.inference import evaluate
from specfit.inference.newton import Peak, climb

CORRELATED = 4.0
"""Standard deviations of a correlation of neighbours that is no chance."""
NOTE = "begun from the answer for the level before, which fits as well as noise allows"


def from_near(problem: Problem, near: Mapping[str, float] | None) -> list[Peak]:
    """The peak above the answer of a like problem, if it fits; else none.

    near: the values of all unknowns.
    """
    if near is None or problem.separable is None or not {*problem.names} <= {*near}:
        return []
    start = {name: np.asarray([value]) for name, value in near.items()}
    (z,) = evaluate.unconstrain(problem, start)
    peak = climb(lambda x: evaluate.curvature(problem, x), z, floor=-np.inf)
    fits = peak is not None and peak.reached and _adequate(problem, peak.position)
    return [peak] if fits and peak is not None else []


def _adequate(problem: Problem, z: FloatArray) -> bool:
    """As `mend.adequate`, of all components together, and neighbours are independent.

    A variance that is guessed too large hides a misfit from χ², but not from these.
    """
    assert problem.separable is not None
    observed, weight = map(np.asarray, problem.separable.target(problem.data))
    at = {"z": jnp.asarray(z)}
    left = observed - np.asarray(problem.predict(at, problem.data)).ravel()
    pearson = (np.sqrt(weight) * left)[weight > 0.0]
    count, chi2 = float(pearson.size), float(np.sum(pearson**2))
    lag1 = float(np.sum(pearson[1:] * pearson[:-1])) / chi2
    few = chi2 < count + 4.0 * float(np.sqrt(2.0 * count))
    return few and abs(lag1) * float(np.sqrt(count)) < CORRELATED
