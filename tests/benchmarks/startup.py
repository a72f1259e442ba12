"""From the shell to the report: `python tests/benchmarks/startup.py [SPEC] [RUNS]`.

Runs `specfit run` with an empty cache folder and with one that an earlier run has
filled, and fits a second spectrum in one process.  Prints medians of wall and processor
seconds, and where the time goes.  Processor seconds also count where the machine is
shared; wall seconds mean something on a quiet one only.  Not a test.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECOND = """
import dataclasses, sys, time
from pathlib import Path
from specfit.commands.run import prepare_device
prepare_device("cpu")
from specfit import inference, pipeline
inference.use_cores()
import numpy as np
from specfit.density.problem import problem_data
checked = pipeline.check_with_data(Path(sys.argv[1]))
document = checked.require()
model = document.models[0]
measured = pipeline.measure(model, checked)
given = pipeline.settings_of(document.run, pipeline.Options())
settings = inference.Settings(**given)
with pipeline.float64():
    problem = pipeline.build(model, measured)
    fit = inference.find(problem, settings)
    random = np.random.default_rng(1)
    drawn = [random.poisson(curve).astype(float) for curve in fit.curve]
    other = tuple(
        dataclasses.replace(one, values=values[: one.axis.size])
        for one, values in zip(measured, drawn)
    )
    begin = time.perf_counter(), time.process_time()
    fit = inference.find(problem._replace(data=problem_data(model, other)), settings)
    print(time.perf_counter() - begin[0], time.process_time() - begin[1])
    for stage in fit.stages:
        print(f"    {stage.name:24s}{stage.seconds:8.2f} s", file=sys.stderr)
"""


def shell(spec: Path, cache: str, out: str) -> dict[str, float]:
    """Seconds of one run by stage; `wall` and `processor` among them."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "specfit.cli", "run", str(spec), "--out", out]
    subprocess.run(
        [*command, "--quiet"], env=environment(cache), check=True, capture_output=True
    )
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    stages = json.loads((Path(out) / "result.json").read_text())["timings_s"]
    inside = stages.pop("total")
    rest = {"imports, checks, report": wall - inside}
    return {"wall": wall, "processor": used, **stages, **rest}


def environment(cache: str) -> dict[str, str]:
    """This process's, with its own cache folder and this checkout of specfit."""
    return {**os.environ, "XDG_CACHE_HOME": cache, "PYTHONPATH": str(ROOT)}


def report(title: str, runs: list[dict[str, float]]) -> None:
    """Medians over the runs."""
    print(f"{title} (medians of {len(runs)})")
    for name in runs[0]:
        print(f"    {name:24s}{statistics.median(run[name] for run in runs):8.2f} s")


def main() -> None:
    """All of it."""
    spec = ROOT / "models" / "magnetite_iron.spec"
    spec = Path(sys.argv[1]) if len(sys.argv) > 1 else spec
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        cold = [
            shell(spec, f"{folder}/cache{i}", f"{folder}/out") for i in range(count)
        ]
        report("empty cache", cold)
        warm = [shell(spec, f"{folder}/cache0", f"{folder}/out") for _ in range(count)]
        report("warm cache", warm)
        print("second spectrum in one process: wall and processor seconds")
        again = [sys.executable, "-c", SECOND, str(spec)]
        subprocess.run(again, env=environment(f"{folder}/cache0"), check=True)


if __name__ == "__main__":
    main()
