"""A `require` that the data press against: the posterior piles up on its boundary.

The rule holds by construction, so its probability says nothing.  What the data think of
it is read from the fit without it: if χ² falls by more than `REJECT`, the data
contradict the rule, and one of the two is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement
from specfit.model.expressions import evaluate
from specfit.model.ir import Apply, Expression, Model, Prior, Rule
from specfit.rules.posterior import Posterior

REJECT = 25.0
"""Fall of χ² that contradicts a rule: five standard deviations for one condition."""
WARN = 9.0
NAME = "pressed"
_SOURCE = "likelihood ratio of the fits with and without the rule"
_TOUCHING = 0.1
"""Posterior quantile 5 % of the slack, over its median, below which it touches zero; a
posterior three sd away from the boundary has 0.45."""


def suspects(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> list[int]:
    """Indices of the `require` rules whose boundary the posterior touches."""
    environment = Posterior.of(model, measurements, fit).known
    found = []
    for index, rule in enumerate(model.rules):
        if rule.kind != "require":
            continue
        slacks = [
            np.asarray(evaluate(slack, environment, np), dtype=float)
            for slack in _slacks(rule.expression)
        ]
        if any(_touches(slack) for slack in slacks):
            found.append(index)
    return found


def _touches(slack: FloatArray) -> bool:
    if slack.ndim == 0 or not np.isfinite(slack).all():
        return False
    low, middle = np.quantile(slack, [0.05, 0.5])
    return bool(middle > 0 and low < _TOUCHING * middle)


def _slacks(expression: Expression) -> Iterator[Expression]:
    """What must be ≥ 0 for an inequality to hold, each part of a conjunction apart."""
    if not isinstance(expression, Apply):
        return
    arguments = expression.arguments
    if expression.function == "and":
        for argument in arguments:
            yield from _slacks(argument)
    elif expression.function in (">", ">="):
        yield Apply(function="-", arguments=arguments)
    elif expression.function in ("<", "<="):
        yield Apply(function="-", arguments=arguments[::-1])
    elif expression.function == "within":
        value, low, high = arguments
        yield Apply(function="-", arguments=(value, low))
        yield Apply(function="-", arguments=(high, value))


def finding(rule: Rule, gain: float | str) -> Finding:
    """What the fit without the rule says of it.

    `gain`: the fall of χ², or the reason why that is not known.
    """
    said = f"`{rule.place.text}`"
    outcome: Literal["passed", "warned", "failed"] = "warned"
    if isinstance(gain, str):
        text = (
            f"the posterior touches the boundary of {said}; what the data say against it "
            f"is not known: {gain}"
        )
    elif gain <= WARN:
        outcome, text = (
            "passed",
            f"{said} is at its boundary, which costs χ² {gain:.1f}",
        )
    else:
        outcome = "failed" if gain > REJECT else "warned"
        verb = "contradict" if outcome == "failed" else "press against"
        text = (
            f"the data {verb} {said}: without it χ² falls by {gain:.0f}; either the rule "
            "does not hold for this sample, or the model lacks a component"
        )
    return Finding(
        rule=NAME,
        kind="require",
        outcome=outcome,
        text=text,
        because=rule.because,
        value=None if isinstance(gain, str) else gain,
        line=rule.place.line or None,
        source=_SOURCE,
    )


def unjudged(found: Finding) -> bool:
    """Whether a finding says that a rule at its boundary could not be judged."""
    return found.rule == NAME and found.value is None
