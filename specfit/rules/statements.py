"""The user's own statements: `require`, `expect`, `check`, each to one finding.

`require` must hold in every draw; `expect` is reported with its tension; `check` is
judged and decides.  A `check` of draws (`check A.QS in [-0.1, 0.1] mm/s`) holds when at
least 95 % of the posterior draws satisfy it; a `check` of a number (`prob`, `conflict`,
`rhat`, `ess`, `chi2`) holds when the number does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import isnan
from typing import Literal

import numpy as np

from specfit.contracts import Finding, FloatArray, RequireStrategy
from specfit.distributions.laws import LAWS
from specfit.distributions.mathematics import NUMPY
from specfit.model.expressions import COMPARISONS, evaluate, to_text
from specfit.model.ir import Apply, Const, Dist, Expression, Rule
from specfit.rules.draws import plus_minus, share, spread
from specfit.rules.posterior import Answer, Posterior

CREDIBLE = 0.95
TENSION = 3.0


def judge_statements(
    posterior: Posterior,
    strategies: Sequence[RequireStrategy],
    only: Collection[int] | None = None,
) -> tuple[Finding, ...]:
    """One finding for each rule of the model, in the order they were written.

    only: the places of those that are asked for.
    """
    by_index = {strategy.index: strategy for strategy in strategies}
    return tuple(
        _judge(posterior, rule, by_index.get(index))
        for index, rule in enumerate(posterior.model.rules)
        if only is None or index in only
    )


def _judge(
    posterior: Posterior, rule: Rule, strategy: RequireStrategy | None
) -> Finding:
    if rule.kind == "require":
        return _require(posterior, rule, strategy)
    if rule.kind == "expect":
        return _expect(posterior, rule)
    return _check(posterior, rule)


def _text(rule: Rule) -> str:
    """The statement without its reason, which is quoted beside it."""
    said = rule.place.text or f"{rule.kind} {to_text(rule.expression)}"
    return said.partition(" because ")[0].rstrip() if rule.because else said


# -------------------------------------------------------------------- require


def _require(
    posterior: Posterior, rule: Rule, strategy: RequireStrategy | None
) -> Finding:
    probability = share(posterior.draws(rule.expression) != 0)
    outcome: Literal["passed", "failed", "warned"] = "passed"
    detail = ""
    if probability < 1:
        outcome, detail = "failed", f"holds in {probability:.1%} of the posterior only"
    return Finding(
        "require",
        "require",
        outcome,
        _text(rule),
        because=rule.because,
        probability=probability,
        detail=detail,
        strategy=_strategy(strategy),
        line=rule.place.line or None,
    )


def _strategy(strategy: RequireStrategy | None) -> str:
    if strategy is None:
        return ""
    kept = (
        "an unknown share" if isnan(strategy.mass_kept) else f"{strategy.mass_kept:.3g}"
    )
    return f"{strategy.strategy}, keeps {kept} of the prior"


# --------------------------------------------------------------------- expect


def _expect(posterior: Posterior, rule: Rule) -> Finding:
    draws = posterior.draws(rule.expression)
    mean, sd = float(draws.mean()), spread(draws)
    tension = 0.0
    if rule.dist:
        tension = float(tension_of(np.asarray(mean), rule.dist, posterior.known))
    return Finding(
        "expect",
        "expect",
        "warned" if tension > TENSION else "passed",
        _text(rule),
        because=rule.because,
        value=tension,
        detail=f"posterior {plus_minus(mean, sd)}, {tension:.1f} sd from expected",
        line=rule.place.line or None,
    )


def tension_of(mean: FloatArray, dist: Dist, known: Mapping[str, object]) -> FloatArray:
    """Distance of values from the middle of a density, in equivalent normal sd."""
    from scipy.special import ndtri_exp

    arguments = [float(np.mean(evaluate(a, known, np))) for a in dist.arguments]
    law = LAWS[dist.family]
    with np.errstate(all="ignore"):
        below = law.below(NUMPY, mean, *arguments)
        above = law.above(NUMPY, mean, *arguments)
    if dist.family in ("halfnormal", "exponential", "halfcauchy"):
        below, above = 0.0, above + np.log(0.5)  # zero is what they expect most
    smaller = np.nan_to_num(np.minimum(below, above), nan=-np.inf)
    return np.asarray(np.abs(ndtri_exp(np.maximum(smaller, -1e6))))


# ---------------------------------------------------------------------- check


def _check(posterior: Posterior, rule: Rule) -> Finding:
    resolved, answers = posterior.resolve(rule.expression)
    held = posterior.draws(resolved) != 0
    probability = share(held) if held.size > 1 else None
    holds = bool(held[0]) if probability is None else probability >= CREDIBLE
    value = _value(posterior, resolved)
    said = [answer.text for answer in answers]
    if probability is not None:
        said.append(f"holds in {probability:.1%} of the posterior")
    return Finding(
        "check",
        "check",
        "passed" if holds else "failed",
        _text(rule),
        because=rule.because,
        probability=_probability(answers, probability),
        value=value,
        detail=", ".join(said),
        line=rule.place.line or None,
    )


def _probability(answers: Sequence[Answer], share_: float | None) -> float | None:
    """The probability asked for by `prob`, or the share of draws that satisfy."""
    asked = [answer.value for answer in answers if answer.function == "prob"]
    return asked[0] if len(asked) == 1 else share_


def _value(posterior: Posterior, expression: Expression) -> float | None:
    """The mean of what a comparison compares: the side that is no plain number."""
    if not isinstance(expression, Apply) or expression.function not in COMPARISONS:
        return None
    left, right = expression.arguments[:2]
    side = right if _bound(left) and not _bound(right) else left
    return float(posterior.draws(side).mean())


def _bound(expression: Expression) -> bool:
    return isinstance(expression, Const)
