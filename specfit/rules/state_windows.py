"""The window of a site's valence, spin and coordination, stated or of its record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.model.lookup import record_for
from specfit.model.records import ClassRange, RecordError, class_ranges
from specfit.model.rule_library import limits, source_of
from specfit.model.thermal import DRIFT, FERROUS_DRIFT, isomer_shift_change
from specfit.rules.block import Block, Outcomes, graded, worst
from specfit.rules.draws import (
    DOUBT,
    IronSite,
    iron_sites,
    passed,
    shares,
    symbol_draws,
)

NAME = "state_windows"
SOURCE = source_of(NAME)
ANY = "any"
_UNITS = {"IS": "mm/s", "QS": "mm/s", "Bint": "T"}
Draws = Callable[[str], FloatArray | None]
Ends = tuple[float, float]


@dataclass(frozen=True)
class _Window:
    """The ends that a value of a site may have, and those it must have, if any."""

    symbol: str
    ends: Ends
    hard: Ends | None = None


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Flag values of sites outside the window of the ion they stand for."""
    found: list[Finding] = []
    seen = []
    for item in iron_sites(model):
        entry, except_for = state_of(item)
        if entry is None:
            continue
        seen.append(f"{item.name} ({entry.title})")
        draws = partial(symbol_draws, fit, model, item)
        for window in _windows(model, item, entry):
            value = _value(window.symbol, draws)
            if value is not None and window.symbol not in except_for:
                found += _judge_one(item, entry, window, value)
    if found or not seen:
        return found
    text = f"every site lies in the window of its state: {', '.join(seen)}"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found = []
    for item in iron_sites(block.model):
        entry, except_for = state_of(item)
        for window in _windows(block.model, item, entry) if entry else ():
            value = _value(window.symbol, partial(block.symbol, item))
            if value is not None and window.symbol not in except_for:
                outside, impossible = _shares(value, window)
                failed = impossible > 1.0 - DOUBT
                found.append(graded((outside > DOUBT) | failed, failed))
    return worst(block, found)


def state_of(item: IronSite) -> tuple[ClassRange | None, tuple[str, ...]]:
    """The class of iron that a site states to be, or else that of its record.

    And the symbols of which the record itself is known to lie outside its class.
    """
    key = item.site.settings.get("state", "")
    except_for: tuple[str, ...] = ()
    if not key and item.site.record and item.temperature is not None:
        try:
            state = record_for(item.site.record, item.temperature).states[0]
        except RecordError:  # no record of this phase at this temperature
            return None, ()
        key, except_for = state.class_range, state.outside_class
    return (None if key in ("", ANY) else class_ranges()[key]), except_for


def _windows(
    model: Model[Prior], item: IronSite, entry: ClassRange
) -> Iterator[_Window]:
    """The windows of a class at the temperature of a site."""
    known = limits(model, NAME)
    room = 295.0 if entry.T_K is None else entry.T_K
    at = room if item.temperature is None else item.temperature
    change, doubt, _ = isomer_shift_change(room, at)
    slack = doubt + known["slack_IS"]
    hard = _moved(entry.IS_hard, change, slack) if entry.IS_hard else None
    yield _Window("IS", _moved(entry.IS, change, slack), hard)
    ferrous = entry.oxidation_state == 2 and entry.spin.startswith("HS")
    drift = (FERROUS_DRIFT if ferrous else DRIFT) * abs(at - room)
    ends = _moved(entry.QS_abs, 0.0, known["slack_QS"] + drift)
    yield _Window("QS", ends if item.site.kind == "doublet" else (-np.inf, ends[1]))
    if entry.Bint_saturation:
        largest = entry.Bint_saturation[1] + known["slack_Bint"]
        yield _Window("Bint", (-np.inf, largest))


def _moved(ends: Ends, change: float, slack: float) -> Ends:
    return ends[0] + change - slack, ends[1] + change + slack


def _value(symbol: str, draws: Draws) -> FloatArray | None:
    """Draws of what the window speaks of: the QS of a class is a magnitude."""
    value = draws(symbol)
    return np.abs(value) if value is not None and symbol == "QS" else value


def _shares(value: FloatArray, window: _Window) -> tuple[FloatArray, FloatArray]:
    """Shares outside the window, and outside what the class cannot leave."""
    low, high = window.ends
    outside = shares((value < low) | (value > high))
    if window.hard is None:
        return outside, np.zeros_like(outside)
    low, high = window.hard
    return outside, shares((value < low) | (value > high))


def _judge_one(
    item: IronSite, entry: ClassRange, window: _Window, value: FloatArray
) -> list[Finding]:
    outside, impossible = map(float, _shares(value, window))
    failed = impossible > 1.0 - DOUBT
    if not failed and outside <= DOUBT:
        return []
    low, high = (window.hard or window.ends) if failed else window.ends
    unit = _UNITS[window.symbol]
    said = f"above {high:.3g} {unit}" if low == -np.inf or value.mean() > high else ""
    said = said or f"outside [{low:.2f}, {high:.2f}] {unit}"
    return [
        Finding(
            NAME,
            "physics",
            "failed" if failed else "warned",
            f"{window.symbol} of `{item.name}`, {value.mean():.3g} {unit}, lies {said}, "
            f"where {entry.title} is not known",
            probability=1.0 - (impossible if failed else outside),
            value=float(value.mean()),
            detail="another valence, spin or coordination; or the zero or the scale of "
            "the velocities",
            source=f"{SOURCE}; {', '.join(entry.sources)}, {entry.confidence}",
        )
    ]


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
