"""Phases from a spectrum alone: the arithmetic, and sets that can be told apart."""

import numpy as np
import pytest
from scipy import stats

from specfit.identify import Spectrum, appearance, densities, identify, patterns
from specfit.identify import mixture as mixtures
from specfit.identify.search import without

SLOPES = np.array([5.3123, 3.0760, 0.8397]) / 33.04
NAMES = (
    *("iron", "hematite", "magnetite", "maghemite", "goethite", "wustite"),
    *("siderite", "pyrite", "cementite", "lepidocrocite", "fayalite", "troilite"),
)


def spectrum_of(counts, half_offset=0.0, nuisances=0):
    velocity = np.linspace(-10.0, 10.0, len(counts))
    columns = np.stack([velocity * 1e-3, np.full(len(counts), 2e-3)], axis=1)
    return Spectrum(counts, velocity, half_offset, columns[:, :nuisances], SLOPES)


def chosen(*names):
    return patterns(295.0, names)[0]


def simulated(phases, areas, seed, counts=1e6, moved=0.0):
    """A spectrum of phases at their most probable values, fields moved by `moved` T."""
    flat = spectrum_of(np.full(400, counts))
    layout = mixtures.Layout(phases, 0)
    theta = layout.start(flat)
    theta[layout.area] = np.log(areas)
    for phase, rows in zip(phases, layout.values, strict=True):
        for site, places in zip(phase.sites, rows, strict=True):
            if site.kind == "sextet":
                theta[places[2]] += moved
    expected, _ = mixtures.curve(flat, layout, theta)
    return spectrum_of(np.random.default_rng(seed).poisson(expected).astype(float))


@pytest.mark.parametrize(("half_offset", "nuisances"), [(0.0, 0), (0.012, 2)])
def test_slopes_are_those_of_differences(half_offset, nuisances):
    phases = chosen("magnetite", "pyrite", "iron")
    spectrum = spectrum_of(np.full(64, 1e5), half_offset, nuisances)
    layout = mixtures.Layout(phases, nuisances)
    theta = layout.start(spectrum)
    theta += np.random.default_rng(1).normal(0.0, 0.05, theta.size)
    _, slopes = mixtures.curve(spectrum, layout, theta)
    for k in range(layout.size):
        step = np.zeros(layout.size)
        step[k] = 1e-5
        ends = [mixtures.curve(spectrum, layout, theta + s * step)[0] for s in (1, -1)]
        np.testing.assert_allclose(
            slopes[:, k], (ends[0] - ends[1]) / 2e-5, rtol=1e-5, atol=1e-2
        )
    value, slope, bend = mixtures.log_prior(layout, theta, spectrum)
    for k in range(layout.size):
        step = np.zeros(layout.size)
        step[k] = 1e-6
        ends = [
            mixtures.log_prior(layout, theta + s * step, spectrum)[0] for s in (1, -1)
        ]
        assert slope[k] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-3)
    assert (bend > 0).all()
    assert np.isfinite(value)


def test_densities_are_those_of_the_database():
    """A mixture of Student-t and normal densities, against SciPy's."""
    (phase,) = chosen("magnetite")
    density = phase.sites[0].priors[2]
    one = densities.Densities.of([(0, density)])
    for x in (40.0, 46.0, 49.5):
        parts = stats.t.pdf(x, density.freedom, density.location, density.scale)
        want = np.log(np.sum(density.weight * parts))
        assert one.log(np.array([x]))[0] == pytest.approx(want, rel=1e-9)


def test_a_doublet_is_a_pair_and_a_sextet_has_six_lines():
    where, parts, _, _ = appearance.lines("doublet", np.array([0.4, 0.8]), 2.0, SLOPES)
    np.testing.assert_allclose(where, [0.0, 0.8])
    where, parts, _, _ = appearance.lines(
        "sextet", np.array([0.0, 0.0, 33.04]), 2.0, SLOPES
    )
    np.testing.assert_allclose(where[[0, 5]], [-5.3123, 5.3123])
    np.testing.assert_allclose(parts, np.array([3, 2, 1, 1, 2, 3]) / 12)


def test_taking_a_phase_out_keeps_the_others_where_they_were():
    phases = chosen("hematite", "iron")
    spectrum = simulated(phases, [0.2, 0.2], seed=3)
    start = mixtures.Layout(phases, 0).start(spectrum)
    both = mixtures.fitted(spectrum, phases, start)
    alone = without(spectrum, both, 0)
    assert alone.names == {"iron"}
    field = both.theta[both.layout.values[1][0][-1]]
    assert alone.theta[alone.layout.values[0][0][-1]] == pytest.approx(field, abs=0.1)


@pytest.mark.parametrize(
    ("names", "areas", "moved"),
    [
        (("iron",), [0.4], 0.0),
        (("hematite", "iron"), [0.2, 0.2], 0.0),
        (("hematite", "iron"), [0.2, 0.2], -0.5),
        (("magnetite", "siderite"), [0.3, 0.1], 0.0),
        (("goethite", "pyrite", "cementite"), [0.2, 0.1, 0.15], 0.0),
    ],
)
def test_phases_that_can_be_told_apart_are_found(names, areas, moved):
    spectrum = simulated(chosen(*names), areas, seed=11, moved=moved)
    found = identify(spectrum, chosen(*NAMES))
    assert found.sets[0].names == set(names)
    np.testing.assert_allclose(found.probabilities.sum(), 1.0)
    order = [[p.name for p in found.sets[0].phases].index(name) for name in names]
    np.testing.assert_allclose(found.sets[0].areas[order], areas, rtol=0.05)
