"""The laws of the weights: their scales learned, whatever the unit of the data."""

import jax
import numpy as np
import pytest
from scipy.optimize import minimize

from specfit.maps import Factorisation, Levels, MapError, fitting, levels, weights
from specfit.maps.factorising import factorise

ENERGY = np.linspace(200.0, 220.0, 60)


def peaks(places=(208.0, 212.0)):
    rows = np.exp(-0.5 * ((ENERGY[None] - np.array(places)[:, None]) / 1.5) ** 2)
    return rows / rows.sum(axis=1, keepdims=True)


def seen(pixels=200, dose=30.0, seed=0):
    generator = np.random.default_rng(seed)
    true = dose * generator.gamma(2.0, 0.5, (pixels, 2))
    return generator.poisson(true @ peaks()).astype(float), true


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def found(counts, **more):
    data = fitting.chunked(counts, 64)
    own = weights.weighed(
        data, fitting.even(data, 2), peaks(), Factorisation(2, **more)
    )
    return data.flat(own.c), own.law


@pytest.mark.parametrize("shape", [1.0, 2.5])
def test_weights_are_the_best_under_their_law(shape):
    counts, _ = seen()
    c, law = found(counts, levels=Levels(1.5, 10.0, shape))
    for x, own in zip(counts[:12], c, strict=False):

        def cost(w, x=x):
            mean = np.maximum(w @ peaks(), 1e-12)
            lift = law.gain @ np.log(np.maximum(w, 1e-12))
            return -np.sum(x * np.log(mean) - mean) + law.rate @ w - lift

        best = minimize(cost, own + 1.0, bounds=[(1e-9, None)] * 2, tol=1e-12)
        assert cost(own) <= best.fun + 1e-4


def test_scales_are_the_most_probable_for_the_weights():
    counts, _ = seen()
    said = Levels(1.5, 10.0, 2.0)
    c, law = found(counts, levels=said)
    filled = np.count_nonzero(c.sum(axis=1) > 0)
    assert law.gain.tolist() == [said.shape] * 2
    expected = (c.sum(axis=0) + said.beta) / (filled * said.shape + said.alpha + 1.0)
    np.testing.assert_allclose(1.0 / law.rate, expected, rtol=2e-3)


def test_a_law_brings_faint_weights_nearer_to_the_truth():
    counts, true = seen(2000, dose=8.0)
    alone, _ = found(counts)
    drawn, _ = found(counts, levels=Levels(1.5, 1.0, 2.0))
    error = [np.mean((c - true) ** 2) for c in (alone, drawn)]
    assert error[1] < 0.9 * error[0]


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_no_unit_of_the_data_changes_the_fractions(unit):
    counts, _ = seen(dose=300.0)
    library = 0.9 * peaks() + 0.1 * peaks()[::-1]
    for shape in (1.0, 2.0):
        asked = Factorisation(2, library=library, levels=Levels(1.5, 5.0, shape))
        one = factorise(counts, ENERGY, asked)
        said = Levels(1.5, 5.0 * unit, shape)
        asked = Factorisation(2, library=library, levels=said, count=unit)
        other = factorise(counts * unit, ENERGY, asked)
        np.testing.assert_allclose(other.maps / unit, one.maps, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(other.fraction_low, one.fraction_low, atol=1e-5)


@pytest.mark.parametrize(("dose", "share"), [(10.0, 0.1), (4.0, 0.3), (30.0, 0.1)])
def test_a_true_law_takes_no_phase_away(dose, share):
    generator = np.random.default_rng(0)
    true = dose * generator.exponential([share, 1.0 - share], (1500, 2))
    counts = generator.poisson(true @ peaks()).astype(float)
    drawn, _ = found(counts, levels=Levels(1.0, 1.0))
    told = drawn.sum(axis=0) / drawn.sum()
    assert told[0] == pytest.approx(true[:, 0].sum() / true.sum(), abs=0.03)


def test_without_a_law_nothing_is_learned():
    law = levels.free(3)
    assert not law.rate.any()
    assert not law.gain.any()


@pytest.mark.parametrize("engine", ["ard_so", "sklearn"])
def test_engines_that_know_no_law_say_so(engine):
    counts, _ = seen()
    with pytest.raises(MapError, match="levels"):
        factorise(
            counts, ENERGY, Factorisation(2, engine=engine, levels=Levels(1.5, 1.0))
        )


def test_least_squares_know_an_exponential_law():
    generator = np.random.default_rng(1)
    counts, true = seen(300, dose=20.0)
    x = true @ peaks() + generator.normal(0.0, 1.0, counts.shape)
    library = 0.9 * peaks() + 0.1 * peaks()[::-1]
    asked = {"engine": "gaussian", "noise": 1.0, "library": library}
    alone = factorise(x, ENERGY, Factorisation(2, **asked))
    drawn = factorise(x, ENERGY, Factorisation(2, **asked, levels=Levels(1.5, 1.0)))
    assert drawn.maps.sum() < alone.maps.sum()
    with pytest.raises(MapError, match="shape"):
        factorise(x, ENERGY, Factorisation(2, **asked, levels=Levels(1.5, 1.0, 2.0)))
