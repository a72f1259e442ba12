"""Basis spectra with their bands, what is left over, relevance, windows of energy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.cubes import Cube
from specfit.mapped import MapDone
from specfit.report.figures.images import VALUES, WIDTH, framed, show
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


def spectra(done: MapDone) -> bytes:
    """Each component with its 90 % band, and the curve that it was said to be like."""
    result, found = done.result, done.result.found
    with dress():
        figure = new(WIDTH, 2.1 * result.kept.size + 0.4)
        grid: Any = figure.subplots(result.kept.size, 1, sharex=True, squeeze=False)
        for at, (axes, k) in enumerate(zip(grid[:, 0], result.kept, strict=True)):
            tint, energy = colour(at), result.energy
            low, high = found.spectra_low[k], found.spectra_high[k]
            axes.fill_between(energy, low, high, color=tint, alpha=0.25, lw=0)
            name = f"component {result.numbers[at]}, 90 % band"
            axes.plot(energy, result.spectra[at], color=tint, lw=1.4, label=name)
            like = result.library.get(at)
            if like is not None:
                text = label(like.label, "library")
                shift = float(np.nan_to_num(found.shift[k]))
                curve = np.interp(energy - shift, energy, like.values)
                axes.plot(energy, curve, "--", color=CURVE, lw=1.0, label=text)
            if found.feasible is not None and k < 2:
                edges = (found.feasible.low[k], found.feasible.high[k])
                axes.fill_between(energy, *edges, color=FAINT, alpha=0.25, lw=0,
                                  label="range the data alone leave")  # fmt: skip
            axes.set_yticks([])
            axes.set_ylabel("unit area")
            axes.legend(loc="upper left", frameon=False)
            open_axes(axes)
        grid[-1, 0].set_xlabel("energy (eV)")
        figure.tight_layout(pad=0.6)
        return png(figure)


def residual_spectrum(done: MapDone) -> bytes:
    """Counts of all pixels, and what is left of them in units of their noise."""
    result = done.result
    noise = np.sqrt(np.maximum(result.total, 1.0))
    if done.factorising.likelihood == "normal":
        noise = np.full(
            noise.size, done.factorising.sd * np.sqrt(result.pixel_total.size)
        )
    with dress():
        figure = new(WIDTH, 3.6)
        top: Any
        top, low = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
        fitted = result.total - result.found.residual_sum
        top.plot(result.energy, result.total, ".", ms=3, color=DATA, label="all pixels")
        top.plot(result.energy, fitted, color=CURVE, lw=1.0, label="factorisation")
        counted = done.factorising.likelihood == "poisson"
        top.set_ylabel("counts" if counted else "sum")
        top.legend(frameon=False)
        low.axhline(0.0, color=FAINT, lw=0.8)
        low.plot(result.energy, result.found.residual_sum / noise, color=DATA, lw=0.9)
        low.set_ylabel("residual / σ")
        low.set_xlabel("energy (eV)")
        for axes in (top, low):
            open_axes(axes)
        figure.tight_layout(pad=0.6)
        return png(figure)


def relevance(done: MapDone) -> bytes:
    """Mean weights, the number of components by itself, the way to the answer."""
    result, found = done.result, done.result.found
    order = np.argsort(-found.relevance, kind="stable")
    alive = np.isin(order, result.kept)
    with dress():
        figure = new(WIDTH, 2.8)
        left: Any
        left, middle, right = figure.subplots(1, 3)
        tints = [colour(0) if one else FAINT for one in alive]
        left.bar(np.arange(order.size) + 1, found.relevance[order], color=tints)
        left.set_xticks(np.arange(order.size) + 1)
        left.set_xlabel("component by weight")
        left.set_ylabel("mean weight per pixel")
        left.set_title(f"{result.kept.size} of {order.size} have counts")
        _counted(middle, result.numbered)
        behind = found.objective[-1] - found.objective if found.objective.size else []
        right.semilogy(np.maximum(behind, 1e-12)[:-1], color=CURVE, lw=1.0)
        right.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        right.set_xlabel("step")
        right.set_title("objective, behind its last")
        for axes in (left, middle, right):
            open_axes(axes)
        figure.tight_layout(pad=0.6)
        return png(figure)


def _counted(axes: Any, found: Numbered) -> None:
    """What speaks against each number of components."""
    above = found.criterion - np.min(found.criterion)
    axes.plot(found.components, above + 1.0, "o-", ms=4, color=CURVE, lw=1.0)
    place = int(np.flatnonzero(found.components == found.best)[0])
    axes.plot(found.best, above[place] + 1.0, "o", ms=7, color=colour(0))
    axes.axvline(found.relevant, color=FAINT, lw=1.0, ls="--")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xticks(found.components)
    axes.set_xlabel("components")
    axes.set_title(f"criterion: {found.best}, relevance: {found.relevant}")


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
    result, cube = done.result, done.measurement.cube
    assert cube is not None
    shares, edges = window_share(done)
    count = result.kept.size
    with dress():
        figure = new(WIDTH, 5.4)
        grid: Any = figure.subplots(2, count, squeeze=False)
        for at, (low, high) in enumerate(edges):
            drawn = show(grid[0, at], cube.image(shares[:, at]), cube, VALUES, 0.0, 1.0)
            framed(figure, grid[0, at], drawn, f"window {low:.1f} to {high:.1f} eV")
            own = cube.image(result.fraction[:, at])
            drawn = show(grid[1, at], own, cube, VALUES, 0.0, 1.0)
            framed(figure, grid[1, at], drawn, f"component {result.numbers[at]}")
        figure.tight_layout(pad=0.6)
        return png(figure)
