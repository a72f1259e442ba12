"""The synthetic table behind `models/redox_regression.spec`, made from a seed.

A layered oxide LiNi1/3Mn1/3Co1/3O2 charged in 16 stages: the state of charge x runs from
0 to 1.05 of the reversible range; nickel gives its electrons first (the valence of Ni
rises along a smooth curve and levels off), cobalt a little at the end, manganese nothing.
The potential follows the valence of nickel and, weakly, of cobalt.  The 44 features are
what models of spectra make of such stages, with their noise: XANES weights of five bases
for each metal (they sum to one, so they are collinear), five of diffraction, twenty-four
of EXAFS.  Run as a script it writes the table, the names and the truth.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

SEED, STAGES = 20_261_129, 16
FloatArray = np.ndarray[Any, np.dtype[np.float64]]


class Made(NamedTuple):
    """The features (16, 44), the potential (16,) in V, its noiseless curve, the names."""

    features: FloatArray
    potential: FloatArray
    curve: FloatArray
    names: list[tuple[str, str, str]]  # group, label, unit


def charge() -> FloatArray:
    """The state of charge of every stage."""
    return np.linspace(0.0, 1.05, STAGES)


def nickel(x: FloatArray) -> FloatArray:
    """Share of nickel that is oxidised, 0 to 1: most of it by the middle of the charge."""
    return (1.0 - np.exp(-2.2 * x)) / (1.0 - np.exp(-2.2 * 1.05))


def cobalt(x: FloatArray) -> FloatArray:
    """Share of cobalt that is oxidised: some, late."""
    return 0.35 / (1.0 + np.exp(-9.0 * (x - 0.85)))


def potential(x: FloatArray) -> FloatArray:
    """Redox potential, V against Li: it follows nickel, cobalt weakly at the end."""
    return 3.66 + 0.72 * nickel(x) + 0.12 * cobalt(x)


def bases(share: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Weights of five bases spread over a reaction, (16, 5), rows summing to one."""
    centres, width = np.linspace(0.0, 1.0, 5), 0.3
    weights = np.exp(-0.5 * ((share[:, None] - centres) / width) ** 2)
    weights /= weights.sum(1, keepdims=True)
    noisy = np.clip(weights + generator.normal(0.0, 0.008, weights.shape), 0.0, None)
    made: FloatArray = noisy / noisy.sum(1, keepdims=True)
    return made


def made(seed: int = SEED, noise: float = 0.012) -> Made:
    """The table from a seed; noise: of the potential, V."""
    generator = np.random.default_rng(seed)
    x = charge()
    ni, co = nickel(x), cobalt(x)
    columns: list[FloatArray] = []
    names: list[tuple[str, str, str]] = []
    for metal, share in (("Ni", ni), ("Co", co), ("Mn", 0.02 * x)):
        columns += list(bases(share, generator).T)
        names += [(f"XANES-{metal}", f"{metal} w{k}", "1") for k in range(1, 6)]
    for label, unit, curve, sd in _diffraction(x):
        columns.append(curve + generator.normal(0.0, sd, STAGES))
        names.append(("XRD", label, unit))
    for group, label, unit, curve, sd in _exafs(ni, co):
        columns.append(curve + generator.normal(0.0, sd, STAGES))
        names.append((group, label, unit))
    curve = potential(x)
    measured = curve + generator.normal(0.0, noise, STAGES)
    return Made(np.stack(columns, 1), measured, curve, names)


def _diffraction(x: FloatArray) -> list[tuple[str, str, FloatArray, float]]:
    """Lattice constants, a width and intensities: smooth in x, c turning back late."""
    late = np.clip(x - 0.75, 0.0, None)
    return [
        ("a", "Å", 2.862 - 0.058 * x * (1.0 - 0.62 * x), 2e-3),
        ("c", "Å", 14.23 + 0.26 * x - 1.9 * late**2, 8e-3),
        ("I003/I104", "1", 1.25 + 0.15 * x - 0.9 * late**2, 0.04),
        ("FWHM 003", "deg", 0.105 + 0.02 * x + 0.25 * late**2, 0.006),
        ("FWHM 104", "deg", 0.120 + 0.01 * x, 0.006),
    ]


def _exafs(
    ni: FloatArray, co: FloatArray
) -> list[tuple[str, str, str, FloatArray, float]]:
    """R and σ² of four paths for each metal: M–O long and short, M–M, M–O–M."""
    found: list[tuple[str, str, str, FloatArray, float]] = []
    for metal, bond, share, change in (
        ("Ni", 2.06, ni, -0.17),
        ("Co", 1.92, co, -0.06),
        ("Mn", 1.91, 0.0 * ni, 0.0),
    ):
        mean = ni * 0.7
        paths = (
            ("M-O", bond + change * share, 0.0050 + 0.004 * share * (1.0 - share)),
            ("M-O'", bond + 0.05 + 0.5 * change * share, 0.0060 + 0.0 * share),
            ("M-M", 2.87 - 0.045 * mean, 0.0045 + 0.001 * share),
            ("M-O-M", 3.95 + 0.3 * change * mean, 0.0090 + 0.0 * share),
        )
        for path, distance, spread in paths:
            found.append((f"EXAFS-{metal}", f"R {metal} {path}", "Å", distance, 0.02))
            label = f"σ² {metal} {path}"
            found.append((f"EXAFS-{metal}", label, "Å²", spread, 6e-4))
    return found


def table(one: Made, remark: str) -> str:
    """The table as text: 44 features and the potential, a row for each stage."""
    heads = [*(f"x{k}" for k in range(1, 45)), "E_redox"]
    lines = [f"# SYNTHETIC: {remark}", ", ".join(heads)]
    for row, value in zip(one.features, one.potential, strict=True):
        numbers = [*(f"{number:.6g}" for number in row), f"{value:.4f}"]
        lines.append(",".join(numbers))
    return "\n".join(lines) + "\n"


def names_text(one: Made) -> str:
    """The file of names."""
    lines = ["number,group,label,unit"]
    for number, (group, label, unit) in enumerate(one.names, start=1):
        lines.append(f"{number},{group},{label},{unit}")
    return "\n".join(lines) + "\n"


def truth_text(one: Made) -> str:
    """What is behind the table, for people."""
    values = ", ".join(f"{value:.6f}" for value in one.curve)
    return (
        "# the values behind the synthetic data of the same name\n"
        f"seed = {SEED}\n\n[potential]  # V, without its noise of 0.012 V\n"
        f"curve = [{values}]\n\n[drivers]  # what the potential follows, V\n"
        "nickel = 0.72\ncobalt = 0.12\nmanganese = 0.0\n"
    )


def main(folder: Path) -> None:
    """Write the three files."""
    one = made()
    remark = "made by tests/benchmarks/redox_table.py, seed " + str(SEED)
    texts = {
        "redox_regression.csv": table(one, remark),
        "redox_regression_names.csv": names_text(one),
        "redox_regression.truth.toml": truth_text(one),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
