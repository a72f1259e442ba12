"""The four maps that every method is held against: real curves, known truth.

The truth is made of the curves of one source (MnO for Mn2+, SrMnO3 for Mn4+), the
library of another's (MnO and MnO2): the library is never the truth. The curves are
looked up beside the checkout and are not part of it; where they are not, tests skip.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(
    os.environ.get(
        "SPECFIT_EELS_CURVES",
        Path(__file__).parents[3] / "shared/data/eels/mn_L23_refs",
    )
)
TRUTH = ("Data2_MnO", "Data2_SrMnO3")
LIBRARY = ("Data3_MnO", "Data3_MnO2")
WINDOW = (637.3, 658.4)  # eV, where all four curves were measured
NAMES = ("lo", "hi", "ov", "amb")
DOSE = {"lo": 1e3, "hi": 1e4, "ov": 1e4, "amb": 1e4}  # counts per pixel


@dataclass(frozen=True)
class Map:
    """One simulated map and what it was made of.

    `counts` (n_pixels, n_channels), `energy` (n_channels,) eV, `fraction` (n_pixels,)
    of Mn2+ in truth (NaN outside the particle), `spectra` and `library`
    (2, n_channels) of unit area, `inside` (n_pixels,) bool, `drift` (n_pixels,) eV.
    """

    counts: np.ndarray
    energy: np.ndarray
    fraction: np.ndarray
    spectra: np.ndarray
    library: np.ndarray
    inside: np.ndarray
    drift: np.ndarray | None = None


def curve(name: str, energy: np.ndarray) -> np.ndarray:
    """A curve above its lowest point in the window, of unit area, (n_channels,)."""
    path = FOLDER / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"no {name}: set SPECFIT_EELS_CURVES to the folder of the curves")
    table = np.genfromtxt(path, delimiter=",", skip_header=1, encoding="utf-8-sig")
    table = table[np.argsort(table[:, 0])]
    found = np.interp(energy, table[:, 0], table[:, 1])
    found = found - found.min()
    return found / found.sum()


def reduced(side: int, pure: bool) -> tuple[np.ndarray, np.ndarray]:
    """The fraction of Mn2+ on a disc with a core, a shell and a streak; and the disc."""
    y, x = np.mgrid[:side, :side] / (side - 1) * 2.0 - 1.0
    radius = np.hypot(x, y)
    shell = np.clip((radius - 0.55) / 0.25, 0.0, 1.0)
    streak = 0.7 * np.exp(-0.5 * ((x - 0.5 * y - 0.1) / 0.06) ** 2)
    found = np.maximum(shell, streak)
    if not pure:
        found = 0.25 + 0.75 * found
    return found.ravel(), (radius <= 0.95).ravel()


def simulated(
    name: str, seed: int, side: int = 64, channels: int = 256, dose: float | None = None
) -> Map:
    """One of the four maps, with the noise of a seed."""
    energy = np.linspace(*WINDOW, channels)
    spectra = np.stack([curve(each, energy) for each in TRUTH])
    library = np.stack([curve(each, energy) for each in LIBRARY])
    if name == "amb":  # a continuum common to all: no channel is empty
        spectra, library = (0.7 * s + 0.3 / channels for s in (spectra, library))
    fraction, inside = reduced(side, pure=name in ("lo", "hi"))
    level = (DOSE[name] if dose is None else dose) * inside
    mean = np.stack([fraction, 1.0 - fraction], axis=1) * level[:, None]
    counts = np.random.default_rng(seed).poisson(mean @ spectra).astype(float)
    truth = np.where(inside, fraction, np.nan)
    return Map(counts, energy, truth, spectra, library, inside)


def drifting(name: str, seed: int, sd: float = 0.3, offset: float = 0.0) -> Map:
    """The same, the axis of every pixel moved by its own and that of all by `offset`, eV."""
    still = simulated(name, seed)
    fine = np.linspace(*WINDOW, 4096)
    rows = np.stack([curve(each, fine) for each in TRUTH])
    rows = rows / [[np.interp(still.energy, fine, row).sum()] for row in rows]
    generator = np.random.default_rng(1000 + seed)
    drift = generator.normal(0.0, sd, still.inside.size)
    counts = np.zeros_like(still.counts)
    for n in np.flatnonzero(still.inside):
        place = still.energy - drift[n] - offset
        own = np.stack([np.interp(place, fine, row) for row in rows])
        if name == "amb":
            own = 0.7 * own + 0.3 / still.energy.size
        share = np.array([still.fraction[n], 1.0 - still.fraction[n]])
        counts[n] = generator.poisson(DOSE[name] * share @ own)
    return replace(still, counts=counts, drift=drift)
