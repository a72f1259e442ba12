"""A run that was killed or interrupted goes on, and ends as if it had never stopped."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from specfit.cli import main

xarray = pytest.importorskip("xarray")

SPEC = """specfit 1
data s : transmission {
  file = "line.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
}
model one "One line" : mossbauer57Fe on s {
  N0 ~ free in [10000, 100000] counts
  area ~ free in [0.01, 2] mm/s
  site A : singlet { IS ~ free in [-1, 1] mm/s; width ~ free in [0.2, 0.6] mm/s }
  observe s.counts ~ poisson
}
run auto { draws = 3000; warmup = 500 }
"""
TRUTH = """seed = 5
[axis]
low = -4.0
high = 4.0
channels = 512
[values]
N0 = 5e4
area = 0.2
A = { IS = 0.3, width = 0.3 }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model, its data, and the hash of the draws of an undisturbed run."""
    folder = tmp_path_factory.mktemp("lost")
    (folder / "line.spec").write_text(SPEC, encoding="utf-8")
    (folder / "truth.toml").write_text(TRUTH, encoding="utf-8")
    arguments = ["--truth", str(folder / "truth.toml"), "--out", str(folder)]
    assert main(["simulate", str(folder / "line.spec"), *arguments]) == 0
    started = time.monotonic()
    assert finished(begin(folder, "whole")) == 0
    (folder / "seconds").write_text(str(time.monotonic() - started), encoding="utf-8")
    return folder


def begin(folder, name, *more):
    command = [sys.executable, "-m", "specfit.cli", "run", str(folder / "line.spec")]
    out = ["--out", str(folder / name), "--quiet", *more]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen([*command, *out], **quiet)


def finished(process):
    """The exit code, once there is one."""
    process.communicate()
    return process.returncode


def digest(folder, name):
    """SHA-256 of all draws of a run."""
    with xarray.open_dataset(
        folder / name / "posterior.nc", group="posterior", engine="h5netcdf"
    ) as draws:
        found = hashlib.sha256()
        for variable in sorted(draws.data_vars):
            found.update(np.ascontiguousarray(draws[variable].values).tobytes())
    return found.hexdigest()


def kill_until_done(folder, name, times, generator):
    """Kill the run so many times at random moments, then let it end."""
    seconds = float((folder / "seconds").read_text(encoding="utf-8"))
    for number in range(times):
        process = begin(folder, name, *(["--resume"] if number else []))
        try:
            process.wait(generator.uniform(0.1, seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        if (folder / name / "result.json").exists():
            return
    assert finished(begin(folder, name, "--resume")) == 0


def test_a_killed_run_ends_with_the_same_draws(folder):
    kill_until_done(folder, "killed", 4, random.Random(1))
    assert digest(folder, "killed") == digest(folder, "whole")
    assert not (folder / ".killed.partial").exists()


@pytest.mark.slow
def test_a_hundred_kills(folder):
    generator = random.Random(2)
    for number in range(25):
        kill_until_done(folder, f"hundred{number}", 4, generator)
        assert digest(folder, f"hundred{number}") == digest(folder, "whole")


def wait_for(path, pattern):
    for _ in range(600):
        if list(path.glob(pattern)):
            return
        time.sleep(0.1)
    raise AssertionError(f"no {pattern} in {path}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_at_the_end_of_a_step_and_keeps_it(folder, number):
    name = f"stopped{int(number)}"
    process = begin(folder, name)
    wait_for(folder / f".{name}.partial", "nuts*.step")
    process.send_signal(number)
    said = process.communicate()[1].decode()
    assert process.returncode == 130
    assert "go on with --resume" in said
    process = begin(folder, name, "--resume")
    said = process.communicate()[1].decode()
    assert process.returncode == 0
    assert "finished steps" in said
    assert digest(folder, name) == digest(folder, "whole")


def test_what_is_left_of_another_run_is_not_gone_on_with(folder, capsys):
    process = begin(folder, "other")
    wait_for(folder / ".other.partial", "*.step")
    process.kill()
    process.communicate()
    spec, out = str(folder / "line.spec"), str(folder / "other")
    arguments = ["run", spec, "--out", out, "--resume", "--quiet"]
    assert main([*arguments, "--seed", "9"]) == 2
    said = capsys.readouterr().err
    assert "error[resume-other]" in said
    assert "options" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_said_before_the_work(folder, capsys):
    locked = folder / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    arguments = ["run", str(folder / "line.spec"), "--out", str(locked / "run")]
    assert main([*arguments, "--quiet"]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_full_disk_is_said_and_what_is_finished_is_kept(folder, capsys, monkeypatch):
    from specfit.inference import journal

    def full(path, arrays):
        if "nuts" in path.name:
            raise OSError(28, "No space left on device", str(path))
        return kept(path, arrays)

    kept = journal._write
    monkeypatch.setattr(journal, "_write", full)
    arguments = ["run", str(folder / "line.spec"), "--out", str(folder / "full")]
    assert main([*arguments, "--quiet"]) == 4
    assert "disk full" in capsys.readouterr().err
    assert list((folder / ".full.partial").glob("search*.step"))
    monkeypatch.undo()
    assert main([*arguments, "--quiet", "--resume"]) == 0
    assert digest(folder, "full") == digest(folder, "whole")
