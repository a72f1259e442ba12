"""Sites of one kind and line shape, evaluated together in whatever spectrum they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray
from specfit.density.absorption import absorption
from specfit.density.coordinates import Coordinates
from specfit.density.directed import directed
from specfit.density.grid import Energies, energies
from specfit.density.many_lines import MANY, STEP, many_lines
from specfit.model.ir import Model, Prior, Site
from specfit.model.saturation import NARROWEST
from specfit.sites import SITES


class Stack(NamedTuple):
    """All sites of one kind and line shape, in whatever spectrum they stand."""

    kind: str
    shape: str
    rows: Mapping[str, FloatArray]  # symbol → places in the vector of values
    spectrum: FloatArray  # (n_sites,) index of each site's spectrum
    site: FloatArray  # (n_sites,) its position within that spectrum
    member: FloatArray  # (n_spectra, most) which of the stack's sites a spectrum has
    present: FloatArray  # (n_spectra, most) 1, or 0 where `member` is only a filler
    grid: Energies | None  # for the lines of a site, where they are very many; finer
    # for those of a thick absorber, which are narrower

    @property
    def one_by_one(self) -> bool:
        """Whether its sites have no lines that could be summed with those of others."""
        return self.grid is not None or SITES[self.kind].profile is not None


def stacks_of(
    model: Model[Prior], where: Coordinates, limit: float
) -> tuple[Stack, ...]:
    """The stacks of a model; which of its sites are Voigt is decided here.

    limit: the highest velocity, mm/s.
    """
    thick = model.settings.get("absorber") == "thick"
    fixed = {d.name: d.value for d in model.definitions}
    groups: dict[tuple[str, str], list[tuple[int, int, Site]]] = {}
    for s, spectrum in enumerate(model.spectra):
        for j, site in enumerate(spectrum.sites):
            key = (site.kind, _shape_of(site, fixed))
            groups.setdefault(key, []).append((s, j, site))
    return tuple(
        _stack(
            (kind, shape),
            members,
            len(model.spectra),
            where,
            energies(limit, 0.5 * STEP if thick else STEP)
            if _very_many(kind, shape)
            else None,
        )
        for (kind, shape), members in groups.items()
    )


def _very_many(kind: str, shape: str) -> bool:
    one_shape = shape == "lorentzian" or SITES[kind].alike
    return one_shape and SITES[kind].n_lines >= MANY


def _stack(
    named: tuple[str, str],
    members: Sequence[tuple[int, int, Site]],
    n_spectra: int,
    where: Coordinates,
    grid: Energies | None,
) -> Stack:
    kind, shape = named
    spectra = [s for s, *_ in members]
    member, present = _members(spectra, n_spectra)
    return Stack(
        kind=kind,
        shape=shape,
        rows={
            entry.symbol: where.rows([x.parameters[entry.symbol] for *_, x in members])
            for entry in SITES[kind].signature.parameters
            if not entry.computed  # what follows from others makes no line
        },
        spectrum=np.array(spectra),
        site=np.array([j for _, j, _ in members]),
        member=member,
        present=present,
        grid=grid,
    )


def _shape_of(site: Site, fixed: Mapping[str, Any]) -> str:
    """Lorentzian where every Gaussian width of the site is the constant 0."""
    for entry in SITES[site.kind].signature.parameters:
        value = getattr(fixed.get(site.parameters[entry.symbol]), "value", None)
        widens = entry.symbol.startswith("sigma_") and not entry.computed
        if widens and value != 0.0:
            return "voigt"
    return "lorentzian"


# -------------------------------------------------------------------- absorption


def stacked_absorption(
    stack: Stack,
    values: Array,
    velocity: Array,
    data: Data,
    source: Array | None = None,
) -> Array:
    """Σ_j I_j × absorption of unit area, by spectrum, shaped like `velocity`: 1/(mm/s).

    source: (n_spectra,) Lorentzian width of the source, taken off that of every line.
    """
    if stack.one_by_one:
        each = each_absorption(stack, values, velocity[stack.spectrum], data, source)
        shares = values[stack.rows["I"]][:, None] * each
        return jnp.zeros_like(velocity).at[stack.spectrum].add(shares)
    given, slopes = _given(stack, values, data, source)
    lines = jax.vmap(SITES[stack.kind].lines)(given, slopes)
    height = lines.area * given["I"][:, None]
    width = jnp.broadcast_to(given["width"][:, None], height.shape)
    parts = (lines.position, height, width, lines.gauss_sigma)
    position, weight, width, sigma = (_by_spectrum(stack, part) for part in parts)
    if not stack.present.all():
        weight = weight * jnp.repeat(stack.present, height.shape[1], axis=1)
    sum_of = partial(absorption, stack.shape)
    total: Array = jax.vmap(sum_of)(velocity, position, weight, width, sigma)
    return total


def each_absorption(
    stack: Stack,
    values: Array,
    velocity: Array,
    data: Data,
    source: Array | None = None,
) -> Array:
    """Absorption of unit area of each site at its `velocity`, both (n_sites, n)."""
    given, slopes = _given(stack, values, data, source)
    kind = SITES[stack.kind]
    if kind.profile is not None:
        profiles: Array = jax.vmap(directed(kind.profile))(given, slopes, velocity)
        return profiles
    lines = jax.vmap(kind.lines)(given, slopes)
    if stack.grid is not None:
        many = partial(many_lines, grid=stack.grid)
        plain = stack.shape == "lorentzian"
        sigma = jnp.zeros(len(velocity)) if plain else lines.gauss_sigma[:, 0]
        parts = (velocity, lines.position, lines.area, given["width"], sigma)
        summed: Array = jax.vmap(many)(*parts)
        return summed
    each: Array = jax.vmap(partial(absorption, stack.shape))(
        velocity,
        lines.position,
        lines.area,
        jnp.broadcast_to(given["width"][:, None], lines.area.shape),
        jnp.broadcast_to(lines.gauss_sigma, lines.area.shape),
    )
    return each


def _given(
    stack: Stack, values: Array, data: Data, source: Array | None
) -> tuple[dict[str, Array], Array]:
    """Parameters by symbol (n_sites,) and line slopes (n_sites, 3) of a stack."""
    given = {symbol: values[rows] for symbol, rows in stack.rows.items()}
    if source is not None:
        own = given["width"] - source[stack.spectrum]
        given["width"] = jnp.maximum(own, NARROWEST)
    return given, jnp.asarray(data["slopes"])[stack.spectrum]


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
