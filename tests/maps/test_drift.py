"""Pixels whose axes drift: what is maximised, what is found, how surely."""

import functools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit.maps import Factorisation, aligning, fitting, mixing
from specfit.maps.counting_components import how_many
from specfit.maps.drifting import Table
from specfit.maps.factorising import factorise
from specfit.maps.knots import knots
from specfit.maps.space import space
from specfit.maps.straightening import straightened

ENERGY = np.linspace(630.0, 650.0, 100)
SD = 0.3


def shapes(energy):
    """Two edges of two lines and a step each, (…, 2, n_channels)."""
    place = np.array([[637.0, 644.0], [638.2, 645.0]])
    width = np.array([[0.7, 0.9], [1.0, 1.1]])
    z = (energy[..., None, None, :] - place[..., None]) / width[..., None]
    step = 0.02 + 0.02 * np.tanh((energy[..., None, :] - 637.0) / 0.7)
    return np.exp(-0.5 * z**2).sum(axis=-2) + step


def peaks(energy, moved=0.0):
    """The same moved up the axis, of unit area unmoved."""
    made = shapes(energy - np.asarray(moved, float)[..., None])
    return made / shapes(energy).sum(axis=-1, keepdims=True)


@functools.cache
def small(sd=SD, pixels=400, dose=4000.0, seed=0, background=0.0):
    generator = np.random.default_rng(seed)
    fraction = np.clip(generator.uniform(-0.3, 1.3, pixels), 0.0, 1.0)
    drift = generator.normal(0.0, sd, pixels)
    shares = np.stack([fraction, 1.0 - fraction], axis=1)
    mean = dose * np.einsum("nk,nkm->nm", shares, peaks(ENERGY, drift))
    law = (ENERGY / ENERGY[0]) ** -3.0
    mean = mean + background * law / law.sum()
    return generator.poisson(mean).astype(float), fraction, drift


def library():
    return 0.9 * peaks(ENERGY) + 0.1 * np.roll(peaks(ENERGY), 3, axis=1)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def test_splines_are_read_where_they_were_written():
    of = knots(ENERGY, SD)
    written = of.written(peaks(ENERGY), ENERGY)
    values, slopes = of.read(written)
    assert (values >= 0).all()
    np.testing.assert_allclose(values[of.none], peaks(ENERGY), atol=2e-3)
    at = of.none + 100
    moved = peaks(ENERGY, of.drifts[at])
    np.testing.assert_allclose(values[at], moved, atol=2e-3)
    rise = (values[at + 1] - values[at - 1]) / (of.drifts[at + 1] - of.drifts[at - 1])
    np.testing.assert_allclose(slopes[at], rise, atol=1e-6)


def test_what_is_returned_is_the_transpose_of_what_is_read():
    of = knots(ENERGY, SD)
    generator = np.random.default_rng(1)
    given = generator.random((2, of.places.size))
    asked = generator.random((of.drifts.size, 2, ENERGY.size))
    assert np.sum(of.read(given)[0] * asked) == pytest.approx(
        np.sum(given * of.returned(asked)), rel=1e-10
    )


def test_the_objective_never_falls():
    counts, _, _ = small(pixels=100)
    request = Factorisation(2, library=library(), drift_sd=SD)
    data = fitting.chunked(counts, 128)
    first = space(counts, data, ENERGY, request, None)
    start = aligning.begun(data, first, ENERGY, request)
    found = aligning.aligned(data, start, request, None)
    assert found.converged
    assert np.diff(found.objective).min() >= -1e-9 * abs(found.objective[-1])


@pytest.mark.parametrize("background", [0.0, 2000.0])
def test_drifts_and_fractions_are_found_with_their_errors(background):
    counts, fraction, drift = small(background=background)
    request = Factorisation(
        2,
        library=library(),
        drift_sd=SD,
        background=(3.0,) if background else (),
        alone=(630.0, 634.0) if background else None,
    )
    found = factorise(counts, ENERGY, request)
    assert found.converged
    z = (found.drift - drift) / found.drift_sd
    assert 0.8 < z.std() < 1.3
    assert abs(np.mean(found.drift - drift)) < 0.05
    error = found.fraction[:, 0] - fraction
    # drift takes none of the composition
    assert abs(np.corrcoef(found.drift - drift, fraction)[0, 1]) < 0.5
    # the curves are wrong: without drift the errors are 0.02 and 0.04
    assert np.sqrt(np.mean(error**2)) < (0.06 if background else 0.04)
    assert abs(error.mean()) < 0.03
    if background:
        assert np.nanmean(found.residual_chi) == pytest.approx(1.0, abs=0.05)
        assert found.background.mean() == pytest.approx(background, rel=0.05)
    low, high = found.fraction_low[:, 0] - 1e-9, found.fraction_high[:, 0] + 1e-9
    assert np.mean((low <= fraction) & (fraction <= high)) > 0.8
    assert not found.notes


@pytest.mark.parametrize("dose", [50.0, 200.0, 400.0, 1000.0, 4000.0])
def test_what_is_known_of_drifts_and_fractions_holds_at_any_dose(dose):
    counts, fraction, drift = small(dose=dose, pixels=600)
    found = factorise(
        counts, ENERGY, Factorisation(2, library=peaks(ENERGY), drift_sd=SD)
    )
    z = (found.drift - drift) / found.drift_sd
    assert 0.85 < z.std() < 1.2
    low, high = found.fraction_low[:, 0] - 1e-9, found.fraction_high[:, 0] + 1e-9
    assert 0.85 < np.mean((low <= fraction) & (fraction <= high)) < 0.95
    assert (
        np.mean((low <= found.fraction[:, 0]) & (found.fraction[:, 0] <= high)) > 0.99
    )


@pytest.mark.parametrize("place", [0.0, 0.4])
def test_a_drift_is_integrated_as_on_a_fine_grid(place):
    """A pixel of few counts, its spectra known: all drifts and both weights summed."""
    of = knots(ENERGY, SD)
    read = of.read(of.written(peaks(ENERGY), ENERGY))
    table = Table(
        spectra=jnp.asarray(read[0]),
        slopes=jnp.asarray(read[1]),
        laws=jnp.zeros((0, ENERGY.size)),
        drifts=jnp.asarray(of.drifts),
        area=jnp.asarray(read[0].sum(axis=2)),
        level=jnp.zeros(0),
        sd=jnp.asarray(SD),
    )
    mean = 60.0 * np.array([0.5, 0.5]) @ peaks(ENERGY, place)
    x = np.random.default_rng(3).poisson(mean).astype(float)
    weight = np.linspace(0.0, 2.0 * x.sum(), 161)
    pairs = np.stack(np.meshgrid(weight, weight, indexing="ij"), axis=-1)
    height = np.full(of.drifts.size, -np.inf)
    for at in range(0, of.drifts.size, 8):
        made = np.maximum(pairs @ read[0][at], 1e-300)
        seen = np.log(made) @ x - made.sum(axis=-1) - 0.5 * (of.drifts[at] / SD) ** 2
        top = seen.max()
        height[at] = top + np.log(np.exp(seen - top).sum())
    share = np.exp(height - height.max())
    share /= share.sum()
    drift = share @ of.drifts
    sd = np.sqrt(share @ of.drifts**2 - drift**2)
    best = int(np.argmax(height))
    start = np.full((1, 1, 2), 0.5 * x.sum())
    found = mixing.mixed(
        jnp.asarray(x[None, None]),
        jnp.asarray(start),
        jnp.full((1, 1), best),
        table,
    )
    assert float(found.drift[0, 0]) == pytest.approx(drift, abs=0.1 * sd)
    assert float(found.sd[0, 0]) == pytest.approx(sd, rel=0.1)


def test_a_drift_that_nobody_speaks_of_spoils_the_map():
    counts, fraction, _ = small()
    with_, without = (
        factorise(counts, ENERGY, Factorisation(2, library=library(), drift_sd=sd))
        for sd in (SD, 0.0)
    )
    errors = [np.std(one.fraction[:, 0] - fraction) for one in (with_, without)]
    assert errors[0] < 0.5 * errors[1]


def test_bands_are_wider_for_a_drift_and_empty_pixels_have_none():
    counts, _, _ = small(sd=1e-3)
    counts = counts.copy()
    counts[:5] = 0.0
    found, still = (
        factorise(counts, ENERGY, Factorisation(2, library=library(), drift_sd=sd))
        for sd in (SD, 0.0)
    )
    assert np.isnan(found.drift[:5]).all()
    assert np.isfinite(found.drift[5:]).all()
    assert np.nanmean(found.counting_sd) > np.nanmean(still.counting_sd)
    assert still.drift is None


def test_pixels_that_drift_by_more_than_was_said_are_told():
    counts, _, _ = small(pixels=100)
    tight = factorise(counts, ENERGY, Factorisation(2, library=library(), drift_sd=0.1))
    assert any("drift by" in note for note in tight.notes)


@pytest.mark.parametrize("far", [2.0, -2.0])
def test_a_pixel_that_drifts_beyond_all_is_told_and_its_fraction_is_open(far):
    counts, _, drift = small()
    counts = counts.copy()
    # neither is any other pixel of these beyond
    assert np.abs(drift).max() < 4.0 * SD
    mean = 4000.0 * np.array([0.7, 0.3]) @ peaks(ENERGY, far)
    counts[0] = np.random.default_rng(5).poisson(mean)
    request = Factorisation(2, library=library(), drift_sd=SD)
    found = factorise(counts, ENERGY, request)
    assert any("1 pixel drifts by 1.2 eV or more" in note for note in found.notes)
    assert found.fraction_low[0].tolist() == [0.0, 0.0]
    assert found.fraction_high[0].tolist() == [1.0, 1.0]
    assert np.isnan(found.drift_sd[0])
    assert np.isfinite(found.drift_sd[1:]).all()
    assert np.mean(found.fraction_high[1:] - found.fraction_low[1:]) < 0.3


@pytest.mark.parametrize("k", [1, 2])
def test_a_drift_is_no_component(k):
    counts, _, _ = small(pixels=600)
    if k == 1:
        generator = np.random.default_rng(2)
        drift = generator.normal(0.0, SD, 600)
        counts = generator.poisson(4000.0 * peaks(ENERGY, drift)[:, 0]).astype(float)
    moving, still = (
        how_many(counts, ENERGY, Factorisation(3, iterations=60, drift_sd=sd), 5)
        for sd in (SD, 0.0)
    )
    assert moving.best == k
    assert still.best > k


@pytest.mark.parametrize("unit", [1e-6, 1e-2, 0.37, 1e6])
def test_a_drift_is_none_in_any_unit(unit):
    counts, _, _ = small(pixels=600, dose=200.0)
    request = Factorisation(2, iterations=60, drift_sd=SD)
    found = how_many(unit * counts, ENERGY, request, 4)
    assert found.best == 2
    assert found.noise == pytest.approx(unit, rel=0.05)


@pytest.mark.parametrize("unit", [1e-6, 1e-2])
def test_drifts_are_found_in_any_unit(unit):
    counts, _, _ = small(pixels=200)
    request = Factorisation(2, library=library(), drift_sd=SD)
    whole = factorise(counts, ENERGY, request)
    found = factorise(unit * counts, ENERGY, replace(request, count=unit))
    np.testing.assert_allclose(found.drift, whole.drift, atol=1e-6)
    np.testing.assert_allclose(found.drift_sd, whole.drift_sd, rtol=1e-6)
    np.testing.assert_allclose(found.fraction_low, whole.fraction_low, atol=1e-6)
    np.testing.assert_allclose(found.maps, unit * whole.maps, rtol=1e-4, atol=unit)


def test_counts_that_are_not_whole_lose_nothing_where_they_are_moved():
    counts = np.full((1, ENERGY.size), 0.3)
    counts[0, 50] = 7.4
    moved, energy = straightened(counts, ENERGY, np.array([0.05]))
    inside = np.abs(energy - ENERGY[50]) < 1.0
    assert moved[0, inside].sum() == pytest.approx(
        7.4 + 0.3 * (inside.sum() - 1), abs=0.61
    )
    assert (moved >= 0).all()
