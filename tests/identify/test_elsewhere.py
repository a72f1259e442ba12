"""A phase of several sites is judged at the best of its modes."""

import numpy as np
import pytest

from specfit.identify import Spectrum, patterns
from specfit.identify import mixture as mixtures
from specfit.identify.layout import layout_of
from specfit.identify.screen import bank
from specfit.identify.search import Search

SLOPES = np.array([5.3123, 3.0760, 0.8397]) / 33.04
VALUES = [(0.08, -0.33, 39.25), (0.01, -0.23, 34.91), (0.12, 0.43, 35.84)]
LAST = (0.15, 0.46, 31.25)
MISTAKEN = [(0.07, -0.34, 39.15), (0.06, 0.02, 33.75), (0.10, 0.33, 36.27)]
"""IS, QS, Bint of the sites of Sm2Fe17N3: of a sample, and of another mode of its fit."""


def blank():
    velocity = np.linspace(-11.0, 11.0, 512)
    nothing = np.zeros((512, 0))
    return Spectrum(np.full(512, 1e6), velocity, 0.0, nothing, SLOPES)


def with_values(layout, spectrum, values):
    theta = layout.start(spectrum)
    theta[layout.saturation] = 0.0
    theta[layout.area] = np.log([0.08, 0.32])
    for place, own in zip(layout.sites_of(0), values, strict=True):
        theta[place] = own
    return theta


def test_two_phases_trade_sites():
    """The ferric doublets of almandine and augite, given to the wrong one of them."""
    phases = patterns(295.0, ("almandine", "augite"))[0]
    flat = blank()
    layout = layout_of(flat, phases)
    theta = layout.start(flat)
    theta[layout.saturation] = 0.0
    theta[layout.area] = np.log([0.227, 0.054])
    own = [(1.30, 3.53), (0.31, 0.52), (1.13, 2.64), (1.15, 2.03), (0.42, 0.37)]
    places = [p for index in range(2) for p in layout.sites_of(index)]
    for place, values in zip(places, own, strict=True):
        theta[place] = values
    theta[layout.share] = -0.85, 0.85, -1.23, -0.98, 2.21
    counts = mixtures.curve(flat, layout, theta).expected
    drawn = np.random.default_rng(3).poisson(counts).astype(float)
    spectrum = Spectrum(drawn, flat.velocity, 0.0, flat.jacobian, SLOPES)
    best = mixtures.fitted(spectrum, phases, theta)
    theta[places[1]], theta[places[4]] = theta[places[4]], theta[places[1]]
    theta[layout.area] = np.log([0.099, 0.187])
    theta[layout.share] = -0.3, 0.3, -1.41, -1.53, 2.94
    poor = mixtures.fitted(spectrum, phases, theta)
    assert poor.log_evidence < best.log_evidence - 3.0
    search = Search(spectrum, bank(spectrum, phases))
    assert search.relocated(poor).log_evidence > best.log_evidence - 0.5


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_better_mode_is_found(seed):
    phases = patterns(295.0, ("Sm2Fe17N3", "FeTi"))[0]
    flat = blank()
    layout = layout_of(flat, phases)
    true = with_values(layout, flat, [*VALUES, LAST])
    counts = mixtures.curve(flat, layout, true).expected
    drawn = np.random.default_rng(seed).poisson(counts).astype(float)
    spectrum = Spectrum(drawn, flat.velocity, 0.0, flat.jacobian, SLOPES)
    best = mixtures.fitted(spectrum, phases, true)
    poor = mixtures.fitted(
        spectrum, phases, with_values(layout, flat, [*MISTAKEN, LAST])
    )
    assert poor.log_evidence < best.log_evidence - 5.0
    search = Search(spectrum, bank(spectrum, phases))
    found = search.relocated(poor)
    assert found.log_evidence > best.log_evidence - 2.0
    assert search.seen[found.names] is found
