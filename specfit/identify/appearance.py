"""Counts by velocity, and what one site of unit area takes away from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from specfit.contracts import FloatArray, Measurement

SIGNS = np.array([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0])
OUTER = np.array([1.0, -1.0, -1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Spectrum:
    """The counts of a measurement and where they were counted."""

    counts: FloatArray
    velocity: FloatArray
    half_offset: float
    jacobian: FloatArray  # (n_channels, n_nuisances)
    slopes: FloatArray  # (3,) mm/s/T

    @classmethod
    def of(cls, measured: Measurement) -> Spectrum:
        """The spectrum of a measurement."""
        size = measured.axis.size
        jacobian = measured.axis_jacobian
        if not measured.nuisance_names:
            jacobian = np.zeros((size, 0))
        return cls(
            measured.values, measured.axis, measured.half_offset, jacobian,
            np.array(measured.field_slopes),
        )  # fmt: skip

    @cached_property
    def level(self) -> float:
        """Counts off resonance, as far as the highest tenth says."""
        return float(np.quantile(self.counts, 0.9))


Lines = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def lines(kind: str, values: FloatArray, texture: float, slopes: FloatArray) -> Lines:
    """Positions and areas of a site's lines, their slopes in IS, QS, Bint, and in x."""
    if kind == "sextet":
        move = np.stack(
            [np.ones(6), 0.5 * OUTER, SIGNS * slopes[[0, 1, 2, 2, 1, 0]]], axis=1
        )
        parts = np.array([3.0, texture, 1.0, 1.0, texture, 3.0])
        total = 8.0 + 2.0 * texture
        turn = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 0.0]) / total - 2.0 * parts / total**2
        return move @ values, parts / total, move, turn
    if kind == "doublet":
        move = np.array([[1.0, -0.5], [1.0, 0.5]])
        return move @ values, np.full(2, 0.5), move, np.zeros(2)
    return values.copy(), np.ones(1), np.ones((1, 1)), np.zeros(1)


class Absorbed(NamedTuple):
    """The absorption of one site of unit area, and its derivatives.

    slope: of each line in the velocity (n_lines, n_channels).
    """

    curve: FloatArray
    slope: FloatArray
    by_texture: FloatArray
    by_width: FloatArray  # by its logarithm


def absorbed(velocity: FloatArray, width: float, at: Lines) -> Absorbed:
    """What a site with these lines absorbs."""
    where, parts, _, turn = at
    far = velocity - where[:, None]
    q = 1.0 / (far**2 + 0.25 * width**2)
    shape = 0.5 * width / np.pi * q
    # d log(shape) / d log(width) = 1 − w² q / 2
    by_width = parts @ (shape * (1.0 - 0.5 * width**2 * q))
    slope = -2.0 * far * q * shape * parts[:, None]
    return Absorbed(parts @ shape, slope, turn @ shape, by_width)
