"""Synthetic maps of Mn L2,3 edges: a particle with a core and a shell, seen through.

Nothing here was measured.  A sphere of Mn4+ oxide with a skin of Mn2+ oxide is seen in
projection, so that the core is never seen without the skin before and behind it; or cut
to a slice, so that it is.  Each edge is a few asymmetric lines where groups of a
multiplet stand; their places are about those of MnO and SrMnO3, their heights nobody's
data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specfit.cubes import FloatArray

LABEL = "SYNTHETIC"

LINES = {
    # eV, share of the edge's area, half widths below and above (eV)
    "Mn2+": (
        *((640.4, 0.46, 0.45, 0.60), (641.7, 0.17, 0.70, 1.20)),
        *((644.2, 0.17, 1.10, 1.60), (651.4, 0.12, 0.90, 1.30)),
        *((653.2, 0.08, 0.90, 1.80),),
    ),
    "Mn3+": (
        *((640.6, 0.16, 0.80, 0.90), (642.2, 0.40, 1.10, 1.70)),
        *((645.0, 0.16, 1.30, 2.00), (653.1, 0.28, 1.70, 2.20)),
    ),
    "Mn4+": (
        *((641.1, 0.15, 0.70, 0.80), (643.4, 0.40, 1.20, 1.60)),
        *((646.4, 0.14, 1.20, 2.40), (653.9, 0.31, 1.70, 2.10)),
    ),
}
"""Groups of lines of each valence, after the look of published spectra."""

STEP_SHARE = 0.12
"""Area of the continuum behind the edges, of all, per 20 eV of the axis above L3."""


@dataclass(frozen=True)
class Scene:
    """What is in the microscope, and how long one looks.

    pixels: (n_first, n_second).  skin: thickness over radius.  projected: seen through,
    else a slice.  dose: counts of the edge at the thickest pixel.  background: counts
    of all channels there, falling with energy to the power −exponent.  drift: sd of
    each pixel's energies, eV.  rough: of the skin's thickness, a share.
    """

    pixels: tuple[int, int] = (24, 24)
    radius: float = 0.88
    skin: float = 0.28
    projected: bool = True
    dose: float = 4000.0
    background: float = 3000.0
    exponent: float = 3.0
    drift: float = 0.0
    rough: float = 0.25
    core: str = "Mn4+"
    shell: str = "Mn2+"


@dataclass(frozen=True)
class Made:
    """Counts and what they were drawn from.

    counts: (n_first, n_second, n_channels).  maps: (2, n_first, n_second) expected
    counts of shell and core.  spectra: (2, n_channels) of unit sum.  drift: (n_first,
    n_second) eV.
    """

    counts: FloatArray
    energy: FloatArray
    maps: FloatArray
    spectra: FloatArray
    background: FloatArray
    drift: FloatArray

    @property
    def fraction(self) -> FloatArray:
        """The shell's share of the edge, NaN where nothing is expected."""
        total = self.maps.sum(axis=0)
        made: FloatArray = np.where(
            total > 0.0, self.maps[0] / np.where(total > 0.0, total, 1.0), np.nan
        )
        return made


def edge(valence: str, energy: FloatArray, shift: float = 0.0) -> FloatArray:
    """The edge of a valence on an axis (n,), of unit sum."""
    made = np.zeros_like(energy)
    for place, share, below, above in LINES[valence]:
        z = energy - place - shift
        width = np.where(z < 0.0, below, above)
        made += share / (0.5 * np.pi * (below + above)) / (1.0 + (z / width) ** 2)
    l3 = LINES[valence][0][0] + shift
    made += STEP_SHARE / 20.0 * (0.5 + np.arctan((energy - l3 - 2.0) / 1.0) / np.pi)
    unit: FloatArray = made / made.sum()
    return unit


def thickness(
    scene: Scene, generator: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Paths through shell and core, the whole diameter is 1; each (n_first, n_second)."""
    rows, columns = scene.pixels
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    r = np.hypot(x, y) / scene.radius
    angle = np.arctan2(y, x)
    waves = sum(
        a * np.cos(n * angle + p)
        for n, (a, p) in enumerate(
            zip(
                generator.normal(0.0, scene.rough / 3.0, 4),
                generator.uniform(0.0, 2.0 * np.pi, 4),
                strict=True,
            ),
            start=2,
        )
    )
    inner = np.clip(1.0 - scene.skin * np.clip(1.0 + waves, 0.2, 2.0), 0.0, None)
    if not scene.projected:
        whole, core = (r < 1.0).astype(float), (r < inner).astype(float)
    else:
        whole = np.sqrt(np.clip(1.0 - r**2, 0.0, None))
        core = np.sqrt(np.clip(inner**2 - r**2, 0.0, None))
    return whole - core, core


def simulated(scene: Scene, energy: FloatArray, seed: int) -> Made:
    """A map with its noise, and the truth behind it."""
    generator = np.random.default_rng(seed)
    shell, core = thickness(scene, generator)
    maps = scene.dose * np.stack([shell, core])
    drift = scene.drift * generator.normal(size=scene.pixels)
    fall = (energy / energy[0]) ** -scene.exponent
    thin = 0.02 + 0.98 * (shell + core)
    background = scene.background * thin[:, :, None] * (fall / fall.sum())
    names = (scene.shell, scene.core)
    spectra = np.stack([edge(name, energy) for name in names])
    mean = background.copy()
    if scene.drift:
        for place in np.ndindex(*scene.pixels):
            for k, name in enumerate(names):
                own = edge(name, energy, float(drift[place]))
                mean[place] += maps[k][place] * own
    else:
        mean += np.einsum("kab,ke->abe", maps, spectra)
    counts = generator.poisson(mean).astype(float)
    return Made(counts, energy, maps, spectra, background, drift)
