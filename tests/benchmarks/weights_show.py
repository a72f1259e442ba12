"""Weights of spectra beside xraylarch, on mixtures of measured standards.

    SPECFIT_LARCH=VENV/bin/python python tests/benchmarks/weights_show.py XASLIB N [OURS]

Mixtures of MnO, Mn2O3 and MnO2 (the XAS data library, public domain) with noise and a shift
of the axis, whose truth is known because they were made here: standards are normalised by
a line before the edge and one after it, mixed, moved, and noise is added.  Printed are how
often the intervals of 68 and 90 % hold the truth, ours and those of `lincombo_fit` with its
default and with `vary_e0`; larch runs in an environment of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

STANDARDS = ("MnO_rt_01", "Mn2O3_rt_01", "MnO2_rt_01")
WINDOW = (6530.0, 6590.0)
NOISE, SHIFT = 0.003, 0.3
LEVELS = {0.68: 0.99446, 0.90: 1.64485}

SPEC = """specfit 1
data basis[k = ["0", "1", "2"]] : absorption {
  file = "b{k}.xmu"; energy = column(1) eV; mu = column(2)
}
data x[n = 1..COUNT] : absorption {
  file = "x{n}.xmu"; energy = column(1) eV; mu = column(2)
}
model mn : linear_combination on x, basis per n {
  w[k] ~ dirichlet(1)
  dE ~ 0.0 ± 0.5 eV
  s ~ halfnormal(0.02)
  observe x.mu ~ normal(sum(w[k] * shift(basis[k].mu, dE) over k), s)
}
"""

THEIRS = """
import json, sys
import numpy as np
from larch import Group
from larch.math.lincombo_fitting import lincombo_fit
said = json.load(open(sys.argv[1]))
bases = [Group(energy=np.array(said["e"]), norm=np.array(b), filename=str(i))
         for i, b in enumerate(said["bases"])]
found = []
for mu in said["mixtures"]:
    g = Group(energy=np.array(said["x"]), norm=np.array(mu), filename="x")
    row = []
    for vary in (False, True):
        r = lincombo_fit(g, bases, xmin=said["x"][0], xmax=said["x"][-1],
                         sum_to_one=True, vary_e0=vary)
        p = r.params
        row.append([[p[str(i)].value, p[str(i)].stderr or float("nan")]
                    for i in range(len(bases))])
    found.append(row)
json.dump(found, open(sys.argv[2], "w"))
"""


def standard(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Energy and normalised absorption of a file of the library."""
    energy, i0, itrans = np.loadtxt(path, comments="#", usecols=(0, 1, 2)).T
    mu = np.log(i0 / itrans)
    before, after = energy < 6532.0, energy > 6600.0
    line = np.polynomial.Polynomial.fit(energy[before], mu[before], 1)
    mu = mu - line(energy)
    above = np.polynomial.Polynomial.fit(energy[after], mu[after], 1)
    return energy, mu / above(6545.0)


def mixtures(folder: Path, count: int) -> dict[str, Any]:
    """Mixtures of the standards, their truth, and the bases on one axis."""
    from scipy.interpolate import CubicSpline

    read = [standard(folder / "Mn" / f"{name}.xdi") for name in STANDARDS]
    energy = read[0][0]
    curves = [CubicSpline(e, mu, bc_type="natural") for e, mu in read]
    inside = (energy >= WINDOW[0]) & (energy <= WINDOW[1])
    x, generator = energy[inside], np.random.default_rng(2026)
    shares = generator.dirichlet(np.ones(len(read)), count)
    moved = generator.normal(0.0, SHIFT, count)
    made = [
        sum(w * c(x - d) for w, c in zip(row, curves, strict=True))
        + generator.normal(0.0, NOISE, x.size)
        for row, d in zip(shares, moved, strict=True)
    ]
    return {
        "e": energy.tolist(),
        "x": x.tolist(),
        "bases": [c(energy).tolist() for c in curves],
        "mixtures": [m.tolist() for m in made],
        "truth": shares.tolist(),
    }


def ours(said: dict[str, Any], folder: Path) -> list[list[np.ndarray]]:
    """Draws of each weight for each mixture."""
    from specfit import inference, pipeline
    from specfit.model.levels_apart import apart

    for k, mu in enumerate(said["bases"]):
        np.savetxt(folder / f"b{k}.xmu", np.c_[said["e"], mu])
    for n, mu in enumerate(said["mixtures"], 1):
        np.savetxt(folder / f"x{n}.xmu", np.c_[said["x"], mu])
    path = folder / "m.spec"
    count = str(len(said["mixtures"]))
    path.write_text(SPEC.replace("COUNT", count), encoding="utf-8")
    os.environ.setdefault("SPECFIT_PROGRAMS", str(folder / "programs"))
    checked = pipeline.check_with_data(path)
    model = checked.require().models[0]
    measured = pipeline.measure(model, checked)
    found = []
    with pipeline.float64():
        for part, seen in zip(apart(model).values(), measured, strict=True):
            problem = pipeline.build(part, (seen,))
            settings = inference.Settings(engine="auto", chains=2, draws=500, seed=1)
            fit = inference.find(problem, settings)
            found.append([np.ravel(fit.draws[f"w[{k}]"]) for k in range(3)])
    return found


def theirs(said: dict[str, Any], folder: Path) -> np.ndarray | None:
    """(n, 2, 3, 2): mixture, E0 held or free, weight, value and error."""
    python = os.environ.get("SPECFIT_LARCH")
    if not python:
        return None
    files = folder / "in.json", folder / "out.json"
    files[0].write_text(json.dumps(said), encoding="utf-8")
    subprocess.run([python, "-c", THEIRS, *map(str, files)], check=True)
    return np.array(json.loads(files[1].read_text("utf-8")), dtype=float)


def main(library: Path, count: int, own: int) -> None:
    """Print coverage and errors, theirs of all mixtures and ours of the first `own`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        said = mixtures(library, count)
        truth = np.array(said["truth"])
        peers = theirs(said, folder)
        if peers is not None:
            for j, title in enumerate(("larch, default", "larch, vary_e0")):
                gap = np.abs(peers[:, j, :, 0] - truth)
                held = {
                    p: np.mean(gap <= z * peers[:, j, :, 1]) for p, z in LEVELS.items()
                }
                report(title, gap, held, float((peers[:, j, :, 0] < 0).mean()))
        said["mixtures"], truth = said["mixtures"][:own], truth[:own]
        draws = np.array(ours(said, folder))
        gap = np.abs(draws.mean(axis=-1) - truth)
        held = {}
        for p in LEVELS:
            low, high = np.quantile(draws, [(1 - p) / 2, (1 + p) / 2], axis=-1)
            held[p] = np.mean((low <= truth) & (truth <= high))
        report(f"specfit, {own}", gap, held, 0.0)


def report(title: str, gap: np.ndarray, held: dict[float, Any], below: float) -> None:
    """One line: coverage, root mean square error, share of negative weights."""
    cover = ", ".join(f"{p:.0%} holds {held[p]:.3f}" for p in held)
    rms = float(np.sqrt(np.mean(gap**2)))
    print(
        f"{title:16s} {cover}; rms error {rms:.4f}; weights below 0: {below:.1%}",
        flush=True,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[-1]))
