"""The joint posterior of the most entangled unknowns: densities below, numbers above.

One picture is painted tile by tile and shown at once: a grid of a hundred axes would
take longer to draw than the posterior took to sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import FloatArray
from specfit.report.figures import priors, style
from specfit.report.quantities import Findings, Quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 12
LONGEST = 28
"""Characters of a name that are shown."""
_BINS = 24


def chosen(found: Findings) -> list[Quantity]:
    """At most twelve inferred unknowns, those most strongly correlated."""
    free = [q for q in found.parameters.values() if not q.summary.fixed]
    free = [q for q in free if q.draws.size == free[0].draws.size]
    if len(free) <= MOST:
        return free
    matrix = np.abs(correlation(free))
    np.fill_diagonal(matrix, 0)
    strongest = np.argsort(-matrix.max(axis=1), kind="stable")[:MOST]
    return [free[index] for index in sorted(strongest)]


def correlation(items: list[Quantity]) -> FloatArray:
    """Pearson correlations of the draws, (n, n)."""
    matrix: FloatArray = np.atleast_2d(np.corrcoef(np.stack([q.draws for q in items])))
    return matrix


def draw(found: Findings) -> bytes | None:
    """The figure as PNG; None with fewer than two unknowns."""
    items = chosen(found)
    if len(items) < 2:
        return None
    size = len(items)
    with style.dress():
        figure = style.new(8.6, min(7.4, 2.2 + 0.8 * size))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0, size)
        axes.set_ylim(size, 0)
        axes.set_aspect("auto")
        _densities(axes, items)
        _margins(axes, items, [priors.bounds(found, item) for item in items])
        _numbers(axes, correlation(items))
        _frame(axes, items)
        _make_room(axes)
        return style.png(figure, 110)


def _ends(item: Quantity) -> tuple[float, float]:
    low, high = np.quantile(item.draws, [0.002, 0.998])
    room = 0.08 * (high - low) or 1e-12
    return float(low - room), float(high + room)


def _densities(axes: Axes, items: list[Quantity]) -> None:
    """Two-dimensional densities of the lower triangle, one picture for all."""
    size = len(items)
    canvas = np.full((size * _BINS, size * _BINS), np.nan)
    for row in range(size):
        for column in range(row):
            counts, _, _ = np.histogram2d(
                items[row].draws,
                items[column].draws,
                bins=_BINS,
                range=(_ends(items[row]), _ends(items[column])),
            )
            tile = _smoothed(counts)[::-1]
            rows = slice(row * _BINS, (row + 1) * _BINS)
            canvas[rows, column * _BINS : (column + 1) * _BINS] = tile / tile.max()
    axes.imshow(
        canvas,
        extent=(0, size, size, 0),
        cmap="Blues",
        vmin=0,
        vmax=1.15,
        aspect="auto",
        interpolation="bilinear",
    )


def _smoothed(counts: FloatArray) -> FloatArray:
    kernel = np.array([1.0, 4.0, 8.0, 10.0, 8.0, 4.0, 1.0]) / 36
    once = np.apply_along_axis(np.convolve, 0, counts, kernel, mode="same")
    return np.apply_along_axis(np.convolve, 1, once, kernel, mode="same")


def _margins(
    axes: Axes, items: list[Quantity], bounds: list[tuple[float, float]]
) -> None:
    for place, item in enumerate(items):
        low, high = _ends(item)
        grid = np.linspace(low, high, 120)
        curve = priors.density(item.draws, grid, bounds[place])
        x = place + (grid - low) / (high - low)
        y = place + 1 - 0.82 * curve / curve.max()
        axes.fill_between(x, place + 1, y, color="#0072B2", alpha=0.35, lw=0)
        axes.plot(x, y, color="#0072B2", lw=1.0)


def _numbers(axes: Axes, matrix: FloatArray) -> None:
    size = len(matrix)
    for row in range(size):
        for column in range(row + 1, size):
            value = round(float(matrix[row, column]), 2)
            strong = abs(value)
            axes.text(
                column + 0.5,
                row + 0.5,
                f"{value + 0.0:+.2f}",
                ha="center",
                va="center",
                fontsize=7 + 4 * strong,
                color="#b30000"
                if strong > 0.95
                else str(round(0.65 * (1 - strong), 2)),
                fontweight="bold" if strong > 0.7 else "normal",
            )


def _short(name: str) -> str:
    """The end of a very long name: what comes last says what it is."""
    return name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"


def _make_room(axes: Axes) -> None:
    """Margins as wide as the longest name, to the left and, slanted, below."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    boxes = [
        [label.get_window_extent() for label in axis.get_ticklabels()]
        for axis in (axes.xaxis, axes.yaxis)
    ]
    below = max(box.height for box in boxes[0]) / figure.bbox.height
    left = max(box.width for box in boxes[1]) / figure.bbox.width
    # the ticks' own pad, and a hair at the edges
    left, below = left + 0.015, below + 0.02
    axes.set_position((left, below, 0.99 - left, 0.99 - below))


def _frame(axes: Axes, items: list[Quantity]) -> None:
    size = len(items)
    names = [_short(style.label("", item.name, i)) for i, item in enumerate(items)]
    for line in range(size + 1):
        axes.axhline(line, color="#dddddd", lw=0.8)
        axes.axvline(line, color="#dddddd", lw=0.8)
    axes.set_xticks(np.arange(size) + 0.5, names, rotation=40, ha="right")
    axes.set_yticks(np.arange(size) + 0.5, names)
    axes.tick_params(length=0, labelsize=8.5)
    for spine in axes.spines.values():
        spine.set_visible(False)
