"""Linear inequalities → for each unknown an interval that depends on earlier ones only.

Fourier–Motzkin elimination, from the last unknown to the first: an unknown's lower and
upper bounds are kept as functions of the earlier ones, and every pair of a lower and an
upper bound becomes a condition on those earlier ones, so that an interval is never
empty.  Chains, fixed sums, shares of one another and any other set of linear rules are
the one case.  It was taken instead of a transform for each pattern because the patterns
meet: `A.Bint > B.Bint` and `A.Bint < 50 T` and a sum of fractions, in one model.

Source: G. B. Dantzig, B. C. Eaves, J. Combin. Theory A 14, 288 (1973).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from specfit.model.enclosure import EVERYWHERE, Box
from specfit.model.expressions import LinearForm, add

MOST = 2000  # inequalities alive at once; beyond it the rules are left to a barrier
_ROUNDS = 30  # of tightening before the elimination, which is exact by itself
_SLACK = 1e-12  # rounding, relative to the largest term


class Inequality(NamedTuple):
    """form ≥ 0, a consequence of the rules numbered in `rules`."""

    form: LinearForm
    rules: frozenset[int]


class Contradiction(Exception):
    """The rules numbered in `rules` leave nothing."""

    def __init__(self, rules: frozenset[int]) -> None:
        super().__init__(str(sorted(rules)))
        self.rules = rules


class NotProven(Exception):
    """That an interval is never empty could not be shown for these rules."""

    def __init__(self, rules: frozenset[int]) -> None:
        super().__init__(str(sorted(rules)))
        self.rules = rules


@dataclass
class Intervals:
    """Static boxes, and bounds that depend on unknowns earlier in the order."""

    boxes: dict[str, Box]
    lower: dict[str, list[LinearForm]] = field(default_factory=dict)
    upper: dict[str, list[LinearForm]] = field(default_factory=dict)
    causes: dict[str, tuple[frozenset[int], frozenset[int]]] = field(
        default_factory=dict
    )


def range_of(form: LinearForm, boxes: Mapping[str, Box]) -> Box:
    """The least and greatest value of a linear form over the boxes."""
    low = high = form.constant
    for name, coefficient in form.coefficients.items():
        ends = [coefficient * end for end in boxes.get(name, EVERYWHERE)]
        low, high = low + min(ends), high + max(ends)
    return low, high


def eliminate(
    order: Sequence[str], boxes: Mapping[str, Box], rules: Sequence[Inequality]
) -> Intervals:
    """Intervals of the names in `order`, the last depending on all the others.

    Names in the inequalities but not in `order` are data whose value is not known yet.

    Raises
    ------
    Contradiction
        Nothing satisfies the inequalities inside the boxes.
    NotProven
        A condition on data values alone remains, or there are too many inequalities.

    """
    result = Intervals(
        dict(boxes), causes={n: (frozenset(), frozenset()) for n in boxes}
    )
    pool = list(rules)
    for _ in range(_ROUNDS):
        if not any([_tighten(item, result) for item in pool]):
            break
    pool = _needed(pool, result)
    for name in reversed(order):
        pool = _without(name, pool, result)
        if len(pool) > MOST:
            raise NotProven(frozenset().union(*(item.rules for item in pool)))
    if pool:
        raise NotProven(frozenset().union(*(item.rules for item in pool)))
    return result


def _tighten(item: Inequality, result: Intervals) -> bool:
    """Cut each name's box to what the inequality leaves it; tell whether any moved."""
    moved = False
    for name, coefficient in item.form.coefficients.items():
        if name not in result.boxes:
            continue
        rest = LinearForm(
            {n: c for n, c in item.form.coefficients.items() if n != name},
            item.form.constant,
        )
        end = -range_of(rest, result.boxes)[1] / coefficient
        if math.isfinite(end):
            moved |= _cut(name, end, coefficient > 0.0, item.rules, result)
    return moved


def _cut(
    name: str, end: float, is_lower: bool, rules: frozenset[int], result: Intervals
) -> bool:
    low, high = result.boxes[name]
    low_rules, high_rules = result.causes[name]
    span = abs(end) * _SLACK
    if is_lower and end > low + span:
        result.boxes[name], result.causes[name] = (end, high), (rules, high_rules)
    elif not is_lower and end < high - span:
        result.boxes[name], result.causes[name] = (low, end), (low_rules, rules)
    else:
        return False
    low, high = result.boxes[name]
    if low >= high:
        raise Contradiction(frozenset().union(*result.causes[name]))
    return True


def _needed(pool: Sequence[Inequality], result: Intervals) -> list[Inequality]:
    """Without those that hold everywhere in the boxes, by themselves or by a twin."""
    kept: dict[tuple[object, ...], Inequality] = {}
    for item in pool:
        form = item.form
        low, high = range_of(form, result.boxes)
        scale = max([abs(form.constant), *map(abs, form.coefficients.values())])
        if low >= -_SLACK * scale and (form.coefficients or low > 0.0):
            continue
        if high <= _SLACK * scale:
            causes = [
                result.causes.get(n, (frozenset(),) * 2) for n in form.coefficients
            ]
            raise Contradiction(item.rules.union(*(c for pair in causes for c in pair)))
        largest = max(map(abs, form.coefficients.values()))
        slopes = sorted(
            (n, round(c / largest, 12)) for n, c in form.coefficients.items()
        )
        key = tuple(slopes)
        twin = kept.get(key)
        if twin is None or _offset(item) < _offset(twin):
            kept[key] = item
    return list(kept.values())


def _offset(item: Inequality) -> float:
    return item.form.constant / max(map(abs, item.form.coefficients.values()))


def _without(
    name: str, pool: Sequence[Inequality], result: Intervals
) -> list[Inequality]:
    """Record the bounds of `name`, and the conditions that they put on the others."""
    lower: list[Inequality] = []
    upper: list[Inequality] = []
    rest: list[Inequality] = []
    for item in pool:
        coefficient = item.form.coefficients.get(name, 0.0)
        if coefficient == 0.0:
            rest.append(item)
            continue
        bound = add(
            [(-1.0 / coefficient, item.form), (1.0, LinearForm({name: 1.0}, 0.0))]
        )
        bound = LinearForm(
            {n: c for n, c in bound.coefficients.items() if n != name}, bound.constant
        )
        (lower if coefficient > 0.0 else upper).append(Inequality(bound, item.rules))
    if not lower and not upper:
        return rest
    if any(item.form.coefficients for item in (*lower, *upper)):
        result.lower[name] = [item.form for item in lower]
        result.upper[name] = [item.form for item in upper]
    low, high = result.boxes[name]
    low_rules, high_rules = result.causes[name]
    floor = [Inequality(LinearForm({}, low), low_rules)] if math.isfinite(low) else []
    ceiling = (
        [Inequality(LinearForm({}, high), high_rules)] if math.isfinite(high) else []
    )
    pairs = [(a, b) for a in lower for b in (*upper, *ceiling)]
    pairs += [(a, b) for a in floor for b in upper]
    rest += [
        Inequality(add([(1.0, b.form), (-1.0, a.form)]), a.rules | b.rules)
        for a, b in pairs
    ]
    for item in rest:
        if len(item.form.coefficients) == 1:
            _tighten(item, result)
    return _needed(rest, result)
