"""Weights of neighbours held together: the field, its best weights and their errors."""

import jax
import numpy as np
import pytest
from scipy.optimize import minimize

from specfit.maps import Factorisation, MapError, neighbours
from specfit.maps.factorising import factorise

ENERGY = np.linspace(200.0, 220.0, 60)
GRID = (5, 6)


def peaks(places=(208.0, 212.0)):
    rows = np.exp(-0.5 * ((ENERGY[None] - np.array(places)[:, None]) / 1.5) ** 2)
    return rows / rows.sum(axis=1, keepdims=True)


def dense(of):
    laplacian = (of.apart.T @ of.apart).toarray()
    return np.kron(laplacian, np.diag(of.stiff))


def some(size=2, seed=0, filled=None):
    generator = np.random.default_rng(seed)
    n = GRID[0] * GRID[1]
    filled = np.ones(n, bool) if filled is None else filled
    of = neighbours.field(filled, GRID, np.linspace(0.5, 2.0, size))
    root = generator.normal(size=(n, size, size))
    return of, root @ np.swapaxes(root, 1, 2) + 0.1 * np.eye(size), generator


def blocks(curve):
    n, size, _ = curve.shape
    made = np.zeros((n * size, n * size))
    for i, own in enumerate(curve):
        made[i * size : (i + 1) * size, i * size : (i + 1) * size] = own
    return made


def test_neighbours_share_a_side():
    filled = np.ones(30, bool)
    of = neighbours.field(filled, GRID, np.ones(1))
    assert of.apart.shape[0] == 5 * 5 + 4 * 6
    assert of.degree.reshape(GRID)[0, 0] == 2
    assert of.degree.reshape(GRID)[2, 2] == 4
    assert neighbours.field(filled, None, np.ones(1)).apart.shape[0] == 29


def test_what_holds_nothing_has_no_neighbours():
    filled = np.ones(30, bool)
    filled[7] = False
    of = neighbours.field(filled, GRID, np.ones(1))
    assert of.degree[7] == 0
    assert of.apart.shape[0] == 5 * 5 + 4 * 6 - 4


def test_solutions_are_those_of_the_whole_matrix():
    of, curve, generator = some()
    right = generator.normal(size=(30, 2, 3))
    free = np.ones((30, 2), bool)
    free[4, 1] = free[20, 0] = False
    found = neighbours.solved(of, curve, right, free)
    whole = blocks(curve) + dense(of)
    keep = np.flatnonzero(free.ravel())
    expected = np.linalg.solve(whole[np.ix_(keep, keep)], right.reshape(60, 3)[keep])
    np.testing.assert_allclose(found.reshape(60, 3)[keep], expected, atol=1e-3)
    assert not found[~free].any()


def test_the_best_weights_are_those_of_a_general_optimiser():
    of, curve, generator = some()
    middle = generator.normal(0.5, 1.0, (30, 2))

    def look(c):
        away = c - middle
        slope = -np.einsum("nkl,nl->nk", curve, away)
        return 0.5 * np.sum(slope * away, axis=1), slope, curve

    heights = []

    def watched(c):
        found = look(c)
        heights.append(found[0].sum() - of.cost(c))
        return found

    c, left = neighbours.evened(watched, np.full((30, 2), 0.5), of, np.zeros(2))
    assert left == 0

    def cost(flat):
        own = flat.reshape(30, 2)
        height, slope, _ = look(own)
        return of.cost(own) - height.sum(), (of.pulled(own) - slope).ravel()

    best = minimize(
        cost, np.full(60, 0.5), jac=True, bounds=[(0, None)] * 60, tol=1e-14
    )
    assert cost(c.ravel())[0] <= best.fun + 1e-4
    assert (c == 0).any()
    assert heights[-1] == max(heights)


def test_errors_are_those_of_the_whole_matrix():
    of, curve, _ = some()
    expected = np.linalg.inv(blocks(curve) + dense(of)).reshape(30, 2, 30, 2)
    expected = expected[np.arange(30), :, np.arange(30)]
    found = neighbours.spread(of, curve)
    ratio = np.einsum("nkk->nk", found) / np.einsum("nkk->nk", expected)
    # the variance of 64 draws is known to 18 %
    assert np.abs(ratio - 1.0).max() < 0.75
    assert abs(ratio.mean() - 1.0) < 0.05


def map_of(dose=60.0, side=24, seed=0):
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    fraction = np.clip(1.2 - 1.4 * np.hypot(x - 0.5, y - 0.5) * 2, 0.0, 1.0).ravel()
    true = dose * np.stack([fraction, 1.0 - fraction], axis=1)
    return generator.poisson(true @ peaks()).astype(float), fraction, (side, side)


def found(counts, grid, **more):
    library = 0.95 * peaks() + 0.05 * peaks()[::-1]
    return factorise(
        counts, ENERGY, Factorisation(2, library=library, grid=grid, **more)
    )


def test_a_map_held_together_is_nearer_to_the_truth_and_says_how_near():
    counts, fraction, grid = map_of()
    alone, together = found(counts, grid), found(counts, grid, roughness=0.1)
    error = [np.std(one.fraction[:, 0] - fraction) for one in (alone, together)]
    assert error[1] < 0.6 * error[0]
    assert together.counting_sd.mean() < 0.7 * alone.counting_sd.mean()
    low, high = together.fraction_low[:, 0], together.fraction_high[:, 0]
    held = np.mean((low <= fraction + 1e-9) & (fraction <= high + 1e-9))
    assert 0.8 < held <= 1.0


def test_neighbours_held_too_closely_are_told():
    counts, fraction, grid = map_of(dose=200.0)
    image = np.stack([fraction, 1.0 - fraction], axis=1).reshape(*grid, 2)
    apart = [np.diff(image, axis=axis).ravel() for axis in (0, 1)]
    true = float(np.sqrt(np.mean(np.concatenate(apart) ** 2)))
    for said in (true, 0.25 * true):
        together = found(counts, grid, roughness=said)
        assert together.roughness == pytest.approx(true, rel=0.3)


def test_a_pixel_without_counts_stays_empty():
    counts, _, grid = map_of()
    counts[100:103] = 0.0
    together = found(counts, grid, roughness=0.1)
    assert not together.maps[100:103].any()
    assert np.isnan(together.fraction[100:103]).all()


def test_no_unit_of_the_data_changes_what_is_held_together():
    counts, _, grid = map_of()
    one = found(counts, grid, roughness=0.1)
    for unit in (1e-6, 1e6):
        other = found(counts * unit, grid, roughness=0.1, count=unit)
        np.testing.assert_allclose(other.maps / unit, one.maps, rtol=1e-3, atol=1e-2)
        np.testing.assert_allclose(other.counting_sd, one.counting_sd, rtol=1e-3)


def test_least_squares_hold_neighbours_together_too():
    counts, fraction, grid = map_of(dose=600.0)
    generator = np.random.default_rng(2)
    x = 600.0 * np.stack([fraction, 1 - fraction], 1) @ peaks()
    x = x + generator.normal(0.0, 30.0, counts.shape)
    asked = {"engine": "gaussian", "noise": 30.0}
    alone = found(x, grid, **asked)
    together = found(x, grid, **asked, roughness=0.1)
    error = [np.std(one.fraction[:, 0] - fraction) for one in (alone, together)]
    assert error[1] < 0.7 * error[0]
    assert together.counting_sd.mean() < 0.7 * alone.counting_sd.mean()


def test_a_map_that_drifts_is_not_held_together():
    counts, _, grid = map_of()
    with pytest.raises(MapError, match="roughness"):
        found(counts, grid, roughness=0.1, drift_sd=0.3)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield
