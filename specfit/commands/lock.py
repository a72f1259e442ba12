"""One run at a time in a folder: a lock that vanishes with the process that holds it.

The kernel holds it (flock), not the file: nothing stale is left to be judged after a
`kill -9`, and the file that then remains is taken over by whoever comes next.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from specfit.diagnostics import Diagnostic, SpecError

UNABLE = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""A file system that knows no locks: two runs at a time cannot be told there."""


@contextmanager
def alone(path: Path, folder: Path) -> Iterator[None]:
    """Hold the lock file `path`, on behalf of `folder`, as long as this lasts.

    Raises SpecError where another process holds it, OSError where it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = _taken(path, folder)
    try:
        text = f"{os.getpid()} {datetime.now(UTC).isoformat(timespec='seconds')}"
        with suppress(OSError):  # a full disk: the lock holds without a word in it
            os.truncate(held, 0)
            os.pwrite(held, text.encode(), 0)
        yield
    finally:
        with suppress(OSError):  # what is left there is taken over by whoever is next
            path.unlink()
        os.close(held)


def _taken(path: Path, folder: Path) -> int:
    """An open descriptor of the file at `path`, locked."""
    while True:
        try:
            found = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError as error:  # a folder that takes no files
            raise PermissionError(errno.EACCES, "no file can be made", path) from error
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            words = {"folder": str(folder), **_holder(found)}
            os.close(found)
            raise SpecError([Diagnostic("folder-busy", words=words)]) from None
        except OSError as error:
            if error.errno not in UNABLE:
                os.close(found)
                raise
        if _still_there(path, found):
            return found
        os.close(found)  # its holder ended, and removed it, since it was opened


def _still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(descriptor: int) -> dict[str, str]:
    """Who holds the lock, as it wrote there itself."""
    pid, _, since = os.pread(descriptor, 100, 0).decode().partition(" ")
    return {"pid": pid or "?", "since": since or "?"}
