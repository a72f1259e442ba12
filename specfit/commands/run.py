"""`specfit run`: find, judge, report."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path

from specfit import exits
from specfit.checking import Checked
from specfit.commands import keeping
from specfit.commands.common import Reporter, named, say, show_diagnostics
from specfit.contracts import Progress, Run


def prepare_device(device: str) -> None:
    """Choose the device and the compile cache; must come before JAX is imported."""
    if device != "auto":
        os.environ["JAX_PLATFORMS"] = "cuda" if device == "gpu" else "cpu"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = Path(base) / "specfit" / "xla"
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return  # a read-only home only costs the compile time
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
    prepare_device(arguments.device)
    from specfit import inference
    from specfit.report.writing import write_refusal

    inference.use_cores()
    folder = arguments.out or Path("runs") / arguments.file.stem
    _writable(folder)
    reporter = None if arguments.quiet else Reporter()
    try:
        with keeping.stoppable(reporter) as progress:
            done = _found(checked, arguments, folder, progress)
    except inference.NonFiniteStart as error:
        write_refusal(folder, str(error))
        keeping.finished(folder)
        print(f"error: {error}", file=sys.stderr)
        return exits.NOT_CONVERGED
    except KeyboardInterrupt:
        print(f"\n{say('stopped')}", file=sys.stderr)
        return exits.INTERRUPTED
    finally:
        if reporter:
            reporter.close()
    _show(done, folder, arguments.json)
    if done.fit.settings.get("interrupted"):
        print(f"\n{say('stopped')}", file=sys.stderr)
        return exits.INTERRUPTED
    keeping.finished(folder)
    return exits.VERDICTS[done.verdict.outcome]


def _found(
    checked: Checked, arguments: argparse.Namespace, folder: Path, progress: Progress
) -> Run:
    from specfit import comparison, pipeline, report

    options = pipeline.Options(
        seed=arguments.seed,
        chains=arguments.chains,
        draws=arguments.draws,
        warmup=arguments.warmup,
        variant=arguments.variant,
    )
    threading.Thread(target=report.ready).start()
    who = keeping.identity(checked, asdict(options))
    journal = keeping.journal(folder, who, arguments.resume, arguments.file)
    if checked.require().counts and not arguments.variant:
        done = comparison.numbered(
            checked, options, lambda name: named(progress, name), journal
        )
    else:
        done = pipeline.run(checked, options, progress, journal)
    progress("report", 0.0, "")
    report.write(done, folder)
    return done


def _show(done: Run, folder: Path, as_json: bool) -> None:
    from specfit import report

    if as_json:
        print((folder / "result.json").read_text(encoding="utf-8"))
    else:
        print(report.terminal(done))
        print(f"\n{folder / 'report.html'}")


def _writable(folder: Path) -> None:
    """Fail before the work, not after it, where the run folder cannot be made."""
    from specfit.report.writing import refuse_foreign

    refuse_foreign(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    probe = tempfile.mkdtemp(prefix=".specfit-", dir=folder.parent)
    shutil.rmtree(probe)
