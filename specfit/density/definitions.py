"""Definitions of a plan by what is to be done with them."""

from __future__ import annotations

import numpy as np

from specfit.model.expressions import evaluate, references
from specfit.model.ir import Expression, Ref
from specfit.model.support import Plan


def sorted_definitions(
    plan: Plan,
) -> tuple[dict[str, float], dict[str, str], list[tuple[str, Expression]]]:
    """Constants by value, other names of the same value, and what must be computed."""
    constant: dict[str, float] = {}
    aliases: dict[str, str] = {}
    derived: list[tuple[str, Expression]] = []
    known = {u.name for u in plan.unknowns}
    known |= {name for joint in plan.simplices for name in joint.names}
    for name, value in plan.computed:
        if references(value) <= constant.keys():
            constant[name] = float(evaluate(value, constant, np))
        elif isinstance(value, Ref) and value.name in known:
            aliases[name] = aliases.get(value.name, value.name)
        else:
            derived.append((name, value))
        known.add(name)
    return constant, aliases, derived
