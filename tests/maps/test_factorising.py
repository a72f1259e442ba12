"""Poisson factorisation: what it maximises, what it finds, what it refuses."""

import jax
import numpy as np
import pytest

from specfit.maps import Factorisation, MapError, fitting, starts
from specfit.maps.factorising import factorise, unbounded
from specfit.maps.rotation import Projected, every_line

ENERGY = np.linspace(0.0, 10.0, 40)


def peaks(places, sd=0.9):
    rows = np.exp(-0.5 * ((ENERGY[None] - np.array(places)[:, None]) / sd) ** 2) + 0.02
    return rows / rows.sum(axis=1, keepdims=True)


def small(pixels=300, dose=2000.0, seed=0):
    generator = np.random.default_rng(seed)
    fraction = np.clip(generator.uniform(-0.3, 1.3, pixels), 0.0, 1.0)
    spectra = peaks([4.0, 6.0])
    mean = dose * np.stack([fraction, 1 - fraction], 1) @ spectra
    return generator.poisson(mean).astype(float), fraction, spectra


def start(counts, k=2):
    data = fitting.chunked(counts, 64)
    spectra = peaks([3.0, 7.0], 2.0)
    prior = fitting.Prior(100.0 * spectra)
    return data, fitting.State(fitting.even(data, k), spectra), prior


def height(counts, c, s, prior):
    mean = c @ s
    fit = np.sum(counts * np.log(mean) - mean)
    return fit + np.sum(prior.counts * np.log(s))


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def test_objective_never_falls_and_is_the_stated_one():
    counts, _, _ = small()
    data, first, prior = start(counts)
    found = fitting.fitted(data, first, prior, 2, 120, 1e-9)
    assert np.diff(found.objective).min() >= -1e-7 * abs(found.objective[-1])
    # told are the objectives after the first step of a cycle and of the leap
    c, s, begun = fitting._step(data, first.c, first.s, prior, 2)
    assert begun == pytest.approx(
        height(counts, data.flat(first.c), first.s, prior), rel=1e-12
    )
    assert found.objective[0] == pytest.approx(
        height(counts, data.flat(c), s, prior), rel=1e-12
    )
    last = height(counts, data.flat(found.c), found.s, prior)
    assert last >= found.objective[-1] - 1e-6


def test_accelerated_and_plain_steps_agree():
    counts, _, _ = small(60)
    data, first, prior = start(counts)
    found = fitting.fitted(data, first, prior, 2, 600, 1e-12)
    c, s = first.c, first.s
    for _ in range(3000):
        c, s, _ = fitting._step(data, c, s, prior, 2)
    fast = height(counts, data.flat(found.c), found.s, prior)
    slow = height(counts, data.flat(c), s, prior)
    assert fast >= slow - 1e-2


def test_a_library_that_is_a_little_wrong_gives_the_right_map():
    counts, fraction, _ = small(1000)
    library = peaks([4.15, 5.9], 1.0)
    found = factorise(counts, ENERGY, Factorisation(2, library=library))
    assert found.converged
    error = found.fraction[:, 0] - fraction
    assert np.sqrt(np.mean(error**2)) < 0.03
    assert found.feasible is not None
    np.testing.assert_allclose(found.spectra.sum(axis=1), 1.0)
    np.testing.assert_allclose(found.maps.sum(axis=1), counts.sum(axis=1), rtol=0.02)
    assert (found.fraction_low <= found.fraction + 1e-9).all()
    assert (found.fraction_high >= found.fraction - 1e-9).all()


def test_without_a_library_the_band_holds_all_that_is_feasible():
    counts, _, _ = small(1000)
    found = factorise(counts, ENERGY, Factorisation(2))
    assert found.feasible is not None
    assert (found.fraction_low[:, 0] <= found.feasible.fraction_low + 1e-9).all()
    assert (found.fraction_high[:, 0] >= found.feasible.fraction_high - 1e-9).all()


def test_the_same_twice():
    counts, _, _ = small()
    one = factorise(counts, ENERGY, Factorisation(2))
    two = factorise(counts, ENERGY, Factorisation(2))
    np.testing.assert_array_equal(one.maps, two.maps)


def test_empty_pixels_and_channels_are_told_as_unknown():
    counts, _, _ = small()
    counts[:5] = 0
    counts[:, :3] = 0
    found = factorise(counts, ENERGY, Factorisation(2, library=peaks([4.0, 6.0])))
    assert np.isnan(found.fraction[:5]).all()
    assert np.isfinite(found.fraction[5:]).all()
    assert np.isfinite(found.spectra).all()


def test_a_power_law_is_fitted_beside():
    generator = np.random.default_rng(3)
    counts, fraction, _ = small(1000)
    energy = ENERGY + 20.0
    law = (energy / energy[0]) ** -3.0
    counts = counts + generator.poisson(500.0 * law / law.sum(), counts.shape)
    request = Factorisation(2, library=peaks([4.0, 6.0]), background=(3.0,))
    found = factorise(counts, energy, request)
    assert found.background.mean() == pytest.approx(500.0, rel=0.5)
    error = found.fraction[:, 0] - fraction
    assert np.sqrt(np.mean(error**2)) < 0.06


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda x: x * np.nan, "not finite"),
        (lambda x: x - 1.0, "negative"),
        (lambda x: 0.0 * x, "empty"),
        (lambda x: x[:, :-1], "axis"),
    ],
)
def test_bad_maps_are_refused(change, says):
    counts, _, _ = small(20)
    with pytest.raises(MapError, match=says):
        factorise(change(counts), ENERGY, Factorisation(2))


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Factorisation(0), "components"),
        (Factorisation(50), "components"),
        (Factorisation(2, library=np.ones((3, 40))), "library"),
        (Factorisation(2, library=-np.ones((2, 40))), "negative"),
        (Factorisation(2, engine="gaussian"), "noise"),
        (Factorisation(2, engine="ard_so", drift_sd=0.3), "`drift_sd` needs"),
        (Factorisation(2, relevance=True), "`components` from `how_many`"),
        (Factorisation(2, overlap=0.1), "`overlap` needs `ard_so`"),
        (Factorisation(2, engine="sklearn", overlap=0.1), "`overlap` needs"),
        (Factorisation(2, engine="ard_so", library=np.ones((2, 40))), "`poisson`"),
        (Factorisation(2, engine="sklearn", background=(3.0,)), "`background` needs"),
        (Factorisation(2, engine="gaussian", noise=1.0, drift_sd=0.1), "`drift_sd`"),
    ],
)
def test_bad_requests_are_refused(request_, says):
    counts, _, _ = small(20)
    with pytest.raises(MapError, match=says):
        factorise(counts, ENERGY, request_)


def beside(lowest=0.25, pixels=500, background=0.0, seed=4):
    """Counts, axis and fractions of a map without a pixel of the second component."""
    generator = np.random.default_rng(seed)
    fraction = np.clip(generator.uniform(lowest - 0.2, 1.2, pixels), lowest, 1.0)
    energy = np.linspace(200.0, 220.0, 80)
    rows = np.exp(-0.5 * ((energy - np.array([[211.0], [213.0]])) / 0.9) ** 2)
    rows[:, energy > 209.0] += 0.02
    spectra = rows / rows.sum(axis=1, keepdims=True)
    law = (energy / energy[0]) ** -3.0
    mean = 3000.0 * np.stack([fraction, 1.0 - fraction], axis=1) @ spectra
    dose = background * generator.uniform(0.5, 1.5, (pixels, 1))
    counts = generator.poisson(mean + dose * law / law.sum()).astype(float)
    return counts, energy, fraction, spectra


def given(spectra, known):
    """Curves that are a little wrong, of the components that have one."""
    near = 0.95 * spectra + 0.05 * np.roll(spectra, 2, axis=1)
    return np.where(np.isin(np.arange(2), known)[:, None], near, np.nan)


@pytest.mark.parametrize("known", [0, 1])
def test_beside_one_curve_the_band_holds_all_that_the_other_may_be(known):
    counts, energy, fraction, spectra = beside()
    request = Factorisation(2, library=given(spectra, known))
    found = factorise(counts, energy, request)
    low, high = found.fraction_low[:, 0], found.fraction_high[:, 0]
    assert np.mean((low <= fraction) & (fraction <= high)) > 0.85
    free = 1 - known
    assert (found.spectra_low[free] <= spectra[free] + 2e-3).all()
    assert (found.spectra_high[free] >= spectra[free] - 2e-3).all()


@pytest.mark.parametrize("known", [0, 1])
def test_a_curve_names_its_own_component_and_no_other(known):
    counts, energy, fraction, spectra = beside(lowest=0.0)
    request = Factorisation(2, library=given(spectra, known))
    found = factorise(counts, energy, request)
    assert np.sqrt(np.mean((found.fraction[:, 0] - fraction) ** 2)) < 0.05


@pytest.mark.parametrize("known", [0, 1, None])
def test_free_spectra_take_up_no_background_where_that_is_alone(known):
    counts, energy, _, spectra = beside(background=4000.0)
    library = None if known is None else given(spectra, known)
    request = Factorisation(
        2, library=library, background=(1.0, 5.0), alone=(200.0, 208.0)
    )
    found = factorise(counts, energy, request)
    below = found.spectra[:, energy < 208.0].sum(axis=1)
    free = [k for k in (0, 1) if k != known]
    assert below[free].max() < 2e-3
    assert found.maps.sum() == pytest.approx(3000.0 * len(counts), rel=0.02)


def nearly_alike(pixels=400, seed=5):
    """Pixels of hardly different mixtures of spectra that share no channel."""
    generator = np.random.default_rng(seed)
    fraction = generator.uniform(0.1, 0.2, pixels)
    spectra = np.maximum(peaks([2.0, 8.0], 0.5) - 0.002, 0.0)
    spectra = spectra / spectra.sum(axis=1, keepdims=True)
    mean = 1e5 * np.stack([fraction, 1.0 - fraction], axis=1) @ spectra
    return generator.poisson(mean).astype(float), fraction


def test_the_range_of_two_spectra_far_from_those_that_were_found_is_closed():
    counts, fraction = nearly_alike()
    found = factorise(counts, ENERGY, Factorisation(2))
    first = int(np.argmin(found.spectra[:, ENERGY > 5.0].sum(axis=1)))
    low, high = found.fraction_low[:, first], found.fraction_high[:, first]
    assert np.mean((low <= fraction) & (fraction <= high)) > 0.9
    assert found.feasible.low[first][ENERGY > 6.0].sum() < 0.02
    assert not found.notes


def test_what_the_data_do_not_bound_is_told():
    spectra = peaks([4.0, 4.0 + 1e-9])
    even, sure = np.full((200, 2), 1e3), np.repeat(np.eye(2)[None], 200, axis=0)
    found = Projected(even, sure, spectra, spectra[0], np.eye(2))
    lines = every_line(found, 2)
    assert not lines[0, 1].closed
    assert len(list(unbounded(lines))) == 2


def test_four_components_and_an_offset_of_their_curves_take_seconds():
    from time import process_time

    generator = np.random.default_rng(7)
    spectra = peaks([2.0, 4.0, 6.0, 8.0])
    shares = generator.dirichlet(np.full(4, 0.5), 500)
    counts = generator.poisson(5000.0 * shares @ spectra).astype(float)
    request = Factorisation(4, library=peaks([2.1, 4.1, 6.1, 8.1]), shift_sd=0.2)
    began = process_time()
    found = factorise(counts, ENERGY, request)
    assert process_time() - began < 30.0
    assert np.sqrt(np.mean((found.fraction - shares) ** 2)) < 0.03


def test_pixels_of_few_counts_are_taken_together():
    counts, fraction, _ = small(3000, dose=10.0)
    library = peaks([4.15, 5.9], 1.0)
    found = factorise(counts, ENERGY, Factorisation(2, library=library))
    assert np.isfinite(found.strength).all()
    assert (found.spectral_sd[np.isfinite(found.spectral_sd)] > 1e-4).all()
    assert (found.spectra_high - found.spectra_low).max() > 1e-3
    seen = counts.sum(axis=1) > 0
    low, high = found.fraction_low[seen, 0], found.fraction_high[seen, 0]
    assert np.mean((low <= fraction[seen]) & (fraction[seen] <= high)) > 0.85


def test_faint_pixels_are_summed_and_none_is_chosen():
    total = np.array([500.0, 30.0, 0.0, 80.0, 400.0, 60.0, 90.0, 7.0])
    runs = starts.together(total, 100.0)
    assert runs.tolist() == [0, 2, -1, 2, 1, 3, 3, -1]
    assert starts.summed(total, runs).tolist() == [500.0, 400.0, 110.0, 150.0]


def test_a_map_of_next_to_nothing_is_refused():
    counts, _, _ = small(30, dose=10.0)
    with pytest.raises(MapError, match="says too little"):
        factorise(counts, ENERGY, Factorisation(2))


def test_a_pixel_without_a_count_has_no_chi_square():
    counts, _, _ = small(200)
    counts[:120] = 0.0
    found = factorise(counts, ENERGY, Factorisation(2, library=peaks([4.0, 6.0])))
    assert np.isnan(found.residual_chi[:120]).all()
    assert np.nanmean(found.residual_chi) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("known", "fits"), [((), 3), ((0,), 3), ((0, 1), 1)])
def test_starts_that_are_the_same_are_fitted_once(known, fits, monkeypatch):
    counts, energy, _, spectra = beside(pixels=100)
    found, fitted = [], fitting.fitted
    monkeypatch.setattr(fitting, "fitted", lambda *a: found.append(0) or fitted(*a))
    library = np.where(np.isin(np.arange(2), known)[:, None], spectra, np.nan)
    factorise(counts, energy, Factorisation(2, library=library, restarts=3))
    assert len(found) == fits


def test_the_error_of_the_mean_fraction_is_that_of_the_mean():
    counts, energy, _, spectra = beside(lowest=0.0)
    found = factorise(counts, energy, Factorisation(2, library=given(spectra, [0, 1])))
    mean = found.average
    assert mean is not None
    assert mean.low[0] <= found.fraction[:, 0].mean() <= mean.high[0]
    # counting errors of the pixels average out
    assert mean.sd[0] < 0.5 * np.nanmean(found.counting_sd)
    alone = factorise(counts, energy, Factorisation(2)).average
    assert alone.high[0] - alone.low[0] > mean.high[0] - mean.low[0]


def test_the_mean_fraction_is_held_in_nine_maps_of_ten():
    held = []
    for seed in range(12):
        counts, energy, fraction, spectra = beside(lowest=0.0, seed=seed)
        library = given(spectra, [0, 1])
        mean = factorise(counts, energy, Factorisation(2, library=library)).average
        held.append(mean.low[0] <= fraction.mean() <= mean.high[0])
    # of 12 fewer than 7 come about five times in 10 000
    assert sum(held) >= 7


@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_a_power_law_has_energies_above_zero(low):
    counts, _, _ = small(50)
    with pytest.raises(MapError, match="above zero"):
        factorise(counts, ENERGY + low, Factorisation(2, background=(3.0,)))
    found = factorise(counts, ENERGY + low, Factorisation(2, background=(0.0,)))
    assert np.isfinite(found.background).all()


@pytest.mark.parametrize("engine", ["poisson", "ard_so", "sklearn"])
def test_half_precision_is_summed_in_double(engine):
    counts, _, _ = small(300)
    half = counts.astype(np.float16)
    request = Factorisation(2, engine=engine, iterations=100)
    found, again = (factorise(x, ENERGY, request) for x in (half, half.astype(float)))
    np.testing.assert_allclose(found.maps, again.maps, rtol=1e-3, atol=1.0)


def test_what_is_missing_is_seen_in_parts_of_the_image():
    generator = np.random.default_rng(10)
    y, x = np.mgrid[:30, :30] / 29.0
    shares = np.stack([x.ravel(), 1.0 - x.ravel(), 0.2 * (y.ravel() > 0.8)], axis=1)
    counts = generator.poisson(1000.0 * shares @ peaks([3.0, 5.0, 7.0])).astype(float)
    chi2 = {}
    for k in (2, 3):
        request = Factorisation(k, grid=(30, 30))
        seen, made, _ = factorise(counts, ENERGY, request).parts
        assert seen.shape == (36, 40)
        np.testing.assert_allclose(seen.sum(axis=0), counts.sum(axis=0))
        chi2[k] = np.sum((seen - made) ** 2 / made) / ((36 - k) * 40 - 36 * k)
    assert chi2[2] > 2.0
    assert chi2[3] < 1.2


def test_of_three_components_what_is_left_open_is_told():
    generator = np.random.default_rng(11)
    shares = generator.dirichlet(np.full(3, 30.0), 600)  # no pixel is pure
    spectra = peaks([3.0, 5.0, 7.0])
    counts = generator.poisson(5000.0 * shares @ spectra).astype(float)
    assert factorise(counts, ENERGY, Factorisation(3)).open_by > 0.2
    known = factorise(counts, ENERGY, Factorisation(3, library=spectra))
    # a library narrows the bands and not what the data allow
    assert known.open_by > 0.2
    pure = generator.dirichlet(np.full(3, 0.1), 600)
    counts = generator.poisson(2e5 * pure @ spectra).astype(float)
    assert factorise(counts, ENERGY, Factorisation(3, library=spectra)).open_by < 0.1


def test_weights_that_still_rise_are_told(monkeypatch):
    from specfit.maps import weights

    counts, _, _ = small(100)
    monkeypatch.setattr(weights, "MOST_STEPS", 0)
    found = factorise(counts, ENERGY, Factorisation(2))
    assert any("still rise" in note for note in found.notes)
    monkeypatch.undo()
    assert not factorise(counts, ENERGY, Factorisation(2)).notes
