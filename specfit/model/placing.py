"""Where rules that are not linear go: bounds by an expression, or a barrier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan

from specfit.model.elimination import Intervals
from specfit.model.enclosure import Box
from specfit.model.expressions import references
from specfit.model.ir import Expression, Ref
from specfit.model.planning import Planner
from specfit.model.requirements import Relation, gap


@dataclass(frozen=True)
class BoundByExpression:
    """A bound of one unknown that is no linear function of the others."""

    name: str
    is_lower: bool
    expression: Expression
    rule: int


def place_nonlinear(
    planner: Planner, intervals: Intervals
) -> tuple[list[BoundByExpression], list[Relation]]:
    """Bounds given by expressions, and the relations left to a barrier."""
    boxes = {**planner.first_boxes, **intervals.boxes}
    bounds: list[BoundByExpression] = []
    barriers: list[Relation] = []
    for relation in planner.nonlinear:
        low, high = planner.enclosed(gap(relation), boxes)
        if low >= 0.0:
            planner.label(relation.rule, "already true")
        elif high < 0.0:
            raise planner.contradiction(frozenset({relation.rule}))
        elif (bound := _bound(planner, relation, boxes, intervals, bounds)) is None:
            planner.label(relation.rule, "barrier")
            barriers.append(relation)
        else:
            planner.label(relation.rule, "bound")
            bounds.append(bound)
    return bounds, barriers


def _bound(
    planner: Planner,
    relation: Relation,
    boxes: dict[str, Box],
    intervals: Intervals,
    accepted: Sequence[BoundByExpression],
) -> BoundByExpression | None:
    """A bound of an unknown that stands alone and is never left without room."""
    if relation.kind == "slack" or relation.rule in planner.demoted:
        return None
    linear = {n for item in planner.inequalities for n in item.form.coefficients}
    used = {n for bound in accepted for n in references(bound.expression)}
    taken = linear | used | {bound.name for bound in accepted}
    sides = ((relation.left, relation.right), (relation.right, relation.left))
    for is_lower, (side, other) in zip((True, False), sides, strict=True):
        name, full = planner.expanded(side), planner.expanded(other)
        if not isinstance(name, Ref) or name.name not in intervals.boxes:
            continue
        needed = references(full)
        if name.name in needed | taken or any(map(planner.meaning, needed)):
            continue
        low, high = planner.enclosed(other, boxes)
        bottom, top = intervals.boxes[name.name]
        room = (
            (high < top or top == inf) if is_lower else (low > bottom or bottom == -inf)
        )
        if room and not isnan(low):
            return BoundByExpression(name.name, is_lower, full, relation.rule)
    return None
