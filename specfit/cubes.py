"""A spectrum at every pixel of an image: what a reader makes of a file of maps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Anything = np.ndarray[Any, np.dtype[Any]]
FloatArray = np.ndarray[Any, np.dtype[np.float64]]

FAINTEST = 0.02
"""Weight below which a pixel holds next to nothing, as a share of the weightiest."""


def filled(maps: FloatArray) -> Anything:
    """Which pixels of weights (n, K) hold something to take a share of, (n,)."""
    total = maps.sum(axis=1)
    least = FAINTEST * float(np.quantile(total, 0.99)) if total.size else 0.0
    return np.asarray(total > max(least, 0.0))


@dataclass(frozen=True)
class Cube:
    """Counts by pixel and energy; a big one stays in its file until it is asked for.

    counts: (n_first, n_second, n_channels) of any type of number, perhaps mapped.
    names: of the two axes of the image, in the order of the array; the first of "x" is
        drawn to the right.
    step: Å from pixel to pixel along each of them, NaN where it is not known.
    dead: (n_channels,) without a count in any pixel.  empty: (n_first, n_second) pixels
        without one.
    """

    counts: Anything
    names: tuple[str, str] = ("y", "x")
    step: tuple[float, float] = (float("nan"), float("nan"))
    dead: Anything = field(default_factory=lambda: np.zeros(0, dtype=bool))
    empty: Anything = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels along both axes."""
        first, second, _ = self.counts.shape
        return first, second

    @property
    def pixels(self) -> int:
        """How many."""
        first, second = self.shape
        return first * second

    @property
    def upright(self) -> bool:
        """Whether the array lies as it is drawn: y downwards, x to the right."""
        return self.names[1] == "x" or self.names[0] == "y"

    def image(self, values: Anything) -> FloatArray:
        """Values of every pixel (n_pixels,) as they are drawn (n_y, n_x)."""
        made = np.asarray(values, dtype=float).reshape(self.shape)
        return made if self.upright else made.T

    def rows(self, low: int, high: int) -> FloatArray:
        """The spectra of pixels low … high−1, counted along the array."""
        flat = self.counts.reshape(self.pixels, -1)
        return np.asarray(flat[low:high], dtype=float)
