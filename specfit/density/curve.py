"""The curve: expected counts of every channel, from all lines of all sites at once.

    N(v) = N0 · ( b(v) − area · Σ_j I_j Σ_l a_jl · profile(v − v_jl; width_j, σ_jl) )

with b = 1, 1 + slope·u or 1 + slope·u + curvature·u² and u = v / max |v| of the
spectrum; where the halves h = ±1 of the sweep are not folded also geometry·x, x the
position of the drive, and h·half_slope·u, so that each half has its own parabola.  The
calibration's nuisances move v; a folded channel is the mean of the curve at the two
velocities at which it was counted.  In a thick absorber the same sum, with the widths of
the absorber, is the optical depth of `thick`'s integral.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Measurement
from specfit.density.coordinates import Coordinates
from specfit.density.grid import Energies, energies
from specfit.density.stacks import (
    Stack,
    each_absorption,
    stacked_absorption,
    stacks_of,
)
from specfit.density.thick import STEP, absorbed, smeared
from specfit.model.ir import Model, Prior
from specfit.model.kinds import MODEL_KINDS

BASELINE = ("slope", "curvature", "geometry", "half_slope")
"""The coefficients of the baseline, in the order of `Curve.baseline_curves`."""
AMOUNTS = ("area", "thickness", "source_width", "f_source", "background")
"""What says how much is absorbed, in thin and in thick absorbers."""


@dataclass(frozen=True)
class Curve:
    """How the values of a model make the curve of its spectra."""

    stacks: tuple[Stack, ...]
    n_spectra: int
    n_sites: int  # of the spectrum that has most
    scalars: Mapping[str, FloatArray]  # symbol → places (n_spectra,)
    baseline: FloatArray  # (n_spectra, 4) which of `BASELINE` take part
    nuisances: FloatArray | None  # (n_spectra, n_nuisance) places, −1 where none
    folded: bool
    grid: Energies | None  # of the transmission integral, where absorbers are thick
    natural: float  # FWHM of the transition, mm/s

    def known(self) -> Any:
        """What the data alone have decided of the curve."""
        nuisances = None if self.nuisances is None else self.nuisances.tolist()
        return [self.folded, nuisances, self.grid, [x.grid for x in self.stacks]]

    # ------------------------------------------------------------------- axis

    def velocity(self, values: Array, data: Data) -> Array:
        """Velocities (S, C), or (S, 2C) where channels are sums of two, mm/s."""
        velocity = jnp.asarray(data["velocity"])
        if self.nuisances is not None:
            moved = jnp.where(self.nuisances >= 0, values[self.nuisances], 0.0)
            velocity = velocity + jnp.einsum("sck,sk->sc", data["jacobian"], moved)
        if not self.folded:
            return velocity
        offset = jnp.asarray(data["half_offset"])[:, None]
        return jnp.concatenate([velocity + offset, velocity - offset], axis=1)

    def channels(self, curve: Array) -> Array:
        """The last axis by channel again: the mean of the two that were summed."""
        if not self.folded:
            return curve
        first, second = jnp.split(curve, 2, axis=-1)
        return 0.5 * (first + second)

    # -------------------------------------------------------------- the curve

    def expected(self, values: Array, data: Data) -> Array:
        """Expected counts (S, C), before they are kept positive."""
        velocity = self.velocity(values, data)
        dip = self._dip if self.grid is None else self._thick_dip
        shape = self.background(values, velocity, data) - dip(values, velocity, data)
        return values[self.scalars["N0"]][:, None] * self.channels(shape)

    def background(self, values: Array, velocity: Array, data: Data) -> Array:
        """The baseline relative to N0, shaped like `velocity`."""
        curves = self.baseline_curves(velocity, data)
        total = jnp.ones_like(velocity)
        for place, (name, curve) in enumerate(zip(BASELINE, curves, strict=True)):
            if self.baseline[:, place].any():
                height = self.baseline[:, place] * values[self.scalars[name]]
                total = total + height[:, None] * curve
        return total

    def baseline_curves(self, velocity: Array, data: Data) -> tuple[Array, ...]:
        """What each of `BASELINE` scales, shaped like `velocity`."""
        u = velocity / jnp.asarray(data["velocity_limit"])[:, None]
        position = jnp.asarray(data["position"])
        if self.folded:
            position = jnp.concatenate([position, position], axis=1)
        return u, u**2, position, jnp.sign(position) * u

    def _dip(self, values: Array, velocity: Array, data: Data) -> Array:
        """What a thin absorber takes, relative to N0, shaped like `velocity`."""
        area = values[self.scalars["area"]][:, None]
        return area * self._absorption(values, velocity, data)

    def _absorption(self, values: Array, velocity: Array, data: Data) -> Array:
        """Σ_j I_j × absorption of unit area, shaped like `velocity`, 1/(mm/s)."""
        total, source = jnp.zeros_like(velocity), self._source(values)
        for stack in self.stacks:
            total = total + stacked_absorption(stack, values, velocity, data, source)
        return total

    def _source(self, values: Array) -> Array | None:
        """Widths (S,) of the source, where it is looked at apart from the absorber."""
        return None if self.grid is None else values[self.scalars["source_width"]]

    def components(self, values: Array, data: Data) -> Array:
        """Absorption of each site in counts (S, n_sites, C); zero rows where none."""
        level = values[self.scalars["N0"]]
        each = self._thin_parts if self.grid is None else self._thick_parts
        total = jnp.zeros((self.n_spectra, self.n_sites, data["counts"].shape[1]))
        for stack, part in zip(self.stacks, each(values, data), strict=True):
            height = level[stack.spectrum][:, None] * part
            total = total.at[stack.spectrum, stack.site].set(height)
        return total

    def _thin_parts(self, values: Array, data: Data) -> list[Array]:
        area = values[self.scalars["area"]]
        return [
            (area[stack.spectrum] * values[stack.rows["I"]])[:, None] * atom
            for stack, atom in zip(self.stacks, self.atoms(values, data), strict=True)
        ]

    def atoms(self, values: Array, data: Data) -> list[Array]:
        """Thin absorption of unit area of each site, (n_sites, C) for each stack."""
        velocity = self.velocity(values, data)
        return [
            self.channels(each_absorption(x, values, velocity[x.spectrum], data))
            for x in self.stacks
        ]

    # -------------------------------------------------------- thick absorbers

    def strength(self, values: Array) -> tuple[Array, Array]:
        """Share of counts that can be absorbed, and optical depth × mm/s: (S,) each."""
        of = {name: values[rows] for name, rows in self.scalars.items()}
        resonant = of["f_source"] * (1.0 - of["background"])
        return resonant, of["thickness"] * (0.5 * np.pi * self.natural)

    def _thick_dip(self, values: Array, velocity: Array, data: Data) -> Array:
        grid, depth = self._depth(values, data)
        return self._seen(
            -jnp.expm1(-depth), np.arange(len(depth)), grid, values, velocity
        )

    def _thick_parts(self, values: Array, data: Data) -> list[Array]:
        """The absorbed quanta go to the sites as the optical depth is theirs."""
        velocity = self.velocity(values, data)
        grid, depth = self._depth(values, data)
        _, strength = self.strength(values)
        share, parts = absorbed(depth), []
        for stack in self.stacks:
            where = stack.spectrum
            at = jnp.broadcast_to(grid.values, (len(where), grid.n))
            each = each_absorption(stack, values, at, data, self._source(values))
            mine = (strength[where] * values[stack.rows["I"]])[:, None] * each
            seen = self._seen(mine * share[where], where, grid, values, velocity[where])
            parts.append(self.channels(seen))
        return parts

    def _depth(self, values: Array, data: Data) -> tuple[Energies, Array]:
        """Optical depth (S, n) on the grid of energies."""
        assert self.grid is not None
        at = jnp.broadcast_to(self.grid.values, (self.n_spectra, self.grid.n))
        _, strength = self.strength(values)
        return self.grid, strength[:, None] * self._absorption(values, at, data)

    def _seen(
        self,
        taken: Array,
        spectrum: Any,
        grid: Energies,
        values: Array,
        velocity: Array,
    ) -> Array:
        """What is `taken` of each energy (rows of some `spectrum`), through the source."""
        resonant, _ = self.strength(values)
        fwhm = values[self.scalars["source_width"]][spectrum]
        seen = jax.vmap(lambda t, w, v: smeared(t, grid, w, v))(taken, fwhm, velocity)
        return resonant[spectrum][:, None] * seen


def curve_of(
    model: Model[Prior], measurements: Sequence[Measurement], where: Coordinates
) -> Curve:
    """The curve of a model; which of its sites are Voigt is decided here."""
    names = {name for spectrum in model.spectra for name in spectrum.scalars}
    limit = max(float(np.abs(m.axis).max()) for m in measurements)
    n_spectra = len(model.spectra)
    return Curve(
        stacks=stacks_of(model, where, limit),
        n_spectra=n_spectra,
        n_sites=max(len(spectrum.sites) for spectrum in model.spectra),
        scalars={
            name: where.rows(
                [s.scalars.get(name, s.scalars["N0"]) for s in model.spectra]
            )
            for name in names & {"N0", *AMOUNTS, *BASELINE}
        },
        baseline=np.array(
            [[float(name in s.scalars) for name in BASELINE] for s in model.spectra]
        ),
        nuisances=_nuisances(model, measurements, where),
        folded=any(m.half_offset != 0.0 for m in measurements),
        grid=energies(limit, STEP)
        if model.settings.get("absorber") == "thick"
        else None,
        natural=MODEL_KINDS[model.kind].natural_fwhm,
    )


def _nuisances(
    model: Model[Prior], measurements: Sequence[Measurement], where: Coordinates
) -> FloatArray | None:
    width = max(len(m.nuisance_names) for m in measurements)
    places = np.full((len(measurements), width), -1)
    for s, (spectrum, measurement) in enumerate(
        zip(model.spectra, measurements, strict=True)
    ):
        for k, name in enumerate(measurement.nuisance_names):
            if name in spectrum.scalars:
                places[s, k] = where.index[spectrum.scalars[name]]
    return places if (places >= 0).any() else None
