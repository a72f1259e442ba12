"""Figures drawn in processes of their own: the same, whatever becomes of it."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from specfit.report.figures.gallery import figures
from specfit.report.painter import Painter
from specfit.report.quantities import Findings

from . import build


def test_the_figures_are_those_of_the_main_process():
    run = build.Scene().run()
    mine = Painter(2)
    mine.begin(run)
    images = mine.images()
    mine.close()
    assert images == figures(Findings(run))


def test_a_painter_that_died_leaves_the_work_to_others(caplog):
    """Nobody is told: a signal to the whole process group ends it too."""
    caplog.set_level(logging.WARNING)
    mine = Painter(2)
    os.kill(mine.pids[-1], signal.SIGKILL)
    mine.begin(build.Scene().run())
    assert mine.images() is None
    assert not caplog.records
    mine.close()


def test_a_painter_ends_with_the_process_that_asked_for_it():
    begun = (
        "import sys, time\n"
        "from specfit.report.painter import Painter\n"
        "if __name__ == '__main__':\n"
        "    painter = Painter(2); print(*painter.pids, flush=True); time.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", begun], stdout=subprocess.PIPE, text=True
    )
    others = [int(number) for number in process.stdout.readline().split()]
    assert others
    assert all(map(alive, others))
    process.kill()
    process.communicate(timeout=60)  # its output closes once nobody holds it open
    for _ in range(100):
        if not any(map(alive, others)):
            return
        time.sleep(0.1)
    raise AssertionError("they go on alone")


def alive(pid):
    """Whether there is such a process that nobody has yet buried."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
