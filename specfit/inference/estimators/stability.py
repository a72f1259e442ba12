"""How often a feature is selected when only half of the rows are there.

Complementary pairs of half samples; of each the first q features are taken, q = √(0.8 p):
then no more than one feature without any say is expected above 0.9 (N. Meinshausen,
P. Bühlmann, J. R. Stat. Soc. B 72, 417 (2010), doi:10.1111/j.1467-9868.2010.00740.x,
theorem 1; pairs: R. Shah, R. Samworth, ibid. 75, 55 (2013),
doi:10.1111/j.1467-9868.2011.01034.x).
"""

from __future__ import annotations

import numpy as np

from specfit.contracts import FloatArray
from specfit.inference.estimators.methods import Learner


def first_count(p: int) -> int:
    """How many features are taken of each half."""
    return max(1, int(np.sqrt(0.8 * p)))


def selection(
    learner: Learner,
    x: FloatArray,
    y: FloatArray,
    resamples: int,
    generator: np.random.Generator,
) -> FloatArray:
    """Share of half samples (p,) in which each feature is among the first."""
    n, p = x.shape
    if resamples == 0:
        return np.full(p, np.nan)
    counts, taken = np.zeros(p), 0
    while taken < resamples:
        order = generator.permutation(n)
        for half in (order[: n // 2], order[n // 2 : 2 * (n // 2)]):
            counts[learner.first(x[half], y[half], first_count(p))] += 1.0
            taken += 1
    return counts / taken
