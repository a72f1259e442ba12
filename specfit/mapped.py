"""A factorisation of one file, done and judged: everything its report may show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.cubes import FloatArray, filled

if TYPE_CHECKING:
    from specfit.contracts import Measurement, Verdict
    from specfit.maps.counting_components import Numbered
    from specfit.maps.found import Factorised
    from specfit.model.factorising import Factorising

Places = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True)
class LibraryCurve:
    """A spectrum from elsewhere on the axis of the data.

    values: (n_channels,) of unit sum.  label: as the file says it; note: what is to be
    known of it, "" of a measured one.
    """

    label: str
    values: FloatArray
    note: str = ""


@dataclass(frozen=True)
class MapResult:
    """A factorisation in the order in which its components are numbered.

    found: with all that was asked for; kept: places there of those with counts, in the
    order of the file; numbers: what the file calls these, from 1.  energy: (n_channels,) eV of
    the channels that were used.
    library: by number from 0 of a kept component, what it was said to be like.
    numbered: how many components the map holds, by itself.  grid: rows and columns.
    """

    found: Factorised
    kept: Places
    numbers: tuple[int, ...]
    energy: FloatArray
    library: Mapping[int, LibraryCurve]
    total: FloatArray  # (n_channels,) counts of all pixels
    pixel_total: FloatArray  # (n_pixels,)
    numbered: Numbered
    grid: tuple[int, int] = (1, 1)

    @property
    def spectra(self) -> FloatArray:
        """(n_kept, n_channels) of unit sum."""
        return self.found.spectra[self.kept]

    @property
    def maps(self) -> FloatArray:
        """(n_pixels, n_kept) counts."""
        return self.found.maps[:, self.kept]

    @property
    def seen(self) -> FloatArray:
        """(n_pixels,) 1 where there is something to take a share of, else NaN."""
        held = filled(self.maps) if self.found.filled is None else self.found.filled
        made: FloatArray = np.where(held, 1.0, np.nan)
        return made

    def by_pixel(self, values: FloatArray) -> FloatArray:
        """Of all components (n_pixels, K), those kept where there is something."""
        made: FloatArray = values[:, self.kept] * self.seen[:, None]
        return made

    @property
    def fraction(self) -> FloatArray:
        """(n_pixels, n_kept), NaN where next to nothing is."""
        return self.by_pixel(self.found.fraction)

    @property
    def band(self) -> tuple[FloatArray, FloatArray]:
        """5 and 95 % of the fractions, each (n_pixels, n_kept)."""
        found = self.found
        return self.by_pixel(found.fraction_low), self.by_pixel(found.fraction_high)

    @property
    def centroid(self) -> FloatArray:
        """(n_kept,) eV."""
        made: FloatArray = self.spectra @ self.energy / self.spectra.sum(axis=1)
        return made

    @property
    def share(self) -> FloatArray:
        """(n_kept,) of all counts of the components."""
        total = self.maps.sum(axis=0)
        made: FloatArray = total / total.sum() if total.sum() > 0 else total
        return made

    @property
    def chi2(self) -> float:
        """Reduced chi-square over the pixels that have counts."""
        return float(np.nanmean(self.found.residual_chi))


@dataclass(frozen=True)
class MapDone:
    """A factorisation with where it comes from and what is thought of it."""

    title: str
    factorising: Factorising
    measurement: Measurement
    result: MapResult
    verdict: Verdict
    spec: str
    text: str
    text_sha256: str
    versions: Mapping[str, str]
    timings: Mapping[str, float]
    started: str
