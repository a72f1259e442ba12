"""Expressions that only a posterior can answer: prob, conflict, rhat, ess, chi2.

They are replaced by their numbers, bottom up; what is left is an ordinary expression
over draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from specfit.contracts import Fit, FloatArray, Measurement
from specfit.model.expressions import evaluate
from specfit.model.ir import Apply, Const, Expression, Model, Prior, Ref
from specfit.model.known import data_constants
from specfit.rules.conflict import conflicts, largest
from specfit.rules.draws import environment, prior_environment, share
from specfit.rules.residuals import chi2_reduced, statistics

SCALARS = ("prob", "conflict", "rhat", "ess", "chi2")


@dataclass(frozen=True)
class Posterior:
    """A model, its data and its fit, ready to be asked.

    known, believed: the names an expression may use, over posterior and prior draws;
    the latter are drawn only for a statement that asks for them.
    """

    model: Model[Prior]
    measurements: Sequence[Measurement]
    fit: Fit
    known: dict[str, Any] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
    ) -> Posterior:
        """The posterior with conditions and statistics of the data at hand."""
        constants = data_constants(model, measurements, checks=True)
        return cls(
            model,
            measurements,
            fit,
            environment(fit, model, measurements) | constants,
            constants,
        )

    @cached_property
    def believed(self) -> dict[str, Any]:
        """Names over draws of the prior."""
        own = prior_environment(self.fit, self.model, self.measurements)
        return own | self.constants

    def draws(self, expression: Expression) -> FloatArray:
        """Values of an expression over the posterior draws, (n,) or (1,)."""
        value = evaluate(expression, self.known, np)
        return np.atleast_1d(np.asarray(value, dtype=float))

    def prior_draws(self, expression: Expression) -> FloatArray | None:
        """Values over the prior draws; None where the prior does not have a name."""
        try:
            value = evaluate(expression, self.believed, np)
        except KeyError:
            return None
        return np.atleast_1d(np.asarray(value, dtype=float))

    def resolve(self, expression: Expression) -> tuple[Expression, tuple[Answer, ...]]:
        """The expression with every posterior quantity replaced, and what each was."""
        if isinstance(expression, Ref) and expression.name not in self.known:
            if expression.name not in SCALARS:
                return expression, ()
            expression = Apply(function=expression.name, arguments=())
        if not isinstance(expression, Apply):
            return expression, ()
        if expression.function in SCALARS:
            answer = self._answer(expression)
            return Const(value=answer.value), (answer,)
        parts = [self.resolve(argument) for argument in expression.arguments]
        resolved = Apply(
            function=expression.function, arguments=tuple(part for part, _ in parts)
        )
        return resolved, tuple(answer for _, found in parts for answer in found)

    def _answer(self, call: Apply) -> Answer:
        if call.function == "prob":
            return self._probability(call.arguments[0])
        if call.function == "conflict":
            return self._conflict()
        if call.function == "chi2":
            found = statistics(self.model, self.measurements, self.fit)
            value = chi2_reduced(found)
            return Answer("chi2", value, f"reduced χ² = {value:.3f}")
        return self._mixing(call)

    def _probability(self, condition: Expression) -> Answer:
        value = share(self.draws(condition) != 0)
        return Answer("prob", value, f"probability {value:.3f}")

    def _conflict(self) -> Answer:
        worst = largest(conflicts(self.model, self.measurements, self.fit))
        if worst is None:
            return Answer("conflict", 0.0, "no prior was drawn from the database")
        text = (
            f"largest conflict {worst.in_prior:.2f} prior sd (`{worst.parameter.name}`"
        )
        if worst.origin.widen != 1:
            text += f"; {worst.in_records:.1f} before it was widened"
            text += f" ×{worst.origin.widen:g}"
        return Answer("conflict", worst.in_prior, text + ")")

    def _mixing(self, call: Apply) -> Answer:
        """Worst R-hat, or least effective sample size, of the names given or of all."""
        names = [node.name for node in call.arguments if isinstance(node, Ref)]
        tables = [self.fit.rhat]
        if call.function == "ess":
            tables = [self.fit.ess_bulk, self.fit.ess_tail]
        found = [
            (value, name)
            for table in tables
            for name, value in table.items()
            if np.isfinite(value) and (not names or name in names)
        ]
        if not found:
            return Answer(
                call.function, np.nan, f"{call.function}: nothing was sampled"
            )
        value, name = max(found) if call.function == "rhat" else min(found)
        return Answer(
            call.function,
            value,
            f"{call.function} {value:.4g} (`{name}`)",
        )


@dataclass(frozen=True)
class Answer:
    """The value of a posterior quantity and how it reads."""

    function: str
    value: float
    text: str
