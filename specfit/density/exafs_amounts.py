"""The linear part of χ(k): the strength of each path, N · S₀².

S₀² is one for all paths, and most often the numbers N are known: a search lets every path
have a strength of its own, and what is drawn of S₀² and N is then set from all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, Position, Separable, Values
from specfit.density.parts import Parts, target
from specfit.density.separable import Drawn
from specfit.model.ir import Site

if TYPE_CHECKING:
    from specfit.density.exafs import PathCurve

_STRENGTH = ("N", "reff", "degeneracy")
"""Symbols that move no curve of a path."""


def paths_separable(parts: Parts, curve: PathCurve) -> Separable | None:
    """The separable form; None where a strength is known, or moves a curve too."""
    drawn = Drawn(parts.plan)
    every = [(s, x) for s, part in enumerate(parts.model.spectra) for x in part.sites]
    strengths = [
        drawn.below([x.parameters["N"], parts.model.spectra[s].scalars["S02"]])
        for s, x in every
    ]
    own = [drawn.below(_own(x)) for _, x in every]
    moving = {name for names in own for name in names}
    if not every or not all(strengths) or any(moving & set(s) for s in strengths):
        return None
    form = _Form(parts, curve, every, set(drawn.names))
    return Separable(
        component_names=tuple(_name(parts, s, site) for s, site in every),
        component_parameters=tuple(map(tuple, own)),
        atom=form.atom,
        columns=form.columns,
        assemble=form.assemble,
        target=target,
    )


@dataclass(frozen=True)
class _Form:
    """The functions of a separable form; rows are paths."""

    parts: Parts
    curve: PathCurve
    every: Sequence[tuple[int, Site]]  # the spectrum of each path, and the path
    drawn: set[str]

    @property
    def identity(self) -> str:
        """Of the problem, and of what is linear in it."""
        return f"{self.parts.identity}{sorted(self.drawn)}"

    def atom(self, values: Values, data: Data) -> Array:
        """What a path of strength 1 takes off, (n_paths, S · J)."""
        return self._atoms(self.parts.vector(values, data), data)

    def columns(self, position: Position, data: Data) -> tuple[Array, Array]:
        """No background, and the atoms."""
        flat = self.parts.flat(position, data)
        return jnp.zeros((1, jnp.asarray(data["counts"]).size)), self._atoms(flat, data)

    def _atoms(self, flat: Array, data: Data) -> Array:
        rows = self.curve.atoms(flat, data)
        mine = np.equal.outer(self.curve.spectrum, np.arange(self.curve.n_spectra))
        spread: Array = jnp.asarray(mine, rows.dtype)[:, :, None] * rows[:, None, :]
        return -spread.reshape(rows.shape[0], -1)

    def assemble(
        self, values: Values, amplitudes: Array, backgrounds: Array, data: Data
    ) -> Values:
        """Values with S₀² as the paths of known N have it, then N of the others."""
        del backgrounds
        changed: dict[str, Any] = dict(values)
        strengths = jnp.maximum(amplitudes, 0.0)
        for name in self._factors():
            changed[name] = self._factor(name, strengths, values)
        for i, (s, site) in enumerate(self.every):
            if site.parameters["N"] in self.drawn:
                factor = self.parts.model.spectra[s].scalars["S02"]
                number = strengths[i] / jnp.maximum(changed[factor], 1e-6)
                changed[site.parameters["N"]] = number
        return self.parts.settled(changed, data)

    def _factors(self) -> list[str]:
        """The S₀² that are drawn and that a path of known N tells."""
        names = [
            self.parts.model.spectra[s].scalars["S02"]
            for s, x in self.every
            if x.parameters["N"] not in self.drawn
        ]
        return [name for name in dict.fromkeys(names) if name in self.drawn]

    def _factor(self, name: str, strengths: Array, values: Values) -> Array:
        """S₀² of the paths of known N, each weighing as its N."""
        rows = [
            i
            for i, (s, x) in enumerate(self.every)
            if self.parts.model.spectra[s].scalars["S02"] == name
            and x.parameters["N"] not in self.drawn
        ]
        numbers = jnp.stack([values[self.every[i][1].parameters["N"]] for i in rows])
        factor: Array = jnp.sum(strengths[np.array(rows)]) / jnp.sum(numbers)
        return factor


def _own(site: Site) -> list[str]:
    """The parameters that move the curve of a path."""
    return [name for symbol, name in site.parameters.items() if symbol not in _STRENGTH]


def _name(parts: Parts, s: int, site: Site) -> str:
    label = parts.model.spectra[s].label
    return f"{site.name}[{label}]" if label else site.name
