"""The verdict on one spectrum of a batch: the rules of a run, on draws of Laplace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from specfit import density, rules
from specfit.checking import strategies
from specfit.contracts import Fit, FloatArray, Measurement, Problem, Verdict
from specfit.inference.batch import REACHED, Many
from specfit.inference.laplace import UNRELIABLE
from specfit.model import ir
from specfit.model.expressions import evaluate
from specfit.model.known import data_constants
from specfit.rules import Block, Residuals

REPLICATES = 8
"""Spectra drawn anew, from which the width of noise that is not Poisson is taken."""
SHARED = 0.05
"""Weight of other modes above which the weightiest is no answer by itself."""
Draws = Mapping[str, FloatArray]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


class Later(Mapping[str, FloatArray]):
    """Draws by name, made when the first is asked for: few rules ask."""

    def __init__(self, make: Callable[[], Draws]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Draws:
        return self._make()

    def __getitem__(self, name: str) -> FloatArray:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


class Judge:
    """The rules of a model, applied to one spectrum after the other.

    draw: draws of the prior of a problem.  What depends on the counts is each
    spectrum's own; all else is that of the first.
    """

    def __init__(
        self,
        model: ir.Model[ir.Prior],
        first: Measurement,
        prior: Draws,
        draw: Callable[[Problem], Draws],
    ) -> None:
        self.model, self.draw = model, draw
        self.constants = data_constants(model, (first,))
        self.prior, self.strategies = prior, strategies(model, (first,))
        self.mass_moves = density.mass_moves(model)
        self.length = first.axis.size
        self.poisson = all(part.noise.family == "poisson" for part in model.spectra)

    def verdict(self, spectrum: Measurement, fit: Fit) -> Verdict:
        """The verdict on a fit; not converged where Laplace's method is no answer."""
        own = self.strategies
        if self.mass_moves:
            own = strategies(self.model, (spectrum,))
        return rules.judge(self.model, (spectrum,), fit, own)

    def block(self, found: Many, spectra: Sequence[Measurement]) -> Block:
        """Many fits as rules read them, their spectra being of one length."""
        draws = np.ascontiguousarray(np.moveaxis(found.draws, 2, 0))
        return Block(
            self.model,
            spectra,
            dict(zip(found.names, draws, strict=True)),
            found.expected[:, 0, : spectra[0].axis.size],
            found.position.shape[1],
        )

    def residuals(self, spectrum: Measurement, fit: Fit) -> Residuals:
        """What a fit leaves of its spectrum."""
        return rules.statistics(self.model, (spectrum,), fit)[0]

    def fit(self, found: Many, spectrum: Measurement, problem: Problem) -> Fit:
        """One spectrum's mode and its surroundings, as rules read a fit."""
        constants = data_constants(self.model, (spectrum,))
        draws = self._obedient(found, problem, constants)
        expected = found.expected[0]
        nothing = np.zeros((0, *expected.shape))
        same = constants == self.constants
        return Fit(
            draws={name: draws[None, :, i] for i, name in enumerate(found.names)},
            positions=np.zeros((1, len(draws), problem.dimension)),
            prior=self.prior if same else Later(lambda: self.draw(problem)),
            curve=expected,
            band=np.stack([expected, expected]),
            components=nothing,
            replicated=self._replicated(found, problem),
            pointwise=nothing,
            statistics={},
            rhat={},
            ess_bulk={},
            ess_tail={},
            gates=_gates(found),
            modes=(),
            stages=(),
            settings={},
        )

    def _replicated(self, found: Many, problem: Problem) -> FloatArray:
        generator = np.random.default_rng(0)
        at = {name: found.values[0, i] for i, name in enumerate(found.names)}
        expected = found.expected[0]
        side_by_side = np.tile(expected, (1, REPLICATES))
        drawn = problem.scatter(generator, side_by_side, at, problem.data)
        return drawn.reshape(len(expected), REPLICATES, -1).swapaxes(0, 1)

    def _obedient(
        self, found: Many, problem: Problem, constants: Mapping[str, float]
    ) -> FloatArray:
        """Without the draws beyond a smooth barrier, which are not of the posterior.

        All of them where few are left: then the rule itself is at fault.
        """
        draws: FloatArray = found.draws[0]
        if problem.holds is None:
            return draws
        known: dict[str, Any] = {n: draws[:, i] for i, n in enumerate(found.names)}
        known |= constants
        kept = np.ones(len(draws), dtype=bool)
        for rule in self.model.rules:
            if rule.kind == "require":
                kept &= np.asarray(evaluate(rule.expression, known, np)) != 0
        return draws[kept] if kept.mean() > 0.5 else draws


def passing(found: Many) -> Flags:
    """Which of many fits pass every gate."""
    return np.asarray(
        (found.gain <= REACHED)
        & (found.pareto_k <= UNRELIABLE)
        & (found.others <= SHARED)
    )


def _gates(found: Many) -> tuple[tuple[str, float, float, bool], ...]:
    """Whether the mode was reached, is normal enough, and stands alone."""
    entries: Sequence[tuple[str, float, float]] = (
        ("nats to the mode", float(found.gain[0]), REACHED),
        ("Pareto k", float(found.pareto_k[0]), UNRELIABLE),
        ("weight of other answers", float(found.others[0]), SHARED),
    )
    return tuple((name, x, bound, bool(x <= bound)) for name, x, bound in entries)
