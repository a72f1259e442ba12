"""The densities of many values at once: mixtures of Student-t, their parts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from specfit.contracts import FloatArray
from specfit.identify.patterns import Density


@dataclass(frozen=True)
class Densities:
    """The densities of many values, their parts side by side (n_values, n_parts)."""

    places: np.ndarray
    logs: FloatArray  # of weight, scale and norm; −inf where there is no such part
    location: FloatArray
    room: FloatArray  # freedom × scale²
    freedom: FloatArray

    @classmethod
    def of(cls, entries: Sequence[tuple[int, Density]]) -> Densities:
        """The densities of values at some places."""
        most = max(len(density.weight) for _, density in entries)
        logs = np.full((len(entries), most), -np.inf)
        location, room, freedom = (np.ones((len(entries), most)) for _ in range(3))
        for row, (_, one) in enumerate(entries):
            n = len(one.weight)
            logs[row, :n] = np.log(one.weight / one.scale) + _norm(one.freedom)
            location[row, :n], freedom[row, :n] = one.location, one.freedom
            room[row, :n] = one.freedom * one.scale**2
        places = np.array([place for place, _ in entries], dtype=int)
        return cls(places, logs, location, room, freedom)

    def log(self, theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Their sum up to the cut at bounds, the slopes, and positive curvatures."""
        far = theta[self.places][:, None] - self.location
        span = self.room + far**2
        logs = self.logs - 0.5 * (self.freedom + 1.0) * np.log(span / self.room)
        top = logs.max(axis=1, keepdims=True)
        owned = np.exp(logs - top)
        total = owned.sum(axis=1, keepdims=True)
        bend = owned / total * (self.freedom + 1.0) / span
        value = float(np.sum(top + np.log(total)))
        return value, -np.sum(bend * far, axis=1), np.sum(bend, axis=1)


def _norm(freedom: FloatArray) -> FloatArray:
    found: FloatArray = gammaln(0.5 * (freedom + 1.0)) - gammaln(0.5 * freedom)
    return found - 0.5 * np.log(freedom * np.pi)
