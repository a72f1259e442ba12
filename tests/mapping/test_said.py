"""What may be said of weights (learned levels, a known scale, nothing), and its words."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from specfit.checking import check
from specfit.cli import main
from specfit.map_levels import levels_of
from specfit.maps.levels import learned
from specfit.model.factorising import MapRun
from specfit.model.map_settings import _NUMBERS, _WORDS, PLOTS

Project = Callable[..., Path]
LEVEL = "  λ[k] ~ inverse_gamma(1.5, 0.5 * mean(cube.counts)) counts\n"
MAPS = "  C[cube.pixel, k] ~ exponential(λ[k])\n"


def asked(path: Path):
    found = check(path)
    assert found.document is not None, found.diagnostics
    return found.document.maps[0]


def rate(path: Path, mean: float = 1.0) -> np.ndarray:
    """Of the law of weights that are drawn with another scale."""
    levels = levels_of(asked(path), mean)
    assert levels is not None
    return learned(np.full((400, 2), 3.0), levels, 2).rate


@pytest.mark.parametrize("shape", ["exponential(", "gamma(2, "])
def test_a_scale_that_is_a_number_is_kept(shape: str, project: Project) -> None:
    path = project((LEVEL, ""), ("exponential(λ[k])", f"{shape}1000 counts)"))
    np.testing.assert_allclose(rate(path), 1e-3, rtol=1e-9)


def test_a_scale_may_be_so_many_means(project: Project) -> None:
    changed = ("exponential(λ[k])", "exponential(20 * mean(cube.counts))")
    path = project((LEVEL, ""), changed)
    np.testing.assert_allclose(rate(path, mean=5.0), 0.01, rtol=1e-9)


def test_weights_of_which_nothing_is_said_are_free(project: Project) -> None:
    path = project((LEVEL, ""), (MAPS, ""))
    assert levels_of(asked(path), 1.0) is None


def test_without_levels_the_number_is_that_of_the_range(project: Project) -> None:
    path = project((LEVEL, ""), (MAPS, ""))
    assert asked(path).relevance is None  # mapping.as_many then keeps all


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ("", "any weight is as likely"),
        ("exponential(1000 counts)", "exponential of scale 1000 counts"),
        ("gamma(2, 3 * mean(cube.counts))", "gamma of shape 2 of scale 3 means of the"),
    ],
)
def test_the_law_of_the_weights_is_explained(
    prior: str, said: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f"  C[cube.pixel, k] ~ {prior}\n" if prior else ""
    path = project((LEVEL, ""), (MAPS, line))
    assert main(["explain", str(path), "C"]) == 0
    assert said in capsys.readouterr().out


# ------------------------------------------------------------------ words


WORDS = {
    *("nmf", "hyperspectral", "k", "C", "S", "λ", "shift", "drift", "observe"),
    *("like", "smooth", "dirichlet", "db", "powerlaw", "constant", "order", "check"),
    *("overlap", "roughness", "match", "centroid", "share", "components", "chi2"),
    *("file", "pixel", "energy", "counts", "intensity", "window", "mask"),
    *PLOTS, *_NUMBERS, *_WORDS, *_WORDS["optimizer"],
}  # fmt: skip


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_word_of_a_map_is_explained(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", word]) == 0
    said = capsys.readouterr().out
    assert "of a map" in said or said.startswith(f"{word}: ")


def test_usual_settings_are_those_of_the_model(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explain", "nmf"]) == 0
    said = capsys.readouterr().out
    assert f"restarts = {MapRun().restarts}" in said
    assert f"steps = {MapRun().steps}" in said


@pytest.mark.parametrize(("name", "lines"), [("pre", 1), ("S", 2), ("k", 1)])
def test_names_of_a_file_are_explained(
    name: str, lines: int, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(project()), name]) == 0
    said = capsys.readouterr().out.splitlines()
    assert sum(one.startswith(name) for one in said) == lines
