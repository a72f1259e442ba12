"""What a command keeps of unfinished work: the journal beside the run folder, signals."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from specfit.checking import Checked
from specfit.commands.common import say
from specfit.commands.lock import alone
from specfit.contracts import Progress
from specfit.diagnostics import Diagnostic, Exhausted, Span, SpecError
from specfit.inference.journal import Journal
from specfit.model.known import source_name
from specfit.record import processor, sha256, sources, versions

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
SHUT = {errno.EACCES, errno.EROFS, errno.EPERM, errno.EIO, errno.ESTALE}
"""Ways in which a folder that could be written before no longer can."""


def place(folder: Path) -> Path:
    """Where the journal of a run folder lies: hidden, beside it."""
    return _beside(folder, "partial")


def _beside(folder: Path, ending: str) -> Path:
    """A hidden name next to the folder itself, not to a link or a dot that means it.

    What is begun there can then be renamed into its place.
    """
    whole = folder.resolve()
    return whole.with_name(f".{whole.name}.{ending}")


def identity(checked: Checked, options: Mapping[str, Any]) -> dict[str, Any]:
    """All that decides the bits of a run; a run of another identity is another run."""
    import jax

    root = checked.path.parent
    texts = {
        os.path.relpath(name, root): sha256(text)
        for name, text in checked.texts.items()
    }
    data = [
        (source_name(source), one.sha256, one.found)  # a calibration is among the found
        for source, one in checked.measured
    ]
    devices = [device.device_kind for device in jax.devices()]
    return {
        "texts": texts,
        "data": data,
        "options": dict(options),
        "versions": versions() | {"sources": sources()},
        "devices": [*devices, sha256(processor())],
    }


def digest(who: Mapping[str, Any]) -> str:
    """SHA-256 of an identity."""
    return sha256(json.dumps(who, sort_keys=True, default=str))


@contextmanager
def journal(
    folder: Path, who: Mapping[str, Any], resume: bool, path: Path
) -> Iterator[Journal]:
    """The journal of a run that begins now, or goes on when `resume`.

    No other run can have the folder meanwhile.

    Raises
    ------
    SpecError
        Another run is at work there, or what was left there is of another run: another
        text, other data or settings.
    Exhausted
        Memory or disk gave out on the way; what was finished is kept.

    """
    with alone(_beside(folder, "lock"), folder), _tidied(place(folder)):
        try:
            yield _opened(place(folder), who, resume, path)
        except Exception as error:
            fault = _gave_out(error, folder)
            if fault is None:
                raise
            raise Exhausted(fault) from error


def _opened(where: Path, who: Mapping[str, Any], resume: bool, path: Path) -> Journal:
    record = where / "identity.json"
    if resume and record.exists():
        changed = _changed(record.read_text(encoding="utf-8"), who)
        if changed:
            span, words = Span(str(path)), {"changed": ", ".join(changed)}
            raise SpecError([Diagnostic("resume-other", span, words)])
        steps = len(list(where.glob("*.step")))
        print(say("resume-from", steps=str(steps)), file=sys.stderr)
        return Journal(where)
    if resume:
        print(say("resume-nothing"), file=sys.stderr)
    elif record.exists():
        print(say("resume-dropped"), file=sys.stderr)
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True, exist_ok=True)
    # whole or not at all: half of it would be another run's, for ever
    beside = where / "identity.new"
    text = json.dumps(who, sort_keys=True, indent=1, default=str)
    beside.write_text(text, encoding="utf-8")
    beside.replace(record)
    return Journal(where)


def _changed(before: str, who: Mapping[str, Any]) -> list[str]:
    """Which parts of the identity are not what they were."""
    now = json.loads(json.dumps(who, default=str))
    try:
        then = json.loads(before)
    except json.JSONDecodeError:
        return ["identity"]
    return [key for key in now if now[key] != then.get(key)]


def _gave_out(error: Exception, folder: Path) -> Diagnostic | None:
    """What ran out or was taken away; None for an error of another kind."""
    kept = place(folder)
    words = {"folder": str(kept.parent), **_state(kept)}
    # jaxlib's own class has moved between versions; its text has not
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
        return Diagnostic("memory-exhausted", words=words)
    if not isinstance(error, OSError) or not _below(error.filename, kept.parent):
        return None
    words["reason"] = error.strerror or str(error)
    if error.errno in FULL:
        return Diagnostic("disk-full", words=words)
    return Diagnostic("folder-shut", words=words) if error.errno in SHUT else None


def _state(kept: Path) -> dict[str, str]:
    """What is left of the run, in words, and how to go on."""
    if any(kept.rglob("*.step")):
        state = say("kept-steps", kept=str(kept))
        return {"state": state, "again": say("again-resume")}
    return {"state": say("kept-nothing"), "again": say("again-anew")}


def _below(name: object, folder: Path) -> bool:
    """Whether a file that failed is one that we write; a failed write names none."""
    return name is None or Path(str(name)).resolve().is_relative_to(folder.resolve())


def finished(folder: Path) -> None:
    """The run is written: what was kept of its way is no longer needed."""
    shutil.rmtree(place(folder), ignore_errors=True)


@contextmanager
def _tidied(where: Path) -> Iterator[None]:
    """Nothing is left of a run that ends before its first step is kept."""
    try:
        yield
    finally:
        if not any(where.rglob("*.step")):
            shutil.rmtree(where, ignore_errors=True)


@contextmanager
def stoppable(progress: Progress | None) -> Iterator[Progress]:
    """Progress that stops at the end of a step once Ctrl-C or SIGTERM has come.

    The first signal lets the step finish, the second stops at once.
    """
    asked: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        print(f"\n{say('stopping')}", file=sys.stderr, flush=True)

    def tell(stage: str, done: float, detail: str) -> None:
        if progress:
            progress(stage, done, detail)
        if asked:
            asked.clear()
            raise KeyboardInterrupt

    before = _handled(handle)
    try:
        yield tell
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _handled(handle: Callable[[int, FrameType | None], None]) -> dict[int, Any]:
    """Put a handler in place; outside the main thread there are no signals to handle."""
    try:
        return {
            int(n): signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)
        }
    except ValueError:
        return {}
