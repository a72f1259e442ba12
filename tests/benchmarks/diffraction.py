"""Sixteen stages of three Voigt lines: specfit from no start, lmfit from its own starts.

The data are those of `models/xrd_voigt.spec`, whose truth is known.  A fit has failed
where it raised, or where any line is more than `FAR` from its place or its area is off by
more than `AREA`.  Of the fits that have not, the errors of wG and wL are held against the
truth: rms of (value − truth) / sd, which is 1 where an sd is honest, and the share of
truths within 1.645 sd, nine in ten.  Where no sd was given (a covariance that could not
be inverted) that is counted.

lmfit lives in an environment of its own: `SPECFIT_LMFIT` is its Python, else this one's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np

from specfit import pipeline
from tests.benchmarks.kept import Kept
from tests.benchmarks.meter import now

HERE = Path(__file__).parent
SPEC = HERE.parents[1] / "models" / "xrd_voigt.spec"
FAR, AREA = 0.05, 0.10  # deg; relative
STAGES = {True: 3, False: 16}
WAYS = ("guess", "thirds", "peaks")
WIDTHS = ("p003.wG", "p003.wL", "p101.wL", "p104.wG", "p104.wL")
LINES = ("p003", "p101", "p104")


def measure(quick: bool, kept: Kept) -> dict:
    """Rows of lmfit by way of starting, of specfit's maximum and of its whole run."""
    count = STAGES[quick]
    truth = true_values(count)
    found = kept.once("lmfit", lambda: theirs(count, truth))
    for engine in ("map", "auto"):
        found[f"specfit {engine}"] = kept.once(
            f"specfit {engine}", lambda e=engine: ours(e, count, truth)
        )
    return found


def true_values(count: int) -> list[dict[str, float]]:
    """Of each stage, by name without the stage."""
    path = SPEC.parent / "data" / "xrd_voigt.truth.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))["values"]
    return [
        {
            key.removesuffix(f"[{stage}]"): value
            for key, value in table.items()
            if key.endswith(f"[{stage}]")
        }
        for stage in range(1, count + 1)
    ]


def patterns(count: int) -> list[tuple[list[float], list[float]]]:
    """Axis and counts of each stage, within the window of the file."""
    found = []
    for stage in range(1, count + 1):
        path = SPEC.parent / "data" / f"xrd_voigt_{stage}.csv"
        x, y = np.loadtxt(path, delimiter=",", comments="#").T[:2]
        found.append((x.tolist(), y.tolist()))
    return found


# -------------------------------------------------------------------------- the sides


def theirs(count: int, truth: list[dict[str, float]]) -> dict:
    """lmfit's fits from each way of starting."""
    python = os.environ.get("SPECFIT_LMFIT", sys.executable)
    asked = json.dumps({"patterns": patterns(count), "ways": WAYS})
    done = subprocess.run(
        [python, str(HERE / "lmfit_voigt.py")],
        input=asked, capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    rows = {
        f"lmfit {way}": row(one["fits"], truth) | {k: one[k] for k in ("wall", "cpu")}
        for way, one in answer["ways"].items()
    }
    return {"version": answer["version"], "stages": count, **rows}


def ours(engine: str, count: int, truth: list[dict[str, float]]) -> dict:
    """The file as it is, cut to the first stages, from nothing."""
    text = SPEC.read_text(encoding="utf-8")
    own = SPEC.with_name(f"xrd_voigt_{os.getpid()}.spec")
    own.write_text(text.replace("1..16", f"1..{count}"), encoding="utf-8")
    try:
        begin = now()
        options = pipeline.Options(engine=engine)
        run = pipeline.run(pipeline.check_with_data(own), options)
        spent = now() - begin
    finally:
        own.unlink()
    fits = []
    for stage in range(1, count + 1):
        values, sds = {}, {}
        for name in (f"{line}.{p}" for line in LINES for p in ("xc", "A", "wG", "wL")):
            draws = run.fit.draws.get(f"{name}[{stage}]")
            if draws is not None:
                values[name] = float(draws.mean())
                sds[name] = float(draws.std()) if draws.size > 1 else None
        fits.append({"values": values, "sd": sds, "success": True})
    return row(fits, truth) | {
        "wall": spent.wall, "cpu": spent.cpu, "verdict": run.verdict.outcome,
    }  # fmt: skip


# --------------------------------------------------------------------------- judgement


def failed(fit: dict, truth: dict[str, float]) -> bool:
    """Whether a fit raised, or any line is not where and as large as it is."""
    if "error" in fit or not fit["success"]:
        return True
    values = fit["values"]
    return any(
        not abs(values[f"{line}.xc"] - truth[f"{line}.xc"]) < FAR
        or not abs(values[f"{line}.A"] / truth[f"{line}.A"] - 1.0) < AREA
        for line in LINES
    )


def row(fits: list[dict], truth: list[dict[str, float]]) -> dict:
    """Failures, and of the rest how honest the errors of the widths are."""
    good = [(f, t) for f, t in zip(fits, truth, strict=True) if not failed(f, t)]
    pulls: dict[str, list[float]] = {name: [] for name in WIDTHS}
    absent, sds = 0, {name: [] for name in WIDTHS}
    for fit, true in good:
        for name in WIDTHS:
            sd = fit["sd"].get(name)
            if not sd:
                absent += 1
                continue
            pulls[name].append((fit["values"][name] - true[name]) / sd)
            sds[name].append(sd)
    every = np.array([z for values in pulls.values() for z in values])
    return {
        "failures": len(fits) - len(good),
        "without_sd": absent,
        "rms_pull": float(np.sqrt(np.mean(every**2))) if every.size else None,
        "within_90": float(np.mean(np.abs(every) < 1.645)) if every.size else None,
        "sd": {n: float(np.median(s)) if s else None for n, s in sds.items()},
    }
