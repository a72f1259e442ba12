"""What a site's distribution looks like: its histogram with the band of the posterior."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.model import ir
from specfit.report.figures import style
from specfit.report.quantities import Findings
from specfit.sites import SITES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST, COLUMNS = 12, 2
DRAWS = 500
"""As many draws of the posterior as a band needs."""


def spread(found: Findings) -> Iterator[tuple[ir.Spectrum, ir.Site]]:
    """The sites that have a histogram, with their spectra."""
    for spectrum in found.run.model.spectra:
        for site in spectrum.sites:
            if site.kind in SITES and SITES[site.kind].histogram is not None:
                yield spectrum, site


def draw(found: Findings) -> bytes | None:
    """One panel for each such site, as PNG; None where there is none."""
    shown = list(spread(found))[:MOST]
    if not shown:
        return None
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    with style.dress():
        figure = style.new(8.6, 0.3 + (2.9 if columns == 1 else 2.3) * rows)
        panels: Any = figure.subplots(rows, columns, squeeze=False)
        for axes in panels.ravel()[len(shown) :]:
            axes.set_visible(False)
        for number, (spectrum, site) in enumerate(shown):
            axes = panels.ravel()[number]
            _panel(axes, found, site, number)
            name = style.label(site.title, site.name, number)
            label = f"{name}, {spectrum.label}" if spectrum.label else name
            axes.set_title(label, loc="left", parse_math=False)
        figure.tight_layout(pad=0.6)
        return style.png(figure)


def density(found: Findings, site: ir.Site) -> tuple[FloatArray, FloatArray]:
    """Values (n_bins,) and probability per unit (n_draws, n_bins) at each of them.

    Draws whose bins lie elsewhere are carried to bins that hold them all; outside its
    own ends a draw has nothing.
    """
    values = {}
    for symbol, name in site.parameters.items():
        every = found.quantity(name).draws
        chosen = np.linspace(0, every.size - 1, min(DRAWS, every.size)).astype(int)
        values[symbol] = every[chosen]
    histogram = SITES[site.kind].histogram
    assert histogram is not None
    place, share = np.broadcast_arrays(*histogram(np, values))
    place, share = np.atleast_2d(place), np.atleast_2d(share)
    height = share / np.gradient(place, axis=-1)
    common: FloatArray = np.linspace(place.min(), place.max(), place.shape[-1])
    rows = [
        np.interp(common, *pair, left=0.0, right=0.0)
        for pair in zip(place, height, strict=True)
    ]
    return common, np.stack(rows)


def _panel(axes: Axes, found: Findings, site: ir.Site, number: int) -> None:
    place, height = density(found, site)
    tint = style.colour(number)
    for low, high, alpha in ((5, 95, 0.22), (25, 75, 0.35)):
        band = np.percentile(height, (low, high), axis=0)
        axes.fill_between(place, *band, color=tint, alpha=alpha, lw=0)
    axes.plot(place, height.mean(axis=0), color=tint, lw=1.4)
    symbol = next(iter(SITES[site.kind].signature.spread), "")
    known = SITES[site.kind].signature.parameters
    unit = next((p.unit for p in known if p.symbol in ("low", "sigma")), "")
    axes.set_xlabel(f"{symbol} ({unit})")
    axes.set_ylabel(f"probability per {unit}")
    axes.set_xlim(float(place[0]), float(place[-1]))
    axes.set_ylim(bottom=0.0)
    style.open_axes(axes)
