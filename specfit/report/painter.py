"""Figures drawn in processes of their own, so that the main one need not wait.

Matplotlib takes a second to import and the figures of a run two to draw, all of it in
Python; a thread would take turns with the search, a process takes another core.  They
are started with the run and told what to draw at the end.  Whatever befalls one, the
main process then draws itself; and they end when the main process does, however that
ends.

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
    """The other processes, and the way to them.

    Raises OSError where none can be started.
    """

    def __init__(self, hands: int = 1) -> None:
        self._hands = [_hand() for _ in range(hands)]
        self._told = False

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes."""
        return [hand.pid for hand in self._hands]

    def begin(self, run: Run) -> None:
        """Hand over what is to be drawn."""
        try:
            for part, hand in enumerate(self._hands):
                assert hand.stdin is not None
                with Connection(os.dup(hand.stdin.fileno()), readable=False) as pipe:
                    pipe.send((run, part, len(self._hands)))
            self._told = True
        except Exception as error:  # then `images` has none, and others draw
            _log.debug("figures are not drawn beside: %s", error)

    def images(self) -> Images | None:
        """The figures by name once they are drawn; None where nobody drew them."""
        if not self._told:
            return None
        found: Images = {}
        try:
            for hand in self._hands:
                assert hand.stdout is not None
                with Connection(os.dup(hand.stdout.fileno()), writable=False) as pipe:
                    found |= pipe.recv()
        except (EOFError, OSError):
            return None
        return found

    def close(self) -> None:
        """Send the processes home, whatever they are doing."""
        for hand in self._hands:
            hand.kill()
            hand.communicate()


def _hand() -> subprocess.Popen[bytes]:
    path = os.pathsep.join(part for part in sys.path if part)
    return subprocess.Popen(
        [sys.executable, "-m", "specfit.report.painter"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what fails there fails here again, and is told
        env={**os.environ, "PYTHONPATH": path},
    )


@contextmanager
def painter() -> Iterator[Painter | None]:
    """A painter, where it has a core to work on and Matplotlib is not here already."""
    mine = None
    if _cores() > 1 and "matplotlib" not in sys.modules and sys.executable:
        try:
            mine = Painter(min(2, _cores() - 1))
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
    """Draw a part of one run; Ctrl-C is for the main process, which decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    given, back = (Connection(os.dup(fd)) for fd in (0, 1))
    os.dup2(2, 1)  # nothing that is printed may come between
    try:
        ready()
        run, part, parts = given.recv()
        back.send(figures(Findings(run), part, parts))
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    main()
