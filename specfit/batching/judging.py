"""The verdict on one spectrum of a batch: the rules of a run, on draws of Laplace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from specfit import rules
from specfit.contracts import (
    Data,
    Fit,
    FloatArray,
    Measurement,
    Problem,
    RequireStrategy,
    Verdict,
)
from specfit.inference.batch import REACHED, Many
from specfit.inference.laplace import UNRELIABLE
from specfit.model import ir
from specfit.model.expressions import evaluate
from specfit.model.known import data_constants

REPLICATES = 8
"""Spectra drawn anew, from which the width of noise that is not Poisson is taken."""


@dataclass(frozen=True)
class Judge:
    """The rules of a model, applied to one spectrum after the other."""

    model: ir.Model[ir.Prior]
    problem: Problem
    strategies: Sequence[RequireStrategy]
    prior: Mapping[str, FloatArray]

    def verdict(
        self, found: Many, row: int, spectrum: Measurement, data: Data
    ) -> Verdict:
        """The verdict on one row; not converged where Laplace's method is no answer."""
        constants = data_constants(self.model, (spectrum,))
        fit = self._fit(found, row, data, constants)
        return rules.judge(self.model, (spectrum,), fit, self.strategies)

    def _fit(
        self, found: Many, row: int, data: Data, constants: Mapping[str, float]
    ) -> Fit:
        draws = self._obedient(found.draws[row], found.names, constants)
        named = {name: draws[None, :, i] for i, name in enumerate(found.names)}
        expected = found.expected[row]
        generator = np.random.default_rng(0)
        at = {name: found.values[row, i] for i, name in enumerate(found.names)}
        replicated = [
            self.problem.scatter(generator, expected, at, data)
            for _ in range(REPLICATES)
        ]
        nothing = np.zeros((0, *expected.shape))
        gain, k = float(found.gain[row]), float(found.pareto_k[row])
        return Fit(
            draws=named,
            positions=np.zeros((1, len(draws), self.problem.dimension)),
            prior=self.prior,
            curve=expected,
            band=np.stack([expected, expected]),
            components=nothing,
            replicated=np.stack(replicated),
            pointwise=nothing,
            statistics={},
            rhat={},
            ess_bulk={},
            ess_tail={},
            gates=(
                ("nats to the mode", gain, REACHED, gain < REACHED),
                ("Pareto k", k, UNRELIABLE, k <= UNRELIABLE),
            ),
            modes=(),
            stages=(),
            settings={},
        )

    def _obedient(
        self, draws: FloatArray, names: Sequence[str], constants: Mapping[str, float]
    ) -> FloatArray:
        """Without the draws beyond a smooth barrier, which are not of the posterior.

        All of them where few are left: then the rule itself is at fault.
        """
        if self.problem.holds is None:
            return draws
        known: dict[str, Any] = {name: draws[:, i] for i, name in enumerate(names)}
        known |= constants
        kept = np.ones(len(draws), dtype=bool)
        for rule in self.model.rules:
            if rule.kind == "require":
                kept &= np.asarray(evaluate(rule.expression, known, np)) != 0
        return draws[kept] if kept.mean() > 0.5 else draws
