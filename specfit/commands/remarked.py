"""What to mind of an identification, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2

from specfit.commands.common import say
from specfit.identify import Answer
from specfit.identify.appearance import TEXTURE
from specfit.identify.findings import Component, Value, misfit, saturation
from specfit.identify.order import labels
from specfit.identify.places import other_places
from specfit.identify.presence import price
from specfit.report.numbers import decimals, fixed

if TYPE_CHECKING:
    from specfit.commands.identified import Identified

CHANCE, HARDLY = 1e-3, 0.05
"""Probability of so large a χ² by counting alone below which something is left over, and
below which something may be."""
LOST = 0.05
"""Share of the deepest dip that saturation takes, from which it is worth a word."""
SURE, CLEAR = 0.95, 3.0
"""Probability that a component is there, and standard deviations of its share, below
which it is called tentative."""
UNITS = {"IS": "mm/s", "QS": "mm/s", "Bint": "T"}


def called(one: Component, labels: Mapping[str, str]) -> str:
    """Its name; of what is in no database its kind, as `labels` tells them apart."""
    return f"({labels[one.phase.name]})" if one.kind else one.phase.name


def percent(one: Component) -> str:
    """Its share of the area with the error; all of it has none."""
    if one.share_sd == 0.0:
        return f"{fixed(100.0 * one.share, 0)} %"
    return plus_minus(100.0 * one.share, 100.0 * one.share_sd) + " %"


def plus_minus(value: float, sd: float) -> str:
    """A value and its error, with as many digits as the error deserves."""
    places = max(0, decimals(sd))
    return f"{fixed(value, places)} ± {fixed(sd, places)}"


def remarks(found: Identified) -> list[str]:
    """What to mind of the best answer, and what is left of the spectrum."""
    said = []
    if not found.phases:
        said.append(say("identify-nothing"))
    for one in found.best:
        said += list(_unknown(found, one) if one.kind else _doubts(found, one))
    said += [_under(found, one) for one in found.best if one.under]
    said += [*_hint(found), *_texture(found), *_baseline(found)]
    return [*said, *_thickness(found), _left(found)]


def foot(found: Identified) -> Iterator[str]:
    """Why the smallest χ² is not the most probable by far."""
    paid = price(found.ranking, found.answers[0].best)
    if paid is not None and len(found.answers) > 1:
        yield say("identify-foot", price=f"{paid:.0f}")


def _doubts(found: Identified, one: Component) -> Iterator[str]:
    name = one.phase.name
    others = _others(found.answers[0], one)
    if others:
        words = say("identify-or").join(others)
        yield say("identify-alike", phase=name, others=words)
    if tentative(found, one):
        yield say("identify-tentative", phase=name, chance=chance_of(found, one))
    if one.phase.log_weight < 0.0:
        yield say(
            "identify-far",
            phase=name,
            recorded=f"{one.phase.recorded:g}",
            temperature=f"{found.source.conditions['T']:g}",
        )
    for value in one.unlike:
        places = max(0, decimals(value.spread))
        yield say(
            "identify-unlike",
            phase=name,
            site=value.site,
            symbol=value.symbol,
            unit=UNITS[value.symbol],
            value=fixed(value.value, places),
            recorded=fixed(value.recorded, places),
            spread=fixed(value.spread, places),
        )


def tentative(found: Identified, one: Component) -> bool:
    """Whether a component may well not be there."""
    weak = one.share < CLEAR * one.share_sd
    return weak or found.chances[one.phase.name] < SURE


def chance_of(found: Identified, one: Component) -> str:
    """The probability that a component is there."""
    chance = found.chances[one.phase.name]
    return f"{chance:.2f}" if chance < 0.995 else "> 0.99"


def _others(answer: Answer, one: Component) -> list[str]:
    """The phases of the database that could stand in the place of one."""
    return [n for n in answer.stand_ins[one.phase.name] if not n.startswith("?")]


def _under(found: Identified, one: Component) -> str:
    under = next(other for other in found.best if other.phase is one.under)
    phase, larger = (called(o, labels(found.answers[0].best)) for o in (one, under))
    return say("identify-under", phase=phase, larger=larger)


def _hint(found: Identified) -> Iterator[str]:
    """What would help where phases of other elements look alike."""
    answer = found.answers[0]
    if not found.restricted and any(_others(answer, one) for one in found.phases):
        yield say("identify-elements")


def _unknown(found: Identified, one: Component) -> Iterator[str]:
    best = found.answers[0].best
    label = labels(best)[one.phase.name]
    names = say("identify-or").join(one.alike)
    sure = "@tentative" if tentative(found, one) else "@there"
    yield say(
        f"identify-{one.kind}",
        name=f" ({label})" if label != one.kind else "",
        share=percent(one),
        sure=f"{sure}|{chance_of(found, one)}",
        alike=f"@like|{names}" if names else "@like-nothing",
        **{value.symbol: _value(value) for value in one.values},
    )
    for place in other_places(found.spectrum, best, best.phases.index(one.phase)):
        pairs = zip(one.values, place.values.tolist(), strict=True)
        values = ", ".join(f"{v.symbol} {x:.2f} {UNITS[v.symbol]}" for v, x in pairs)
        odds = f"{place.odds:.2g}"
        yield say("identify-elsewhere", name=label, values=values, odds=odds)


def _value(value: Value) -> str:
    return f"{plus_minus(value.value, value.sd)} {UNITS[value.symbol]}"


def _texture(found: Identified) -> Iterator[str]:
    best = found.answers[0].best
    place = best.layout.texture
    ratio, sd = best.theta[place], float(np.sqrt(best.covariance[place, place]))
    magnetic = any(s.kind == "sextet" for p in best.phases for s in p.sites)
    if magnetic and abs(ratio - TEXTURE[0]) > max(0.1, 3.0 * sd):
        yield say("identify-texture", ratio=f"{ratio:.2f}")


def _baseline(found: Identified) -> Iterator[str]:
    """A baseline that is surely not flat."""
    best = found.answers[0].best
    values, sds = best.theta[best.layout.base], best.deviations[best.layout.base]
    if (np.abs(values) > CLEAR * sds).any():
        words = (
            plus_minus(100.0 * v, 100.0 * s) for v, s in zip(values, sds, strict=True)
        )
        slope, bend = (f"{text} %" for text in words)
        yield say("identify-baseline", slope=slope, bend=bend)


def _thickness(found: Identified) -> Iterator[str]:
    kappa, sd, lost = saturation(found.answers[0].best)
    if kappa > 3.0 * sd and lost > LOST:
        yield say("identify-thick", lost=f"{100.0 * lost:.0f} %")


def _left(found: Identified) -> str:
    best = found.answers[0].best
    total, freedom = misfit(best)
    tail = float(chi2.sf(total, freedom))
    words = {"chi2": f"{total:.0f}", "freedom": str(freedom), "tail": _tail(tail)}
    if tail > CHANCE:
        return say("identify-noise" if tail > HARDLY else "identify-hardly", **words)
    # five channels together: a line, not a stray count
    off = (found.spectrum.counts - best.curve) / np.sqrt(best.curve)
    summed = np.convolve(off, np.ones(5), mode="same")
    place = int(np.argmax(np.abs(summed)))
    near = slice(max(place - 2, 0), place + 3)
    share = np.sum(found.spectrum.counts[near]) / np.sum(best.curve[near]) - 1.0
    return say(
        "identify-left",
        velocity=f"{found.measured.axis[place]:.1f}",
        depth=f"{100.0 * abs(share):.2g} %",
        side="@missing" if share < 0.0 else "@too-many",
        **words,
    )


def _tail(chance: float) -> str:
    """A tail probability as one in so many."""
    return f"{chance:.2f}" if chance >= 0.095 else f"{chance:.1g}"
