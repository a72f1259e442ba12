"""`specfit batch`: one model, many files, one table; `specfit merge`: its shards as one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specfit import exits
from specfit.commands import keeping
from specfit.commands.common import Reporter, say, show_diagnostics
from specfit.commands.run import prepare_device
from specfit.diagnostics import Diagnostic, SpecError

if TYPE_CHECKING:
    from specfit.batching import Asked, BatchTable
    from specfit.checking import Checked

SHOWN = 10
"""Files listed on the terminal for each verdict that is not `accepted`."""


def batch(arguments: argparse.Namespace) -> int:
    """Fit every file; the exit code is 0 only where each was accepted."""
    prepare_device(arguments.device)
    from specfit import batching, inference, pipeline
    from specfit.batching import folder as target

    inference.use_cores()
    checked = pipeline.check(arguments.file, arguments.allow_outside)
    show_diagnostics(checked.diagnostics, checked.texts)
    if checked.errors:
        return exits.FAULT
    asked = _asked(arguments)
    shard = arguments.shard
    place = arguments.out or Path("runs") / _name(arguments.file, shard)
    target.refuse_foreign(place)
    who = _identity(checked, asked, shard)
    reporter = None if arguments.quiet else Reporter()
    try:
        with (
            keeping.journal(place, who, arguments.resume, arguments.file) as journal,
            keeping.stoppable(reporter) as progress,
        ):
            work = batching.work if arguments.dask is None else _distributed(arguments)
            shop = batching.Workshop(checked, asked)
            table, record = work(shop, shard, progress, journal)
            progress("write", 0.0, "")
            target.write(table, record, place)
            keeping.finished(place)
    except inference.NonFiniteStart as error:
        print(f"error: {error}", file=sys.stderr)
        return exits.NOT_CONVERGED
    except KeyboardInterrupt:
        print(f"\n{say('stopped')}", file=sys.stderr)
        return exits.INTERRUPTED
    finally:
        if reporter:
            reporter.close()
    return _end(table, place, arguments.json)


def _asked(arguments: argparse.Namespace) -> Asked:
    from specfit import batching, pipeline

    options = pipeline.Options(
        seed=arguments.seed,
        chains=arguments.chains,
        draws=arguments.draws,
        warmup=arguments.warmup,
    )
    files, parts = _files(arguments.files), arguments.shard[1]
    if parts > len(files):
        words = {"count": str(len(files)), "shards": str(parts)}
        raise SpecError([Diagnostic("batch-shards", words=words)])
    return batching.Asked(files, arguments.sample, options)


def _identity(checked: Checked, asked: Asked, shard: tuple[int, int]) -> dict[str, Any]:
    """What decides the bits of a batch, the files by size and time of change."""
    root = checked.path.resolve().parent
    named = {
        str(source.options["calibration"])
        for model in checked.require().models
        for source in model.sources
        if "calibration" in source.options
    }
    return keeping.identity(checked, asdict(asked.options)) | {
        "files": [(name, *_stamp(name)) for name in asked.files],
        "calibrations": [(name, *_stamp(str(root / name))) for name in sorted(named)],
        "sample": asked.sample,
        "shard": shard,
    }


def merge(arguments: argparse.Namespace) -> int:
    """The shards of one batch as one table."""
    from specfit.batching import folder as target

    place = arguments.out or Path("runs") / "merged.batch"
    target.refuse_foreign(place)
    table, record = target.merged(arguments.folders)
    target.write(table, record, place)
    return _end(table, place, arguments.json)


def _distributed(arguments: argparse.Namespace) -> Any:
    """`batching.cluster.work` on the cluster at the address, or on one of its own."""
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise SpecError([Diagnostic("dask-missing")]) from error
    from functools import partial

    from specfit.batching import cluster

    return partial(cluster.work, address=arguments.dask)


def _files(given: Sequence[Path]) -> tuple[str, ...]:
    """The files named, and those in the folders named, in the order of their names.

    Raises SpecError with every fault: one that is not there, named twice, a folder
    without files.
    """
    faults, found = [], []
    for path in given:
        if path.is_dir():
            inside = [p for p in sorted(path.iterdir()) if _visible(p)]
            found += inside
            if not inside:
                faults.append(Diagnostic("batch-folder", words={"folder": str(path)}))
        elif path.exists():
            found.append(path)
        else:
            faults.append(Diagnostic("batch-missing", words={"file": str(path)}))
    seen: set[Path] = set()
    for path in found:
        if path.resolve() in seen:
            faults.append(Diagnostic("batch-twice", words={"file": str(path)}))
        seen.add(path.resolve())
    if faults or not found:
        raise SpecError(faults or [Diagnostic("batch-empty")])
    return tuple(map(str, found))


def _visible(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def _stamp(name: str) -> tuple[int, int]:
    """Size and time of change: another file of the same name is another file."""
    try:
        status = Path(name).stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _name(spec: Path, shard: tuple[int, int]) -> str:
    name = f"{spec.stem}.batch"
    return name if shard[1] == 1 else f"{name}-{shard[0]}of{shard[1]}"


def _end(table: BatchTable, place: Path, as_json: bool) -> int:
    if as_json:
        print((place / "batch.json").read_text(encoding="utf-8"))
    else:
        print(_summary(table))
        print(f"\n{place / 'table.csv'}")
    accepted = table.count("accepted")
    if accepted == len(table):
        return exits.ACCEPTED
    fitted = accepted + table.count("rejected")
    return exits.REJECTED if fitted else exits.NOT_CONVERGED


def _summary(table: BatchTable) -> str:
    lines = [f"{len(table)} files"]
    for verdict in ("accepted", "rejected", "not_converged", "quarantined"):
        rows = [i for i in range(len(table)) if table.verdict[i] == verdict]
        if rows:
            lines.append(f"  {verdict.replace('_', ' ')}: {len(rows)}")
        if verdict == "accepted":
            continue
        for row in rows[:SHOWN]:
            lines.append(f"    {table.file[row]}: {table.reasons[row]}")
        if len(rows) > SHOWN:
            lines.append(f"    … and {len(rows) - SHOWN} more, in the table")
    return "\n".join(lines)
