"""How the support of the prior is made to obey every `require`, decided without JAX.

Each rule becomes, in this order of preference: nothing to do, a tie (a parameter is
computed, its prior stays as a factor), a static interval, bounds that depend on earlier
unknowns, or a smooth barrier.  A density that is −inf outside would give the same
posterior on paper; it makes a gradient sampler diverge, which is why it is never used.

With a barrier the density goes on outside, falling like a Gaussian whose width is
`BARRIER_WIDTH` of the spread of the slack under the prior, and is untouched inside: the
draws that satisfy the rule are draws of the exact posterior, the others are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from specfit.contracts import RequireStrategy
from specfit.model.elimination import Contradiction, Intervals, NotProven, eliminate
from specfit.model.enclosure import Box
from specfit.model.ir import Expression, Joint, Model, Prior
from specfit.model.linear import NeedsMembers, as_expression
from specfit.model.placing import BoundByExpression, place_nonlinear
from specfit.model.planning import JOINT_SUM, Planner
from specfit.model.requirements import PlanError, gap

__all__ = ["BARRIER_WIDTH", "Barrier", "Plan", "PlanError", "Unknown", "plan"]

BARRIER_WIDTH = 0.01
"""Standard deviation of a barrier's tail, in units of the prior spread of its slack."""


@dataclass(frozen=True)
class Unknown:
    """A scalar that is drawn: its static bounds, and bounds that depend on others.

    The bounds in force are the largest of `low` and `lowers`, the smallest of `high`
    and `uppers`; the interval is never empty.
    """

    name: str
    low: float | None = None
    high: float | None = None
    lowers: tuple[Expression, ...] = ()
    uppers: tuple[Expression, ...] = ()

    @property
    def dynamic(self) -> bool:
        """Whether its bounds depend on other unknowns or on the data."""
        return bool(self.lowers or self.uppers)


@dataclass(frozen=True)
class Barrier:
    """A rule kept by a smooth barrier: `slack` ≥ 0 exactly where it holds."""

    rule: int
    slack: Expression


@dataclass(frozen=True)
class Plan:
    """What is drawn, what is computed from it, and how each `require` is kept.

    unknowns: in the order of the coordinates; `dynamic` orders those whose bounds
    depend on others, each after what it depends on.
    simplices: joint priors kept whole; other joints are opened into scalar unknowns,
    the last member being computed.
    computed: definitions and ties by name, each after what it needs.
    tied: names among `computed` that have a prior of their own, kept as a factor.
    strategies: rule index → strategy, for every `require`.
    """

    unknowns: tuple[Unknown, ...]
    simplices: tuple[Joint, ...]
    computed: tuple[tuple[str, Expression], ...]
    tied: frozenset[str]
    barriers: tuple[Barrier, ...]
    dynamic: tuple[str, ...]
    strategies: Mapping[int, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The coordinates' names: unknowns, then all but the last of each simplex."""
        free = (name for joint in self.simplices for name in joint.names[:-1])
        return (*(unknown.name for unknown in self.unknowns), *free)

    def unweighed(self) -> list[RequireStrategy]:
        """The strategies before the prior mass is known (NaN)."""
        return [
            RequireStrategy(index, name, float("nan"))
            for index, name in sorted(self.strategies.items())
        ]


def plan(model: Model[Prior]) -> Plan:
    """The plan of a model.

    Raises
    ------
    PlanError
        Rules contradict each other or the priors, or an equality cannot be solved.

    """
    opened: frozenset[str] = frozenset()
    demoted: frozenset[int] = frozenset()
    while True:
        planner = Planner(model, opened, demoted)
        try:
            planner.settle()
            intervals = _intervals(planner)
            return _finished(planner, intervals)
        except NeedsMembers as need:
            opened |= {need.member}
        except NotProven as failure:
            demoted |= failure.rules - {JOINT_SUM}


def _intervals(planner: Planner) -> Intervals:
    try:
        return eliminate(list(planner.boxes), planner.boxes, planner.inequalities)
    except Contradiction as clash:
        raise planner.contradiction(clash.rules) from None


def _finished(planner: Planner, intervals: Intervals) -> Plan:
    bounds, barriers = place_nonlinear(planner, intervals)
    unknowns = [
        _unknown(name, box, intervals, [b for b in bounds if b.name == name])
        for name, box in intervals.boxes.items()
    ]
    last = list(dict.fromkeys(bound.name for bound in bounds))
    first = [u.name for u in unknowns if u.dynamic and u.name not in last]
    return Plan(
        unknowns=tuple(unknowns),
        simplices=planner.closed_joints,
        computed=planner.computed(),
        tied=planner.tied,
        barriers=tuple(Barrier(item.rule, gap(item)) for item in barriers),
        dynamic=(*first, *last),
        strategies=planner.strategies(),
    )


def _unknown(
    name: str, box: Box, intervals: Intervals, bounds: list[BoundByExpression]
) -> Unknown:
    lowers = [as_expression(form) for form in intervals.lower.get(name, ())]
    uppers = [as_expression(form) for form in intervals.upper.get(name, ())]
    lowers += [bound.expression for bound in bounds if bound.is_lower]
    uppers += [bound.expression for bound in bounds if not bound.is_lower]
    low, high = (end if isfinite(end) else None for end in box)
    return Unknown(name, low, high, tuple(lowers), tuple(uppers))
