"""`specfit run` of a file of several parts: each run, judged and written, then joined."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specfit import exits
from specfit.checking import Checked
from specfit.commands import keeping
from specfit.commands.common import Reporter, named, say
from specfit.contracts import Progress
from specfit.inference.journal import Journal
from specfit.record import Clock, versions

if TYPE_CHECKING:
    from specfit.pipeline import Options
    from specfit.report.study import Told
    from specfit.study import Done


def several(checked: Checked) -> bool:
    """Whether a file has more than one part."""
    from specfit import study

    return len(study.parts_of(checked.require())) > 1


def run_study(
    arguments: argparse.Namespace,
    checked: Checked,
    options: Options,
    folder: Path,
    who: Mapping[str, Any],
) -> int:
    """Run every part; the exit code is that of the worst verdict."""
    from specfit import study

    reporter = None if arguments.quiet else Reporter()
    try:
        with (
            keeping.journal(folder, who, arguments.resume, arguments.file) as journal,
            keeping.stoppable(reporter) as progress,
        ):
            joined, found = _written(
                checked, options, folder, keeping.digest(who), progress, journal
            )
    except KeyboardInterrupt:
        print(f"\n{say('stopped')}", file=sys.stderr)
        return exits.INTERRUPTED
    finally:
        if reporter:
            reporter.close()
    if arguments.json:
        print(json.dumps(joined, ensure_ascii=False, indent=2))
    else:
        print(f"{_table(joined, _scores(found))}\n\n{folder / 'report.html'}")
    if any(study.interrupted(done) for done in found):
        print(f"\n{say('stopped')}", file=sys.stderr)
        return exits.INTERRUPTED
    return exits.VERDICTS[joined["verdict"]]


def _written(
    checked: Checked,
    options: Options,
    folder: Path,
    identity: str,
    progress: Progress,
    journal: Journal,
) -> tuple[dict[str, Any], Sequence[Done]]:
    """The joined result, everything of it written; and the parts that were run."""
    from specfit import study
    from specfit.report.study import Head, study_folder

    clock, started = Clock(progress), datetime.now(UTC).isoformat(timespec="seconds")
    with study_folder(folder, keeping.place(folder)) as place:

        def keep(done: Done) -> None:
            if done.run is not None:
                _keep(done, place.part(done.part.name))

        found = study.run(
            checked, options, lambda name: named(progress, name), journal, keep
        )
        progress("report", 0.0, "")
        stopped = any(study.interrupted(done) for done in found.parts)
        head = Head(
            title=checked.require().title or checked.path.stem,
            spec=checked.text,
            spec_file=checked.path.name,
            started=started,
            seconds=clock.total(),
            identity="" if stopped else identity,
            versions=versions(),
        )
        joined = place.close(head, list(map(_told, found.parts)))
    if not stopped:
        keeping.finished(folder)
    return joined, found.parts


def _told(done: Done) -> Told:
    from specfit.report.study import Told

    part = done.part
    return Told(part.name, part.title, part.kind, part.rests_on, done.reason)


def _keep(done: Done, place: Path) -> None:
    from specfit.contracts import Run
    from specfit.report.regression.writing import fill_analysis
    from specfit.report.writing import fill

    assert done.run is not None
    if isinstance(done.run, Run):
        fill(done.run, place)
    else:
        fill_analysis(done.run, place)


def _scores(parts: Sequence[Done]) -> list[str]:
    """What the methods of each analysis have."""
    from specfit.features import AnalysisRun
    from specfit.report.regression.terminal import scores

    return [
        f"{done.part.name}\n{scores(done.run)}\n"
        for done in parts
        if isinstance(done.run, AnalysisRun)
    ]


def _table(joined: Mapping[str, Any], scores: Sequence[str]) -> str:
    """The verdicts, part by part, and the scores of analyses."""
    from specfit.report.terminal import WORDS, aligned

    rows = [["", "kind", "rests on", "verdict", "seconds"]]
    for part in joined["parts"]:
        seconds = joined["timings_s"].get(part["name"])
        rows.append(
            [
                part["name"],
                part["kind"],
                ", ".join(part["rests_on"]) or "data",
                WORDS[part["verdict"]],
                "" if seconds is None else f"{seconds:.1f}",
            ]
        )
    reasons = [f"  · {why}" for why in joined["reasons"]]
    words = [joined["title"], "", *aligned(rows), "", *scores]
    words += [f"verdict: {WORDS[joined['verdict']]}", *reasons]
    return "\n".join(words)
