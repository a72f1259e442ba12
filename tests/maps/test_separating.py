"""ARD-SO-NMF and the number of components: nothing depends on the unit."""

import numpy as np
import pytest

from specfit.maps import Factorisation, MapError
from specfit.maps.ard_so import separated
from specfit.maps.counting_components import how_many, level
from specfit.maps.factorising import factorise

ENERGY = np.linspace(0.0, 10.0, 40)
UNITS = [1e-6, 1.0, 1e6]


def peaks(places):
    rows = np.exp(-0.5 * ((ENERGY[None] - np.array(places)[:, None]) / 0.9) ** 2)
    return rows / rows.sum(axis=1, keepdims=True)


def counts(k, seed=0, pixels=600, dose=3000.0):
    generator = np.random.default_rng(seed)
    shares = generator.dirichlet(np.full(k, 0.4), pixels)
    spectra = peaks(np.linspace(3.0, 7.0, k))
    return generator.poisson(dose * shares @ spectra).astype(float), shares, spectra


def one_step(x, c, s, overlap):
    """The published updates written out, with every product formed in full."""
    s = s / np.linalg.norm(s, axis=1, keepdims=True)
    c, s = c.copy(), s.copy()
    lam = c.sum(axis=0) / (x.shape[1] + 2.0)
    noise = np.mean((x - c @ s) ** 2)
    for k in range(len(s)):
        rest = x - c @ s + np.outer(c[:, k], s[k])
        new = np.maximum(rest.T @ c[:, k], 0.0)
        s[k] = new / np.linalg.norm(new)
    for k in range(len(s)):
        rest = x - c @ s + np.outer(c[:, k], s[k])
        others = c.sum(axis=1) - c[:, k]
        new = rest @ s[k] - noise / lam[k]
        new = new - overlap * (others @ new) / (others @ others) * others
        c[:, k] = np.maximum(new, 0.0)
    return c, s, np.mean((x - c @ s) ** 2)


def many_steps(x, c, s, overlap, steps):
    """The published iteration, every product formed in full, without merging."""
    s = s / np.linalg.norm(s, axis=1, keepdims=True)
    lam, n = c.sum(axis=0) / (x.shape[1] + 2.0), len(x)
    noise = np.mean((x - c @ s) ** 2)
    for _ in range(steps):
        gram, seen = c.T @ c, c.T @ x
        for k in range(len(s)):
            new = np.maximum(seen[k] - gram[k] @ s + gram[k, k] * s[k], 0.0)
            s[k] = new / np.linalg.norm(new)
        gram, seen = s @ s.T, x @ s.T
        for k in range(len(s)):
            new = seen[:, k] - c @ gram[:, k] + gram[k, k] * c[:, k] - noise / lam[k]
            others = c.sum(axis=1) - c[:, k]
            new = new - overlap * (others @ new) / (others @ others) * others
            c[:, k] = np.maximum(new, 0.0)
        lam = c.sum(axis=0) / (n + 2.0)
        noise = np.mean((x - c @ s) ** 2)
    return c, s


@pytest.mark.parametrize("overlap", [0.0, 0.05])
def test_many_steps_are_the_published_ones(overlap):
    """Angles to 1e-3 degrees and maps to 1e-3, as a run of the published code gives."""
    x, _, spectra = counts(2, pixels=300)
    x = x / x.mean()
    start = np.repeat(x.sum(axis=1, keepdims=True), 2, axis=1) / 6.0
    found = separated(x, start, spectra + 0.01, overlap, 100, tolerance=0.0)
    c, s = many_steps(x, start.copy(), spectra + 0.01, overlap, 100)
    order = np.argsort(-c.sum(axis=0))
    cosine = np.minimum(np.sum(found.spectra * s[order], axis=1), 1.0)
    assert np.degrees(np.arccos(cosine)).max() < 1e-3
    assert np.abs(found.weights - c[:, order]).max() < 1e-3 * c.max()


def test_a_start_of_nothing_is_level():
    x, _, spectra = counts(2, pixels=50)
    start = np.repeat(x.sum(axis=1, keepdims=True), 2, axis=1) / 6.0
    nothing = np.stack([spectra[0] + 0.01, np.zeros(40)])
    level = np.stack([spectra[0] + 0.01, np.ones(40)])
    one, two = (separated(x, start, s, 0.05, 5) for s in (nothing, level))
    np.testing.assert_allclose(one.spectra, two.spectra)


@pytest.mark.parametrize("overlap", [0.0, 0.2])
def test_a_step_is_the_published_one(overlap):
    x, _, spectra = counts(2, pixels=50)
    x = x / x.mean()
    start = np.ones((50, 2))
    found = separated(x, start, spectra + 0.01, overlap, 1)
    c, s, noise = one_step(x, start, spectra + 0.01, overlap)
    order = np.argsort(-c.sum(axis=0))
    np.testing.assert_allclose(found.weights, c[:, order], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.spectra, s[order], rtol=1e-9, atol=1e-12)
    assert found.variance == pytest.approx(noise, rel=1e-9)


def test_pure_pixels_give_the_spectra_in_any_unit():
    x, _, spectra = counts(2)
    start = np.repeat(x.sum(axis=1, keepdims=True), 2, axis=1) / 6.0
    results = [separated(x * u, start * u, spectra + 0.01, 0.05, 200) for u in UNITS]
    for unit, found in zip(UNITS, results, strict=True):
        weights = found.weights / unit
        np.testing.assert_allclose(found.spectra, results[1].spectra, atol=1e-8)
        np.testing.assert_allclose(weights, results[1].weights, rtol=1e-6, atol=1e-6)
    true = spectra / np.linalg.norm(spectra, axis=1, keepdims=True)
    assert (results[0].spectra @ true.T).max(axis=1).min() > 0.999


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_number_of_components_is_found_in_any_unit(k):
    x, _, _ = counts(k)
    for up_to in (max(k, 2), 6):
        for unit in UNITS:
            request = Factorisation(k, iterations=5)
            found = how_many(x * unit, ENERGY, request, up_to)
            assert found.best == k
            assert found.components.tolist() == list(range(1, up_to + 1))


def test_noise_alone_is_one_component():
    x = np.random.default_rng(5).poisson(80.0, (500, 40)).astype(float)
    assert how_many(x, ENERGY, Factorisation(1, iterations=5), 5).best == 1


def test_weights_that_are_far_too_small_are_told():
    x, _, spectra = counts(2)
    with pytest.raises(MapError, match="switched off"):
        separated(x, np.full((600, 2), 1e-3), spectra, 0.0, 50)


@pytest.mark.parametrize("engine", ["ard_so", "sklearn"])
def test_other_engines_answer_in_the_same_terms(engine):
    x, shares, _ = counts(2)
    found = factorise(x, ENERGY, Factorisation(2, engine=engine, iterations=150))
    np.testing.assert_allclose(found.spectra.sum(axis=1), 1.0)
    error = min(np.abs(found.fraction[:, k] - shares[:, 0]).mean() for k in (0, 1))
    assert error < 0.05
    np.testing.assert_allclose(found.maps.sum(axis=1), x.sum(axis=1), rtol=0.05)


@pytest.mark.parametrize(("pixels", "channels"), [(60, 256), (256, 256), (90, 256)])
@pytest.mark.parametrize("k", [1, 2])
def test_fewer_pixels_than_channels_hold_no_more_components(pixels, channels, k):
    generator = np.random.default_rng(8)
    energy = np.linspace(0.0, 10.0, channels)
    rows = np.exp(-0.5 * ((energy - np.array([[4.0], [6.0]])) / 0.9) ** 2) + 0.1
    rows = rows[:k] / rows[:k].sum(axis=1, keepdims=True)
    mean = 2e4 * generator.dirichlet(np.ones(k), pixels) @ rows
    x = generator.poisson(mean).astype(float)
    assert how_many(x, energy, Factorisation(k, iterations=5), 6).best == k


@pytest.mark.parametrize(("pixels", "channels"), [(1000, 250), (300, 300), (80, 240)])
def test_the_level_of_unit_noise_is_one(pixels, channels):
    x = np.random.default_rng(9).normal(size=(pixels, channels))
    size = np.linalg.eigvalsh(x.T @ x / pixels)[::-1][: min(pixels, channels)]
    assert level(size, pixels, channels) == pytest.approx(1.0, abs=0.05)


def test_relevance_is_asked_of_few_pixels_and_fails_nothing(monkeypatch):
    from specfit.maps import ard_so

    x, _, _ = counts(2, pixels=3000)
    asked = []

    def switched_off(few, *rest):
        asked.append((len(few), rest[-1]))
        raise MapError("every component was switched off")

    monkeypatch.setattr(ard_so, "separated", switched_off)
    found = how_many(x, ENERGY, Factorisation(2, iterations=2000), 5)
    assert (found.best, found.relevant) == (2, 0)
    assert asked == [(500, 200)]


@pytest.mark.parametrize("engine", ["ard_so", "sklearn"])
@pytest.mark.parametrize("iterations", [12, 3000])
def test_another_engine_says_whether_it_came_to_rest(engine, iterations):
    x, _, _ = counts(2, pixels=200)
    found = factorise(x, ENERGY, Factorisation(2, engine=engine, iterations=iterations))
    assert found.converged == (iterations == 3000)
    assert found.objective.size <= iterations
    assert np.isfinite(found.objective[-1])


def test_a_background_that_changes_from_pixel_to_pixel_is_one():
    generator = np.random.default_rng(12)
    x, _, _ = counts(2, pixels=900, dose=2000.0)
    energy = ENERGY + 100.0
    power = generator.uniform(1.0, 5.0, (900, 1))
    law = (energy / energy[0]) ** -power
    dose = generator.uniform(1e4, 3e4, (900, 1))
    x = x + generator.poisson(dose * law / law.sum(axis=1, keepdims=True))
    request = Factorisation(2, iterations=5, background=(1.0, 5.0))
    assert how_many(x, energy, request, 6).best == 3
    alone = generator.poisson(dose * law / law.sum(axis=1, keepdims=True)).astype(float)
    assert how_many(alone, energy, request, 6).best == 1
