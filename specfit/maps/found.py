"""What is asked of a factorisation, and what it returns: plain values, no engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Engine = Literal["poisson", "gaussian", "ard_so", "sklearn"]


@dataclass(frozen=True)
class Levels:
    """The weights of a map: a gamma law of `shape`, whose scale is learned.

    The scale has an inverse gamma law with `alpha` and `beta`, in the unit of the data.
    """

    alpha: float
    beta: float
    shape: float = 1.0


@dataclass(frozen=True)
class Factorisation:
    """How a map is to be factorised.

    `components` is K. `library` (K, n_channels) holds a curve for each component, of
    any scale, a row of NaN for one without a curve. `smooth` are the full widths (eV)
    below which spectra have no structure, 0 of one that may have any. `levels` are the
    laws of the weights, and `roughness` the standard deviation of the difference between
    neighbouring pixels as a share of the mean of all weights, 0 of none. `apart` (mean, sd) is
    what cosine between the maps is expected. `shift_sd` (eV) is the
    spread of the offset that the axis of the map may have against that of the library
    (`offset` is where it is looked for first),
    `drift_sd` (eV) of each pixel's own; 0 switches either off. `noise` is the known
    standard deviation of the data, in their unit, for the engine "gaussian", and `count`
    how much one count is in that unit. `relevance`
    lets weights be switched off and `overlap` in [0, 1] is the strength of soft
    orthogonality, both of the engine "ard_so" alone. `background` are the exponents r
    of power laws E^-r that are fitted as further weights of each pixel, and `alone` the
    energies (eV) between which there is nothing else. `grid` (rows, columns) is how the
    pixels lie. `tolerance` is the angle (rad) by which the space of the spectra may still
    turn in a step that is called converged. `level` is what bands hold.
    """

    components: int = 2
    engine: Engine = "poisson"
    library: Array | None = None
    smooth: tuple[float, ...] = ()
    levels: Levels | None = None
    roughness: float = 0.0
    apart: tuple[float, float] | None = None
    shift_sd: float = 0.0
    drift_sd: float = 0.0
    noise: float | None = None
    count: float = 1.0
    offset: float = 0.0
    relevance: bool = False
    overlap: float = 0.0
    background: tuple[float, ...] = ()
    alone: tuple[float, float] | None = None
    grid: tuple[int, int] | None = None
    iterations: int = 300
    restarts: int = 1
    tolerance: float = 1e-4
    chunk: int = 4096
    seed: int = 0
    level: float = 0.9


@dataclass(frozen=True)
class Feasible:
    """Every pair of spectra that explains a map of two components as well as the best.

    `low` and `high` (2, n_channels) bound each spectrum of unit area, `fraction_low` and
    `fraction_high` (n_pixels,) the fraction of the first component, `ends` (2, 2) the
    places of each pure spectrum along the line through the two that were found (0 is
    the first, 1 is the second). `decided` says whether the data alone leave the
    fraction of no pixel open by more than `open_by`.
    """

    low: Array
    high: Array
    fraction_low: Array
    fraction_high: Array
    ends: Array
    open_by: float
    decided: bool


@dataclass(frozen=True)
class Average:
    """The mean fraction (K,) of the pixels that hold something, its error and a band."""

    mean: Array
    sd: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class Factorised:
    """Spectra and maps with their bands; K components, N pixels, M channels.

    `spectra` (K, M) of unit area with a band, `maps` (N, K) in the unit of the
    data, `fraction` (N, K) of the components' counts (NaN where a pixel is empty) with
    the standard deviations of counting and of the spectra and the interval,
    `background` (N, B) weights of the power laws, `relevance` (K,) mean weight per
    pixel, `strength` (K,) the library's learned worth as a share of a component's
    counts (NaN where there is no curve), `shift` (K,) eV and its standard deviation
    `shift_sd`, `drift` (N,) eV and
    `drift_sd` its standard deviation (None where none was asked for),
    `objective` (iterations,) which never falls, `residual_sum` (M,) in the unit of the
    data, `residual_chi` (N,) reduced chi-square, `average` the mean fraction's error,
    `parts` (3, P, M) counts in parts of the image, what is expected and its variance, `open_by`
    how far the data alone leave a fraction open, by the library or not, of more than
    two components (of two, `feasible` says it, and this is of lines without a library), `laws`
    (B, M) the power laws, `filled` (N,) which pixels hold something, `roughness` how
    much neighbours that are held together differ by themselves (None: they are not).
    """

    spectra: Array
    spectra_low: Array
    spectra_high: Array
    maps: Array
    fraction: Array
    counting_sd: Array
    spectral_sd: Array
    fraction_low: Array
    fraction_high: Array
    background: Array
    relevance: Array
    strength: Array
    shift: Array
    drift: Array | None
    objective: Array
    converged: bool
    feasible: Feasible | None
    residual_sum: Array
    residual_chi: Array
    notes: tuple[str, ...] = field(default=())
    average: Average | None = None
    parts: Array | None = None
    open_by: float = 0.0
    drift_sd: Array | None = None
    laws: Array | None = None
    shift_sd: float = 0.0
    filled: NDArray[np.bool_] | None = None
    roughness: float | None = None


class MapError(ValueError):
    """The map or the request cannot be used; the message says why."""
