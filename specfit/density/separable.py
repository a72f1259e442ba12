"""The part of a spectrum that is linear: N0, baseline and the area of every site.

For given positions and widths the curve is a weighted sum of known curves; a search
that solves for the weights has only the positions left to find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Position, Separable, Values
from specfit.density.curve import BASELINE, Curve
from specfit.model.expressions import references
from specfit.model.ir import Model, Prior, Site, Spectrum
from specfit.model.support import Plan

Vector = Callable[[Mapping[str, Any], Data], Array]
Flat = Callable[[Position, Data], Array]


class Drawn:
    """What is drawn, and what each name comes down to."""

    def __init__(self, plan: Plan) -> None:
        self.computed = dict(plan.computed)
        self.names = [unknown.name for unknown in plan.unknowns]
        self.names += [name for joint in plan.simplices for name in joint.names]

    def below(self, names: Sequence[str]) -> list[str]:
        """The drawn names that `names` depend on, in the plan's order."""
        found: set[str] = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                if name in self.computed:
                    stack.extend(references(self.computed[name]))
        return [name for name in self.names if name in found]


def separable_part(
    model: Model[Prior],
    plan: Plan,
    curve: Curve,
    draws: Mapping[str, FloatArray],
    vector: Vector,
    forward: Flat,
    settle: Callable[[Values, Data], Values],
    identity: str,
) -> Separable | None:
    """The separable form of a model, None where its amplitudes are not free.

    It exists where N0 and `area` (or `thickness`) of each spectrum are drawn, belong to
    that spectrum alone, move no line, and the fractions of its sites have a constant sum:
    not where a spectrum has no site, whose area is then nowhere.  Where a
    rule ties fractions to one another the fitted amplitudes are only a proposal:
    `assemble` keeps those that are drawn and computes the others.
    """
    names = Drawn(plan)
    totals = _totals(model, names, draws)
    if totals is None:
        return None
    form = _Form(model, curve, names, totals, (vector, forward), settle)
    form.identity = f"{identity}{totals}"
    return Separable(
        component_names=tuple(_name(model, s, site) for s, site in form.sites),
        component_parameters=tuple(
            tuple(names.below(_own(site))) for _, site in form.sites
        ),
        atom=form.atom,
        columns=form.columns,
        assemble=form.assemble,
        target=_target,
    )


class _Form:
    """The functions of a separable form; rows are sites or baseline curves."""

    def __init__(
        self,
        model: Model[Prior],
        curve: Curve,
        names: Drawn,
        totals: Sequence[float],
        vectors: tuple[Vector, Flat],
        settle: Callable[[Values, Data], Values],
    ) -> None:
        self.identity = ""
        self.spectra, self.curve, self.totals = model.spectra, curve, totals
        self.vector, self.forward = vectors
        self.settle = settle
        self.sites = [
            (s, x) for s, part in enumerate(model.spectra) for x in part.sites
        ]
        self.owners = [s for s, _ in self.sites]
        self.slots = _slots(curve, model)
        self.free = [_free_baseline(part, names) for part in model.spectra]
        self.levels = [s for s, free in enumerate(self.free) for _ in ("N0", *free)]

    def atom(self, values: Values, data: Data) -> Array:
        """Absorption of unit area of each site (n_sites, n_data)."""
        return self._atoms(self.vector(values, data), data)

    def columns(self, position: Position, data: Data) -> tuple[Array, Array]:
        """The curves that N0 and the free baseline coefficients scale, and the atoms."""
        flat = self.forward(position, data)
        return self._background(flat, data), self._atoms(flat, data)

    def _atoms(self, flat: Array, data: Data) -> Array:
        stacks = self.curve.atoms(flat, data)
        rows = jnp.concatenate(stacks)[self.slots]
        return _blocks(rows, self.owners, len(self.spectra))

    def _background(self, flat: Array, data: Data) -> Array:
        velocity = self.curve.velocity(flat, data)
        own = self.curve.baseline_curves(velocity, data)
        fixed = _fixed_baseline(self.curve, flat, own, self.free)
        rows = []
        for s, symbols in enumerate(self.free):
            rows.append(fixed[s])
            rows += [own[BASELINE.index(symbol)][s] for symbol in symbols]
        curves = self.curve.channels(jnp.stack(rows))
        return _blocks(curves, self.levels, len(self.spectra))

    def assemble(
        self, values: Values, amplitudes: Array, backgrounds: Array, data: Data
    ) -> Values:
        """Values with N0, baseline, area and fractions from the amplitudes."""
        changed = dict(values)
        for s, part in enumerate(self.spectra):
            heights = amplitudes[np.flatnonzero(np.equal(self.owners, s))]
            level = backgrounds[np.flatnonzero(np.equal(self.levels, s))]
            changed |= _scalars(part, self.free[s], heights, level, self.totals[s])
            if _amount(part) == "thickness":
                changed |= _thickness(part, changed, self.curve.natural)
        return self.settle(changed, data)


def _target(data: Data) -> tuple[Array, Array]:
    """The counts and the inverse of their variances, 0 where there is no channel."""
    counts = jnp.asarray(data["counts"])
    weight = jnp.asarray(data["mask"]) / jnp.maximum(counts, 1.0)
    return counts.reshape(-1), weight.reshape(-1)


def _totals(
    model: Model[Prior], names: Drawn, draws: Mapping[str, FloatArray]
) -> list[float] | None:
    """The sum of the fractions of each spectrum, where amplitudes are free at all."""
    moving = {
        name
        for part in model.spectra
        for site in part.sites
        for name in names.below(_own(site))
    }
    taken: set[str] = set()
    totals = []
    for part in model.spectra:
        fractions = [site.parameters["I"] for site in part.sites]
        own = {part.scalars["N0"], part.scalars[_amount(part)]}
        linear = own | set(names.below(fractions))
        if not own <= set(names.names) or linear & (moving | taken):
            return None
        taken |= linear
        total = np.sum([draws[name] for name in fractions], axis=0)
        shared = len(set(fractions)) < len(fractions)
        if not fractions or shared or np.ptp(total) > 1e-9:
            return None
        totals.append(float(total[0]))
    return totals


def _free_baseline(part: Spectrum, names: Drawn) -> list[str]:
    """Baseline coefficients that are drawn, for this spectrum."""
    return [name for name in BASELINE if part.scalars.get(name) in names.names]


def _fixed_baseline(
    curve: Curve, values: Array, own: Sequence[Array], free: Sequence[Sequence[str]]
) -> Array:
    """The baseline without its free coefficients, relative to N0."""
    total = jnp.ones_like(own[0])
    for place, name in enumerate(BASELINE):
        known = np.array([name not in symbols for symbols in free])
        used = curve.baseline[:, place] * known
        if used.any():
            height = used * values[curve.scalars[name]]
            total = total + height[:, None] * own[place]
    return total


def _slots(curve: Curve, model: Model[Prior]) -> FloatArray:
    """Where each site of the model stands in the concatenated stacks."""
    order = [
        (int(s), int(j))
        for stack in curve.stacks
        for s, j in zip(stack.spectrum, stack.site, strict=True)
    ]
    wanted = [
        (s, j) for s, part in enumerate(model.spectra) for j in range(len(part.sites))
    ]
    return np.array([order.index(pair) for pair in wanted], dtype=int)


def _blocks(rows: Array, owners: Sequence[int], n_spectra: int) -> Array:
    """Rows (n, C) as (n, n_spectra · C), zero outside each row's own spectrum."""
    mine = np.equal.outer(np.array(owners), np.arange(n_spectra)).astype(float)
    spread: Array = mine[:, :, None] * rows[:, None, :]
    return spread.reshape(rows.shape[0], -1)


def _scalars(
    part: Spectrum,
    free: Sequence[str],
    heights: Array,
    level: Array,
    total: float,
) -> Values:
    """N0, baseline, area and fractions of one spectrum from its amplitudes."""
    positive = jnp.maximum(heights, 0.0)
    whole = jnp.sum(positive)
    share = jnp.where(whole > 0.0, positive, 1.0)
    share = total * share / jnp.sum(share)
    counts = jnp.maximum(level[0], 1.0)
    amount = part.scalars[_amount(part)]
    found = {part.scalars["N0"]: counts, amount: whole / counts / total}
    for position, symbol in enumerate(free):
        found[part.scalars[symbol]] = level[position + 1] / counts
    for position, site in enumerate(part.sites):
        found[site.parameters["I"]] = share[position]
    return found


def _own(site: Site) -> list[str]:
    """The parameters of a site that move or widen its lines."""
    return [name for symbol, name in site.parameters.items() if symbol != "I"]


def _amount(part: Spectrum) -> str:
    """What says how much a spectrum absorbs."""
    return "thickness" if "thickness" in part.scalars else "area"


SPREAD = 6.0
"""Lines over which the thickness of a first guess is spread, as in a sextet."""


def _thickness(part: Spectrum, values: Values, natural: float) -> Values:
    """Thickness from a thin area: enlarged by what lines so thick saturate.

    The area of a line of thickness t is that of a thin one times about 1 / (1 + t / 4).
    """
    of = {
        name: values[place] for name, place in part.scalars.items() if place in values
    }
    if "f_source" not in of or "background" not in of:
        return {}
    resonant = jnp.maximum(of["f_source"] * (1.0 - of["background"]), 0.02)
    thin = of["thickness"] / (resonant * 0.5 * np.pi * natural)
    short = jnp.minimum(thin / (4.0 * SPREAD), 0.8)
    return {part.scalars["thickness"]: thin / (1.0 - short)}


def _name(model: Model[Prior], s: int, site: Site) -> str:
    return (
        f"{site.name}[{model.spectra[s].label}]"
        if model.spectra[s].label
        else site.name
    )
