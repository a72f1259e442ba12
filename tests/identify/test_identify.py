"""Phases from a spectrum alone: the arithmetic, and sets that can be told apart."""

import numpy as np
import pytest
from scipy import stats

from specfit.identify import Spectrum, identify, is_unknown, patterns, unknowns
from specfit.identify import mixture as mixtures
from specfit.identify.appearance import parts
from specfit.identify.densities import Densities
from specfit.identify.findings import components, dips, fractions, misfit
from specfit.identify.layout import layout_of
from specfit.identify.patterns import twins
from specfit.identify.ranking import LACKING, lacking
from specfit.identify.residue import of_nothing, without
from specfit.identify.screen import bank, promising

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


def alpha(*names):
    """The phases named, of iron the α form alone."""
    return tuple(p for p in chosen(*names) if p.name not in _OTHER_IRON)


_OTHER_IRON = ("iron.gamma", "iron.particles")


def simulated(phases, areas, seed, counts=1e6, moved=0.0, kappa=0.0, channels=400):
    """A spectrum of phases at their most probable values, fields moved by `moved` T."""
    flat = spectrum_of(np.full(channels, counts))
    layout = layout_of(flat, phases)
    theta = layout.start(flat)
    theta[layout.area] = np.log(areas)
    theta[layout.saturation] = kappa
    for index, phase in enumerate(phases):
        for site, places in zip(phase.sites, layout.sites_of(index), strict=True):
            if site.kind == "sextet":
                theta[places][2] += moved
    expected = mixtures.curve(flat, layout, theta).expected
    return spectrum_of(np.random.default_rng(seed).poisson(expected).astype(float))


@pytest.mark.parametrize(("half_offset", "nuisances"), [(0.0, 0), (0.012, 2)])
@pytest.mark.parametrize("kappa", [0.0, 0.8])
def test_slopes_are_those_of_differences(half_offset, nuisances, kappa):
    phases = chosen("magnetite", "pyrite", "cementite")
    spectrum = spectrum_of(np.full(64, 1e5), half_offset, nuisances)
    layout = layout_of(spectrum, phases)
    theta = layout.start(spectrum)
    theta += np.random.default_rng(1).normal(0.0, 0.05, theta.size)
    theta[layout.saturation] = kappa
    slopes = mixtures.curve(spectrum, layout, theta).change
    value, slope, bend = mixtures.log_prior(layout, theta, spectrum)
    for k in range(layout.size):
        step = np.zeros(layout.size)
        step[k] = 1e-5
        ends = [
            mixtures.curve(spectrum, layout, theta + s * step).expected for s in (1, -1)
        ]
        np.testing.assert_allclose(
            slopes[k], (ends[0] - ends[1]) / 2e-5, rtol=1e-4, atol=2e-2
        )
        ends = [
            mixtures.log_prior(layout, theta + s * step, spectrum)[0] for s in (1, -1)
        ]
        assert slope[k] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-3, abs=1e-2)
    assert (bend > 0).all()
    assert np.isfinite(value)


def test_densities_are_mixtures_of_student_t():
    """Against SciPy's, all parts but the vague one, which has a tenth of its weight."""
    (phase,) = chosen("magnetite")
    density = phase.sites[0].priors[2]
    assert density.weight.sum() == pytest.approx(1.0)
    assert density.weight[-1] == pytest.approx(0.01 / 0.91)
    one = Densities.of([density])
    for x in (40.0, 46.0, 49.5):
        parts_ = stats.t.pdf(x, density.freedom, density.location, density.scale)
        want = np.log(np.sum(density.weight * parts_))
        assert one.log(np.array([x]))[0].sum() == pytest.approx(want, rel=1e-9)


def test_lines_stand_where_the_physics_says():
    (pyrite,), iron = chosen("pyrite"), alpha("iron")
    spectrum = spectrum_of(np.full(64, 1e5))
    layout = layout_of(spectrum, iron)
    theta = layout.start(spectrum)
    theta[layout.sites_of(0)[0]] = 0.0, 0.0, 33.04
    where = layout.moves @ theta
    np.testing.assert_allclose(where[[0, 5]], [-5.3123, 5.3123])
    own, _ = parts(layout.ratio, 2.0)
    np.testing.assert_allclose(own, np.array([3, 2, 1, 1, 2, 3]) / 12)
    layout = layout_of(spectrum, (pyrite,))
    theta = layout.start(spectrum)
    theta[layout.sites_of(0)[0]] = 0.4, 0.8
    np.testing.assert_allclose(layout.moves @ theta, [0.0, 0.8])


def test_a_residue_is_what_a_fit_without_the_phase_would_gain():
    """The estimate of the log-evidence of a small phase against that of a whole fit."""
    phases = (*alpha("iron"), *chosen("pyrite"))
    spectrum = simulated(phases, [0.3, 0.004], seed=2)
    alone = mixtures.fitted(
        spectrum, phases[:1], layout_of(spectrum, phases[:1]).start(spectrum)
    )
    known = bank(spectrum, chosen("pyrite", "siderite"))
    guess = promising(known, without(spectrum, alone), ())[0]
    assert guess.phase.name == "pyrite"
    start = np.concatenate([alone.theta, guess.theta])
    both = mixtures.fitted(spectrum, phases, start)
    gained = both.log_evidence - alone.log_evidence
    assert guess.worth == pytest.approx(gained, abs=0.05 * gained + 0.5)


@pytest.mark.parametrize(("slope", "bend"), [(0.0, 0.0), (0.01, 0.0), (0.0, 0.003)])
def test_nothing_seems_to_be_in_noise(slope, bend):
    u = np.linspace(-1.0, 1.0, 256)
    level = 1e5 * (1.0 + slope * u + bend * u**2)
    spectrum = spectrum_of(np.random.default_rng(4).poisson(level).astype(float))
    assert slope or bend or of_nothing(spectrum).value < 0.0
    found = identify(spectrum, (*chosen(*NAMES), *unknowns()))
    assert not found.sets
    assert found.answers() == ()


@pytest.mark.parametrize(
    ("names", "areas", "moved"),
    [
        (("iron",), [0.4], 0.0),
        (("hematite", "iron"), [0.2, 0.2], 0.0),
        (("hematite", "iron"), [0.2, 0.2], -0.5),
        (("hematite", "magnetite"), [0.2, 0.2], 0.5),
        (("magnetite", "siderite"), [0.3, 0.1], 0.0),
        (("goethite", "pyrite", "cementite"), [0.2, 0.1, 0.15], 0.0),
    ],
)
def test_phases_that_can_be_told_apart_are_found(names, areas, moved):
    phases = alpha(*names)
    spectrum = simulated(phases, areas, seed=11, moved=moved)
    found = identify(spectrum, (*alpha(*NAMES), *unknowns()))
    best = found.sets[0]
    assert best.names == {phase.name for phase in phases}
    np.testing.assert_allclose(found.probabilities.sum(), 1.0)
    called = [phase.name for phase in best.phases]
    order = [called.index(phase.name) for phase in phases]
    np.testing.assert_allclose(best.areas[order], areas, rtol=0.05)
    shares, errors = fractions(best)
    assert shares.sum() == pytest.approx(1.0)
    assert (np.abs(shares[order] - np.array(areas) / sum(areas)) <= 4 * errors).all()
    total, freedom = misfit(best)
    assert abs(total - freedom) < 5 * np.sqrt(2 * freedom)
    taken = dips(spectrum, best).sum(axis=0)
    assert taken.max() > 0.9 * (spectrum.level - spectrum.counts.min())


def test_what_is_not_in_the_database_is_said_to_be_that():
    """A sextet of 20 T among phases that have none: described, and not forced on them."""
    other = chosen("cementite")
    spectrum = simulated(other, [0.2], seed=5)
    considered = chosen("hematite", "siderite", "pyrite")
    found = identify(spectrum, (*considered, *unknowns()))
    assert all(is_unknown(phase) for phase in found.sets[0].phases)
    (largest, *_) = components(found.sets[0], chosen(*NAMES))
    assert largest.kind == "sextet"
    assert "cementite" in largest.alike
    field = next(v for v in largest.values if v.symbol == "Bint")
    assert field.value == pytest.approx(20.6, abs=0.4)


def test_a_thick_absorber_is_not_a_further_phase():
    phases = alpha("iron")
    spectrum = simulated(phases, [0.6], seed=6, kappa=1.2)
    found = identify(spectrum, (*alpha("iron", "hematite", "pyrite"), *unknowns()))
    assert found.sets[0].names == {"iron.alpha"}
    kappa = found.sets[0].theta[found.sets[0].layout.saturation]
    assert kappa == pytest.approx(1.2, abs=0.1)


def test_twins_are_one_answer():
    """Two ferrites with the same records: neither is called the only one."""
    phases = chosen("BaFe12O19", "SrFe12O19", "hematite", "pyrite")
    numbers = twins(phases)
    assert numbers["BaFe12O19"] == numbers["SrFe12O19"] != numbers["hematite"]
    spectrum = simulated(chosen("BaFe12O19"), [0.4], seed=7)
    (first, *_) = identify(spectrum, (*phases, *unknowns())).answers()
    (name,) = first.best.names
    assert {name, *first.stand_ins[name]} >= {"BaFe12O19", "SrFe12O19"}
    assert first.probability > 0.9


def test_an_element_that_must_be_there_decides_between_twins():
    phases = chosen("BaFe12O19", "SrFe12O19", "hematite", "pyrite")
    spectrum = simulated(chosen("BaFe12O19"), [0.4], seed=7)
    for element, name in (("Ba", "BaFe12O19"), ("Sr", "SrFe12O19")):
        held = frozenset({element})
        found = identify(spectrum, phases, held=held)
        assert found.sets[0].names == {name}
        assert found.probabilities[0] > 0.7
    together = chosen("hematite", "pyrite")
    assert lacking(together, frozenset("SO")) == 0.0
    assert lacking(together, frozenset({"S", "Ba"})) == LACKING
    assert lacking((), frozenset("SO")) == 2.0 * LACKING, "nothing holds nothing"
    assert lacking(chosen("hematite"), frozenset({"Ba", "O"})) == LACKING
    assert lacking([*chosen("hematite"), unknowns()[0]], frozenset({"Ba"})) == 0.0


def test_forms_of_iron_are_not_mixed():
    names = {phase.name for phase in chosen("iron")}
    assert names == {"iron.alpha", "iron.gamma", "iron.particles"}
    (feroxyhyte,) = chosen("feroxyhyte")  # the sites of 4 K do not count at 295 K
    assert [site.key for site in feroxyhyte.sites] == ["feroxyhyte.mean"]
