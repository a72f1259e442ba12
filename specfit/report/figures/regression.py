"""Features by stages as a heat map, predicted against measured, coefficient paths.

In the heat map the feature's number stands on the axis, as in the report this follows;
a cell is what the feature contributes at that stage, standardised value × coefficient.
Beside it stands how often, or how probably, each feature belongs to the model, because a
coefficient alone says nothing of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.features import Features
from specfit.report.figures.style import (
    CURVE,
    DATA,
    FAINT,
    colour,
    dress,
    label,
    new,
    png,
)

NAMED = 20
"""Features whose names have room on the axis."""


@dataclass(frozen=True)
class Map:
    """What a heat map shows: contributions (n, p), and shares (p,) with their name."""

    features: Features
    contributions: FloatArray
    shares: FloatArray
    shares_name: str
    unit: str


def groups_of(features: Features) -> list[tuple[str, list[int]]]:
    """Groups in the order of the table, with the places of their features."""
    found: dict[str, list[int]] = {}
    for index in range(features.count):
        found.setdefault(features.group(index), []).append(index)
    return list(found.items())


def heat_map(shown: Map) -> bytes:
    """Stages up, features along, their shares below on the same axis."""
    n, p = shown.contributions.shape
    most = float(np.max(np.abs(shown.contributions))) or 1.0
    from matplotlib.ticker import MaxNLocator

    with dress():
        figure = new(max(6.5, 0.17 * p + 1.6), 0.16 * n + 3.4)
        grid = figure.add_gridspec(
            2, 2, height_ratios=(n * 0.16 + 0.6, 1.5), width_ratios=(40, 1)
        )
        above = figure.add_subplot(grid[0, 0])
        image = above.imshow(
            shown.contributions,
            aspect="auto",
            origin="lower",
            cmap="RdBu_r",
            vmin=-most,
            vmax=most,
            extent=(0.5, p + 0.5, 0.5, n + 0.5),
        )
        bar = figure.colorbar(image, cax=figure.add_subplot(grid[0, 1]))
        bar.set_label(f"contribution ({shown.unit or '1'})")
        above.set_ylabel("row")
        above.yaxis.set_major_locator(MaxNLocator(integer=True))
        above.tick_params(labelbottom=False)
        below = figure.add_subplot(grid[1, 0], sharex=above)
        _shares(below, shown)
        for axes in (above, below):
            for _, members in groups_of(shown.features)[1:]:
                axes.axvline(members[0] + 0.5, color=FAINT, linewidth=0.7)
        figure.tight_layout(pad=0.6)
        return png(figure)


def importances(
    features: Features, importance: FloatArray, shares: FloatArray
) -> bytes:
    """What a forest says of each feature: it has no sign, so nothing is said by stage."""
    with dress():
        figure = new(max(6.5, 0.17 * features.count + 1.6), 3.6)
        above, below = figure.subplots(2, 1, sharex=True)
        _bars(above, features, importance)
        above.set_ylabel("importance")
        above.tick_params(labelbottom=False)
        _shares(below, Map(features, importance[None], shares, "selection", ""))
        figure.tight_layout(pad=0.6)
        return png(figure)


def _shares(axes: Any, shown: Map) -> None:
    places = _bars(axes, shown.features, shown.shares)
    axes.set_ylim(0.0, 1.25)  # room for the groups
    axes.set_yticks([0.0, 0.5, 1.0])
    for index, (group, members) in enumerate(groups_of(shown.features)):
        middle = float(np.mean(places[members]))
        if group:
            axes.text(
                middle, 1.06, label(group, group, index), ha="center", fontsize=6.5
            )
    axes.set_ylabel(shown.shares_name)
    axes.set_xlabel("feature")
    few = len(places) <= NAMED
    axes.set_xticks(places if few else places[::5])
    if few and any(shown.features.labels):
        names = [f"{k} {label(shown.features.label(k - 1), str(k))}" for k in places]
        turn = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
        axes.set_xticklabels(names, fontsize=6.5, **turn)


def _bars(axes: Any, features: Features, heights: FloatArray) -> Any:
    """A bar for each feature in the colour of its group; their places."""
    places = np.arange(1, features.count + 1)
    axes.set_xlim(0.5, features.count + 0.5)
    for index, (_, members) in enumerate(groups_of(features)):
        axes.bar(places[members], np.nan_to_num(heights[members]), color=colour(index))
    return places


def predicted(
    target: FloatArray,
    series: Sequence[tuple[str, FloatArray, FloatArray | None]],
    unit: str,
) -> bytes:
    """Held-out predictions against what was measured; bands (2, n) where there are any."""
    with dress():
        figure = new(4.6, 4.2)
        axes = figure.add_subplot()
        ends = float(target.min()), float(target.max())
        axes.plot(ends, ends, color=CURVE, linewidth=0.8)
        for index, (name, values, band) in enumerate(series):
            own: dict[str, Any] = {
                "color": colour(index),
                "label": label(name, name, index),
            }
            if band is None:
                axes.plot(target, values, "o", markersize=3.5, **own)
                continue
            reach = np.abs(band - values)
            axes.errorbar(target, values, reach, fmt="o", markersize=3.5, lw=0.9, **own)
        axes.set_xlabel(f"measured ({unit or '1'})")
        axes.set_ylabel(f"predicted while held out ({unit or '1'})")
        axes.legend(frameon=False, loc="upper left")
        figure.tight_layout(pad=0.6)
        return png(figure)


def paths(alphas: FloatArray, path: FloatArray, features: Features, unit: str) -> bytes:
    """Coefficients (p, n_alphas) along the penalty; the largest are named."""
    largest = np.argsort(-np.abs(path).max(axis=1))[:6]
    with dress():
        figure = new(6.0, 3.4)
        axes = figure.add_subplot()
        axes.semilogx(alphas, path.T, color=DATA, linewidth=0.5, alpha=0.5)
        for index, place in enumerate(largest):
            name = f"{place + 1} {features.label(int(place))}"
            axes.semilogx(
                alphas, path[place], color=colour(index), label=label(name, name)
            )
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xlabel("penalty α")
        axes.set_ylabel(f"coefficient ({unit or '1'})")
        axes.legend(frameon=False, fontsize=7)
        figure.tight_layout(pad=0.6)
        return png(figure)
