"""Images of maps: even colours, a scale bar, an uncertainty beside every value.

Colours are those of cividis and viridis, whose lightness grows evenly, so that equal
steps of a value look like equal steps to every reader; the bar is a round length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.cubes import Cube
from specfit.mapped import MapDone
from specfit.report.figures.style import INK, colour, dress, new, png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VALUES, SPREADS, SIGNED = "viridis", "cividis", "RdBu_r"
WIDTH = 8.6
"""Inches."""
_ROUND = (1.0, 2.0, 5.0)
_EMPTY = "#e4e4e4"


def bar_length(extent: float) -> float:
    """A round length about a quarter of `extent`, in its unit."""
    wanted = extent / 4.0
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(max(r * power for r in _ROUND if r * power <= wanted))


def steps_of(cube: Cube) -> tuple[float, float]:
    """Nm per pixel to the right and downwards, NaN where not known."""
    first, second = (s / 10.0 for s in cube.step)
    return (second, first) if cube.upright else (first, second)


def show(
    axes: Any, image: FloatArray, cube: Cube, scheme: str, low: float, high: float
) -> Any:
    """One image with its scale bar; pixels without a value are grey."""
    import matplotlib as mpl

    right, down = steps_of(cube)
    aspect = down / right if np.isfinite(down / right) else 1.0
    colours = mpl.colormaps[scheme].with_extremes(bad=_EMPTY)
    drawn = axes.imshow(
        np.ma.masked_invalid(image), cmap=colours, vmin=low, vmax=high,
        aspect=aspect, interpolation="nearest",
    )  # fmt: skip
    axes.set_xticks([])
    axes.set_yticks([])
    _bar(axes, image.shape[1], right)
    return drawn


def _bar(axes: Any, columns: int, step: float) -> None:
    """A length in nm, or in pixels where the step is not known."""
    known = np.isfinite(step)
    extent = columns * (step if known else 1.0)
    length = bar_length(extent)
    share = length / extent
    white = {"color": "white", "transform": axes.transAxes, "solid_capstyle": "butt"}
    axes.plot([0.06, 0.06 + share], [0.06, 0.06], lw=5.0, **{**white, "color": INK})
    axes.plot([0.062, 0.058 + share], [0.06, 0.06], lw=3.0, **white)
    text = f"{length:g} {'nm' if known else 'pixels'}"
    axes.text(
        0.06, 0.085, text, color="white", transform=axes.transAxes, fontsize=8,
        va="bottom", bbox={"facecolor": INK, "alpha": 0.55, "pad": 1.2, "lw": 0},
    )  # fmt: skip


def framed(figure: Figure, axes: Any, drawn: Any, title: str, unit: str = "") -> None:
    """Title and colour bar of an image."""
    axes.set_title(title)
    bar: Any = figure.colorbar(drawn, ax=axes, fraction=0.046, pad=0.03)
    bar.outline.set_linewidth(0.5)
    if unit:
        bar.set_label(unit)


def maps(done: MapDone) -> bytes:
    """A row for each component: fraction, half its 90 % interval, counts."""
    result, cube = done.result, done.measurement.cube
    assert cube is not None
    low, high = result.band
    rows = result.kept.size
    counted = done.factorising.likelihood == "poisson"
    unit = "counts" if counted else ""
    with dress():
        figure = new(WIDTH, 2.75 * rows)
        grid: Any = figure.subplots(rows, 3, squeeze=False)
        half = 0.5 * (high - low)
        worst = float(np.nanmax(half)) if np.isfinite(half).any() else 1.0
        for at, number in enumerate(result.numbers):
            images = (
                (result.fraction[:, at], VALUES, 0.0, 1.0, f"{number}: fraction", ""),
                (half[:, at], SPREADS, 0.0, worst or 1.0, "± of it, 90 %", ""),
                (result.maps[:, at], VALUES, 0.0, None, "weight", unit),
            )
            for axes, (values, scheme, bottom, top, title, label) in zip(
                grid[at], images, strict=True
            ):
                image = cube.image(values)
                ceiling = float(np.nanmax(image)) if top is None else top
                drawn = show(axes, image, cube, scheme, bottom, ceiling)
                framed(figure, axes, drawn, title, label)
        figure.tight_layout(pad=0.6, w_pad=1.6)
        return png(figure)


def uncertainty(done: MapDone) -> bytes:
    """The two parts of the standard deviation of the first fraction, side by side."""
    result, cube = done.result, done.measurement.cube
    assert cube is not None
    parts = [
        (result.by_pixel(result.found.counting_sd)[:, 0], "sd of counting"),
        (result.by_pixel(result.found.spectral_sd)[:, 0], "sd of the spectra"),
    ]
    feasible = result.found.feasible
    if feasible is not None:
        width = (feasible.fraction_high - feasible.fraction_low) * result.seen
        parts.append((width, "range the data alone leave"))
    with dress():
        figure = new(WIDTH, 2.9)
        grid: Any = figure.subplots(1, len(parts), squeeze=False)
        for axes, (values, title) in zip(grid[0], parts, strict=True):
            image = cube.image(values)
            top = float(np.nanmax(image)) if np.isfinite(image).any() else 1.0
            drawn = show(axes, image, cube, SPREADS, 0.0, top or 1.0)
            framed(figure, axes, drawn, title)
        figure.tight_layout(pad=0.6)
        return png(figure)


def drift(done: MapDone) -> bytes:
    """The drift of every pixel's energies, and how surely it is known."""
    found, cube = done.result.found, done.measurement.cube
    assert cube is not None
    assert found.drift is not None
    assert found.drift_sd is not None
    with dress():
        figure = new(0.7 * WIDTH, 2.9)
        left, right = figure.subplots(1, 2)
        image = cube.image(found.drift)
        most = float(np.nanmax(np.abs(image))) if np.isfinite(image).any() else 1.0
        drawn = show(left, image, cube, SIGNED, -(most or 1.0), most or 1.0)
        framed(figure, left, drawn, "drift", "eV")
        image = cube.image(found.drift_sd)
        most = float(np.nanmax(image)) if np.isfinite(image).any() else 1.0
        framed(figure, right, show(right, image, cube, SPREADS, 0.0, most), "sd", "eV")
        figure.tight_layout(pad=0.6)
        return png(figure)


def residual_image(done: MapDone) -> bytes:
    """Reduced chi-square of every pixel: 1 is as noisy as it must be."""
    cube = done.measurement.cube
    assert cube is not None
    image = cube.image(done.result.found.residual_chi)
    away = float(np.nanmax(np.abs(image - 1.0))) if np.isfinite(image).any() else 1.0
    with dress():
        figure = new(4.3, 3.3)
        axes: Any = figure.add_subplot()
        away = max(away, 0.2)
        drawn = show(axes, image, cube, SIGNED, 1.0 - away, 1.0 + away)
        framed(figure, axes, drawn, "reduced χ² of each pixel")
        figure.tight_layout(pad=0.6)
        return png(figure)


def overlay(done: MapDone) -> bytes:
    """The three weightiest components in one image, each in the colour of its spectrum."""
    from matplotlib.colors import to_rgb

    result, cube = done.result, done.measurement.cube
    assert cube is not None
    order = np.sort(np.argsort(-result.share, kind="stable")[:3])
    image = np.ones((*cube.image(result.maps[:, 0]).shape, 3))
    for at in order:
        weight = cube.image(result.maps[:, at])
        weight = weight / max(float(np.nanmax(result.maps)), 1e-300)
        tint = np.array(to_rgb(colour(int(at))))
        image -= weight[:, :, None] * (1.0 - tint)
    with dress():
        figure = new(4.3, 3.3)
        axes: Any = figure.add_subplot()
        show(axes, np.clip(image, 0.0, 1.0), cube, VALUES, 0.0, 1.0)
        for at in order:
            axes.plot([], [], "s", color=colour(int(at)), label=str(result.numbers[at]))
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
        axes.set_title("weights together")
        figure.tight_layout(pad=0.6)
        return png(figure)
