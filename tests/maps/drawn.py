"""Maps whose truth is drawn at random, within what the model says: for calibration.

Every map has spectra, a dose, an overlap in projection and a continuum of its own. The
library is not the truth: true spectra are the library's times a smooth random factor, as
if another instrument had measured another sample of the same valence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ENERGY = np.linspace(636.0, 660.0, 128)
SIDE = 24


@dataclass(frozen=True)
class Drawn:
    """One map and what it was made of.

    `counts` (n_pixels, n_channels), `fraction` (n_pixels,) of the first component (NaN
    outside the particle), `spectra` and `library` (2, n_channels) of unit area, `inside`
    (n_pixels,) bool, `dose` in counts per pixel, `overlap` (2,)
    the least fraction of either component, `continuum` its share, `angle` (2,) degrees
    from the library.
    """

    counts: np.ndarray
    fraction: np.ndarray
    spectra: np.ndarray
    library: np.ndarray
    inside: np.ndarray
    dose: float
    overlap: np.ndarray
    continuum: float
    angle: np.ndarray


def _edge(generator: np.random.Generator, place: float, wide: float) -> np.ndarray:
    """White lines L3 and L2 with a shoulder each, of unit area."""
    found = np.zeros(ENERGY.size)
    place = place + 0.3 * generator.normal()
    for split, height in ((0.0, 1.0), (11.2 + 0.2 * generator.normal(), 0.45)):
        for off, share in ((0.0, 1.0), (generator.uniform(0.8, 2.2), 0.5)):
            hwhm = wide * generator.uniform(0.8, 1.25)
            size = height * share * generator.uniform(0.7, 1.3)
            found += size / (1.0 + ((ENERGY - place - split - off) / hwhm) ** 2)
    found = found - found.min()
    return found / found.sum()


def _other(generator: np.random.Generator, curve: np.ndarray) -> np.ndarray:
    """The same as another source would give it: times a smooth random factor."""
    apart = (ENERGY[:, None] - ENERGY[None]) / generator.uniform(0.7, 2.0)
    root = np.linalg.cholesky(np.exp(-0.5 * apart**2) + 1e-8 * np.eye(ENERGY.size))
    factor = generator.uniform(0.1, 0.4) * (root @ generator.normal(size=ENERGY.size))
    found = curve * np.exp(factor)
    return found / found.sum()


def _fraction(generator: np.random.Generator, least: np.ndarray) -> np.ndarray:
    """A core, a shell and a streak, each of random size, (SIDE * SIDE,).

    `least` (2,): of either component everywhere.
    """
    y, x = np.mgrid[:SIDE, :SIDE] / (SIDE - 1) * 2.0 - 1.0
    core, thick = generator.uniform(0.3, 0.6), generator.uniform(0.1, 0.3)
    shell = np.clip((np.hypot(x, y) - core) / thick, 0.0, 1.0)
    turn = generator.uniform(0.0, np.pi)
    across = x * np.cos(turn) + y * np.sin(turn) - generator.uniform(-0.3, 0.3)
    streak = generator.uniform(0.3, 1.0) * np.exp(-0.5 * (across / 0.08) ** 2)
    return (least[0] + (1.0 - least.sum()) * np.maximum(shell, streak)).ravel()


def drawn(seed: int, curves: tuple[np.ndarray, np.ndarray] | None = None) -> Drawn:
    """One map of the population; `curves` are other spectra and another library."""
    generator = np.random.default_rng([7, seed])
    continuum = float(generator.choice([0.0, generator.uniform(0.1, 0.4)]))
    library = np.stack([_edge(generator, 640.5, 0.9), _edge(generator, 643.3, 1.3)])
    spectra = np.stack([_other(generator, curve) for curve in library])
    if curves is not None:
        spectra, library = curves
    apart = angle(spectra, library)
    library, spectra = (
        (1.0 - continuum) * s + continuum / s.shape[1] for s in (library, spectra)
    )
    overlap = generator.uniform(0.05, 0.25, 2) * generator.integers(0, 2, 2)
    fraction = _fraction(generator, overlap)
    dose = float(np.exp(generator.uniform(np.log(1e3), np.log(2e4))))
    y, x = np.mgrid[:SIDE, :SIDE] / (SIDE - 1) * 2.0 - 1.0
    inside = (np.hypot(x, y) <= 0.95).ravel()
    mean = np.stack([fraction, 1.0 - fraction], axis=1) @ spectra
    counts = generator.poisson(dose * inside[:, None] * mean).astype(float)
    truth = np.where(inside, fraction, np.nan)
    return Drawn(
        counts, truth, spectra, library, inside, dose, overlap, continuum, apart
    )


def angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Degrees between rows."""
    both = np.sum(a * b, axis=1)
    return np.degrees(
        np.arccos(both / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1))
    )
