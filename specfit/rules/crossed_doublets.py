"""Two doublets whose four lines might as well be paired otherwise.

Lines of one area and one width carry no mark of which belongs to which.  Where two
doublets are so alike, two more pairings of their lines give the same spectrum, with other
isomer shifts and splittings; what chooses among them is the priors, as a window of a
valence is, and not the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import Block, Outcomes, graded, worst
from specfit.rules.draws import IronSite, iron_sites, passed, spreads, symbol_draws

NAME = "crossed_doublets"
SOURCE = source_of(NAME)
Draws = Callable[[IronSite, str], FloatArray | None]
Pair = tuple[IronSite, IronSite]
_LINES = ((0, 2, 1, 3), (0, 3, 1, 2), (0, 1, 2, 3))
"""The pairings of four lines by rising velocity: crossed, nested, side by side."""


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of pairs of doublets that nothing but their priors tells from other pairs."""
    known = limits(model, NAME)
    draws: Draws = partial(symbol_draws, fit, model)
    found, looked = [], 0
    for pair in _pairs(model):
        apart = _apart(pair, draws)
        looked += 1
        if float(apart) < known["alike"]:
            found += list(_finding(pair, draws, known["IS_low"], known["IS_high"]))
    if found or not looked:
        return found
    text = "area or width tells which lines of two doublets belong together"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    known = limits(block.model, NAME)
    found = []
    for pair in _pairs(block.model):
        others = _others(pair, block.symbol)
        inside = [_inside(o, known["IS_low"], known["IS_high"]) for o in others]
        alike = _apart(pair, block.symbol) < known["alike"]
        found.append(graded(alike & np.any(inside, axis=0), False))
    return worst(block, found)


def _pairs(model: Model[Prior]) -> Iterator[Pair]:
    """Pairs of doublets in one spectrum."""
    for left, right in combinations(iron_sites(model, "doublet"), 2):
        if left.spectrum is right.spectrum:
            yield left, right


def _apart(pair: Pair, draws: Draws) -> FloatArray:
    """How surely areas or widths differ, or lines of one, in sd; the surest of them."""
    found: list[FloatArray] = [np.zeros(())]
    for symbol in ("I", "width", "sigma_QS", "sigma_IS"):
        first, second = (draws(item, symbol) for item in pair)
        if first is not None and second is not None:
            found.append(_distance(first - second))
    for item in pair:
        for symbol, plain in (("ratio", 1.0), ("texture", 0.0), ("f_anisotropy", 0.0)):
            value = draws(item, symbol)
            if value is not None:
                found.append(_distance(value - plain))
    largest = found[0]
    for one in found[1:]:
        largest = np.maximum(largest, one)
    return largest


def _distance(difference: FloatArray) -> FloatArray:
    """Of the mean from 0, in sd; nothing between equal constants."""
    mean, sd = np.abs(difference.mean(axis=-1)), spreads(difference)
    return np.where(mean > 0.0, mean / np.maximum(sd, 1e-12), 0.0)


def _others(pair: Pair, draws: Draws) -> list[FloatArray]:
    """IS and QS of both doublets in every other pairing, means, (4, ...)."""
    lines = []
    for item in pair:
        shift, splitting = draws(item, "IS"), draws(item, "QS")
        assert shift is not None
        assert splitting is not None
        lines += [shift - 0.5 * splitting, shift + 0.5 * splitting]
    means = np.array([np.mean(line, axis=-1) for line in np.broadcast_arrays(*lines)])
    own = np.argsort(means, axis=0)
    ordered = np.take_along_axis(means, own, axis=0)
    found = []
    for a, b, c, d in _LINES:
        same = own[a] // 2 == own[b] // 2  # the pairing that was fitted
        low, high = (ordered[[a, b]], ordered[[c, d]])
        values = [x for x in (low, high) for x in (x.mean(axis=0), x[1] - x[0])]
        found.append(np.where(same, np.nan, np.array(values)))
    return found


def _inside(other: FloatArray, low: float, high: float) -> FloatArray:
    """Whether another pairing is one of isomer shifts that iron has."""
    with np.errstate(invalid="ignore"):
        shifts = other[[0, 2]]
        return np.asarray(np.all((shifts > low) & (shifts < high), axis=0))


def _finding(pair: Pair, draws: Draws, low: float, high: float) -> Iterator[Finding]:
    names = " and ".join(f"`{item.name}`" for item in pair)
    others = [o for o in _others(pair, draws) if _inside(o, low, high)]
    if not others:
        return
    said = "; or ".join(
        f"IS {a:.2f}, QS {b:.2f} and IS {c:.2f}, QS {d:.2f} mm/s"
        for a, b, c, d in others
    )
    yield Finding(
        NAME,
        "physics",
        "warned",
        f"the lines of {names} are alike and may be paired otherwise, as {said}: the "
        "data do not choose",
        detail="priors on IS choose, as those of a valence; a field, another temperature "
        "or an oriented sample shows which lines belong together",
        source=SOURCE,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
