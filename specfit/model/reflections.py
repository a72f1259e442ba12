"""The condition that every reflection of a model exists: 2 d > λ, and d > 0.

Priors of lattice constants that have bounds prove it once; others keep it by a barrier,
as any rule of the model that is not linear.
"""

from __future__ import annotations

from collections.abc import Iterator

from specfit.model.diffraction import SPACINGS
from specfit.model.expressions import nodes, to_text
from specfit.model.ir import Apply, Const, Expression, Model, Place, Prior
from specfit.model.known import expressions_of
from specfit.model.requirements import PlanError

NO_REFLECTION = -3
"""The rule of such a condition, which is none of the model's own."""


def margins(model: Model[Prior]) -> Iterator[Expression]:
    """What must not be negative, each once: 2 d − λ, and d where no angle is asked."""
    seen: set[Expression] = set()
    for expression in expressions_of(model):
        for margin in _margins(expression):
            if margin not in seen:
                seen.add(margin)
                yield margin


def _margins(expression: Expression) -> Iterator[Expression]:
    inside: set[int] = set()
    for node in nodes(expression):
        if not isinstance(node, Apply):
            continue
        if node.function == "two_theta":
            spacing, wavelength = node.arguments[:2]
            inside.add(id(spacing))
            twice = Apply(function="*", arguments=(Const(value=2.0), spacing))
            yield Apply(function="-", arguments=(twice, wavelength))
        elif node.function in SPACINGS and id(node) not in inside:
            yield node


def nowhere(model: Model[Prior], margin: Expression) -> PlanError:
    """The error for a reflection that no value of the priors lets exist."""
    places = [d.place for d in model.definitions if margin in _margins(d.value)]
    words = {"margin": to_text(margin)}
    return PlanError("reflection-nowhere", words, places[0] if places else Place())
