"""An identification told: as text, as a record for scripts, as a picture, as a .spec."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scipy.stats import chi2

from specfit.commands.common import say
from specfit.commands.remarked import (
    UNITS,
    called,
    foot,
    percent,
    plus_minus,
    remarks,
)
from specfit.contracts import Measurement
from specfit.identify import Answer, PhasePattern, Ranking, Spectrum
from specfit.identify.findings import Component, components, dips, misfit, saturation
from specfit.identify.mixture import Mixture
from specfit.identify.order import labels
from specfit.identify.presence import presence
from specfit.identify.proposal import spec_text
from specfit.identify.unknown import is_unknown
from specfit.model import ir
from specfit.report.figures.phases import Identified as Picture
from specfit.text import pad, width

if TYPE_CHECKING:
    from specfit.checking import Checked

MARK = "# Written by `specfit identify`"
"""What the .spec begins with; no other file of its name is written over."""
SHOWN = 5
"""Answers listed at most."""


@dataclass(frozen=True)
class Identified:
    """What was found in a spectrum, the most probable answer first; none without dips."""

    source: ir.DataSource
    measured: Measurement
    considered: tuple[PhasePattern, ...]
    spectrum: Spectrum
    ranking: Ranking
    restricted: bool  # whether the user said which phases or elements to consider

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """The sets gathered to answers, the most probable first."""
        return self.ranking.answers()

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

    @cached_property
    def said(self) -> list[str]:
        """What to mind of the best answer, and what is left of the spectrum."""
        return remarks(self)

    @cached_property
    def chances(self) -> dict[str, float]:
        """Of everything in the best set, the probability that it is there, by name."""
        return presence(self.ranking, self.answers[0])


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
    return "\n".join([seen, "", *_table(found), *foot(found), "", *found.said])


def _table(found: Identified) -> Iterator[str]:
    head = ["", say("identify-answer"), "χ²", say("identify-share")]
    rows = [head]
    for number, answer in enumerate(found.answers[:SHOWN], start=1):
        parts = components(answer.best, found.considered)
        names = labels(answer.best)
        shares = ", ".join(f"{called(one, names)} {percent(one)}" for one in parts)
        chance = f"{answer.probability:.3f}"
        rows.append([str(number), chance, f"{misfit(answer.best)[0]:.0f}", shares])
    sizes = [max(width(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        cells = [pad(c, n, right=True) for c, n in zip(row, sizes, strict=False)]
        yield "   ".join([*cells, row[3]]).rstrip()
        if row is head:
            yield "─" * 78


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
        "remarks": found.said if found.answers else [say("identify-empty")],
    }


def _answer(found: Identified, answer: Answer) -> dict[str, Any]:
    total, freedom = misfit(answer.best)
    chances = presence(found.ranking, answer)
    return {
        "probability": answer.probability,
        "log_evidence": answer.best.log_evidence,
        "chi2": total,
        "degrees_of_freedom": freedom,
        "tail_probability": float(chi2.sf(total, freedom)),
        "baseline": dict(zip(("slope", "curvature"), _baseline(answer), strict=True)),
        "phases": [
            _component(answer, one, chances[one.phase.name])
            for one in components(answer.best, found.considered)
        ],
    }


def _baseline(answer: Answer) -> list[dict[str, float]]:
    place = answer.best.layout.base
    pairs = zip(answer.best.theta[place], answer.best.deviations[place], strict=True)
    return [{"value": float(value), "sd": float(sd)} for value, sd in pairs]


def _component(answer: Answer, one: Component, chance: float) -> dict[str, Any]:
    return {
        "name": one.kind or one.phase.name,
        "title": one.phase.title,
        "in_database": not one.kind,
        "share": one.share,
        "share_sd": one.share_sd,
        "probability": chance,
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
    called_so = labels(best)
    names = [f"{called(one, called_so)}   {percent(one)}" for one in found.best]
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
    best = found.answers[0].best
    said = [f"{MARK[2:]} from {checked.path.name}.", *found.said, *_not_said(best)]
    names = ", ".join(called(one, labels(best)) for one in found.best)
    order = [one.phase for one in found.best]
    left = [p for p in order if not is_unknown(p)] + [p for p in order if is_unknown(p)]
    return spec_text(names, source, found.source.data, best, left, said, say)


def _not_said(best: Mixture) -> list[str]:
    """In what the .spec is not the model that was fitted."""
    kappa, sd, lost = saturation(best)
    thick = say(
        "identify-spec-thin", kappa=plus_minus(kappa, sd), lost=f"{100.0 * lost:.1f} %"
    )
    others = ("identify-spec-areas", "identify-spec-records")
    return [say("identify-spec-same"), thick, *(say(code) for code in others)]
