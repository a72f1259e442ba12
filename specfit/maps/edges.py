"""How far the pure spectra may be moved inwards before weights turn negative.

Weights fitted pixel by pixel follow the noise: half of the pixels that hold nothing of
a component come out below zero, and a likelihood with one free weight per pixel rewards
spectra moved outwards until none does (the incidental parameters of Neyman & Scott,
1948). So the weights are integrated out under the distribution of weights that fits
best, and the same without the bound at zero is divided off: the ratio is one as long as
the bound costs nothing, and falls as soon as the map as a whole is pressed against it.
Instead of a gamma or exponential distribution of weights, which would decide where the
edge is by its own form.

Source: Kiefer & Wolfowitz, Ann. Math. Stat. 27, 887 (1956) for the mixing distribution;
Dempster, Laird & Rubin (1977) for its computation.
"""

from __future__ import annotations

import numpy as np

from specfit.maps.found import Array

LOW, HIGH, STEP = -9.0, 9.0, 0.15  # standard deviations; beyond HIGH no bound is felt
BINS = np.arange(LOW, HIGH + 0.5 * STEP, STEP)
PLACES = np.arange(LOW - 1.0, HIGH + 1.01, 0.25)
CURVES = np.exp(-0.5 * (BINS[:, None] - PLACES[None, :]) ** 2)  # (bins, places)
# The gain of the free mixture by chance alone where a third of the pixels lie at zero:
# 95 % of maps of 500 to 50000 simulated pixels stay below (tests/maps/test_edges.py).
CHANCE = 1.8


def histogram(z: Array) -> Array:
    """Counts of standardised weights in BINS; (n,) → (n_bins,)."""
    near = z[z < HIGH]
    place = np.clip(np.rint((near - LOW) / STEP), 0, BINS.size - 1).astype(int)
    return np.bincount(place, minlength=BINS.size).astype(float)


def _best(seen: Array, curves: Array, rounds: int) -> Array:
    """Greatest log-likelihood (T,) of histograms (T, bins) over mixtures of curves."""
    share = np.full((seen.shape[0], curves.shape[1]), 1.0 / curves.shape[1])
    total = np.maximum(seen.sum(axis=1, keepdims=True), 1.0)
    for _ in range(rounds):
        mixed = np.maximum(share @ curves.T, 1e-290)
        share = share * ((seen / mixed) @ curves) / total
    mixed = np.maximum(share @ curves.T, 1e-290)
    return np.asarray(np.sum(seen * np.log(mixed), axis=1))


def gain(seen: Array, rounds: int = 120) -> Array:
    """Log of what is gained by weights below zero, (T,), of histograms (T, bins)."""
    bound = _best(seen, CURVES[:, PLACES >= 0.0], rounds)
    free = _best(seen, CURVES, rounds)
    return free - bound


def cost(gained: Array) -> Array:
    """Log of how much the bound at zero costs, (T,) >= 0: what is beyond chance."""
    return np.maximum(gained - CHANCE, 0.0)


def outside(gained: Array) -> Array:
    """How surely the least weights lie inwards of rising places (T,) of that gain.

    At the edge itself the gain is that of chance alone, whose law is near to an
    exponential one with a twentieth above `CHANCE`.
    """
    rising = np.minimum.accumulate(np.maximum(gained, 0.0)[::-1])[::-1]
    return np.asarray(np.exp(-rising * np.log(20.0) / CHANCE))
