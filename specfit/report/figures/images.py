"""Images of maps: even colours, a scale bar, an uncertainty beside every value.

Colours are those of cividis and viridis, whose lightness grows evenly, so that equal
steps of a value look like equal steps to every reader; the bar is a round length.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.cubes import Cube
from specfit.mapped import MapDone
from specfit.report.figures.panels import colour_bar, panels, shape_of, show
from specfit.report.figures.style import colour, dress, png

VALUES, SPREADS, SIGNED = "viridis", "cividis", "RdBu_r"
_MOST, _ODD = 0.99, 1.5
"""Share of the pixels, and times their χ² less 1, that colours reach; beyond it is dark."""
_AWAY = 0.2


def cube_of(done: MapDone) -> Cube:
    """The map."""
    cube = done.measurement.cube
    assert cube is not None  # of every hyperspectral block
    return cube


def largest(image: FloatArray) -> float:
    """The greatest value of an image, 1 where there is none above zero."""
    top = float(np.nanmax(image)) if np.isfinite(image).any() else 0.0
    return top if top > 0.0 else 1.0


def counted(done: MapDone, values: FloatArray) -> FloatArray:
    """Values of pixels (n_pixels,) that have a count, NaN where there is nothing at all."""
    empty = cube_of(done).empty.ravel()
    made: FloatArray = np.where(empty, np.nan, values) if empty.size else values
    return made


def maps(done: MapDone) -> bytes:
    """A row for each component: fraction, half its 90 % interval, weight.

    A single component is all of every pixel: it has its weight alone.
    """
    result, cube = done.result, cube_of(done)
    rows, single = result.kept.size, result.kept.size == 1
    low, high = result.band
    half = 0.5 * (high - low)
    poisson = done.factorising.likelihood == "poisson"
    columns = 1 if single else 3
    shape = shape_of(cube, 3)
    with dress():
        figure, grid = panels(shape, rows, columns)
        for at, number in enumerate(result.numbers):
            weight = cube.image(counted(done, result.maps[:, at]))
            name = f"{number}: weight" if single else "weight"
            images = (
                (result.fraction[:, at], VALUES, 1.0, f"{number}: fraction", ""),
                (half[:, at], SPREADS, largest(half), "± of it, 90 %", ""),
                (weight, VALUES, largest(weight), name, "counts" if poisson else ""),
            )[-columns:]
            for axes, (values, scheme, top, title, unit) in zip(
                grid[at], images, strict=True
            ):
                image = values if values.ndim == 2 else cube.image(values)
                drawn = show(axes, image, shape, scheme, (0.0, top), title)
                colour_bar(axes, drawn, shape, unit)
        return png(figure)


def uncertainty(done: MapDone) -> bytes:
    """The two parts of the standard deviation of the first fraction, side by side."""
    result, cube = done.result, cube_of(done)
    parts = [
        (result.by_pixel(result.found.counting_sd)[:, 0], "sd of counting"),
        (result.by_pixel(result.found.spectral_sd)[:, 0], "sd of the spectra"),
    ]
    feasible = result.found.feasible
    if feasible is not None:
        width = (feasible.fraction_high - feasible.fraction_low) * result.seen
        parts.append((width, "range the data alone leave"))
    shape = shape_of(cube, 3)
    with dress():
        figure, grid = panels(shape, 1, len(parts))
        for axes, (values, title) in zip(grid[0], parts, strict=True):
            image = cube.image(values)
            drawn = show(axes, image, shape, SPREADS, (0.0, largest(image)), title)
            colour_bar(axes, drawn, shape)
        return png(figure)


def drift(done: MapDone) -> bytes:
    """The drift of every pixel's energies where there is an edge, and how surely."""
    found, cube = done.result.found, cube_of(done)
    assert found.drift is not None
    assert found.drift_sd is not None
    shape = shape_of(cube, 3)
    with dress():
        figure, ((left, right),) = panels(shape, 1, 2)
        image = cube.image(found.drift * done.result.seen)
        most = largest(np.abs(image))
        drawn = show(left, image, shape, SIGNED, (-most, most), "drift")
        colour_bar(left, drawn, shape, "eV")
        image = cube.image(found.drift_sd * done.result.seen)
        drawn = show(right, image, shape, SPREADS, (0.0, largest(image)), "sd")
        colour_bar(right, drawn, shape, "eV")
        return png(figure)


def residual_image(done: MapDone) -> bytes:
    """Reduced chi-square of every pixel: 1 is as noisy as it must be, never below 0."""
    from matplotlib.colors import TwoSlopeNorm

    cube = cube_of(done)
    image = cube.image(counted(done, done.result.found.residual_chi))
    here = np.abs(image[np.isfinite(image)] - 1.0)
    away = max(_AWAY, _ODD * float(np.quantile(here, _MOST)) if here.size else 0.0)
    top = largest(image)
    norm = TwoSlopeNorm(1.0, max(0.0, 1.0 - away), 1.0 + away)
    beyond = top > 1.0 + away
    shape = shape_of(cube, 2)
    with dress():
        figure, ((axes,),) = panels(shape, 1, 1)
        title = "reduced χ² of each pixel" + (f", up to {top:.3g}" if beyond else "")
        drawn = show(axes, image, shape, SIGNED, norm, title)
        colour_bar(axes, drawn, shape, extend="max" if beyond else "neither")
        return png(figure)


def overlay(done: MapDone) -> bytes:
    """The three weightiest components in one image, each in the colour of its spectrum."""
    from matplotlib.colors import to_rgb

    result, cube = done.result, cube_of(done)
    order = np.sort(np.argsort(-result.share, kind="stable")[:3])
    image = np.ones((*cube.image(result.maps[:, 0]).shape, 3))
    for at in order:
        weight = cube.image(result.maps[:, at])
        weight = weight / max(float(np.nanmax(result.maps)), 1e-300)
        tint = np.array(to_rgb(colour(int(at))))
        image -= weight[:, :, None] * (1.0 - tint)
    shape = shape_of(cube, 2)
    with dress():
        figure, ((axes,),) = panels(shape, 1, 1)
        shown = np.clip(image, 0.0, 1.0)
        show(axes, shown, shape, VALUES, (0.0, 1.0), "weights together")
        for at in order:
            axes.plot([], [], "s", color=colour(int(at)), label=str(result.numbers[at]))
        place: Any = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
        axes.legend(frameon=False, borderaxespad=0.0, **place)
        return png(figure)
