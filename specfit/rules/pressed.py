"""A `require` that the data press against: the posterior piles up on its boundary.

The rule holds by construction, so its probability says nothing.  What the data think of
it is read from the fit without it: if χ² falls by more than `REJECT`, the data
contradict the rule, and one of the two is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement
from specfit.model.expressions import evaluate
from specfit.model.ir import Apply, Expression, Model, Prior, Rule
from specfit.rules.posterior import Posterior

REJECT = 25.0
"""Fall of χ² that contradicts a rule: five standard deviations for one condition."""
WARN = 9.0
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


def unjudged(rule: Rule, reason: str) -> Finding:
    """That the fit without the rule could not be had; the posterior stands as it is."""
    return Finding(
        rule="pressed",
        kind="require",
        outcome="warned",
        text=f"the posterior touches the boundary of `{rule.place.text}`; what the data "
        f"say against it is not known: {reason}",
        because=rule.because,
        line=rule.place.line or None,
        source=_SOURCE,
    )


def finding(rule: Rule, gain: float) -> Finding:
    """What the fit without the rule says of it; `gain` is the fall of χ²."""
    outcome: str = "passed"
    if gain > WARN:
        outcome = "failed" if gain > REJECT else "warned"
    verb = "contradict" if outcome == "failed" else "press against"
    text = (
        f"the data {verb} `{rule.place.text}`: without it χ² falls by {gain:.0f}; "
        "either the rule does not hold for this sample, or the model lacks a component"
    )
    if outcome == "passed":
        text = f"`{rule.place.text}` is at its boundary, which costs χ² {gain:.1f}"
    return Finding(
        rule="pressed",
        kind="require",
        outcome=outcome,  # type: ignore[arg-type]
        text=text,
        because=rule.because,
        value=gain,
        line=rule.place.line or None,
        source=_SOURCE,
    )
