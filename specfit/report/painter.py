"""Figures drawn in a process of their own, so that the main one need not wait.

Matplotlib takes a second to import and the figures of a run two to draw, all of it in
Python; a thread would take turns with the search, a process takes another core.  It is
started with the run and told what to draw at the end.  Whatever befalls it, the main
process then draws itself; and it ends when the main process does, however that ends.

A command with two pipes, not `multiprocessing`'s `spawn`: that would run the user's own
script again, and is not allowed in a worker of a pool.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from specfit.contracts import Run
from specfit.report.figures.gallery import figures
from specfit.report.figures.style import ready
from specfit.report.quantities import Findings

_log = logging.getLogger(__name__)
Images = dict[str, bytes]


class Painter:
    """The other process, and the way to it.

    Raises OSError where none can be started.
    """

    def __init__(self) -> None:
        path = os.pathsep.join(part for part in sys.path if part)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "specfit.report.painter"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what fails there fails here again, and is told
            env={**os.environ, "PYTHONPATH": path},
        )
        self._told = False

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def begin(self, run: Run) -> None:
        """Hand over what is to be drawn."""
        assert self._process.stdin is not None
        pipe = Connection(os.dup(self._process.stdin.fileno()), readable=False)
        try:
            with pipe:
                pipe.send(run)
            self._told = True
        except Exception as error:  # then `images` has none, and others draw
            _log.warning("figures are not drawn beside: %s", error)

    def images(self) -> Images | None:
        """The figures by name once they are drawn; None where nobody drew them."""
        if not self._told:
            return None
        assert self._process.stdout is not None
        pipe = Connection(os.dup(self._process.stdout.fileno()), writable=False)
        try:
            with pipe:
                found: Images = pipe.recv()
        except (EOFError, OSError):
            return None
        return found

    def close(self) -> None:
        """Send the process home, whatever it is doing."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def painter() -> Iterator[Painter | None]:
    """A painter, where it has a core to work on and Matplotlib is not here already."""
    mine = None
    if _cores() > 1 and "matplotlib" not in sys.modules and sys.executable:
        try:
            mine = Painter()
        except OSError as error:
            _log.warning("no process for the figures: %s", error)
    try:
        yield mine
    finally:
        if mine:
            mine.close()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main() -> None:
    """Draw one run; Ctrl-C is for the main process, which decides what becomes of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    given, back = (Connection(os.dup(fd)) for fd in (0, 1))
    os.dup2(2, 1)  # nothing that is printed may come between
    try:
        ready()
        back.send(figures(Findings(given.recv())))
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    main()
