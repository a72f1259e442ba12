"""Prior against posterior, one small panel for each unknown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.model.drawing import log_density
from specfit.model.expressions import references
from specfit.model.ir import Dist, Expression
from specfit.model.linear import support_of
from specfit.report.figures import style
from specfit.report.numbers import summarise
from specfit.report.quantities import Findings, Quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 4
MOST = 24
_NOTHING = 1e-3
_ELSEWHERE: dict[str, Any] = {"ha": "center", "fontsize": 7, "color": "#8a8a8a"}
_REACH = 14.0
"""A panel shows so many posterior sd to either side, more where records lie beyond."""


def draw(found: Findings) -> bytes | None:
    """The panels as PNG; None where no unknown has prior draws to compare with."""
    shown = [q for q in found.parameters.values() if _comparable(found, q)][:MOST]
    if not shown:
        return None
    rows = -(-len(shown) // COLUMNS)
    with style.dress():
        figure = style.new(8.6, 0.35 + 1.16 * rows)
        height = 0.35 + 1.16 * rows
        figure.subplots_adjust(
            left=0.02,
            right=0.98,
            top=1 - 0.22 / height,
            bottom=0.30 / height,
            hspace=0.75,
            wspace=0.12,
        )
        for number, item in enumerate(shown):
            axes = figure.add_subplot(rows, COLUMNS, number + 1)
            _panel(axes, found, item, number)
        return style.png(figure, 130)


def _comparable(found: Findings, item: Quantity) -> bool:
    prior = found.run.fit.prior.get(item.name)
    if prior is None or item.summary.fixed:
        return False
    return not summarise(prior).fixed


def _panel(axes: Axes, found: Findings, item: Quantity, number: int) -> None:
    prior = np.ravel(found.run.fit.prior[item.name])
    conflict = found.conflicts.get(item.name)
    low, high = _range(item, prior)
    if conflict:
        origin = conflict.origin
        low = min(low, origin.location - 2 * origin.scale)
        high = max(high, origin.location + 2 * origin.scale)
    grid = np.linspace(low, high, 240)
    before = _prior(found, item, grid)
    after = density(item.draws, grid, bounds(found, item))
    axes.fill_between(grid, before, color="#8a8a8a", alpha=0.35, lw=0)
    axes.plot(grid, before, color="#8a8a8a", lw=0.8)
    if before.max() < _NOTHING:
        axes.text(
            0.5, 0.6, "the prior lies elsewhere", transform=axes.transAxes, **_ELSEWHERE
        )
    axes.fill_between(grid, after / after.max(), color="#0072B2", alpha=0.45, lw=0)
    axes.plot(grid, after / after.max(), color="#0072B2", lw=1.0)
    if conflict:
        place, scale = conflict.origin.location, conflict.origin.scale
        axes.errorbar(
            [place],
            [1.14],
            xerr=[scale],
            fmt="D",
            ms=3,
            color="#D55E00",
            lw=1,
            capsize=2,
        )
    _finish(axes, item, number, (low, high))


def _finish(axes: Axes, item: Quantity, number: int, ends: tuple[float, float]) -> None:
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    name = style.label("", item.name, number)
    unit = f" ({item.unit})" if item.unit and style.drawable(item.unit) else ""
    axes.set_title(f"{name}{unit}", pad=3, fontsize=8.5, loc="left")
    axes.set_xlim(*ends)
    axes.set_ylim(0, 1.3)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]))
    plain = ScalarFormatter(useOffset=False)
    plain.set_scientific(max(map(abs, ends)) >= 1e7)
    axes.xaxis.set_major_formatter(plain)
    axes.tick_params(labelsize=7.5, pad=2)
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)


def _range(item: Quantity, prior: FloatArray) -> tuple[float, float]:
    """Where to look: all of the prior, but not so far that the posterior vanishes."""
    mean, sd = item.summary.mean, item.summary.sd
    widest = np.quantile(prior, [0.005, 0.995])
    low = max(float(widest[0]), mean - _REACH * sd)
    high = min(float(widest[1]), mean + _REACH * sd)
    return min(low, mean - 4 * sd), max(high, mean + 4 * sd)


def bounds(found: Findings, item: Quantity) -> tuple[float, float]:
    """The ends that the prior sets to a quantity."""
    if item.parameter is not None:
        return support_of(item.parameter.prior.dist)
    shared = any(item.name in joint.names for joint in found.run.model.joints)
    return (0.0, 1.0) if shared else (-np.inf, np.inf)


def _prior(found: Findings, item: Quantity, grid: FloatArray) -> FloatArray:
    """The prior on `grid`, relative to its highest value anywhere.

    As stated where its arguments are numbers; else from its draws.
    """
    draws = np.ravel(found.run.fit.prior[item.name])
    low, high = np.quantile(draws, [0.002, 0.998])
    wide = np.linspace(min(low, grid[0]), max(high, grid[-1]), 600)
    dist = item.parameter.prior.dist if item.parameter else None
    if dist is None or any(references(a) for a in _arguments(dist)):
        values = density(draws, wide, bounds(found, item))
        result: FloatArray = np.interp(grid, wide, values) / values.max()
        return result
    here, there = (np.exp(log_density(dist, x, {})) for x in (grid, wide))
    relative: FloatArray = here / max(here.max(), there.max())
    return relative


def _arguments(dist: Dist) -> Iterator[Expression]:
    yield from dist.arguments
    for _, part in dist.components:
        yield from _arguments(part)


def density(
    draws: FloatArray,
    grid: FloatArray,
    within: tuple[float, float] = (-np.inf, np.inf),
) -> FloatArray:
    """A smooth density on an even grid: counts in fine bins under a normal kernel.

    The bandwidth is Silverman's, from the narrower of sd and interquartile range, so
    that heavy tails do not blur the middle.  What the kernel carries beyond the ends
    `within` which the draws lie is folded back.  Never all zero.
    """
    spread = min(
        float(draws.std()), float(np.ptp(np.quantile(draws, [0.25, 0.75]))) / 1.35
    )
    step = float(grid[1] - grid[0])
    bandwidth = max(0.9 * spread * draws.size**-0.2, 0.8 * step)
    reach = min((grid.size - 1) // 2, int(4 * bandwidth / step) + 1)
    edges = grid[0] + step * (np.arange(-reach, grid.size + reach + 1) - 0.5)
    ends = [end for end in within if np.isfinite(end)]
    folded = np.concatenate([draws, *(2 * end - draws for end in ends)])
    counts = np.histogram(folded, edges)[0].astype(float)
    offsets = np.arange(-reach, reach + 1) * step
    kernel = np.exp(-0.5 * (offsets / bandwidth) ** 2)
    smooth = np.convolve(counts, kernel / kernel.sum(), mode="valid")
    inside = (grid >= within[0] - step / 2) & (grid <= within[1] + step / 2)
    result: FloatArray = np.maximum(np.where(inside, smooth, 0.0), 1e-300)
    return result
