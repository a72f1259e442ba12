"""Runs of the command in processes of their own, that may be killed."""

import hashlib
import os
import signal
import subprocess
import sys
import time

import numpy as np

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
variant wide { A.IS ~ free in [-1.5, 1.5] mm/s }
run nuts { draws = 3000; warmup = 500 }
"""
TRUTH = """seed = 5
[axis]
low = -4.0
high = 4.0
channels = 128
[values]
N0 = 5e4
area = 0.2
A = { IS = 0.3, width = 0.3 }
"""
STAGES = ("", "read data", "compile the model", "search", "sampling", "prediction",
          "judge", "report")  # fmt: skip
"""What a run says on stderr when it begins something; "" before it says anything."""


class Place:
    """A folder with a model and its data, and runs of it."""

    def __init__(self, folder):
        self.folder, self.spec = folder, folder / "line.spec"

    def prepare(self):
        from specfit.cli import main

        self.spec.write_text(SPEC, encoding="utf-8")
        truth = self.folder / "truth.toml"
        truth.write_text(TRUTH, encoding="utf-8")
        asked = ["simulate", str(self.spec), "--truth", str(truth)]
        assert main([*asked, "--out", str(self.folder)]) == 0

    def begin(self, name, *more, command="run", before=()):
        """A process that writes to the folder `name`; `before`: what starts it."""
        asked = [command, str(self.spec), *more, "--out", str(self.folder / name)]
        # what the first run compiles, the others find
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}
        return subprocess.Popen(
            [*before, sys.executable, "-m", "specfit.cli", *asked],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**environment, "SPECFIT_LANG": "en", "PYTHONUTF8": "1"},
        )

    def ended(self, name, *more, **how):
        """The exit code of a run that is left to end, and what it said."""
        process = self.begin(name, *more, **how)
        said = process.communicate()[1]
        return process.returncode, said

    def kept(self, name):
        """Where the unfinished run `name` has its finished steps."""
        whole = self.folder / name
        return whole.with_name(f".{whole.name}.partial")

    def steps(self, name):
        return len(list(self.kept(name).glob("*.step")))

    def wait_for(self, name, pattern):
        """Until a step of that name is kept."""
        for _ in range(2400):
            if list(self.kept(name).glob(pattern)):
                return
            time.sleep(0.05)
        raise AssertionError(f"no {pattern} in {name}")

    def kill(self, name, stage, delay, *more):
        """Kill a run so long after it began a stage; the stage it was in by then.

        None where it had ended before that.
        """
        process = self.begin(name, *more)
        heard = []
        while stage and not (heard and heard[-1].endswith(f"] {stage}\n")):
            heard.append(process.stderr.readline())
            assert heard[-1], f"no stage {stage}: {heard}"
        time.sleep(delay)
        alive = process.poll() is None
        process.send_signal(signal.SIGKILL)
        heard += process.communicate()[1].splitlines()
        told = [line.strip().rpartition("] ")[2] for line in heard]
        reached = [name for name in told if name in STAGES and name]
        return (reached or ["start"])[-1] if alive else None

    def digest(self, name):
        """SHA-256 of all draws of a run."""
        import xarray

        path = self.folder / name / "posterior.nc"
        with xarray.open_dataset(path, group="posterior", engine="h5netcdf") as draws:
            found = hashlib.sha256()
            for variable in sorted(draws.data_vars):
                values = np.ascontiguousarray(draws[variable].values)
                found.update(values.tobytes())
        return found.hexdigest()
