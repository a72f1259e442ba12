"""How well a model predicts each datum from all the others (PSIS-LOO).

Source: Vehtari, Gelman and Gabry 2017, doi:10.1007/s11222-016-9696-4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from specfit.contracts import FloatArray
from specfit.inference.pareto import smoothed

UNRELIABLE = 0.7


@dataclass(frozen=True)
class Loo:
    """Expected log predictive density of each datum, (n,), and Pareto k̂ of each."""

    pointwise: FloatArray
    pareto_k: FloatArray
    parameters: float  # effective number

    @property
    def elpd(self) -> float:
        """The sum over all data."""
        return float(self.pointwise.sum())

    @property
    def error(self) -> float:
        """Standard error of the sum, from the scatter among data."""
        return standard_error(self.pointwise)

    @property
    def unreliable(self) -> int:
        """How many data have weights without a usable mean."""
        return int(np.sum(self.pareto_k > UNRELIABLE))


def loo(pointwise: FloatArray) -> Loo:
    """Leave-one-out from log-likelihoods (n_chains, n_draws, n_spectra, n_channels).

    Channels whose likelihood does not vary at all (masked) say nothing.
    """
    rows = pointwise.reshape(pointwise.shape[0] * pointwise.shape[1], -1)
    rows = rows[:, np.ptp(rows, axis=0) > 0.0]
    found, shapes = np.empty(rows.shape[1]), np.empty(rows.shape[1])
    for i, column in enumerate(rows.T):
        weights, shapes[i] = smoothed(-column)
        found[i] = logsumexp(weights + column)
    whole = logsumexp(rows, axis=0) - np.log(len(rows))
    return Loo(found, shapes, float(np.sum(whole - found)))


def standard_error(pointwise: FloatArray) -> float:
    """Standard error of a sum of n independent terms, from their scatter."""
    return float(np.sqrt(len(pointwise) * np.var(pointwise, ddof=1)))
