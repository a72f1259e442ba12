"""Images in rows and columns: every panel as tall or wide as the map, its bar as tall.

Places are in inches: a map that is no square leaves no blank stripes, its colour bar is
as long as its image, and its scale bar stands below it and covers no pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.cubes import Cube
from specfit.report.figures.style import INK, new

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 8.6
"""Inches."""
TALLEST, THINNEST = 3.6, 0.22
"""Inches that an image is tall at most, and tall or wide at least."""
_BAR, _GAP, _NUMBERS = 0.11, 0.07, 0.68
"""Inches: width of a colour bar, what is before it, what its numbers and name take."""
_TITLE, _BELOW, _EDGE = 0.26, 0.34, 0.10
_NARROWEST = 1.9
"""Inches of a panel, so that its title has room."""
_ROUND = (1.0, 2.0, 5.0)
_EMPTY = "#e4e4e4"
_FINE = 1e-9


def bar_length(wanted: float) -> float:
    """The greatest round length that is not above `wanted`, in its unit."""
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(max(r * power for r in _ROUND if r * power <= wanted * (1.0 + _FINE)))


def steps_of(cube: Cube) -> tuple[float, float]:
    """Nm per pixel to the right and downwards, NaN where not known."""
    first, second = (s / 10.0 for s in cube.step)
    return (second, first) if cube.upright else (first, second)


@dataclass(frozen=True)
class Shape:
    """How large one image of a map is drawn; right, down: size of the map in pixels or nm.

    width, height: inches.  nm: whether the sizes are lengths.
    """

    right: float
    down: float
    width: float
    height: float
    nm: bool


def shape_of(cube: Cube, columns: int, widest: float = WIDTH) -> Shape:
    """The size of an image where `columns` of them stand side by side."""
    right, down = steps_of(cube)
    down = down if np.isfinite(down) else right
    right, down, nm = (right, down, True) if np.isfinite(right) else (1.0, 1.0, False)
    n_down, n_right = cube.image(np.zeros(cube.pixels)).shape
    ratio = (n_down * down) / (n_right * right)
    room = widest / columns - _GAP - _BAR - _NUMBERS - _EDGE
    width = min(room, TALLEST / ratio)
    height = max(width * ratio, THINNEST)
    return Shape(n_right * right, n_down * down, max(width, THINNEST), height, nm)


def panels(
    shape: Shape, rows: int, columns: int, widest: float = WIDTH
) -> tuple[Figure, list[list[Any]]]:
    """A figure with axes for images, row by row."""
    across = max(shape.width + _GAP + _BAR + _NUMBERS + _EDGE, _NARROWEST)
    tall = shape.height + _TITLE + _BELOW
    size = (min(widest, across * columns), tall * rows)
    figure = new(*size)
    grid: list[list[Any]] = []
    for row in range(rows):
        top = size[1] - row * tall - _TITLE
        grid.append(
            [
                figure.add_axes(
                    (
                        (column * across + _EDGE) / size[0],
                        (top - shape.height) / size[1],
                        shape.width / size[0],
                        shape.height / size[1],
                    )
                )
                for column in range(columns)
            ]
        )
    return figure, grid


def show(
    axes: Any, image: FloatArray, shape: Shape, scheme: str, norm: Any, title: str
) -> Any:
    """One image with title and scale bar; pixels without a value are grey."""
    import matplotlib as mpl

    colours = mpl.colormaps[scheme].with_extremes(bad=_EMPTY, over=INK)
    ends = {"norm": norm} if callable(norm) else {"vmin": norm[0], "vmax": norm[1]}
    values = np.ma.masked_invalid(image) if image.ndim == 2 else image
    drawn = axes.imshow(
        values, cmap=colours, aspect="auto", interpolation="nearest", **ends
    )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, loc="left", pad=4.0)
    _scale(axes, shape)
    return drawn


def _scale(axes: Any, shape: Shape) -> None:
    """A length in nm, or in pixels where the step is not known, below the image."""
    wanted = min(0.6 * shape.right, 0.25 * max(shape.right, shape.down))
    length = bar_length(wanted) if shape.nm else max(1.0, bar_length(max(1.0, wanted)))
    share, low = length / shape.right, -0.09 / shape.height
    axes.plot(
        [0.0, share], [low, low], lw=2.2, color=INK, transform=axes.transAxes,
        solid_capstyle="butt", clip_on=False,
    )  # fmt: skip
    axes.text(
        share + 0.06 / shape.width, low, f"{length:g} {'nm' if shape.nm else 'pixels'}",
        color=INK, transform=axes.transAxes, fontsize=8, va="center",
    )  # fmt: skip


def colour_bar(
    axes: Any, drawn: Any, shape: Shape, unit: str = "", extend: str = "neither"
) -> None:
    """A colour bar as tall as its image."""
    from matplotlib.ticker import MaxNLocator

    figure = axes.figure
    left = 1.0 + _GAP / shape.width
    place = axes.inset_axes((left, 0.0, _BAR / shape.width, 1.0))
    bar: Any = figure.colorbar(drawn, cax=place, extend=extend)
    bar.outline.set_linewidth(0.5)
    most = max(1, min(6, int(shape.height / 0.25)))
    bar.ax.yaxis.set_major_locator(MaxNLocator(most))
    if unit and shape.height > 0.5:
        bar.set_label(unit)
