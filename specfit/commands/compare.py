"""`specfit compare`: several models of the same data, ranked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from specfit import exits
from specfit.commands import keeping
from specfit.commands.common import Reporter, named, sampling, say, show_diagnostics
from specfit.commands.run import prepare_device
from specfit.contracts import Progress, Run
from specfit.inference.journal import Journal
from specfit.text import pad, width

if TYPE_CHECKING:
    from specfit.comparison import Comparison, Contender, Entry
    from specfit.pipeline import Options

LINE = 88
RECORD = "comparison.json"
PARTS = ("texts", "data")
"""What each model of a comparison has of its own."""


def compare(arguments: argparse.Namespace) -> int:
    """Rank the models of the files and their variants; exit 3 where nothing is ranked."""
    prepare_device(arguments.device)
    from specfit import comparison, inference
    from specfit.report.writing import refuse_foreign

    inference.use_cores()
    found = comparison.contenders(arguments.files, arguments.allow_outside)
    for checked in {id(c.checked): c.checked for c in found}.values():
        show_diagnostics(checked.diagnostics, checked.texts)
    folder = arguments.out or Path("runs") / f"{arguments.files[0].stem}.compare"
    for contender in found:
        refuse_foreign(folder / _folder(contender.name))
    options = sampling(arguments)
    who = _identity(found, options)
    reporter = None if arguments.quiet else Reporter()
    try:
        with (
            keeping.journal(folder, who, arguments.resume, arguments.files[0]) as kept,
            keeping.stoppable(reporter) as progress,
        ):
            ranked = _ranked(found, options, folder, progress, kept)
    except KeyboardInterrupt:
        print(f"\n{say('stopped')}", file=sys.stderr)
        return exits.INTERRUPTED
    except inference.NonFiniteStart as error:
        print(f"error: {error}", file=sys.stderr)
        return exits.NOT_CONVERGED
    finally:
        if reporter:
            reporter.close()
    record = (folder / RECORD).read_text(encoding="utf-8").rstrip("\n")
    print(record if arguments.json else f"{table(ranked)}\n\n{folder}")
    return exits.ACCEPTED if len(ranked.ranked) > 1 else exits.NOT_CONVERGED


def _identity(found: Sequence[Contender], options: Options) -> dict[str, Any]:
    """What decides the bits of a comparison: that of each of its models, in order."""
    each = {c.name: keeping.identity(c.checked, asdict(options)) for c in found}
    whole = dict(next(iter(each.values())))
    several = {part: {n: who[part] for n, who in each.items()} for part in PARTS}
    return whole | several | {"models": list(each)}


def _ranked(
    found: Sequence[Contender],
    options: Options,
    folder: Path,
    progress: Progress,
    journal: Journal,
) -> Comparison:
    """The comparison, everything of it written."""
    from specfit import comparison, report
    from specfit.report.writing import write_refusal, write_text

    def keep(contender: Contender, run: Run) -> None:
        place = folder / _folder(contender.name)
        report.write(run, place, keeping.place(folder))

    ranked = comparison.compare(
        found, options, lambda name: named(progress, name), journal, keep
    )
    for entry in ranked.entries:
        if entry.failure:
            place = folder / _folder(entry.name)
            write_refusal(place, entry.failure, keeping.place(folder))
    record = json.dumps(as_record(ranked), ensure_ascii=False, indent=2)
    write_text(folder / RECORD, record)
    keeping.finished(folder)
    return ranked


def _folder(name: str) -> str:
    """The run folder of a model."""
    return name.replace(":", ".").replace("/", "_")


def as_record(ranked: Comparison) -> dict[str, Any]:
    """The comparison as plain values, for scripts."""
    return {
        "schema_version": "1",
        "models": [_entry(ranked, entry) for entry in ranked.entries],
        "conclusion": ranked.words(),
    }


def _reasons(entry: Entry) -> str:
    """Why a model that ran is not accepted; empty where it is."""
    return "; ".join(entry.run.verdict.reasons) if entry.run else ""


def _entry(ranked: Comparison, entry: Entry) -> dict[str, Any]:
    behind, short = ranked.evidence_behind(entry), ranked.prediction_behind(entry)
    found = entry.loo
    return {
        "name": entry.name,
        "model_hash": entry.run.model.digest() if entry.run else None,
        "verdict": entry.outcome,
        "reason": entry.failure or _reasons(entry),
        "log_evidence": _pair(entry.log_evidence),
        "log_evidence_difference": _pair(behind),
        "probability": ranked.probability(entry),
        "elpd_loo": _pair((found.elpd, found.error)) if found else None,
        "elpd_loo_difference": _pair(short),
        "effective_parameters": found.parameters if found else None,
        "unreliable_channels": found.unreliable if found else None,
    }


def _pair(value: tuple[float, float] | None) -> dict[str, float] | None:
    return None if value is None else {"value": value[0], "sd": value[1]}


def table(ranked: Comparison) -> str:
    """The comparison for people: a table, what follows from it, what to mind."""
    header = ["", "log-evidence", "behind", "probability", "LOO", "behind", "verdict"]
    rows = [header, *(_row(ranked, entry) for entry in ranked.entries)]
    sizes = [max(width(row[i]) for row in rows) for i in range(len(header))]
    lines = [
        "   ".join(
            pad(cell, size, right=0 < i < len(row) - 1)
            for i, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ).rstrip()
        for row in rows
    ]
    rule = "─" * max(width(line) for line in lines)
    return "\n".join([lines[0], rule, *lines[1:], "", *_remarks(ranked)])


def _row(ranked: Comparison, entry: Entry) -> list[str]:
    probability = ranked.probability(entry)
    return [
        entry.name,
        _value(entry.log_evidence),
        _value(ranked.evidence_behind(entry)),
        "–" if probability is None else f"{probability:.3f}",
        "–" if entry.loo is None else f"{entry.loo.elpd:.1f}",
        _value(ranked.prediction_behind(entry)),
        entry.outcome.replace("_", " "),
    ]


def _value(pair: tuple[float, float] | None) -> str:
    if pair is None:
        return "–"
    value, sd = pair
    return "0" if value == 0.0 and sd == 0.0 else f"{value:.2f} ± {sd:.2f}"


def _remarks(ranked: Comparison) -> list[str]:
    lines = [ranked.words(), *ranked.failures]
    for entry in ranked.entries:
        if entry.run is None:
            continue
        if entry.loo is None:
            why = entry.reason
            lines.append(f"{entry.name} did not converge and is not ranked: {why}.")
        elif entry.log_evidence is None:
            lines.append(f"{entry.name} has no log-evidence: {entry.reason}.")
        if entry.loo and entry.loo.unreliable:
            lines.append(
                f"LOO of {entry.name} is uncertain: Pareto k above 0.7 in "
                f"{entry.loo.unreliable} channels."
            )
        if entry.run.verdict.outcome == "rejected":
            lines.append(f"{entry.name} is rejected: {entry.run.verdict.reasons[0]}")
    return [part for line in lines for part in wrap(line, LINE, break_on_hyphens=False)]
