"""Maps whose drift is taken out of the counts, to count components in."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np

from specfit.maps.drifted import followed
from specfit.maps.found import Array, Factorisation

FEW = 1024  # pixels in which drifts are followed for the purpose
STEPS = 90


def straightened(counts: Array, energy: Array, drift: Array) -> tuple[Array, Array]:
    """Counts (n, m) with the drift (n,) of their pixels undone, and their axis (m,).

    Every count is moved to one of the two channels that it falls between, by chance: so
    they stay independent Poisson counts, where shares of counts would have less noise
    than counting has. Of counts that are not quite whole what is over goes with the
    others. Channels that some pixel does not reach are left out.
    """
    generator = np.random.default_rng(0)
    channel = np.arange(energy.size)
    moved = np.zeros(counts.shape)
    for n, one in enumerate(drift):
        place = np.interp(energy - one, energy, channel)
        low = np.minimum(np.floor(place), energy.size - 2).astype(int)
        whole = np.maximum(np.rint(counts[n]).astype(np.int64), 1)
        above = generator.binomial(whole, np.clip(place - low, 0.0, 1.0)) / whole
        np.add.at(moved[n], low, counts[n] * (1.0 - above))
        np.add.at(moved[n], low + 1, counts[n] * above)
    reach = float(np.abs(drift).max()) + 2.0 * float(np.diff(energy).max())
    kept = (energy > energy[0] + reach) & (energy < energy[-1] - reach)
    return moved[:, kept], energy[kept]


def some(counts: Array) -> Array:
    """Some pixels (n, M) all over a map that are not empty."""
    seen = np.flatnonzero(counts.sum(axis=1, dtype=np.float64) > 0)
    rows = seen[np.unique(np.linspace(0, seen.size - 1, FEW).astype(int))]
    return np.asarray(counts[rows], np.float64)


def straight(
    few: Array, energy: Array, request: Factorisation, components: int
) -> tuple[Array, Array]:
    """Pixels with their drift taken out, as so many components show it, and their axis.

    The pixels are in counts, whatever `request` says of one.
    """
    library = None if request.library is None else request.library[:components]
    asked = replace(
        request,
        components=components,
        library=library,
        count=1.0,
        iterations=min(request.iterations, STEPS),
        grid=None,
    )
    with jax.enable_x64(True):
        data, found = followed(few, energy, asked, None)
    drift = data.flat(found.knots.drifts[np.asarray(found.of.g)])
    return straightened(few, energy, drift)
