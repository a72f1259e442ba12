"""`specfit run` of a file whose model is a factorisation of a map."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from specfit import exits
from specfit.checking import Checked
from specfit.commands.common import Reporter, say
from specfit.diagnostics import Diagnostic, Span, SpecError
from specfit.model import ir
from specfit.model.factorising import Factorising


def only_map(checked: Checked) -> Factorising | None:
    """The factorisation of a file, None where it holds other models."""
    document: ir.Document[ir.Prior] = checked.require()
    return document.maps[0] if document.maps else None


_SAMPLING = ("variant", "chains", "draws", "warmup")
"""Options of models that are sampled; a factorisation is not."""


def run(arguments: argparse.Namespace, checked: Checked, asked: Factorising) -> int:
    """Do it, write its folder, say what was found; the exit code is its verdict."""
    from specfit.report.writing import refuse_foreign

    given = [f"--{x}" for x in _SAMPLING if getattr(arguments, x) is not None]
    if given:
        fault = Diagnostic("map-options", words={"options": ", ".join(given)})
        raise SpecError([fault], checked.texts)
    folder = arguments.out or Path("runs") / arguments.file.stem
    refuse_foreign(folder)
    if arguments.resume:
        print(say("map-anew"), file=sys.stderr)
    if arguments.seed is not None:
        settings = asked.run.model_copy(update={"seed": arguments.seed})
        asked = asked.model_copy(update={"run": settings})
    reporter = None if arguments.quiet else Reporter()
    try:
        with _stoppable():
            return _written(arguments, checked, asked, folder, reporter)
    except KeyboardInterrupt:
        print(f"\n{say('map-stopped')}", file=sys.stderr)
        return exits.INTERRUPTED


def _written(
    arguments: argparse.Namespace,
    checked: Checked,
    asked: Factorising,
    folder: Path,
    reporter: Reporter | None,
) -> int:
    from specfit.mapping import run_map
    from specfit.maps.found import MapError
    from specfit.report.maps.result import result_of
    from specfit.report.maps.terminal import terminal
    from specfit.report.maps.writing import write_map

    try:
        done = run_map(checked, asked, reporter)
        if reporter:
            reporter("report", 0.0, "")
        write_map(done, folder)
    except MapError as error:
        span = Span(asked.place.file, asked.place.start, asked.place.end)
        fault = Diagnostic("map-refused", span, {"why": str(error)})
        raise SpecError([fault], checked.texts) from error
    finally:
        if reporter:
            reporter.close()
    if arguments.json:
        print((folder / "result.json").read_text(encoding="utf-8").rstrip())
    else:
        print(f"{terminal(done, result_of(done))}\n\n{folder / 'report.html'}")
    return exits.VERDICTS[done.verdict.outcome]


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM stops as Ctrl-C does: at once, for a map has no step that is kept."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # outside the main thread there are no signals to handle
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
