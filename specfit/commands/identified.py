"""An identification told: as text, as a record for scripts, as a picture, as a .spec."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import chi2

from specfit.commands.common import say
from specfit.contracts import Measurement
from specfit.identify import Answer, PhasePattern, Spectrum, is_unknown
from specfit.identify.appearance import TEXTURE
from specfit.identify.findings import Component, components, dips, misfit, saturation
from specfit.identify.proposal import spec_text
from specfit.model import ir
from specfit.report.figures.phases import Identified as Picture
from specfit.report.numbers import decimals, fixed
from specfit.text import pad, width

if TYPE_CHECKING:
    from specfit.checking import Checked

MARK = "# Written by `specfit identify`"
"""What the .spec begins with; no other file of its name is written over."""
SHOWN = 5
"""Answers listed at most."""
CHANCE = 1e-3
"""Probability of χ² below which the noise of counting does not explain the rest."""
LOST = 0.05
"""Share of the deepest dip that saturation takes, from which it is worth a word."""
UNITS = {"IS": "mm/s", "QS": "mm/s", "Bint": "T"}


@dataclass(frozen=True)
class Identified:
    """What was found in a spectrum, the most probable answer first; none without dips."""

    source: ir.DataSource
    measured: Measurement
    considered: tuple[PhasePattern, ...]
    spectrum: Spectrum
    answers: tuple[Answer, ...]
    restricted: bool  # whether the user said which phases or elements to consider

    @cached_property
    def best(self) -> tuple[Component, ...]:
        """Everything in the best set, the largest first."""
        if not self.answers:
            return ()
        return components(self.answers[0].best, self.considered)

    @property
    def phases(self) -> tuple[Component, ...]:
        """The phases of the database in the best set."""
        return tuple(one for one in self.best if not one.kind)


def text(found: Identified) -> str:
    """For people: the ranked answers, what to mind, what is left."""
    axis = found.measured.axis
    seen = say(
        "identify-seen",
        file=found.source.file,
        channels=str(axis.size),
        low=f"{axis[0]:.2f}",
        high=f"{axis[-1]:.2f}",
        temperature=f"{found.source.conditions['T']:g}",
        phases=str(len(found.considered)),
    )
    if not found.answers:
        return f"{seen}\n\n{say('identify-empty')}"
    return "\n".join([seen, "", *_table(found), "", *remarks(found)])


def _table(found: Identified) -> Iterator[str]:
    head = ["", say("identify-answer"), "χ²", say("identify-share")]
    rows = [head]
    for number, answer in enumerate(found.answers[:SHOWN], start=1):
        parts = components(answer.best, found.considered)
        shares = ", ".join(f"{_called(one)} {_percent(one)}" for one in parts)
        chance = f"{answer.probability:.3f}"
        rows.append([str(number), chance, f"{misfit(answer.best)[0]:.0f}", shares])
    sizes = [max(width(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        cells = [pad(c, n, right=True) for c, n in zip(row, sizes, strict=False)]
        yield "   ".join([*cells, row[3]]).rstrip()
        if row is head:
            yield "─" * 78


def _called(one: Component) -> str:
    return f"({one.kind})" if one.kind else one.phase.name


def _percent(one: Component) -> str:
    places = max(0, decimals(100.0 * one.share_sd))
    sd = fixed(100.0 * one.share_sd, places)
    return f"{fixed(100.0 * one.share, places)} ± {sd} %"


def remarks(found: Identified) -> list[str]:
    """What to mind of the best answer, and what is left of the spectrum."""
    said = []
    if not found.phases:
        said.append(say("identify-nothing"))
    for one in found.best:
        said += [_unknown(one)] if one.kind else list(_doubts(found, one))
    said += [_under(one) for one in found.best if one.under]
    return [*said, *_hint(found), *_texture(found), *_thickness(found), _left(found)]


def _doubts(found: Identified, one: Component) -> Iterator[str]:
    others = _others(found.answers[0], one)
    if others:
        words = say("identify-or").join(others)
        yield say("identify-alike", phase=one.phase.name, others=words)
    if one.phase.log_weight < 0.0:
        yield say(
            "identify-far",
            phase=one.phase.name,
            recorded=f"{one.phase.recorded:g}",
            temperature=f"{found.source.conditions['T']:g}",
        )
    for value in one.unlike:
        places = max(0, decimals(value.spread))
        yield say(
            "identify-unlike",
            phase=one.phase.name,
            site=value.site,
            symbol=value.symbol,
            unit=UNITS[value.symbol],
            value=fixed(value.value, places),
            recorded=fixed(value.recorded, places),
            spread=fixed(value.spread, places),
        )


def _others(answer: Answer, one: Component) -> list[str]:
    """The phases of the database that could stand in the place of one."""
    return [n for n in answer.stand_ins[one.phase.name] if not n.startswith("?")]


def _under(one: Component) -> str:
    assert one.under is not None
    larger = f"({one.under.sites[0].kind})" if is_unknown(one.under) else one.under.name
    return say("identify-under", phase=_called(one), larger=larger)


def _hint(found: Identified) -> Iterator[str]:
    """What would help where phases of other elements look alike."""
    answer = found.answers[0]
    if not found.restricted and any(_others(answer, one) for one in found.phases):
        yield say("identify-elements")


def _unknown(one: Component) -> str:
    names = say("identify-or").join(one.alike)
    alike = f"@like|{names}" if names else "@like-nothing"
    values = {v.symbol: f"{v.value:.2f}" for v in one.values}
    return say(f"identify-{one.kind}", share=_percent(one), alike=alike, **values)


def _texture(found: Identified) -> Iterator[str]:
    best = found.answers[0].best
    place = best.layout.texture
    ratio, sd = best.theta[place], float(np.sqrt(best.covariance[place, place]))
    magnetic = any(s.kind == "sextet" for p in best.phases for s in p.sites)
    if magnetic and abs(ratio - TEXTURE[0]) > max(0.1, 3.0 * sd):
        yield say("identify-texture", ratio=f"{ratio:.2f}")


def _thickness(found: Identified) -> Iterator[str]:
    kappa, sd, lost = saturation(found.answers[0].best)
    if kappa > 3.0 * sd and lost > LOST:
        yield say("identify-thick", lost=f"{100.0 * lost:.0f} %")


def _left(found: Identified) -> str:
    best = found.answers[0].best
    total, freedom = misfit(best)
    words = {"chi2": f"{total:.0f}", "freedom": str(freedom)}
    if chi2.sf(total, freedom) > CHANCE:
        return say("identify-noise", **words)
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


def record(found: Identified) -> dict[str, Any]:
    """The identification as plain values, for scripts."""
    return {
        "schema_version": "1",
        "verdict": "identified" if found.phases else "not_in_database",
        "data": {
            "file": found.source.file,
            "sha256": found.measured.sha256,
            "found": dict(found.measured.found),
        },
        "temperature_K": found.source.conditions["T"],
        "considered": [phase.name for phase in found.considered],
        "answers": [_answer(found, answer) for answer in found.answers],
        "remarks": remarks(found) if found.answers else [say("identify-empty")],
    }


def _answer(found: Identified, answer: Answer) -> dict[str, Any]:
    total, freedom = misfit(answer.best)
    return {
        "probability": answer.probability,
        "log_evidence": answer.best.log_evidence,
        "chi2": total,
        "degrees_of_freedom": freedom,
        "phases": [
            _component(answer, one) for one in components(answer.best, found.considered)
        ],
    }


def _component(answer: Answer, one: Component) -> dict[str, Any]:
    return {
        "name": one.kind or one.phase.name,
        "title": one.phase.title,
        "in_database": not one.kind,
        "share": one.share,
        "share_sd": one.share_sd,
        "stand_ins": list(answer.stand_ins[one.phase.name]),
        "alike": list(one.alike),
        "values": [
            {
                "site": v.site,
                "parameter": v.symbol,
                "unit": UNITS[v.symbol],
                "value": v.value,
                "sd": v.sd,
                "unlike_records": v.unlike and not one.kind,
            }
            for v in one.values
        ],
    }


def picture(found: Identified) -> Picture:
    """What the picture shows of the best answer."""
    best = found.answers[0].best
    alone = dips(found.spectrum, best)
    order = [best.phases.index(one.phase) for one in found.best]
    names = [f"{_called(one)}   {_percent(one)}" for one in found.best]
    return Picture(
        found.measured.axis, found.spectrum.counts, best.curve,
        best.curve + alone.sum(axis=0), alone[order], names,
    )  # fmt: skip


def proposal(found: Identified, checked: Checked) -> str:
    """The .spec of the best answer."""
    from specfit.language import tree

    assert checked.spec is not None
    (block,) = (
        one
        for one in checked.spec.items
        if isinstance(one, tree.Block) and one.keyword == "data"
    )
    source = checked.text[block.span.start : block.span.end]
    said = f"{MARK[2:]} from {checked.path.name}.\n" + "\n".join(remarks(found))
    names = ", ".join(_called(one) for one in found.best)
    order = [one.phase for one in found.best]
    left = [p for p in order if not is_unknown(p)] + [p for p in order if is_unknown(p)]
    return spec_text(names, source, found.source.data, left, said)
