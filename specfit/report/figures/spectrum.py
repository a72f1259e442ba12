"""The spectrum: data, curve with its band, components, lines, residuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import FloatArray, Measurement
from specfit.readers.declared import VALUES
from specfit.report.figures import style
from specfit.report.numbers import concise
from specfit.report.quantities import Findings
from specfit.report.text import width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BoolArray = np.ndarray[Any, np.dtype[np.bool_]]

ABSORPTION = "mossbauer"
"""The kind whose components are dips in a transmission, shown relative to it."""


_LEGEND: dict[str, Any] = {
    "frameon": False,
    "handlelength": 1.5,
    "columnspacing": 1.8,
    "labelspacing": 0.35,
}


@dataclass(frozen=True)
class _Layers:
    """Everything drawn, in the unit of the vertical axis."""

    axis: FloatArray
    data: FloatArray
    error: FloatArray
    curve: FloatArray
    band: FloatArray  # (2, n)
    base: FloatArray
    components: FloatArray  # (n_sites, n), each by itself from the baseline
    pearson: FloatArray
    absorbing: bool
    ordinate: str
    halves: tuple[BoolArray, ...]  # of the sweep, where they are not folded; else all
    peaked: bool  # components have lines: they are no whole spectra


def draw(found: Findings, index: int) -> bytes:
    """The figure of one spectrum, as PNG."""
    from matplotlib.gridspec import GridSpec

    layers = _layers(found, index)
    with style.dress():
        names = _names(found, index)
        columns = _legend_columns(names)
        head = 0.12 + 0.19 * -(-(len(names) + 2) // columns)
        panels = (3.9, 1.05) if len(layers.halves) == 1 else (2.9, 0.85)
        ticks = 0.14 * len(names) if layers.peaked else 0.0
        heights = (0.16 + ticks, *panels * len(layers.halves))
        total = head + sum(heights) + 0.46
        figure = style.new(8.6, total)
        figure.subplots_adjust(0.085, 0.46 / total, 0.975, 1 - head / total)
        grid = GridSpec(len(heights), 1, figure, height_ratios=heights, hspace=0.0)
        top, *rest = (figure.add_subplot(grid[row]) for row in range(len(heights)))
        _lines(top, layers)
        for number, (middle, below) in enumerate(
            zip(rest[::2], rest[1::2], strict=True)
        ):
            _spectrum(middle, layers, names, number)
            _residuals(below, layers, number)
            below.tick_params(labelbottom=below is rest[-1])
        figure.legend(
            *rest[0].get_legend_handles_labels(),
            loc="upper left",
            bbox_to_anchor=(0.075, 1.0),
            ncols=columns,
            **_LEGEND,
        )
        for axes in (top, *rest):
            axes.set_xlim(layers.axis[0], layers.axis[-1])
        rest[-1].set_xlabel(axis_title(found, index))
        figure.align_ylabels(rest)
        return style.png(figure)


def _layers(found: Findings, index: int) -> _Layers:
    run = found.run
    measurement, fit = run.measurements[index], run.fit
    n = measurement.values.size
    sites = len(run.model.spectra[index].sites) or len(run.model.bases)
    curve = fit.curve[index, :n]
    parts = fit.components[index, :sites, :n]
    absorbing = run.model.kind.startswith(ABSORPTION)
    base = curve + parts.sum(axis=0) if absorbing else curve - parts.sum(axis=0)
    scale = 100.0 / float(base.max()) if absorbing else 1.0
    return _Layers(
        axis=measurement.axis,
        data=measurement.values * scale,
        error=found.residuals[index].sd * scale,
        curve=curve * scale,
        band=fit.band[:, index, :n] * scale,
        base=base * scale,
        components=(base - parts if absorbing else base + parts) * scale,
        pearson=found.residuals[index].pearson,
        absorbing=absorbing,
        ordinate="relative transmission (%)" if absorbing else _ordinate(found, index),
        halves=_halves(measurement),
        peaked=not run.model.bases,
    )


_AXES = {"theta2": "2θ", "velocity": "velocity"}


def axis_title(found: Findings, index: int) -> str:
    """What the axis of a spectrum is, with its unit."""
    unit = found.run.measurements[index].axis_unit
    if unit == "mm/s":
        return "velocity (mm/s)"
    columns = list(found.run.model.sources[index].columns)
    others = [name for name in columns if name not in (_observed(found, index), "sd")]
    what = others[0] if others else "row"
    if found.run.model.sources[index].kind == "table" and len(others) != 1:
        what = "row"
    return _with_unit(_AXES.get(what, what), unit)


def _observed(found: Findings, index: int) -> str:
    source = found.run.model.sources[index]
    stated = str(source.options.get("reading", ""))
    known = (stated, *VALUES, *reversed(source.columns))
    return next((name for name in known if name in source.columns), "")


def _ordinate(found: Findings, index: int) -> str:
    unit = found.run.measurements[index].value_unit
    name = _observed(found, index) or "counts"
    return name if name == unit else _with_unit(name, unit)


def _with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _halves(measurement: Measurement) -> tuple[BoolArray, ...]:
    """Which channels make a smooth curve together: all, or those of each half."""
    if not measurement.position.size:
        return (np.ones(measurement.axis.size, dtype=bool),)
    both = (measurement.position < 0, measurement.position >= 0)
    return tuple(half for half in both if half.any())


def _names(found: Findings, index: int) -> list[str]:
    """What the legend calls the sites, with their share of the area."""
    names = []
    for number, site in enumerate(found.run.model.spectra[index].sites):
        text = style.label(site.title, site.name, number)
        share = site.parameters.get("I")
        if share is not None:
            text += f"   {concise(found.quantity(share).summary)}"
        names.append(text)
    bases = found.run.model.bases
    return names or [f"{basis.data}[{basis.label}]" for basis in bases]


def _legend_columns(names: list[str]) -> int:
    """As many columns of the legend as fit side by side."""
    longest = max(map(width, names), default=0)
    return max(1, min(len(names) + 2, 115 // (longest + 8)))


def _lines(axes: Axes, layers: _Layers) -> None:
    """Where the lines of each site are: one row of ticks for each."""
    axes.set_axis_off()
    if not layers.peaked:
        return
    rows = len(layers.components)
    axes.set_ylim(rows - 0.35, -0.65)
    for row, part in enumerate(layers.components):
        first = layers.halves[0]
        depth = np.abs(part - layers.base)[first]
        places = line_positions(layers.axis[first], depth)
        if not places.size:
            continue
        tint = style.colour(row)
        axes.hlines(row, places.min(), places.max(), color=tint, lw=0.8, alpha=0.6)
        axes.vlines(places, row - 0.3, row + 0.3, color=tint, lw=1.5)


def line_positions(axis: FloatArray, depth: FloatArray) -> FloatArray:
    """Maxima of a curve above 2 % of its highest, between channels by a parabola."""
    inner = depth[1:-1]
    tall = inner > 0.02 * depth.max()
    peaks = 1 + np.flatnonzero(tall & (inner > depth[:-2]) & (inner >= depth[2:]))
    left, middle, right = depth[peaks - 1], depth[peaks], depth[peaks + 1]
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    step = np.where(
        shift < 0, axis[peaks] - axis[peaks - 1], axis[peaks + 1] - axis[peaks]
    )
    places: FloatArray = axis[peaks] + shift * step
    return places


def _spectrum(axes: Axes, layers: _Layers, names: list[str], number: int) -> None:
    """One half of the sweep, or all where it is folded.

    In one panel the curves of both halves, a hair apart, and their fills would hide
    each other.
    """
    half = layers.halves[number]
    x, base, curve = layers.axis[half], layers.base[half], layers.curve[half]
    for site, part in enumerate(layers.components[:, half]):
        tint = style.colour(site)
        axes.fill_between(x, part, base, color=tint, alpha=0.22, lw=0)
        axes.plot(x, part, color=tint, lw=1.1, label=names[site])
    data, error = layers.data[half], layers.error[half]
    axes.vlines(x, data - error, data + error, color=style.FAINT, lw=0.6, zorder=2.5)
    axes.plot(x, data, "o", ms=2.1, mfc=style.DATA, mec="none", zorder=3, label="data")
    low, high = layers.band[:, half]
    axes.fill_between(x, low, high, color="#b30000", alpha=0.25, lw=0, zorder=3.5)
    axes.plot(x, curve, color="#b30000", lw=1.2, zorder=4, label="model, 5–95 %")
    if len(layers.halves) > 1:
        words = f"{('first', 'second')[number]} half of the sweep"
        beside = axes.text(1.006, 0.5, words, transform=axes.transAxes, fontsize=8.5)
        beside.set(rotation=-90, va="center")
    axes.set_ylabel(layers.ordinate)
    _limits(axes, layers)
    axes.minorticks_on()
    axes.tick_params(which="both", top=True, right=True, labelbottom=False)


def _limits(axes: Axes, layers: _Layers) -> None:
    everything = np.concatenate([layers.data, layers.curve, layers.base])
    low, high = float(everything.min()), float(everything.max())
    room = 0.05 * (high - low)
    axes.set_ylim(low - room, high + room)


def _residuals(axes: Axes, layers: _Layers, number: int) -> None:
    from matplotlib.ticker import MaxNLocator

    top = max(4.2, 1.08 * float(np.abs(layers.pearson).max()))
    axes.axhspan(-1, 1, color="#000000", alpha=0.06, lw=0)
    axes.axhline(0, color=style.FAINT, lw=0.8)
    for level in (-3, 3):
        axes.axhline(level, color="#b30000", lw=0.7, ls=(0, (4, 3)), alpha=0.7)
    half = layers.halves[number]
    x, pearson = layers.axis[half], layers.pearson[half]
    axes.vlines(x, 0, pearson, color=style.DATA, lw=0.7)
    axes.plot(x, pearson, "o", ms=1.7, mfc=style.DATA, mec="none")
    axes.set_ylim(-top, top)
    if top < 12:
        axes.set_yticks([-3, 0, 3])
    else:  # ticks at ±3 would lie on each other
        axes.yaxis.set_major_locator(MaxNLocator(4, symmetric=True))
    axes.set_ylabel("residual (sd)")
    axes.minorticks_on()
    axes.tick_params(which="both", top=True, right=True)
    axes.tick_params(axis="y", which="minor", left=False, right=False)
