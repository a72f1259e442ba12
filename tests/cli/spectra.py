"""Synthetic transmission spectra, written without the package."""

import numpy as np

SLOPES = np.array([5.3123, 3.0760, 0.8397]) / 33.04
SIGNS = np.array([-1, -1, -1, 1, 1, 1])
ORDER = np.array([0, 1, 2, 2, 1, 0])
QUADRUPOLE = np.array([1, -1, -1, -1, -1, 1])
AREAS = np.array([3, 2, 1, 1, 2, 3]) / 12


def sextet(shift, quadrupole, field, area, fwhm=0.26):
    """Lines of a sextet: (position, area, fwhm)."""
    lines = shift + SIGNS * SLOPES[ORDER] * field + QUADRUPOLE * quadrupole / 2
    return [(v, area * a, fwhm) for v, a in zip(lines, AREAS, strict=True)]


def doublet(shift, splitting, area, fwhm=0.30):
    """Lines of a doublet."""
    half = splitting / 2
    return [(shift - half, area / 2, fwhm), (shift + half, area / 2, fwhm)]


def write(path, lines, counts=1e5, seed=1, channels=512, limit=11.0):
    """A two-column file with Poisson counts."""
    velocity = np.linspace(-limit, limit, channels)
    dip = np.zeros(channels)
    for position, area, fwhm in lines:
        dip += area * fwhm / 2 / np.pi / ((velocity - position) ** 2 + fwhm**2 / 4)
    seen = np.random.default_rng(seed).poisson(counts * (1 - dip))
    rows = [f"{v:.6f},{n}" for v, n in zip(velocity, seen, strict=True)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


HEADER = """specfit 1
data spectrum "{title}" : transmission {{
  file = "spectrum.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
  IS_zero = "alpha-Fe"
}}
model sample : mossbauer57Fe on spectrum {{
{body}
  observe spectrum.counts ~ poisson
}}
run {engine} {{ chains = 4; warmup = 200; draws = 400; seed = 5 }}
"""


def spec(folder, body, lines, title="a test", engine="auto", **options):
    """A folder with a .spec file and its data; the path of the file.

    `nuts` where `auto` would try everything on a posterior that is far from normal.
    """
    write(folder / "spectrum.csv", lines, **options)
    path = folder / "sample.spec"
    path.write_text(
        HEADER.format(title=title, body=body, engine=engine), encoding="utf-8"
    )
    return path
