"""Linear weights of pixels: without a bias, whatever their weights, and with one noise."""

from __future__ import annotations

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from specfit.maps import passes, starts
from specfit.maps.fitting import Chunked, State
from specfit.maps.found import Array, MapError
from specfit.maps.rotation import Lines, Projected

ENOUGH = 100.0  # counts of which weights are normal
FEWEST = 10  # pixels, or faint ones taken together, that bound anything


def linear(counts: Array, data: Chunked, state: State) -> Projected:
    """Linear weights of the pixels that are not empty, for `every_line`."""
    mean = starts.mean_spectrum(counts)
    weighted = state.s / mean
    matrix = weighted.T @ np.linalg.pinv(weighted @ state.s.T)
    weights = data.flat(passes.projected(data.x, jnp.asarray(matrix, data.x.dtype)))
    # the noise of what is modelled: that of the counts themselves is small where they
    # happen to be few, and would make every fluctuation downwards look the surer
    each = np.einsum("mk,ml,jm->jkl", matrix, matrix, state.s)
    covariance = np.einsum("nj,jkl->nkl", np.maximum(weights, 0.0), each)
    return together(weights, covariance, state.s, mean)


def together(
    weights: Array, covariance: Array, spectra: Array, mean: Array
) -> Projected:
    """Linear weights (N, L) with their covariance, faint pixels taken together.

    A pixel of a few counts says nothing of an edge, and is not normal either. Left out,
    those that happen to have more would be chosen.
    """
    runs = starts.together(np.maximum(weights.sum(axis=1), 0.0), ENOUGH)
    weights, covariance = (starts.summed(one, runs) for one in (weights, covariance))
    if len(weights) < FEWEST:
        raise MapError(
            f"the map says too little: {len(weights)} pixels, those of less than "
            f"{ENOUGH:.0f} counts taken together, and {FEWEST} are needed"
        )
    total = weights.sum(axis=1)
    error = np.linalg.pinv((weights.T / total) @ weights)
    return Projected(weights, covariance, spectra, mean, error)


def unfinished(left: int, steps: int) -> Iterator[str]:
    """Pixels whose weights were still rising after so many steps."""
    if left:
        yield f"The weights of {left} pixels still rise after {steps} steps."


def unbounded(lines: Lines) -> Iterator[str]:
    """Where the band cannot hold all that is possible, because nothing bounds that."""
    for (k, j), level in lines.items():
        if not level.closed:
            yield (
                f"How much of component {j + 1} the spectrum of component {k + 1} may "
                f"hold is bounded by nothing in the data: the two hardly differ."
            )
