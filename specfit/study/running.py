"""Running the parts of a file, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from specfit import pipeline
from specfit.checking import Checked
from specfit.contracts import Progress, Run
from specfit.inference import NonFiniteStart
from specfit.inference.journal import Journal
from specfit.study.order import Part, parts_of

Names = Callable[[str], Progress | None]
"""The progress of a part by its name."""


@dataclass(frozen=True)
class Done:
    """A part after its run; `run` is None where it could not begin, `reason` says why."""

    part: Part
    run: Run | None
    reason: str = ""

    @property
    def outcome(self) -> str:
        """The verdict of the run."""
        return self.run.verdict.outcome if self.run else "not_converged"


@dataclass(frozen=True)
class Study:
    """All parts of a file, run."""

    parts: tuple[Done, ...]


def run(
    checked: Checked,
    options: pipeline.Options,
    names: Names,
    journal: Journal,
    keep: Callable[[Done], None],
) -> Study:
    """Every part of a checked file; `keep` is told of each as soon as it is done.

    A part that rests on one without an answer is not run: it would have no data.
    """
    done: dict[str, Done] = {}
    for part in parts_of(checked.require()):
        done[part.name] = _done(part, done, checked, options, names, journal)
        keep(done[part.name])
        if interrupted(done[part.name]):
            break
    return Study(tuple(done.values()))


def _done(
    part: Part,
    before: Mapping[str, Done],
    checked: Checked,
    options: pipeline.Options,
    names: Names,
    journal: Journal,
) -> Done:
    missing = [n for n in part.rests_on if before[n].outcome == "not_converged"]
    if missing:
        return Done(part, None, f"it rests on {', '.join(missing)}, without an answer")
    own, progress = replace(options, part=part.name), names(part.name)
    try:
        return Done(part, pipeline.run(checked, own, progress, journal.part(part.name)))
    except NonFiniteStart as error:
        return Done(part, None, str(error))


def interrupted(done: Done) -> bool:
    """Whether the user stopped the part before its end."""
    return bool(done.run and done.run.fit.settings.get("interrupted"))
