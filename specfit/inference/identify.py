"""What the data leave open: directions, bounds and unknowns that only the prior fixes.

All that is known here is the posterior and the prior as draws of the same position.
Lengths are measured in prior standard deviations, so that "as wide as the prior" means
one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from specfit.contracts import FloatArray, Problem
from specfit.inference import evaluate

WIDE = 0.25
"""Posterior variance over prior variance above which a direction was not learned."""
BOUND_TOGETHER = 0.999
"""Multiple correlation above which an unknown is settled only once the others are."""
SHARE = 0.1
"""Squared share of a direction that makes an unknown part of it."""
NEAR = 1e-2
"""Part of a bounded range that counts as near its bound."""
HUGGING = 0.05
"""Share of the draws near a bound that is worth a note."""


def open_directions(posterior: FloatArray, prior: FloatArray) -> list[tuple[int, ...]]:
    """Groups of unknowns of which the data fix a combination but not the parts.

    posterior: (n, dimension), prior: (m, dimension), unconstrained.  A group is the
    unknowns that share a direction as wide as the prior and are each tied to the others
    with a multiple correlation above 0.999.  One unknown that kept its prior is not a
    group: it is merely not informed.
    """
    scale = np.std(prior, axis=0)
    if posterior.shape[1] < 2 or not (scale > 0.0).all():
        return []
    spread = np.cov((posterior / scale).T)
    if not np.isfinite(spread).all() or not (np.diag(spread) > 0.0).all():
        return []
    diagonal = np.sqrt(np.diag(spread))
    correlation = spread / diagonal / diagonal[:, None]
    given_others = 1.0 / np.diag(
        np.linalg.pinv(correlation, hermitian=True, rcond=1e-15)
    )
    tied = given_others < 1.0 - BOUND_TOGETHER**2
    variances, directions = np.linalg.eigh(spread)
    groups = []
    for variance, direction in zip(variances, directions.T, strict=True):
        members = np.flatnonzero((direction**2 >= SHARE) & tied)
        if variance > WIDE and len(members) > 1:
            groups.append(tuple(int(i) for i in members))
    return groups


def uninformed(posterior: FloatArray, prior: FloatArray) -> list[int]:
    """The coordinates whose posterior is their prior, to a tenth in width."""
    prior_sd = np.std(prior, axis=0)
    ratio = np.std(posterior, axis=0) / np.where(prior_sd > 0.0, prior_sd, 1.0)
    shift = np.abs(np.mean(posterior, axis=0) - np.mean(prior, axis=0))
    kept = (ratio > 0.9) & (ratio < 1.1) & (shift < 0.3 * prior_sd)
    return [int(i) for i in np.flatnonzero(kept)]


def bounds(problem: Problem, middle: FloatArray) -> dict[str, tuple[float, float]]:
    """The finite ranges of the unknowns that have one, found by going far out.

    Where an unknown stays put between ±40 and ±80 of its coordinate, it stands at a
    bound.  Unknowns without their own coordinate are left out.
    """
    if len(problem.names) != problem.dimension:
        return {}
    far = []
    for reach in (-80.0, -40.0, 40.0, 80.0):
        z = np.repeat(middle[None], problem.dimension, axis=0)
        np.fill_diagonal(z, reach)
        far.append(evaluate.constrain(problem, z))
    ranges = {}
    for i, name in enumerate(problem.names):
        ends = np.array([values[name][i] for values in far])
        width = ends[3] - ends[0]
        still = np.abs(ends[[0, 3]] - ends[[1, 2]]) <= 1e-9 * np.abs(width)
        if np.isfinite(ends).all() and width != 0.0 and still.all():
            ranges[name] = (float(min(ends)), float(max(ends)))
    return ranges


def at_bounds(
    draws: Mapping[str, FloatArray],
    ranges: Mapping[str, tuple[float, float]],
    part: float,
) -> dict[str, float]:
    """For each bounded unknown, the share of draws within `part` of its ends.

    Zero where the mean is more than three sd from both ends: what is known well is not
    held by its bound, however far the other end.  Zero also where draws leave the range:
    it moves with other unknowns, as that of a part of a whole does.
    """
    shares = {}
    for name, (low, high) in ranges.items():
        slack = 1e-9 * (high - low)
        if draws[name].min() < low - slack or draws[name].max() > high + slack:
            shares[name] = 0.0
            continue
        mean, sd = draws[name].mean(), draws[name].std()
        if min(mean - low, high - mean) > 3.0 * sd:
            shares[name] = 0.0
            continue
        place = (draws[name] - low) / (high - low)
        shares[name] = float(max(np.mean(place < part), np.mean(place > 1.0 - part)))
    return shares
