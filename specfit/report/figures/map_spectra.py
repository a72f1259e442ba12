"""Basis spectra with their bands, what is left over, relevance, windows of energy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.cubes import Cube
from specfit.mapped import MapDone
from specfit.report.figures.images import VALUES, cube_of
from specfit.report.figures.panels import WIDTH, colour_bar, panels, shape_of, show
from specfit.report.figures.style import (
    CURVE,
    DATA,
    FAINT,
    colour,
    dress,
    label,
    new,
    open_axes,
    png,
)

if TYPE_CHECKING:
    from specfit.maps.counting_components import Numbered

HALF_WINDOW = 1.0
"""eV on either side of a component's highest channel."""


_LEAD = 0.15
"""What is shown of the background before the edge, of the width behind it."""
_STRONG = 30.0
"""Times the middle count from which on counts are drawn by their logarithm."""


def start_of(done: MapDone) -> float:
    """Where spectra begin to be drawn, eV: before it the background is said to be alone."""
    energy, alone = done.result.energy, done.factorising.fit
    if alone is None or not energy[0] < alone[1] < energy[-1]:
        return float(energy[0])
    return max(float(energy[0]), alone[1] - _LEAD * (float(energy[-1]) - alone[1]))


def curve_name(written: str) -> str:
    """What a curve is called in a figure: its file or its record."""
    kind, _, rest = written.partition("(")
    name = rest.removesuffix(")").strip('"')
    return f"{name} (database)" if kind == "db" else name or written


def spectra(done: MapDone) -> bytes:
    """Each component with its 90 % band, and the curve that it was said to be like."""
    result = done.result
    with dress():
        figure = new(WIDTH, 2.1 * result.kept.size + 0.4)
        grid: Any = figure.subplots(result.kept.size, 1, sharex=True, squeeze=False)
        for at, axes in enumerate(grid[:, 0]):
            _spectrum(axes, done, at)
        grid[-1, 0].set_xlabel("energy (eV)")
        grid[-1, 0].set_xlim(start_of(done), float(result.energy[-1]))
        figure.tight_layout(pad=0.6)
        return png(figure)


def _spectrum(axes: Any, done: MapDone, at: int) -> None:
    """One component: what the data alone leave, the band above it, its curve on top."""
    result, found, energy = done.result, done.result.found, done.result.energy
    k, tint = int(result.kept[at]), colour(at)
    if found.feasible is not None and k < 2:
        edges = (found.feasible.low[k], found.feasible.high[k])
        axes.fill_between(energy, *edges, color=FAINT, alpha=0.3, lw=0,
                          label="range the data alone leave")  # fmt: skip
    low, high = found.spectra_low[k], found.spectra_high[k]
    axes.fill_between(energy, low, high, color=tint, alpha=0.35, lw=0.6)
    name = f"component {result.numbers[at]}, 90 % band"
    axes.plot(energy, result.spectra[at], color=tint, lw=1.4, label=name)
    like = result.library.get(at)
    if like is not None:
        text = label(curve_name(like.label), "library")
        shift = float(np.nan_to_num(found.shift[k]))
        curve = np.interp(energy - shift, energy, like.values)
        axes.plot(energy, curve, "--", color=CURVE, lw=1.0, label=text)
    axes.locator_params(axis="y", nbins=4)
    axes.set_ylabel("share per channel")
    axes.legend(loc="best", frameon=False)
    open_axes(axes)


def residual_spectrum(done: MapDone) -> bytes:
    """Counts of all pixels, what is left of them, and what is left in parts of the image."""
    result = done.result
    noise = np.sqrt(np.maximum(result.total, 1.0))
    if done.factorising.likelihood == "normal":
        noise = np.full(
            noise.size, done.factorising.sd * np.sqrt(result.pixel_total.size)
        )
    parts = left_in_parts(done)
    with dress():
        figure = new(WIDTH, 3.6 if parts is None else 4.8)
        heights = [2, 1] if parts is None else [2, 1, 1]
        every: Any = figure.subplots(
            len(heights), 1, sharex=True, height_ratios=heights
        )
        top, low = every[:2]
        fitted = result.total - result.found.residual_sum
        top.plot(result.energy, result.total, ".", ms=3, color=DATA, label="all pixels")
        top.plot(result.energy, fitted, color=CURVE, lw=1.0, label="factorisation")
        if result.total.max() > _STRONG * max(float(np.median(result.total)), 1.0):
            top.set_yscale("log")
            top.yaxis.set_major_formatter(lambda value, _: f"{value:.0e}")
        counted = done.factorising.likelihood == "poisson"
        top.set_ylabel("counts" if counted else "sum")
        top.legend(frameon=False)
        low.axhline(0.0, color=FAINT, lw=0.8)
        low.plot(result.energy, result.found.residual_sum / noise, color=DATA, lw=0.9)
        low.set_ylabel("sum / σ")
        if parts is not None:
            every[2].axhline(1.0, color=FAINT, lw=0.8)
            every[2].plot(result.energy, parts, color=DATA, lw=0.9)
            every[2].set_ylim(bottom=0.0)
            every[2].set_ylabel("parts / σ")
        every[-1].set_xlabel("energy (eV)")
        for axes in every:
            open_axes(axes)
        figure.tight_layout(pad=0.6)
        figure.align_ylabels()
        return png(figure)


def left_in_parts(done: MapDone) -> FloatArray | None:
    """Root mean square over parts of the image (n_channels,) of what is left / σ."""
    if done.result.found.parts is None:
        return None
    seen, made, variance = done.result.found.parts
    held = made.sum(axis=1) > 0.0
    noise = np.maximum(variance[held], 0.0)
    if not noise.sum() > 0.0:
        return None
    # what a part of its size has on average: a channel of it may expect next to nothing
    usual = noise.sum(axis=1, keepdims=True) * noise.sum(axis=0) / noise.sum()
    ratio = (seen - made)[held] ** 2 / np.maximum(usual, 1e-300)
    found: FloatArray = np.sqrt(ratio.mean(axis=0))
    return found


def relevance(done: MapDone) -> bytes:
    """Mean weights, the number of components by itself, the way to the answer."""
    from matplotlib.ticker import MaxNLocator

    result, found = done.result, done.result.found
    order = np.argsort(-found.relevance, kind="stable")
    alive = np.isin(order, result.kept)
    with dress():
        figure = new(WIDTH, 2.8)
        left: Any
        left, middle, right = figure.subplots(1, 3)
        tints = [colour(0) if one else FAINT for one in alive]
        left.bar(np.arange(order.size) + 1, found.relevance[order], color=tints)
        left.set_xlabel("component by weight")
        left.set_ylabel("mean weight per pixel")
        left.set_title(f"{result.kept.size} of {order.size} have counts")
        background = done.factorising.background != "none"
        _counted(middle, result.numbered, background)
        behind = found.objective[-1] - found.objective if found.objective.size else []
        right.semilogy(np.maximum(behind, 1e-12)[:-1], color=CURVE, lw=1.0)
        right.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        right.set_xlabel("step")
        right.set_ylabel("objective still to gain")
        right.set_title("search")
        for axes in (left, middle, right):
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            open_axes(axes)
        figure.tight_layout(pad=0.6)
        return png(figure)


def _counted(axes: Any, found: Numbered, background: bool) -> None:
    """What speaks against each number of components, the background being one."""
    above = found.criterion - np.min(found.criterion)
    axes.plot(found.components, above + 1.0, "o-", ms=4, color=CURVE, lw=1.0)
    place = int(np.flatnonzero(found.components == found.best)[0])
    axes.plot(found.best, above[place] + 1.0, "o", ms=7, color=colour(0))
    axes.axvline(found.relevant, color=FAINT, lw=1.0, ls="--")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("components" + (" and background" if background else ""))
    axes.set_ylabel("criterion above its best, + 1")
    axes.set_title(f"best {found.best}, by ARD {found.relevant} (dashed)")


def window_share(done: MapDone) -> tuple[FloatArray, list[tuple[float, float]]]:
    """What windows about the peaks would say: shares (n_pixels, n_kept), and windows."""
    result, cube = done.result, done.measurement.cube
    assert cube is not None
    axis = done.measurement.axis
    peaks = [float(result.energy[int(np.argmax(s))]) for s in result.spectra]
    windows = [(peak - HALF_WINDOW, peak + HALF_WINDOW) for peak in peaks]
    columns = [_sum(cube, (axis >= low) & (axis <= high)) for low, high in windows]
    counts = np.stack(columns, axis=1)
    total = counts.sum(axis=1, keepdims=True)
    shares = counts / np.where(total > 0.0, total, np.inf) * result.seen[:, None]
    return shares, windows


def _sum(cube: Cube, keep: Any) -> FloatArray:
    """Counts of some channels, by pixel (n_pixels,)."""
    chosen = cube.counts[:, :, np.flatnonzero(keep)]
    made: FloatArray = np.asarray(chosen.sum(axis=2, dtype=float)).ravel()
    return made


def windows(done: MapDone) -> bytes:
    """Shares of counts in windows of energy, above; fractions of components, below."""
    result, cube = done.result, cube_of(done)
    shares, edges = window_share(done)
    shape = shape_of(cube, max(3, result.kept.size))
    with dress():
        figure, (above, below) = panels(shape, 2, result.kept.size)
        for at, (low, high) in enumerate(edges):
            for axes, values, title in (
                (above[at], shares[:, at], f"window {low:.1f} to {high:.1f} eV"),
                (below[at], result.fraction[:, at], f"component {result.numbers[at]}"),
            ):
                image = cube.image(values)
                drawn = show(axes, image, shape, VALUES, (0.0, 1.0), title)
                colour_bar(axes, drawn, shape)
        return png(figure)
