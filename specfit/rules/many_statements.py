"""The user's own statements, each asked of many spectra at once.

What only a posterior can answer (`prob`, `conflict`, `chi2`) is replaced by a number for
each spectrum; the rest is an ordinary expression over the draws of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from specfit.contracts import FloatArray
from specfit.model.expressions import evaluate, missing, references
from specfit.model.ir import Apply, Expression, Ref, Rule
from specfit.rules.block import OPEN, PASSED, Block, Outcomes, environment, graded
from specfit.rules.conflict import many_conflicts
from specfit.rules.draws import shares
from specfit.rules.posterior import SCALARS
from specfit.rules.residuals import misfits
from specfit.rules.statements import CREDIBLE, TENSION, tension_of


def statement_grades(block: Block) -> list[Outcomes]:
    """The outcome of every statement, in the order they were written."""
    return [statement_outcomes(block, rule) for rule in block.model.rules]


def statement_outcomes(block: Block, rule: Rule) -> Outcomes:
    """The outcome of one statement for each of many spectra."""
    known = block.once(environment)
    if rule.kind == "check":
        return _many_checked(block, rule.expression)
    if missing(rule.expression, known):
        return block.all(OPEN)
    draws = np.atleast_2d(np.asarray(evaluate(rule.expression, known, np), dtype=float))
    if rule.kind == "require":
        return block.all(PASSED) + graded(False, shares(draws != 0) < 1)
    if rule.dist is None:
        return block.all(PASSED)
    if any(references(argument) for argument in rule.dist.arguments):
        return block.all(OPEN)
    tension = tension_of(draws.mean(axis=-1), rule.dist, known)
    return block.all(PASSED) + graded(tension > TENSION, False)


def _many_checked(block: Block, expression: Expression) -> Outcomes:
    """As `_check`, what only a posterior can answer being answered for all spectra."""
    answers: dict[str, FloatArray] = {}
    resolved = _resolved(block, expression, answers)
    known = {**block.once(environment), **answers}
    if resolved is None or missing(resolved, known):
        return block.all(OPEN)
    held = np.atleast_2d(np.asarray(evaluate(resolved, known, np), dtype=float)) != 0
    return block.all(PASSED) + graded(False, shares(held) < CREDIBLE)


def _resolved(
    block: Block, node: Expression, answers: dict[str, FloatArray]
) -> Expression | None:
    """The expression with names for posterior quantities, whose values are (n, 1).

    None where one is not answered for many spectra at once.
    """
    known = block.once(environment)
    if isinstance(node, Ref) and node.name not in known and node.name in SCALARS:
        node = Apply(function=node.name, arguments=())
    if not isinstance(node, Apply):
        return node
    if node.function not in SCALARS:
        parts = [_resolved(block, argument, answers) for argument in node.arguments]
        whole = [part for part in parts if part is not None]
        if len(whole) < len(parts):
            return None
        return Apply(function=node.function, arguments=tuple(whole))
    value = _quantity(block, node, known)
    if value is None:
        return None
    name = f"{node.function} {len(answers)}"
    answers[name] = np.broadcast_to(value, len(block))[:, None]
    return Ref(name=name)


def _quantity(
    block: Block, call: Apply, known: Mapping[str, object]
) -> FloatArray | None:
    if call.function == "prob" and not missing(call.arguments[0], known):
        return shares(np.atleast_2d(evaluate(call.arguments[0], known, np)) != 0)
    if call.function == "conflict":
        found = block.once(many_conflicts)[:, 1]
        return np.asarray(np.max(found, axis=0, initial=0.0))
    if call.function == "chi2":
        figures, freedom = block.once(misfits)
        return np.asarray(figures[0] / freedom)
    return None
