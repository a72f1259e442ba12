"""Small questions about linear forms and supports that the planner asks."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from specfit.distributions import FAMILIES
from specfit.model.enclosure import Box
from specfit.model.expressions import LinearForm
from specfit.model.ir import Apply, Const, Dist, Expression, Joint, Ref
from specfit.model.requirements import Relation

NO_RULE = -1  # a prior whose bounds are unknowns, or a physical range


class NeedsMembers(Exception):
    """A rule speaks of single members of a joint prior: it must be opened."""

    def __init__(self, member: str) -> None:
        super().__init__(member)
        self.member = member


def support_of(dist: Dist) -> Box:
    """The interval outside which a density is zero, as far as it is a constant."""
    low = -inf if dist.low is None else dist.low
    high = inf if dist.high is None else dist.high
    for family, arguments in families(dist):
        kind = FAMILIES[family].support
        if kind in ("positive", "unit"):
            low = max(low, 0.0)
        if kind == "unit":
            high = min(high, 1.0)
        if kind == "interval" and len(arguments) == 2 and not dist.components:
            first, last = arguments
            low = max(low, first.value) if isinstance(first, Const) else low
            high = min(high, last.value) if isinstance(last, Const) else high
    return low, high


def families(dist: Dist) -> list[tuple[str, tuple[Expression, ...]]]:
    """Family and arguments; of a mixture only where all components agree."""
    if not dist.components:
        return [(dist.family, dist.arguments)]
    parts = [(part.family, part.arguments) for _, part in dist.components]
    supports = {FAMILIES[family].support for family, _ in parts}
    return parts[:1] if len(supports) == 1 else []


def moving_ends(name: str, dist: Dist) -> Iterator[Relation]:
    """The ends of a uniform prior that are no constants."""
    for family, arguments in families(dist):
        if FAMILIES[family].support != "interval" or len(arguments) != 2:
            continue
        low, high = arguments
        if not isinstance(low, Const):
            yield Relation(NO_RULE, "ge", Ref(name=name), low)
        if not isinstance(high, Const):
            yield Relation(NO_RULE, "ge", high, Ref(name=name))


def folded(form: LinearForm, joint: Joint) -> LinearForm:
    """The form with the sum of all members of a joint replaced by its total."""
    present = [name for name in joint.names if name in form.coefficients]
    if not present:
        return form
    slopes = [form.coefficients.get(name, 0.0) for name in joint.names]
    if max(slopes) - min(slopes) > 1e-12 * max(map(abs, slopes)):
        raise NeedsMembers(present[0])
    rest = {n: c for n, c in form.coefficients.items() if n not in joint.names}
    return LinearForm(rest, form.constant + slopes[0] * joint.total)


def linear_kind(form: LinearForm) -> str:
    """The name of an inequality's strategy."""
    slopes = list(form.coefficients.values())
    if len(slopes) == 1:
        return "interval"
    if len(slopes) == 2 and slopes[0] == -slopes[1]:
        return "ordered"
    return "bound"


def solved(form: LinearForm, name: str) -> LinearForm:
    """What `name` is when the form is zero."""
    scale = -1.0 / form.coefficients[name]
    rest = {n: c * scale for n, c in form.coefficients.items() if n != name}
    return LinearForm(rest, form.constant * scale)


def as_expression(form: LinearForm) -> Expression:
    """A linear form as an expression."""
    terms: list[Expression] = []
    for name, coefficient in form.coefficients.items():
        term: Expression = Ref(name=name)
        if coefficient != 1.0:
            term = Apply(function="*", arguments=(Const(value=coefficient), term))
        terms.append(term)
    if form.constant or not terms:
        terms.append(Const(value=form.constant))
    if len(terms) == 1:
        return terms[0]
    total = terms[0]
    for term in terms[1:]:
        total = Apply(function="+", arguments=(total, term))
    return total
