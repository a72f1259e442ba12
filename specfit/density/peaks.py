"""Patterns of peaks: baseline + Σ amount × peak, on any axis, for counts or any signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Measurement, Problem, Separable
from specfit.density.baselines import POLYNOMIAL, chebyshev, risen, unit_curve
from specfit.density.coordinates import Coordinates
from specfit.density.parts import Parts
from specfit.density.peak_amounts import peaks_separable
from specfit.density.problem import problem_of
from specfit.model.ir import Model, Prior
from specfit.peaks import PEAKS


def build(model: Model[Prior], measurements: Sequence[Measurement]) -> Problem:
    """The problem of a model of peaks; call it inside `jax.enable_x64(True)`."""
    return problem_of(model, measurements, _curve_of, _split)


def _split(parts: Parts, draws: Mapping[str, FloatArray]) -> Separable | None:
    assert isinstance(parts.curve, PeakCurve)
    return peaks_separable(parts, parts.curve)


@dataclass(frozen=True)
class Stack:
    """Peaks of one kind: where each of their parameters is, and whose they are.

    rows: symbol → places (n_peaks,); spectrum, site: (n_peaks,).
    """

    kind: str
    rows: Mapping[str, FloatArray]
    spectrum: FloatArray
    site: FloatArray

    @property
    def places(self) -> list[tuple[int, int]]:
        """Spectrum and site of each peak."""
        return list(zip(self.spectrum.tolist(), self.site.tolist(), strict=True))


@dataclass(frozen=True)
class PeakCurve:
    """How the values of a model make the curves of its patterns.

    scalars: symbol → places (n_spectra,), of the baseline; low, high: ends (n_spectra,)
    of the axes.
    """

    stacks: tuple[Stack, ...]
    n_spectra: int
    n_sites: int
    baseline: str
    scalars: Mapping[str, FloatArray]
    low: FloatArray
    high: FloatArray

    @property
    def linear(self) -> list[str]:
        """The coefficients of the baseline that scale a curve."""
        return [s for s in (*POLYNOMIAL, "b", "step") if s in self.scalars]

    def known(self) -> Any:
        """What the data alone have decided of the curve."""
        return [self.low.tolist(), self.high.tolist()]

    def expected(self, values: Array, data: Data) -> Array:
        """What is expected (S, C)."""
        total = self.background(values, data)
        for stack, part in zip(self.stacks, self._parts(values, data), strict=True):
            total = total.at[stack.spectrum].add(part)
        return total

    def components(self, values: Array, data: Data) -> Array:
        """Each peak (S, n_sites, C), with what it makes the baseline rise."""
        shape = (self.n_spectra, self.n_sites, data["counts"].shape[1])
        total = jnp.zeros(shape)
        for stack, part in zip(self.stacks, self._parts(values, data), strict=True):
            total = total.at[stack.spectrum, stack.site].set(part)
        return total

    def atoms(self, values: Array, data: Data) -> list[Array]:
        """Peaks whose amount is 1, (n_peaks, C) for each stack."""
        x = jnp.asarray(data["x"])
        found = []
        for stack in self.stacks:
            given = {symbol: values[rows] for symbol, rows in stack.rows.items()}
            at = x[stack.spectrum]
            each = jax.vmap(PEAKS[stack.kind].profile)(given, at)
            if self.baseline == "shirley":
                loss = values[self.scalars["loss"]][stack.spectrum]
                each = each + loss[:, None] * risen(each, at)
            found.append(each)
        return found

    def _parts(self, values: Array, data: Data) -> list[Array]:
        return [
            values[stack.rows[PEAKS[stack.kind].amount]][:, None] * atom
            for stack, atom in zip(self.stacks, self.atoms(values, data), strict=True)
        ]

    def background(self, values: Array, data: Data) -> Array:
        """The baseline (S, C)."""
        total = jnp.zeros_like(jnp.asarray(data["counts"]))
        for symbol, curve in self.baseline_curves(values, data).items():
            total = total + values[self.scalars[symbol]][:, None] * curve
        return total

    def baseline_curves(self, values: Array, data: Data) -> dict[str, Array]:
        """What each coefficient of the baseline scales, (S, C)."""
        x = jnp.asarray(data["x"])
        low, high = jnp.asarray(self.low)[:, None], jnp.asarray(self.high)[:, None]
        linear = [symbol for symbol in POLYNOMIAL if symbol in self.scalars]
        known = chebyshev(x, low, high, len(linear) - 1) if linear else []
        curves = dict(zip(linear, known, strict=True))
        given = {name: values[rows][:, None] for name, rows in self.scalars.items()}
        shaped = unit_curve(self.baseline, given, x, low)
        return curves | ({} if shaped is None else {shaped[0]: shaped[1]})


def _curve_of(
    model: Model[Prior], measurements: Sequence[Measurement], where: Coordinates
) -> PeakCurve:
    kinds: dict[str, list[tuple[int, int]]] = {}
    for s, spectrum in enumerate(model.spectra):
        for j, site in enumerate(spectrum.sites):
            kinds.setdefault(site.kind, []).append((s, j))
    return PeakCurve(
        stacks=tuple(_stack(model, where, k, of) for k, of in kinds.items()),
        n_spectra=len(model.spectra),
        n_sites=max(len(spectrum.sites) for spectrum in model.spectra),
        baseline=model.spectra[0].baseline,
        scalars={
            symbol: where.rows([s.scalars[symbol] for s in model.spectra])
            for symbol in model.spectra[0].scalars
        },
        low=np.array([m.axis.min() for m in measurements]),
        high=np.array([m.axis.max() for m in measurements]),
    )


def _stack(
    model: Model[Prior], where: Coordinates, kind: str, of: Sequence[tuple[int, int]]
) -> Stack:
    sites = [model.spectra[s].sites[j] for s, j in of]
    return Stack(
        kind,
        {
            symbol: where.rows([site.parameters[symbol] for site in sites])
            for symbol in sites[0].parameters
        },
        np.array([s for s, _ in of]),
        np.array([j for _, j in of]),
    )
