"""`specfit run`: find, judge, report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specfit import exits
from specfit.checking import Checked
from specfit.commands import analyse, keeping
from specfit.commands import map as maps
from specfit.commands.common import Reporter, named, sampling, say, show_diagnostics
from specfit.commands.compiled import compile_cache
from specfit.commands.study import run_study, several
from specfit.contracts import Progress, Run
from specfit.diagnostics import Diagnostic, SpecError
from specfit.inference.journal import Journal

if TYPE_CHECKING:
    from specfit.pipeline import Options
    from specfit.report.painter import Painter


def prepare_device(device: str) -> None:
    """Choose the device and the compile cache; must come before JAX is imported."""
    if device != "auto":
        os.environ["JAX_PLATFORMS"] = "cuda" if device == "gpu" else "cpu"
    cache = compile_cache()
    if cache is not None:
        _keep_programs(cache)
    if device == "gpu":
        _require_gpu()


def _require_gpu() -> None:
    import jax

    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:  # which, depends on its version
        raise SpecError([Diagnostic("no-gpu")]) from error


def _keep_programs(cache: Path) -> None:
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache))
    os.environ.setdefault("SPECFIT_PROGRAMS", str(cache.parent / "programs"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


def run(arguments: argparse.Namespace) -> int:
    """Run one .spec file; the exit code is its verdict."""
    from specfit import pipeline

    checked = pipeline.check_with_data(arguments.file, arguments.allow_outside)
    show_diagnostics(checked.diagnostics, checked.texts)
    if checked.errors:
        return exits.FAULT
    if (asked := maps.only_map(checked)) is not None:
        prepare_device(arguments.device)
        return maps.run(arguments, checked, asked)
    if (analysis := analyse.only_analysis(checked)) is not None:
        return analyse.run(arguments, checked, analysis)
    return _run_model(arguments, checked)


def _run_model(arguments: argparse.Namespace, checked: Checked) -> int:
    """The same of the models of a file."""
    from specfit import inference
    from specfit.report.writing import refuse_foreign

    prepare_device(arguments.device)
    inference.use_cores()
    options = replace(sampling(arguments), variant=arguments.variant)
    folder = arguments.out or Path("runs") / arguments.file.stem
    refuse_foreign(folder)
    who = keeping.identity(checked, asdict(options))
    if (code := _left_alone(arguments, folder, who)) is not None:
        return code
    if options.variant is None and several(checked):
        return run_study(arguments, checked, options, folder, who)
    return _run_one(arguments, checked, options, folder, who)


def _run_one(
    arguments: argparse.Namespace,
    checked: Checked,
    options: Options,
    folder: Path,
    who: Mapping[str, Any],
) -> int:
    """Run the only model of a file, or one of its variants."""
    from specfit import report

    reporter = None if arguments.quiet else Reporter()
    try:
        with (
            keeping.journal(folder, who, arguments.resume, arguments.file) as journal,
            keeping.stoppable(reporter) as progress,
            report.painter() as painter,
        ):
            work = partial(_found, checked, options, progress, journal)
            done = _written(work, keeping.digest(who), folder, progress, painter)
    except KeyboardInterrupt:
        print(f"\n{say('stopped')}", file=sys.stderr)
        return exits.INTERRUPTED
    finally:
        if reporter:
            reporter.close()
    if done is None:
        return exits.NOT_CONVERGED
    _show(done, folder, arguments.json)
    if _interrupted(done):
        print(f"\n{say('stopped')}", file=sys.stderr)
        return exits.INTERRUPTED
    return exits.VERDICTS[done.verdict.outcome]


def _left_alone(
    arguments: argparse.Namespace, folder: Path, who: Mapping[str, Any]
) -> int | None:
    """The exit code of a finished run, asked to go on; None where there is work to do."""
    from specfit.commands.finished import finished

    if not arguments.resume or (keeping.place(folder) / "identity.json").exists():
        return None
    verdict = finished(folder, keeping.digest(who))
    if verdict is None:
        return None
    print(say("resume-finished", folder=str(folder)), file=sys.stderr)
    if arguments.json:
        print((folder / "result.json").read_text(encoding="utf-8").rstrip())
    else:
        print(folder / "report.html")
    return exits.VERDICTS[verdict]


def _written(
    work: Callable[[], Run],
    identity: str,
    folder: Path,
    progress: Progress,
    painter: Painter | None,
) -> Run | None:
    """The run, its folder written; None where it cannot start, and the folder says so."""
    from specfit import inference, report
    from specfit.report.writing import write_refusal

    beside = keeping.place(folder)
    try:
        done = work()
    except inference.NonFiniteStart as error:
        write_refusal(folder, str(error), beside)
        print(f"error: {error}", file=sys.stderr)
        keeping.finished(folder)
        return None
    progress("report", 0.0, "")
    if not _interrupted(done):
        done = replace(done, identity=identity)
    report.write(done, folder, beside, painter)
    if not _interrupted(done):
        keeping.finished(folder)
    return done


def _found(
    checked: Checked, options: Options, progress: Progress, journal: Journal
) -> Run:
    from specfit import pipeline

    if checked.require().counts and not options.variant:
        from specfit import comparison

        return comparison.numbered(
            checked, options, lambda name: named(progress, name), journal
        )
    if any(r.compare for r in checked.require().reports) and not options.variant:
        from specfit import comparison

        return comparison.compared(
            checked, options, lambda name: named(progress, name), journal
        )
    return pipeline.run(checked, options, progress, journal)


def _interrupted(done: Run) -> bool:
    return bool(done.fit.settings.get("interrupted"))


def _show(done: Run, folder: Path, as_json: bool) -> None:
    from specfit import report

    if as_json:
        print((folder / "result.json").read_text(encoding="utf-8"))
    else:
        print(report.terminal(done))
        print(f"\n{folder / 'report.html'}")
