"""A measured image of Mn3O4 and a noisy twin of it, whose whole ambiguity is known.

The image is the demonstration of the published code of ARD-SO-NMF (malspy 0.4.0, file
`example/SI_data.npz`, 24 x 22 x 138). Its two-component factorisation is taken as a
clean truth, for which Lawton and Sylvestre's intervals are exact; the twin has Poisson
noise of 25 % of it. The file is looked up beside the checkout and is not part of it.
"""

import os
from pathlib import Path

import jax
import numpy as np
import pytest
from sklearn.decomposition import NMF

from specfit.maps import Factorisation, fitting, space
from specfit.maps.counting_components import how_many
from specfit.maps.factorising import factorise

FILE = Path(
    os.environ.get(
        "SPECFIT_MN3O4",
        Path(__file__).parents[3] / "shared/data/eels/mn3o4/SI_data.npz",
    )
)
CHANNELS = slice(36, 116)
ENERGY = np.arange(36.0, 116.0)
NOISE = 0.25
FREE = Factorisation(2)


@pytest.fixture(scope="module")
def clean():
    """Weights (n, 2) and spectra (2, M) of unit area."""
    if not FILE.exists():
        pytest.skip(f"no {FILE.name}: set SPECFIT_MN3O4 to the image of Mn3O4")
    with np.load(FILE, allow_pickle=False) as held:
        x = held["X"].reshape(-1, held["X"].shape[-1])[:, CHANNELS]
    model = NMF(2, init="nndsvda", max_iter=20_000, tol=1e-9)
    weights = model.fit_transform(x / x.mean())
    area = model.components_.sum(axis=1)
    return weights * area, model.components_ / area[:, None]


def twin(clean, seed):
    mean = clean[0] @ clean[1]
    dose = mean.sum() / (NOISE**2 * (mean**2).sum())
    return np.random.default_rng(seed).poisson(dose * mean).astype(float)


def extremes(clean):
    """Of each component the two spectra (2, 2, M) between which all else lies.

    Outwards until a channel is empty, inwards until a pixel holds nothing of the other.
    """
    weights, spectra = clean
    share = weights / weights.sum(axis=1, keepdims=True)
    rows = []
    for k, j in ((0, 1), (1, 0)):
        apart = spectra[j] - spectra[k]
        rising = apart > 1e-12
        out = -np.min(spectra[k][rising] / apart[rising])
        rows.append([spectra[k] + t * apart for t in (out, share[:, j].min())])
    return np.array(rows)


def places(counts, clean):
    """What is allowed and what was found, each (2, 2), along the lines of the fit."""
    found = factorise(counts, ENERGY, FREE)
    with jax.enable_x64(True):
        data = fitting.chunked(counts, FREE.chunk)
        s = space.space(counts, data, ENERGY, FREE, None).s
    apart = np.abs(found.spectra[:, None] - clean[1][None]).sum(axis=2)
    order = [0, 1] if np.trace(apart) < np.trace(apart[::-1]) else [1, 0]
    true = []
    for k, ends in zip(order, extremes(clean), strict=True):
        weights = np.linalg.lstsq(s.T, ends.T, rcond=None)[0]
        true.append(np.sort(weights[1 - k] / weights.sum(axis=0)))
    return np.array(true), found.feasible.ends[order], found


@pytest.mark.slow
def test_two_components_are_found_in_any_unit(clean):
    x = twin(clean, 0)
    with np.load(FILE, allow_pickle=False) as held:
        measured = held["X"].reshape(-1, held["X"].shape[-1])[:, CHANNELS]
    request = Factorisation(2, iterations=5)
    for counts in (x, measured):
        for up_to in range(2, 10):
            for unit in (1e-6, 1.0, 1e6):
                assert how_many(counts * unit, ENERGY, request, up_to).best == 2


@pytest.mark.parametrize("seed", range(3))
def test_all_that_is_feasible_is_allowed(clean, seed):
    """To 0.02 of the distance of the spectra: 0, .002 and .016 were left out."""
    true, found, _ = places(twin(clean, seed), clean)
    assert np.all(found[:, 0] <= true[:, 0] + 0.02)
    assert np.all(found[:, 1] >= true[:, 1] - 0.02)
    # and not much besides
    assert np.all(np.diff(found) < np.diff(true) + 0.4)


@pytest.mark.parametrize("seed", range(3))
def test_the_band_of_every_pixel_meets_what_is_feasible(clean, seed):
    _, _, found = places(twin(clean, seed), clean)
    apart = np.abs(found.spectra[0][None] - clean[1]).sum(axis=1)
    k = int(np.argmin(apart))  # which of the clean ones the first is
    ends = extremes(clean)
    share = []
    for one in ends[k]:
        for other in ends[1 - k]:
            pure = np.stack([one, other])
            w = np.linalg.lstsq(pure.T, (clean[0] @ clean[1]).T, rcond=None)[0]
            share.append(w[0] / w.sum(axis=0))
    least, most = np.min(share, axis=0), np.max(share, axis=0)
    low, high = found.fraction_low[:, 0], found.fraction_high[:, 0]
    assert np.mean((low <= most) & (high >= least)) > 0.99
    # without a prior it holds the whole of it
    assert np.mean((low <= least + 0.02) & (high >= most - 0.02)) > 0.9
