"""Figures drawn in a process of their own, so that the main one need not wait.

Matplotlib takes a second to import and the figures of a run two to draw, all of it in
Python; a thread would take turns with the search, a process takes another core.  It is
started with the run and told what to draw at the end.  Whatever befalls it, the main
process then draws itself; and it ends when the main process does, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from specfit.contracts import Run
from specfit.report.figures.gallery import figures
from specfit.report.figures.style import ready
from specfit.report.quantities import Findings

Images = dict[str, bytes]


class Painter:
    """The other process, and the way to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork of JAX would hang
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_paint, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return int(self._process.pid or 0)

    def begin(self, run: Run) -> None:
        """Hand over what is to be drawn."""
        try:
            self._pipe.send(run)
        except OSError:  # it is gone: `images` will say so
            return

    def images(self) -> Images | None:
        """The figures by name once they are drawn; None where nobody drew them."""
        try:
            found: Images = self._pipe.recv()
        except (EOFError, OSError):
            return None
        return found

    def close(self) -> None:
        """Send the process home, whatever it is doing."""
        self._pipe.close()
        self._process.terminate()
        self._process.join()


@contextmanager
def painter() -> Iterator[Painter | None]:
    """A painter, where it has a core to work on and Matplotlib is not here already."""
    if len(os.sched_getaffinity(0)) == 1 or "matplotlib" in sys.modules:
        yield None
        return
    mine = Painter()
    try:
        yield mine
    finally:
        mine.close()


def _paint(pipe: Connection) -> None:
    """Draw one run; Ctrl-C is for the main process, which decides what becomes of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ready()
        pipe.send(figures(Findings(pipe.recv())))
    except (EOFError, OSError):
        return
