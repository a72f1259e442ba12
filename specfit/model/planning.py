"""The steps by which rules become ties, linear inequalities and what is left of them.

The planner keeps two views of every expression: as written, which is what is evaluated,
and expanded, with definitions and ties replaced down to what is drawn, which is what
decides.  `support.py` drives it and says what comes out.
"""

from __future__ import annotations

from contextlib import suppress
from graphlib import TopologicalSorter

from specfit.model.elimination import Inequality, range_of
from specfit.model.enclosure import Box, enclosure
from specfit.model.expressions import (
    CircularTie,
    LinearForm,
    linear_form,
    nodes,
    references,
    substitute,
    to_text,
    topological,
)
from specfit.model.ir import (
    Apply,
    Const,
    Expression,
    Model,
    Place,
    Prior,
    Ref,
)
from specfit.model.known import conditions
from specfit.model.linear import (
    NeedsMembers,
    as_expression,
    folded,
    linear_kind,
    solved,
    support_of,
)
from specfit.model.reflections import NO_REFLECTION, nowhere
from specfit.model.requirements import (
    PlanError,
    Relation,
    bounded,
    circular,
    gap,
)
from specfit.model.stated import stated

JOINT_SUM = -2  # an opened joint: never left to a barrier
_LARGEST = 2000  # nodes; a definition that expands beyond stays a name
_ZERO = 1e-9
_RANKS = ("already true", "interval", "ordered", "bound", "tie", "fixed sum", "barrier")


class Planner:
    """The state while the rules of one model are worked through."""

    def __init__(
        self, model: Model[Prior], opened: frozenset[str], demoted: frozenset[int]
    ) -> None:
        self.model, self.demoted = model, demoted
        self.data = conditions(model)
        try:
            ordered = topological(model.definitions)
        except CircularTie as circle:
            raise circular(model, circle.names) from None
        self.definitions: dict[str, Expression] = {d.name: d.value for d in ordered}
        self.boxes: dict[str, Box] = {
            p.name: support_of(p.prior.dist) for p in model.parameters
        }
        self.priors = frozenset(self.boxes)
        self.opened_joints = [j for j in model.joints if opened & set(j.names)]
        self.closed_joints = tuple(j for j in model.joints if not opened & set(j.names))
        for joint in self.opened_joints:
            self.boxes |= dict.fromkeys(joint.names, (0.0, joint.total))
        self.first_boxes = dict(self.boxes)
        self.first_boxes |= {
            name: (0.0, joint.total)
            for joint in self.closed_joints
            for name in joint.names
        }
        self.ties: dict[str, Expression] = {}
        self.inequalities: list[Inequality] = []
        self.tied_bounds: list[Relation] = []
        self.nonlinear: list[Relation] = []
        self.labels: dict[int, set[str]] = {}
        self._expanded: dict[str, Expression] = {}

    # -------------------------------------------------------------- expanding

    def expanded(self, expression: Expression) -> Expression:
        """`expression` in terms of what is drawn and of the data."""
        names = [n for n in references(expression) if self.meaning(n) is not None]
        if not names:
            return expression
        return substitute(expression, {name: self._resolved(name) for name in names})

    def meaning(self, name: str) -> Expression | None:
        """What a definition or tie says `name` is, None for anything else."""
        return self.ties.get(name, self.definitions.get(name))

    def _resolved(self, name: str) -> Expression:
        if name not in self._expanded:
            meaning = self.meaning(name)
            assert meaning is not None
            full = self.expanded(meaning)
            size = sum(1 for _ in nodes(full))
            self._expanded[name] = full if size <= _LARGEST else Ref(name=name)
        return self._expanded[name]

    def closure(self, expression: Expression) -> set[str]:
        """Every name that `expression` depends on, directly or not."""
        found: set[str] = set()
        stack = list(references(expression))
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack.extend(references(self.meaning(name) or Const(value=0.0)))
        return found

    def form(self, expression: Expression) -> LinearForm | None:
        """The expanded expression as a linear form in what is drawn, or None."""
        form = linear_form(self.expanded(expression), self.data)
        if form is None or any(self.meaning(n) is not None for n in form.coefficients):
            return None
        for joint in self.closed_joints:
            form = folded(form, joint)
        return form

    # ------------------------------------------------------------------ rules

    def settle(self) -> None:
        """Sort every relation of the model into ties, inequalities and the rest."""
        for joint in self.opened_joints:
            *others, last = joint.names
            total = Apply(function="sum", arguments=tuple(Ref(name=n) for n in others))
            rest = Apply(function="-", arguments=(Const(value=joint.total), total))
            self._tie(JOINT_SUM, last, rest)
        said = list(stated(self.model))
        for relation in said:
            if relation.kind == "eq" and not self._already(relation):
                self._equality(relation)
        for relation in (*self.tied_bounds, *said):
            if relation.kind != "eq" and not self._already(relation):
                self._inequality(relation)

    def _already(self, relation: Relation) -> bool:
        """Whether the relation holds wherever the priors do; a false one is a fault."""
        low, high = self.enclosed(gap(relation), self.first_boxes)
        if relation.kind == "eq":
            always, never = -_ZERO <= low <= high <= _ZERO, low > _ZERO or high < -_ZERO
        else:
            always, never = low >= 0.0, high < -_ZERO
        if never and relation.rule == NO_REFLECTION:
            raise nowhere(self.model, relation.left)
        if never:
            raise self.contradiction(frozenset({relation.rule}))
        if always:
            self.label(relation.rule, "already true")
        return always

    def enclosed(self, expression: Expression, boxes: dict[str, Box]) -> Box:
        """Bounds of an expression: as a linear form where it is one, else by parts."""
        form = None
        with suppress(NeedsMembers):  # by parts is right then, if wide
            form = self.form(expression)
        if form is not None:
            return range_of(form, boxes)
        known = {name: (value, value) for name, value in self.data.items()}
        return enclosure(self.expanded(expression), boxes | known)

    def _equality(self, relation: Relation) -> None:
        sides = (relation.left, relation.right)
        form = self.form(Apply(function="-", arguments=sides))
        alone = [self._alone(side) for side in sides]
        for name, other in zip(alone, reversed(sides), strict=True):
            if name is None or name in self.closure(other):
                continue
            if form is None or name in form.coefficients:
                self._tie(relation.rule, name, other)
                self.label(relation.rule, "tie")
                return
        free = [n for n in self.boxes if form is not None and n in form.coefficients]
        if form is None or not free:
            raise self._error("require-equality", relation.rule)
        signs = {c > 0 for c in form.coefficients.values()}
        self._tie(relation.rule, free[-1], as_expression(solved(form, free[-1])))
        self.label(relation.rule, "fixed sum" if len(signs) == 1 else "tie")

    def _alone(self, side: Expression) -> str | None:
        """The unknown that one side of an equality consists of, if it does."""
        full = self.expanded(side)
        if not isinstance(full, Ref):
            return None
        if any(full.name in joint.names for joint in self.closed_joints):
            raise NeedsMembers(full.name)
        return full.name if full.name in self.boxes else None

    def _tie(self, rule: int, name: str, expression: Expression) -> None:
        box = self.boxes.pop(name)
        self.ties[name] = expression
        self._expanded.clear()
        self.tied_bounds.extend(bounded(rule, Ref(name=name), box))

    def _inequality(self, relation: Relation) -> None:
        if relation.kind == "slack" or relation.rule in self.demoted:
            self.nonlinear.append(relation)
            return
        left, right = self._cleared(relation.left, relation.right)
        form = self.form(Apply(function="-", arguments=(left, right)))
        if form is None:
            self.nonlinear.append(relation)
            return
        low, high = range_of(form, self.first_boxes)
        if low >= 0.0:
            self.label(relation.rule, "already true")
        elif high < -_ZERO:
            raise self.contradiction(frozenset({relation.rule}))
        else:
            self.label(relation.rule, linear_kind(form))
            self.inequalities.append(Inequality(form, frozenset({relation.rule})))

    def _cleared(
        self, left: Expression, right: Expression
    ) -> tuple[Expression, Expression]:
        """The relation left ≥ right without divisions whose sign is known."""
        for side, other, sign in ((left, right, 1.0), (right, left, -1.0)):
            full = self.expanded(side)
            if not isinstance(full, Apply) or full.function != "/":
                continue
            numerator, denominator = full.arguments
            low, high = self.enclosed(denominator, self.first_boxes)
            if not (low >= 0.0 or high <= 0.0):
                continue
            product = Apply(function="*", arguments=(other, denominator))
            larger_first = (sign > 0.0) == (low >= 0.0)
            pair = (numerator, product) if larger_first else (product, numerator)
            return self._cleared(*pair)
        return left, right

    # ----------------------------------------------------------------- answers

    @property
    def tied(self) -> frozenset[str]:
        """The ties that have a prior of their own."""
        return frozenset(self.ties) & self.priors

    def computed(self) -> tuple[tuple[str, Expression], ...]:
        """Definitions and ties, each after those it needs."""
        table = self.definitions | self.ties
        graph = {
            name: [n for n in table if n in references(value)]
            for name, value in table.items()
        }
        return tuple((n, table[n]) for n in TopologicalSorter(graph).static_order())

    def label(self, rule: int, label: str) -> None:
        """Note how a part of a rule is kept."""
        self.labels.setdefault(rule, set()).add(label)

    def strategies(self) -> dict[int, str]:
        """The dearest strategy that each `require` needs."""
        return {
            index: max(self.labels.get(index, {"already true"}), key=_RANKS.index)
            for index, rule in enumerate(self.model.rules)
            if rule.kind == "require"
        }

    def contradiction(self, rules: frozenset[int]) -> PlanError:
        """The error for rules that leave nothing."""
        said = sorted(index for index in rules if index >= 0)
        if not said:
            return PlanError("prior-impossible", {"model": self.model.name}, Place())
        *others, last = said
        if not others:
            return self._error("require-impossible", last)
        texts = [f"`{self._text(index)}`" for index in others]
        return self._error("require-contradiction", last, other=", ".join(texts))

    def _error(self, code: str, rule: int, **words: str) -> PlanError:
        place = self.model.rules[rule].place
        return PlanError(code, {"rule": self._text(rule), **words}, place)

    def _text(self, rule: int) -> str:
        return to_text(self.model.rules[rule].expression)
