"""Weights of fixed spectra: the best there are, however alike the spectra."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

from specfit.maps import fitting, weighing

ENERGY = np.linspace(600.0, 666.0, 128)
LAWS = [(3.0,), (1.0, 5.0), (1.0, 2.0, 3.0, 4.0, 5.0)]


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def spectra(powers):
    """Two edges and power laws of unit area."""
    rows = [np.exp(-0.5 * ((ENERGY - e) / 2.0) ** 2) + 1e-3 for e in (641.0, 643.5)]
    rows += [(ENERGY / ENERGY[0]) ** -r for r in powers]
    return np.array([row / row.sum() for row in rows])


def seen(pixels, dose, seed=0):
    """Counts of two edges over one power law, and the fraction of the first."""
    generator = np.random.default_rng(seed)
    fraction = np.clip(generator.uniform(-0.3, 1.3, pixels), 0.0, 1.0)
    mean = np.stack([fraction, 1 - fraction, np.ones(pixels)], 1) @ spectra((3.0,))
    return generator.poisson(dose * mean).astype(float), fraction


def weighed(counts, s, steps=60, gain=0.0, rate=0.0):
    data = fitting.chunked(counts, 256)
    k = len(s)
    kind = data.x.dtype
    start = fitting.even(data, k)
    row = jnp.ones(k, kind)
    c, done = weighing.weights(
        data.x, start, jnp.asarray(s, kind), rate * row, gain * row, steps
    )
    return data.flat(c), data.flat(done)


def height(x, c, s, gain=0.0, rate=0.0):
    c = np.maximum(c, 1e-30)
    fit = np.sum(np.where(x > 0, x * np.log(c @ s), 0.0), axis=-1)
    return fit + np.sum(gain * np.log(c) - (1.0 + rate) * c, axis=-1)


@pytest.mark.parametrize("powers", LAWS)
def test_the_map_is_that_of_the_true_background(powers):
    """True spectra: more laws than needed must not cost the map anything."""
    counts, fraction = seen(600, 1e4)
    found, done = weighed(counts, spectra(powers))
    assert done.all()
    error = found[:, 0] / found[:, :2].sum(axis=1) - fraction
    assert np.sqrt(np.mean(error**2)) < 0.015
    # at the best weights of unit spectra the counts of every pixel are kept
    np.testing.assert_allclose(found.sum(axis=1), counts.sum(axis=1), atol=0.1)


@pytest.mark.parametrize("powers", LAWS)
@pytest.mark.parametrize("dose", [5.0, 1e4])
@pytest.mark.parametrize(("gain", "rate"), [(0.0, 0.0), (0.5, 0.1)])
def test_weights_are_the_best_of_a_general_optimiser(powers, dose, gain, rate):
    counts, _ = seen(6, dose)
    s = spectra(powers)
    found, done = weighed(counts, s, gain=gain, rate=rate)
    assert done.all()
    for x, c in zip(counts, found, strict=True):
        reached = height(x, c, s, gain, rate)
        best = minimize(
            lambda w, x=x: -height(x, w, s, gain, rate),
            np.full(len(s), x.sum() / len(s) + 1e-3),
            bounds=[(1e-9, None)] * len(s),
            options={"maxiter": 500},
        )
        assert reached >= -best.fun - 1e-4


def test_optimality_is_what_the_slopes_say():
    """No weight at zero would rise, none above it has a slope (Kuhn and Tucker)."""
    counts, _ = seen(300, 1e4)
    s = spectra(LAWS[2])
    found, _ = weighed(counts, s)
    slope = counts / (found @ s) @ s.T - 1.0
    assert (slope[found == 0.0] < 1e-5).all()
    assert np.abs(slope * found).max() < 1.0  # of 20 000 counts


def test_no_step_lowers_any_pixel():
    counts, _ = seen(300, 1e4)
    s = spectra(LAWS[2])
    heights = [height(counts, weighed(counts, s, n)[0], s) for n in range(0, 16, 3)]
    assert min(np.diff(heights, axis=0).min(), 0.0) > -1e-8


def test_empty_pixels_and_units_change_nothing():
    counts, _ = seen(100, 1e4)
    counts[:5] = 0.0
    s = spectra(LAWS[1])
    one, done = weighed(counts, s)
    assert done.all()
    assert (one[:5] == 0.0).all()
    # one unit of the data is not a count then, and all the same done
    for unit in (1e-3, 1e6):
        other, done = weighed(counts * unit, s)
        assert done.all()
        share = (other / unit - one)[:, :2] / 1e4
        assert np.abs(share).max() < 0.02


def test_single_precision_gives_the_same_map():
    counts, _ = seen(256, 1e4)
    s = spectra(LAWS[2])
    double, _ = weighed(counts, s)
    x = jnp.asarray(counts[None], jnp.float32)
    row = jnp.ones(len(s), jnp.float32)
    start = jnp.full((1, 256, len(s)), 3e3, jnp.float32)
    single, done = weighing.weights(
        x, start, jnp.asarray(s, jnp.float32), 0 * row, 0 * row, 60
    )
    assert single.dtype == jnp.float32
    assert done.all()
    np.testing.assert_allclose(np.asarray(single)[0, :, :2], double[:, :2], atol=20.0)
