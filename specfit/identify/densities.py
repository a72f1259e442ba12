"""The densities of many values at once: mixtures of Student-t, their parts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from specfit.contracts import FloatArray
from specfit.identify.patterns import Density


@dataclass(frozen=True, eq=False)
class Densities:
    """The densities of many values, their parts side by side (…, n_values, n_parts)."""

    logs: FloatArray  # of weight, scale and norm; −inf where there is no such part
    location: FloatArray
    room: FloatArray  # freedom × scale²
    freedom: FloatArray

    @classmethod
    def of(cls, entries: Sequence[Density | None], most: int = 0) -> Densities:
        """The densities of values; of None, a value that is never looked at."""
        most = max([most, *(len(one.weight) for one in entries if one)])
        logs = np.full((len(entries), most), -np.inf)
        location, room, freedom = (np.ones((len(entries), most)) for _ in range(3))
        for row, one in enumerate(entries):
            if one is None:
                logs[row, 0] = 0.0
                continue
            n = len(one.weight)
            logs[row, :n] = np.log(one.weight / one.scale) + _norm(one.freedom)
            location[row, :n], freedom[row, :n] = one.location, one.freedom
            room[row, :n] = one.freedom * one.scale**2
        return cls(logs, location, room, freedom)

    @classmethod
    def joined(cls, parts: Sequence[Densities]) -> Densities:
        """One after the other."""
        most = max(one.logs.shape[-1] for one in parts)
        wide = [one.padded(most) for one in parts]
        return cls(
            *(
                np.concatenate([getattr(one, name) for one in wide], axis=-2)
                for name in ("logs", "location", "room", "freedom")
            )
        )

    def padded(self, most: int) -> Densities:
        """With room for `most` parts."""
        more = most - self.logs.shape[-1]
        if more == 0:
            return self
        pad = [(0, 0)] * (self.logs.ndim - 1) + [(0, more)]
        ones = (self.location, self.room, self.freedom)
        rest = [np.pad(one, pad, constant_values=1.0) for one in ones]
        return Densities(np.pad(self.logs, pad, constant_values=-np.inf), *rest)

    def log(self, values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Their logarithms up to the cut at bounds, slopes, and positive curvatures."""
        far = values[..., None] - self.location
        span = self.room + far**2
        logs = self.logs - 0.5 * (self.freedom + 1.0) * np.log(span / self.room)
        top = logs.max(axis=-1, keepdims=True)
        owned = np.exp(logs - top)
        total = owned.sum(axis=-1, keepdims=True)
        bend = owned / total * (self.freedom + 1.0) / span
        value = (top + np.log(total))[..., 0]
        return value, -np.sum(bend * far, axis=-1), np.sum(bend, axis=-1)


def _norm(freedom: FloatArray) -> FloatArray:
    found: FloatArray = gammaln(0.5 * (freedom + 1.0)) - gammaln(0.5 * freedom)
    return found - 0.5 * np.log(freedom * np.pi)
