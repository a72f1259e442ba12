"""Slices along lines: draws of weights with corners against quadrature over the simplex."""

import jax
import numpy as np
import pytest
from scipy import interpolate

from specfit import inference, pipeline
from specfit.inference.settings import Settings
from specfit.inference.slicing import learned
from specfit.model.levels_apart import apart
from tests.lcf.conftest import SEEN, STARTS, E, edge

NOISE, ROWS, SHIFTS = 0.02, 121, np.linspace(-0.45, 0.45, 61)
TEXT = """specfit 1
data basis[soc = [0, 40, 130] %] : absorption {
  file = "b{soc}.xmu"; energy = column(1) eV; mu = column(2)
}
data xanes[stage = 1..2] : absorption {
  file = "x{stage}.xmu"; energy = column(1) eV; mu = column(2)
}
model ni : linear_combination on xanes, basis per stage {
  w[soc] ~ dirichlet(ALPHA)
  dE ~ 0.00 ± 0.10 eV
  observe xanes.mu ~ normal(sum(w[soc] * shift(basis[soc].mu, dE) over soc), 0.02)
}
"""


def posterior(seen: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Places (n, 3) of w[0], w[40], dE on a grid, and what each weighs.

    w = (sin²a cos²b, sin²a sin²b, cos²a): even steps of the angles are fine at corners.
    """
    a = (np.arange(ROWS) + 0.5) / ROWS * np.pi / 2
    first, second = np.meshgrid(a, a, indexing="ij")
    w = np.stack(
        [
            (np.sin(first) * np.cos(second)) ** 2,
            (np.sin(first) * np.sin(second)) ** 2,
            np.cos(first) ** 2,
        ],
        -1,
    ).reshape(-1, 3)
    volume = (np.sin(first) ** 3 * np.cos(first) * np.sin(2 * second)).ravel()
    prior = (alpha - 1.0) * np.log(w).sum(axis=1) + np.log(volume)
    places, heights = [], []
    for shift in SHIFTS:
        bases = np.stack(
            [
                interpolate.CubicSpline(E, edge(E, s), bc_type="natural")(SEEN - shift)
                for s in STARTS.values()
            ]
        )
        gap = -0.5 / NOISE**2
        square = np.einsum("ni,ij,nj->n", w, bases @ bases.T, w)
        misfit = square - 2.0 * w @ (bases @ seen)
        heights.append(prior + gap * misfit - 0.5 * (shift / 0.1) ** 2)
        places.append(np.column_stack([w[:, :2], np.full(len(w), shift)]))
    weight = np.exp(np.concatenate(heights) - np.max(heights))
    return np.concatenate(places), weight / weight.sum()


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_draws_are_those_of_quadrature(series, alpha):
    path = series(TEXT.replace("ALPHA", str(alpha)))
    checked = pipeline.check_with_data(path)
    model = checked.require().models[0]
    measured = pipeline.measure(model, checked)[1]
    part = list(apart(model).values())[1]
    asked = Settings(engine="slice", chains=4, draws=1000, warmup=400, seed=3)
    with jax.enable_x64(True):
        fit = inference.find(pipeline.build(part, (measured,)), asked)
    assert not [gate for gate in fit.gates if not gate[3]]
    places, weight = posterior(np.asarray(measured.values), alpha)
    for i, name in enumerate(("w[0]", "w[40]", "dE")):
        draws = fit.draws[name].ravel()
        mean = weight @ places[:, i]
        sd = np.sqrt(weight @ (places[:, i] - mean) ** 2)
        error = sd / np.sqrt(fit.ess_bulk[name])
        assert abs(draws.mean() - mean) < 4.0 * error, name
        assert draws.std() == pytest.approx(sd, rel=4.0 / np.sqrt(fit.ess_bulk[name]))
        order = np.argsort(places[:, i])
        share = np.cumsum(weight[order])
        for q in (0.05, 0.5, 0.95):  # a share of draws below the quantile of the grid
            edge_ = places[order[np.searchsorted(share, q)], i]
            spread = np.sqrt(q * (1 - q) / min(fit.ess_tail[name], fit.ess_bulk[name]))
            assert abs(np.mean(draws <= edge_) - q) < 4.0 * spread + 0.01, (name, q)


def test_a_coordinate_that_stands_still_does_not_spoil_the_lines():
    draws = np.random.default_rng(1).normal(size=(200, 3))
    draws[:, 1] = 0.25
    lines = learned(draws, ())
    assert np.isfinite(lines).all()
    assert np.linalg.norm(lines[:, [0, 2]], axis=1).max() > 0.5


@pytest.mark.parametrize(("copy", "of"), [("130", "0"), ("0", "130"), ("40", "0")])
def test_a_basis_that_is_given_twice_is_no_fault(series, copy, of):
    """What the data tell of the pair is a sum; the weights are as wide as that leaves them."""
    path = series(TEXT.replace("ALPHA", "1"))
    twin = (path.parent / f"b{of}.xmu").read_text()
    (path.parent / f"b{copy}.xmu").write_text(twin)
    checked = pipeline.check_with_data(path)
    model = checked.require().models[0]
    measured = pipeline.measure(model, checked)
    with pipeline.float64():
        for part, seen in zip(apart(model).values(), measured, strict=True):
            problem = pipeline.build(part, (seen,))
            z = np.zeros(problem.dimension)
            assert np.isfinite(problem.logdensity({"z": z}, problem.data))
