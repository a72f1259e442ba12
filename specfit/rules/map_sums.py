"""Whether the sums of a map over parts of the image are accounted for.

Noise is least in sums, and what a model lacks is the same in many pixels. In parts of the
image, because free spectra meet the sum of all pixels whatever is missing. Parts are
fitted anew by weights that may be negative: those of pixels are cut at zero, and what
that costs each would add up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from specfit.contracts import Finding, FloatArray
from specfit.cubes import Anything
from specfit.mapped import MapResult
from specfit.model.factorising import Factorising
from specfit.rules.strength import Outcome

BEYOND = 4.0
"""Standard deviations of chance: no model is exact."""
FEWEST = 5.0
"""Counts that neighbouring channels are taken together to."""
NOTHING = 1e-3
"""Of its height, below which a spectrum has nothing."""
GROSS, SHARE = 3.0, 0.05
"""χ² a channel, and misfit as a share of the counts, beyond which both the answer is not
one to rely on: of very many counts a part in a hundred is seen that matters to nobody."""


class Sums(NamedTuple):
    """χ² of sums, how much of it chance brings, and the misfit as a share of the counts."""

    chi2: float
    free: float
    share: float


def findings(asked: Factorising, result: MapResult) -> Iterator[Finding]:
    """Of all channels, and of those where the background is alone."""
    whole = (float(result.energy[0]), float(result.energy[-1]))
    yield from _finding("all counts", whole, asked, result)
    if asked.fit is not None:
        yield from _finding("the background alone", asked.fit, asked, result)


def _finding(
    what: str, window: tuple[float, float], asked: Factorising, result: MapResult
) -> Iterator[Finding]:
    inside = (result.energy >= window[0]) & (result.energy <= window[1])
    if not inside.any() or result.found.parts is None:
        return
    found = sums(inside, asked.likelihood == "poisson", result)
    value = found.chi2 / found.free
    most = 1.0 + BEYOND * math.sqrt(2.0 / found.free)
    gross = value > GROSS and found.share > SHARE
    outcome: Outcome = "passed" if value <= most else "failed" if gross else "warned"
    yield Finding(
        rule="sum",
        kind="residual",
        outcome=outcome,
        text=f"{what} from {window[0]:g} to {window[1]:g} eV",
        value=value,
        detail=f"χ² of sums over parts of the image is {value:.3f} a channel there, at "
        f"most {most:.3f} by chance; what is not accounted for is {found.share:.1%} of "
        "the counts",
        line=asked.place.line,
    )


def sums(inside: Anything, counting: bool, result: MapResult) -> Sums:
    """χ² of the channels `inside` (M,); counting: noise is that of counts."""
    parts = result.found.parts
    assert parts is not None
    seen, made, variance = parts
    held = made.sum(axis=1) > 0.0
    seen, made, variance = seen[held], made[held], np.maximum(variance[held], 0.0)
    mean = made.mean(axis=0) if counting else np.ones(made.shape[1])
    group = _groups(mean * inside, inside, counting)
    spectra = np.concatenate(
        [result.found.spectra, _laws(result.found.laws, made.shape[1])]
    )
    hat = np.eye(made.shape[1]) - _projection(spectra, mean) @ spectra
    left = _together((seen - made).T, group).T
    noise = _together(variance.T, group).T
    spread = variance @ _together(hat.T, group).T ** 2
    # squares over what a part of its size has on average: what is expected of a part
    # itself may be next to nothing in a channel, and one count there would be all
    usual = noise.sum(axis=1, keepdims=True) * noise.sum(axis=0) / noise.sum()
    safe = np.maximum(usual, 1e-300)
    # where there are spectra, their sum is free in every channel; how they share it, which
    # is free too, comes to rest so slowly that it follows little of the noise
    own = result.found.spectra / result.found.spectra.max(axis=1, keepdims=True)
    free = (_together(own.T, group) > NOTHING).any(axis=1)
    count = len(seen)
    chi2 = float(np.sum(left**2 / safe))
    expected = float(np.sum(spread / safe * np.maximum(1.0 - free / count, 0.0)))
    over = max(float(np.sum(left**2 - noise)), 0.0)
    size = float(np.sum(_together(made.T, group) ** 2))
    return Sums(chi2, max(expected, 1.0), math.sqrt(over / max(size, 1e-300)))


def _laws(laws: FloatArray | None, channels: int) -> FloatArray:
    return np.zeros((0, channels)) if laws is None else laws


def _projection(spectra: FloatArray, mean: FloatArray) -> FloatArray:
    """What turns counts into weights, (M, L), by the noise of the mean."""
    weighted = spectra / np.maximum(mean, 1e-9 * mean.max())
    return np.asarray(weighted.T @ np.linalg.pinv(weighted @ spectra.T))


def _groups(mean: FloatArray, inside: Anything, counting: bool) -> Anything:
    """Which neighbouring channels (M,) are taken together, −1 of none."""
    if not counting:
        size = np.cumsum(inside) - 1
        return np.where(inside, size, -1)
    found, held, run = np.full(mean.size, -1), 0.0, 0
    for channel in np.flatnonzero(inside):
        found[channel] = run
        held += mean[channel]
        if held >= FEWEST:
            run, held = run + 1, 0.0
    # what is left has not enough by itself
    if held > 0.0 and run > 0:
        found[found == run] = run - 1
    return found


def _together(values: FloatArray, group: Anything) -> FloatArray:
    """Sums of rows (M, …) by their group, (n_groups, …)."""
    made = np.zeros((int(group.max(initial=0)) + 1, *values.shape[1:]))
    np.add.at(made, group[group >= 0], values[group >= 0])
    return made
