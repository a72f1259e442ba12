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
