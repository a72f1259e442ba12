"""The values of a batch in the order of its files, one small panel for each quantity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.report.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST, COLUMNS = 24, 3
BARS = 400
"""Files up to which every value has its error bar."""


def draw(
    names: Sequence[tuple[str, str]], values: FloatArray, sd: FloatArray, verdict: Any
) -> bytes | None:
    """The picture as PNG; None where there is nothing to draw.

    names: name and unit of each quantity.  values, sd: (n_files, n_quantities), NaN
    where a file has no result.  verdict: (n_files,) words.
    """
    shown = [i for i in range(len(names)) if np.isfinite(values[:, i]).any()][:MOST]
    if not shown:
        return None
    rows = -(-len(shown) // COLUMNS)
    with style.dress():
        figure = style.new(10.0, 0.5 + 1.75 * rows)
        panels: Any = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True)
        for axes in panels.ravel()[len(shown) :]:
            axes.set_visible(False)
        for place, axes in zip(shown, panels.ravel(), strict=False):
            _panel(axes, names[place], values[:, place], sd[:, place], verdict)
        words = "file, in the order given"
        if not (verdict == "accepted").all():
            words += "; orange: rejected; files without a result are left out"
        figure.supxlabel(words, fontsize=9.5)
        figure.tight_layout(pad=0.6)
        return style.png(figure)


def _panel(
    axes: Axes,
    name: tuple[str, str],
    values: FloatArray,
    sd: FloatArray,
    verdict: Any,
) -> None:
    place = np.arange(1, len(values) + 1)
    good = verdict == "accepted"
    for which, colour in ((good, style.PALETTE[0]), (~good, style.PALETTE[1])):
        if not np.isfinite(values[which]).any():
            continue
        if len(values) <= BARS:
            axes.errorbar(
                place[which], values[which], sd[which],
                fmt="o", ms=2.5, lw=0.8, color=colour, ecolor=colour,
            )  # fmt: skip
        else:
            axes.plot(
                place[which], values[which], ".", ms=1.5, color=colour, rasterized=True
            )
    label, unit = style.label("", name[0]), name[1]
    axes.set_title(f"{label} ({unit})" if unit else label, loc="left")
    axes.margins(x=0.02)
    style.open_axes(axes)
