"""Pictures of maps: panels as the map is, bars as tall as images, scales that say something."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from specfit.checking import check_with_data
from specfit.cubes import Cube
from specfit.mapped import MapDone
from specfit.mapping import run_map
from specfit.report.figures import images, map_spectra, panels
from specfit.report.figures.style import dress, png
from specfit.report.maps.writing import DRAWN

Project = Callable[..., Path]


def cube(*shape: int, step: float = 10.0) -> Cube:
    return Cube(np.ones((*shape, 20)), step=(step, step))


@pytest.fixture
def done(project: Project, fake: None) -> MapDone:
    checked = check_with_data(project())
    return run_map(checked, checked.require().maps[0])


@pytest.mark.parametrize(
    "shape", [(20, 20), (60, 10), (8, 30), (1, 80), (80, 1), (1, 1)]
)
@pytest.mark.parametrize("columns", [1, 2, 3, 5])
def test_a_panel_has_the_shape_of_the_map(shape: tuple[int, int], columns: int) -> None:
    size = panels.shape_of(cube(*shape), columns)
    ratio = shape[0] / shape[1]
    if 0.3 <= ratio <= 10.0:
        assert size.height / size.width == pytest.approx(ratio)
    assert min(size.height, size.width) >= panels.THINNEST
    assert size.height <= max(panels.TALLEST, panels.THINNEST) + 1e-9
    with dress():
        figure, grid = panels.panels(size, 2, columns)
        drawn = panels.show(
            grid[0][0], np.zeros(shape), size, "viridis", (0.0, 1.0), "title"
        )
        panels.colour_bar(grid[0][0], drawn, size, "counts")
        png(figure)
        own = grid[0][0].get_window_extent()
        (bar,) = grid[0][0].child_axes
        other = bar.get_window_extent()
        assert other.y0 == pytest.approx(own.y0, abs=1.0)
        assert other.height == pytest.approx(own.height, abs=1.0)
        scale = grid[0][0].lines[0].get_window_extent()
        assert scale.y1 < own.y0  # no pixel below it
        assert figure.bbox.width >= other.x1
        for axes in (one for row in grid for one in row):
            inside = axes.get_window_extent()
            assert 0 <= inside.x0 <= inside.x1 <= figure.bbox.width + 1
            assert 0 <= inside.y0 <= inside.y1 <= figure.bbox.height + 1


@pytest.mark.parametrize(
    ("wanted", "length"), [(5.0, 5.0), (4.9, 2.0), (0.3, 0.2), (10.0, 10.0)]
)
def test_the_scale_is_a_round_length(wanted: float, length: float) -> None:
    assert panels.bar_length(wanted) == pytest.approx(length)


def test_pixels_without_counts_have_no_weight(done: MapDone) -> None:
    own = images.cube_of(done)
    empty = np.zeros(own.shape, dtype=bool)
    empty[:3, :3] = True
    beam = replace(done.measurement, cube=replace(own, empty=empty))
    other = replace(done, measurement=beam)
    seen = images.counted(other, np.ones(own.pixels)).reshape(own.shape)
    assert np.isnan(seen[:3, :3]).all()
    assert np.isfinite(seen).sum() == own.pixels - 9


def test_one_bad_pixel_does_not_hide_the_rest(
    done: MapDone, monkeypatch: pytest.MonkeyPatch
) -> None:
    chi = np.random.default_rng(0).normal(1.0, 0.1, done.result.found.residual_chi.size)
    chi[100] = 190.0
    found = replace(done.result.found, residual_chi=chi)
    other = replace(done, result=replace(done.result, found=found))
    kept = {}
    real = panels.show

    def show(axes, image, shape, scheme, norm, title):
        kept.update(low=norm.vmin, high=norm.vmax, title=title)
        return real(axes, image, shape, scheme, norm, title)

    monkeypatch.setattr(images, "show", show)
    images.residual_image(other)
    assert 0.0 <= kept["low"] < 1.0 < kept["high"] < 2.0
    assert "up to 190" in kept["title"]


def test_spectra_begin_where_the_background_ends(done: MapDone) -> None:
    assert done.factorising.fit == (600.0, 632.0)
    assert 625.0 < map_spectra.start_of(done) < 632.0
    free = done.factorising.model_copy(update={"fit": None})
    assert (
        map_spectra.start_of(replace(done, factorising=free)) == done.result.energy[0]
    )


def test_curves_are_called_by_their_file() -> None:
    assert map_spectra.curve_name('file("a/mno.csv")') == "a/mno.csv"
    assert map_spectra.curve_name('db("MnO.L23")') == "MnO.L23 (database)"


def test_what_parts_of_the_image_leave_is_drawn(done: MapDone) -> None:
    found = replace(done.result.found, parts=None)
    none = replace(done, result=replace(done.result, found=found))
    assert map_spectra.left_in_parts(none) is None
    made = np.full((36, done.result.energy.size), 100.0)
    seen = made + np.random.default_rng(1).normal(0.0, 10.0, made.shape)
    seen[:, 40] += 50.0
    found = replace(done.result.found, parts=np.stack([seen, made, made]))
    other = replace(done, result=replace(done.result, found=found))
    left = map_spectra.left_in_parts(other)
    assert left is not None
    assert np.argmax(left) == 40
    assert np.median(left) == pytest.approx(1.0, abs=0.1)
    assert map_spectra.residual_spectrum(other)


def test_one_component_and_many_are_drawn(done: MapDone) -> None:
    one = replace(
        done.result, kept=done.result.kept[:1], numbers=done.result.numbers[:1]
    )
    single = replace(done, result=one)
    for name, draw in DRAWN.items():
        if name != "drift":
            assert draw(single).startswith(b"\x89PNG")
    many = replace(
        done.result.numbered,
        components=np.arange(1, 33), criterion=np.linspace(9.0, 1.0, 32), best=32,
    )  # fmt: skip
    assert map_spectra.relevance(
        replace(done, result=replace(done.result, numbered=many))
    )
