"""The linear part of a pattern: amounts of the peaks, coefficients of the baseline.

A peak may be given by its height: the amount is what is drawn, and what one unit of it
adds to the curve is known once the widths are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Position, Separable, Values
from specfit.density.parts import Parts, target
from specfit.density.separable import Drawn
from specfit.model.expressions import evaluate, references
from specfit.model.ir import Site
from specfit.peaks import PEAKS

if TYPE_CHECKING:
    from specfit.density.peaks import PeakCurve

_AMOUNTS = ("A", "height")


def peaks_separable(parts: Parts, curve: PeakCurve) -> Separable | None:
    """The separable form, None where the amount of a peak is not its own and drawn."""
    drawn = Drawn(parts.plan)
    sites = [(s, x) for s, part in enumerate(parts.model.spectra) for x in part.sites]
    amounts = [_amount(site, drawn) for _, site in sites]
    levels = _levels(parts, curve, drawn)
    moving = {n for _, x in sites for n in drawn.below(_own(x))}
    owners = list(dict.fromkeys(amounts))  # peaks of one amount are one component
    own = [*owners, *(name for _, _, name in levels)]
    free = set(own) <= set(drawn.names) and len(set(own)) == len(own)
    if not sites or not free or moving & set(own):
        return None
    proper = [x.parameters[PEAKS[x.kind].amount] for _, x in sites]
    places = [
        (s, j)
        for s, part in enumerate(parts.model.spectra)
        for j in range(len(part.sites))
    ]
    form = _Form(parts, curve, places, proper, [str(a) for a in amounts], levels)
    members = [
        [of for of, amount in zip(sites, amounts, strict=True) if amount == owner]
        for owner in owners
    ]
    return Separable(
        component_names=tuple(_name(parts, *group[0]) for group in members),
        component_parameters=tuple(
            tuple(drawn.below([n for _, x in group for n in _own(x)]))
            for group in members
        ),
        atom=form.atom,
        columns=form.columns,
        assemble=form.assemble,
        target=target,
    )


@dataclass(frozen=True)
class _Form:
    """The functions of a separable form; rows are peaks or curves of the baseline."""

    parts: Parts
    curve: PeakCurve
    places: list[tuple[int, int]]  # spectrum and site of each peak
    proper: list[str]  # what the curve of each is proportional to
    amounts: list[str]  # what is drawn of it
    levels: list[tuple[int, str, str]]

    @property
    def owners(self) -> list[int]:
        """The spectrum of each peak."""
        return [s for s, _ in self.places]

    @property
    def drawn(self) -> list[str]:
        """The amounts that are drawn, each once."""
        return list(dict.fromkeys(self.amounts))

    @property
    def membership(self) -> FloatArray:
        """Which peaks (columns) each amount (rows) is the amount of, 1.0 or 0.0."""
        return np.array([[float(a == d) for a in self.amounts] for d in self.drawn])

    @property
    def identity(self) -> str:
        """Of the problem, and of what is linear in it."""
        return f"{self.parts.identity}{self.amounts}{self.levels}"

    def atom(self, values: Values, data: Data) -> Array:
        """What one unit of each amount takes off, (n_peaks, S · C)."""
        return self._atoms(self.parts.vector(values, data), data)

    def columns(self, position: Position, data: Data) -> tuple[Array, Array]:
        """The curves of the baseline, and the atoms."""
        flat = self.parts.flat(position, data)
        curves = self.curve.baseline_curves(flat, data)
        rows = [curves[symbol][s] for s, symbol, _ in self.levels]
        if not rows:
            rows = [jnp.zeros_like(jnp.asarray(data["counts"])[0])]
        owners = [s for s, _, _ in self.levels] or [0]
        return self._spread(jnp.stack(rows), owners), self._atoms(flat, data)

    def _atoms(self, flat: Array, data: Data) -> Array:
        stacks = self.curve.atoms(flat, data)
        places = [(s, j) for x in self.curve.stacks for s, j in x.places]
        order = np.array([places.index(place) for place in self.places])
        index = self.parts.where.index
        of_kind, drawn = (
            flat[np.array([index[name] for name in names])]
            for names in (self.proper, self.amounts)
        )
        unit = jnp.concatenate(stacks)[order] * (of_kind / drawn)[:, None]
        return -(jnp.asarray(self.membership) @ self._spread(unit, self.owners))

    def _spread(self, rows: Array, owners: Sequence[int]) -> Array:
        """Rows (n, C) as (n, S · C), zero outside each row's own pattern."""
        mine = np.equal.outer(np.array(owners), np.arange(self.curve.n_spectra))
        spread: Array = mine.astype(float)[:, :, None] * rows[:, None, :]
        return spread.reshape(rows.shape[0], -1)

    def assemble(
        self, values: Values, amplitudes: Array, backgrounds: Array, data: Data
    ) -> Values:
        """Values with amounts and coefficients as fitted."""
        changed: dict[str, Any] = dict(values)
        for i, name in enumerate(self.drawn):
            changed[name] = jnp.maximum(amplitudes[i], 0.0)
        for i, (_, _, name) in enumerate(self.levels):
            changed[name] = backgrounds[i]
        return self.parts.settled(changed, data)


def _levels(parts: Parts, curve: PeakCurve, drawn: Drawn) -> list[tuple[int, str, str]]:
    """Spectrum, symbol and name of each coefficient that scales a curve, if drawn."""
    return [
        (s, symbol, spectrum.scalars[symbol])
        for s, spectrum in enumerate(parts.model.spectra)
        for symbol in curve.linear
        if not _is_zero(parts, spectrum.scalars[symbol], drawn)
    ]


def _is_zero(parts: Parts, name: str, drawn: Drawn) -> bool:
    return name not in drawn.names and parts.where.constant.get(name) == 0.0


def _amount(site: Site, drawn: Drawn) -> str | None:
    """What is drawn of a peak's amount: its own, or that which its own is a share of."""
    names = [site.parameters[a] for a in _AMOUNTS if a in site.parameters]
    own = next((name for name in names if name in drawn.names), None)
    return own or next((_shared(name, drawn) for name in names[:1]), None)


def _shared(name: str, drawn: Drawn) -> str | None:
    """The drawn name that a computed one is a constant times."""
    below = drawn.below([name])
    if name not in drawn.computed or len(below) != 1:
        return None
    (other,) = below

    def at(value: float) -> float:
        known: dict[str, float] = {other: value}
        for step, expression in drawn.computed.items():
            if references(expression) <= known.keys():
                known[step] = float(evaluate(expression, known, np))
        return known[name]

    one = at(1.0)
    proportional = at(2.0) == 2.0 * one and at(5.0) == 5.0 * one and at(0.0) == 0.0
    return other if proportional and one > 0.0 else None


def _own(site: Site) -> list[str]:
    """The parameters that move a peak or widen it."""
    return [name for symbol, name in site.parameters.items() if symbol not in _AMOUNTS]


def _name(parts: Parts, s: int, site: Site) -> str:
    label = parts.model.spectra[s].label
    return f"{site.name}[{label}]" if label else site.name
