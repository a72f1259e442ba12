"""Running the parts of a file, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from specfit import pipeline
from specfit.analysing import run_analysis
from specfit.checking import Checked
from specfit.contracts import Measurement, Progress, Run
from specfit.diagnostics import SpecError
from specfit.features import AnalysisRun
from specfit.inference import NonFiniteStart
from specfit.inference.journal import Journal
from specfit.model import ir
from specfit.rendering import message
from specfit.study.found import with_found
from specfit.study.order import Part, parts_of

STOPPED = "not run: the study was stopped before"
"""Why a part has no run after the user interrupted another."""
Names = Callable[[str], Progress | None]
"""The progress of a part by its name."""


@dataclass(frozen=True)
class Done:
    """A part after its run; `run` is None where it could not begin, `reason` says why."""

    part: Part
    run: Run | AnalysisRun | None
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
    stopped = False
    for part in parts_of(checked.require()):
        if stopped:
            done[part.name] = Done(part, None, STOPPED)
            continue
        done[part.name] = _done(part, done, checked, options, names, journal)
        keep(done[part.name])
        stopped = interrupted(done[part.name])
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
    progress = names(part.name)
    own = replace(options, part=part.name)
    try:
        if part.analysis:
            return Done(part, _analysed(part, before, checked, options, progress))
        given = _given(part, before, checked)
        run = pipeline.run(checked, own, progress, journal.part(part.name), given)
        return Done(part, run)
    except NonFiniteStart as error:
        return Done(part, None, str(error))
    except SpecError as error:
        return Done(part, None, _told(error))


def _told(error: SpecError) -> str:
    """What is at fault with a part, found only when it was run."""
    said = [message(one.code, dict(one.words), "en") for one in error.diagnostics]
    return "; ".join(text for text in said if text) or "a fault in the file"


def _analysed(
    part: Part,
    before: Mapping[str, Done],
    checked: Checked,
    options: pipeline.Options,
    progress: Progress | None,
) -> AnalysisRun:
    document = checked.require()
    analysis = next(one for one in document.analyses if one.name == part.name)
    seed = document.run.seed if options.seed is None else options.seed
    table = _table(analysis.source, part, before, checked) if part.rests_on else None
    return run_analysis(checked, analysis, seed, progress, table)


def _given(
    part: Part, before: Mapping[str, Done], checked: Checked
) -> tuple[Measurement, ...] | None:
    """The table of what other parts found; None of a part that rests on none."""
    if not part.rests_on:
        return None
    models = checked.require().models
    model = next(one for one in models if one.name == part.name)
    return (_table(model.sources[0], part, before, checked),)


def _table(
    source: ir.DataSource, part: Part, before: Mapping[str, Done], checked: Checked
) -> Measurement:
    (measured,) = pipeline.measured((source,), checked)
    runs = {name: before[name].run for name in part.rests_on}
    found = {name: run for name, run in runs.items() if isinstance(run, Run)}
    return with_found(source, measured, found)


def interrupted(done: Done) -> bool:
    """Whether the user stopped the part before its end."""
    return isinstance(done.run, Run) and bool(done.run.fit.settings.get("interrupted"))
