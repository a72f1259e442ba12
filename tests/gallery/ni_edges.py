"""Synthetic Ni K-edge spectra of a layered oxide between discharged and overcharged.

An arctangent step, a white line, a 1s→3d peak and the wiggles of two shells, all moving
with the state of charge as they do in LiNi1/3Mn1/3Co1/3O2: the edge by 2 eV from Ni²⁺ to
Ni⁴⁺, the Ni–O distance from 2.05 to 1.88 Å, Ni–M from 2.87 to 2.83 Å; half way Ni³⁺ has
a distorted shell.  Nothing here is random; shapes are honest, values are nobody's data.

    python tests/gallery/ni_edges.py models/data      writes the five bases
    python tests/gallery/ni_edges.py --truth FILE     writes the truth for `simulate`
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

BASES = (0, 20, 40, 80, 130)
STAGES = 16
HEADER = (
    "# SYNTHETIC: Ni K-edge of a layered oxide at {soc} % state of charge, normalised",
    "# made by tests/gallery/ni_edges.py; energy (eV), mu",
)


def edge(energy: np.ndarray, soc: float) -> np.ndarray:
    """Normalised absorption (n,) at a state of charge in %."""
    x = soc / 130.0
    turn = 3.0 * x**2 - 2.0 * x**3  # slow at both ends, as nickel alone gives way
    start = 8344.0 + 2.0 * turn
    step = 0.5 + np.arctan((energy - start) / 1.5) / np.pi
    width = 3.0 + 0.8 * np.sin(np.pi * x)
    white = (0.80 - 0.16 * x) / (1.0 + ((energy - start - 6.3) / width) ** 2)
    prepeak = (0.025 + 0.02 * x) * np.exp(-0.5 * ((energy - start + 11.5) / 1.1) ** 2)
    return step * (1.0 + wiggles(energy, start, x)) + white * step + prepeak


def wiggles(energy: np.ndarray, start: float, x: float) -> np.ndarray:
    """χ of a Ni–O and a Ni–M shell, from 12 eV above the edge."""
    above = np.maximum(energy - start - 2.0, 1e-3)
    k = np.sqrt(0.262468 * above)
    distorted = 0.005 * np.sin(np.pi * x)
    shells = (
        (6.0, 2.05 - 0.17 * x, 0.006 + distorted, 1.2, 0.30),
        (6.0, 2.87 - 0.04 * x, 0.006, 2.6, 0.45),
    )
    total = np.zeros_like(energy)
    for number, distance, spread, phase, strength in shells:
        fall = np.exp(-2.0 * spread * k**2) * k / (1.0 + (k / 3.5) ** 3)
        total += (
            strength * number / distance**2 * fall * np.sin(2 * k * distance + phase)
        )
    return 0.1 * total / (1.0 + np.exp(-(energy - start - 12.0) / 2.0))


def weights(soc: float) -> np.ndarray:
    """Shares of the bases: mostly of the two neighbours, a little of all."""
    shares = np.array([np.interp(soc, BASES, row) for row in np.eye(len(BASES))])
    return 0.98 * shares + 0.02 / len(BASES)


def write_bases(folder: Path) -> None:
    """One file for each basis."""
    energy = np.arange(8300.0, 8450.25, 0.5)
    for soc in BASES:
        rows = zip(energy, edge(energy, soc), strict=True)
        lines = [text.format(soc=soc) for text in HEADER]
        lines += [f"{e:.1f} {mu:.6f}" for e, mu in rows]
        path = folder / f"xanes_lcf_basis_{soc}.xmu"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_truth(path: Path) -> None:
    """Weights, shifts and what normalisation left, for `specfit simulate`."""
    generator = np.random.default_rng(16)
    charge = 130.0 * np.arange(STAGES) / (STAGES - 1)
    every = np.array([weights(soc) for soc in charge])
    lines = ["seed = 16", "[axis]", "low = 8316.0", "high = 8424.0", "channels = 217"]
    lines += ["[values]"]
    lines += [
        f'"w[{soc}]" = {[round(float(v), 6) for v in every[:, j]]}'
        for j, soc in enumerate(BASES[:-1])
    ]
    last = 1.0 - np.round(every[:, :-1], 6).sum(axis=1)
    lines.append(f'"w[{BASES[-1]}]" = {[round(float(v), 6) for v in last]}')
    spread = {"dE": 0.08, "level": 0.006, "slope": 6e-5, "post": 6e-5}
    for name, sd in spread.items():
        drawn = [float(f"{v:.3g}") for v in generator.normal(0.0, sd, STAGES)]
        lines.append(f'"{name}" = {drawn}')
    step = [float(f"{v:.4g}") for v in np.exp(generator.normal(0.0, 0.01, STAGES))]
    lines += [f'"step" = {step}', f'"s" = {[0.002] * STAGES}']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_coulometry(path: Path) -> None:
    """State of charge by charge counted, within its 5 % of capacity."""
    generator = np.random.default_rng(1616)
    charge = 130.0 * np.arange(STAGES) / (STAGES - 1)
    told = np.maximum(charge + generator.normal(0.0, 2.0, STAGES), 0.0)
    lines = ["# SYNTHETIC: made by tests/gallery/ni_edges.py", "stage,soc (%)"]
    lines += [f"{i + 1},{soc:.1f}" for i, soc in enumerate(told)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "--truth":
        write_truth(Path(sys.argv[2]))
    else:
        write_bases(Path(sys.argv[1]))
        write_coulometry(Path(sys.argv[1]) / "xanes_lcf_coulometry.csv")
