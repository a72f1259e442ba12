"""The curve: expected counts of every channel, from all lines of all sites at once.

    N(v) = N0 · ( b(v) − area · Σ_j I_j Σ_l a_jl · profile(v − v_jl; width_j, σ_jl) )

with b = 1, 1 + slope·u or 1 + slope·u + curvature·u² and u = v / max |v| of the
spectrum; where the halves h = ±1 of the sweep are not folded also geometry·x, x the
position of the drive, and h·half_slope·u, so that each half has its own parabola.  The
calibration's nuisances move v; a folded channel is the mean of the curve at the two
velocities at which it was counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Lines, Measurement
from specfit.density.absorption import absorption
from specfit.density.coordinates import Coordinates
from specfit.model.ir import Model, Prior, Site
from specfit.sites import SITES

BASELINE = ("slope", "curvature", "geometry", "half_slope")
"""The coefficients of the baseline, in the order of `Curve.baseline_curves`."""


class Stack(NamedTuple):
    """All sites of one kind and line shape, in whatever spectrum they stand."""

    kind: str
    shape: str
    rows: Mapping[str, FloatArray]  # symbol → places in the vector of values
    spectrum: FloatArray  # (n_sites,) index of each site's spectrum
    site: FloatArray  # (n_sites,) its position within that spectrum
    member: FloatArray  # (n_spectra, most) which of the stack's sites a spectrum has
    present: FloatArray  # (n_spectra, most) 1, or 0 where `member` is only a filler


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
        level, area = (values[self.scalars[name]][:, None] for name in ("N0", "area"))
        shape = self.background(values, velocity, data) - area * self._dip(
            values, velocity, data
        )
        return level * self.channels(shape)

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
        """Σ_j I_j × absorption of unit area, shaped like `velocity`, 1/(mm/s)."""
        total = jnp.zeros_like(velocity)
        for stack in self.stacks:
            lines, fwhm = _lines(stack, values, data)
            height = lines.area * values[stack.rows["I"]][:, None]
            width = jnp.broadcast_to(fwhm[:, None], height.shape)
            parts = (lines.position, height, width, lines.gauss_sigma)
            position, weight, width, sigma = (
                _by_spectrum(stack, part) for part in parts
            )
            present = jnp.repeat(stack.present, height.shape[1], axis=1)
            if not stack.present.all():
                weight = weight * present
            sum_of = partial(absorption, stack.shape)
            total = total + jax.vmap(sum_of)(velocity, position, weight, width, sigma)
        return total

    def components(self, values: Array, data: Data) -> Array:
        """Absorption of each site in counts (S, n_sites, C); zero rows where none."""
        level, area = (values[self.scalars[name]] for name in ("N0", "area"))
        atoms = self.atoms(values, data)
        total = jnp.zeros((self.n_spectra, self.n_sites, data["counts"].shape[1]))
        for stack, atom in zip(self.stacks, atoms, strict=True):
            height = (level * area)[stack.spectrum] * values[stack.rows["I"]]
            part = height[:, None] * atom
            total = total.at[stack.spectrum, stack.site].set(part)
        return total

    def atoms(self, values: Array, data: Data) -> list[Array]:
        """Absorption of unit area of each site, (n_sites, C) for each stack."""
        velocity = self.velocity(values, data)
        found = []
        for stack in self.stacks:
            lines, fwhm = _lines(stack, values, data)
            each = jax.vmap(partial(absorption, stack.shape))(
                velocity[stack.spectrum],
                lines.position,
                lines.area,
                jnp.broadcast_to(fwhm[:, None], lines.area.shape),
                jnp.broadcast_to(lines.gauss_sigma, lines.area.shape),
            )
            found.append(self.channels(each))
        return found


def curve_of(
    model: Model[Prior], measurements: Sequence[Measurement], where: Coordinates
) -> Curve:
    """The curve of a model; which of its sites are Voigt is decided here."""
    fixed = {d.name: d.value for d in model.definitions}
    groups: dict[tuple[str, str], list[tuple[int, int, Site]]] = {}
    for s, spectrum in enumerate(model.spectra):
        for j, site in enumerate(spectrum.sites):
            key = (site.kind, _shape_of(site, fixed))
            groups.setdefault(key, []).append((s, j, site))
    names = {name for spectrum in model.spectra for name in spectrum.scalars}
    n_spectra = len(model.spectra)
    return Curve(
        stacks=tuple(
            _stack(kind, shape, members, n_spectra, where)
            for (kind, shape), members in groups.items()
        ),
        n_spectra=n_spectra,
        n_sites=max(len(spectrum.sites) for spectrum in model.spectra),
        scalars={
            name: where.rows(
                [s.scalars.get(name, s.scalars["N0"]) for s in model.spectra]
            )
            for name in names & {"N0", "area", *BASELINE}
        },
        baseline=np.array(
            [[float(name in s.scalars) for name in BASELINE] for s in model.spectra]
        ),
        nuisances=_nuisances(model, measurements, where),
        folded=any(m.half_offset != 0.0 for m in measurements),
    )


def _stack(
    kind: str,
    shape: str,
    members: Sequence[tuple[int, int, Site]],
    n_spectra: int,
    where: Coordinates,
) -> Stack:
    spectra = [s for s, *_ in members]
    member, present = _members(spectra, n_spectra)
    return Stack(
        kind=kind,
        shape=shape,
        rows={
            entry.symbol: where.rows([x.parameters[entry.symbol] for *_, x in members])
            for entry in SITES[kind].signature.parameters
        },
        spectrum=np.array(spectra),
        site=np.array([j for _, j, _ in members]),
        member=member,
        present=present,
    )


def _by_spectrum(stack: Stack, part: Array) -> Array:
    """A number of each line (n_sites, n_lines), as (n_spectra, lines of a spectrum).

    Looking up what is in order anyway would be done again for every line and channel.
    """
    n_spectra, in_order = len(stack.member), np.arange(len(stack.spectrum))
    if not np.array_equal(stack.member.ravel(), in_order):
        part = part[stack.member]
    return part.reshape(n_spectra, -1)


def _members(spectra: Sequence[int], n_spectra: int) -> tuple[FloatArray, FloatArray]:
    """The sites of each spectrum as rows of one length, and which entries are real."""
    rows = [[i for i, s in enumerate(spectra) if s == row] for row in range(n_spectra)]
    most = max(map(len, rows))
    member = np.array([row + [0] * (most - len(row)) for row in rows], dtype=int)
    present = np.array([[1.0] * len(row) + [0.0] * (most - len(row)) for row in rows])
    return member, present


def positive(expected: Array, floor: Array) -> Array:
    """Expected counts, bent so that they stay positive: a rate cannot be negative.

    Untouched above `floor` (1e-3 of the largest count, which no thin absorber reaches);
    below it f² / (2f − N), which joins with equal slope, falls to zero like 1/|N| and
    so keeps value and gradient of any log-likelihood finite.
    """
    low = jnp.minimum(expected, floor)
    return jnp.where(expected > floor, expected, floor * floor / (2.0 * floor - low))


def _shape_of(site: Site, fixed: Mapping[str, Any]) -> str:
    """Lorentzian where every Gaussian width of the site is the constant 0."""
    for symbol, name in site.parameters.items():
        value = getattr(fixed.get(name), "value", None)
        if symbol.startswith("sigma") and value != 0.0:
            return "voigt"
    return "lorentzian"


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


def _lines(stack: Stack, values: Array, data: Data) -> tuple[Lines, Array]:
    """Lines (n_sites, n_lines) and Lorentzian widths (n_sites,) of a stack."""
    given = {symbol: values[rows] for symbol, rows in stack.rows.items()}
    slopes = jnp.asarray(data["slopes"])[stack.spectrum]
    return jax.vmap(SITES[stack.kind].lines)(given, slopes), given["width"]
