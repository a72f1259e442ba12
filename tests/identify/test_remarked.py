"""What is said of a set: how sure each component is, and what is left over."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import chi2, multivariate_t

from specfit.commands.identified import Identified, remarks
from specfit.commands.remarked import foot
from specfit.identify import Ranking, Spectrum, mixture, patterns, unknowns
from specfit.identify.layout import layout_of
from specfit.identify.places import other_places
from specfit.identify.presence import presence, price

SLOPES = np.array([5.3123, 3.0760, 0.8397]) / 33.04
VELOCITY = np.linspace(-10.0, 10.0, 300)
DOUBLET = next(one for one in unknowns() if one.name == "?doublet")
PLACE = 0.6, 2.4


@pytest.fixture(scope="module")
def spectrum():
    """Siderite, and a weak doublet that no phase has."""
    phases = (*patterns(295.0, ("siderite",))[0], DOUBLET)
    flat = Spectrum(np.full(300, 1e6), VELOCITY, 0.0, np.zeros((300, 0)), SLOPES)
    layout = layout_of(flat, phases)
    theta = layout.start(flat)
    theta[layout.area] = np.log([0.2, 0.004])
    theta[layout.sites_of(1)[0]] = PLACE
    expected = mixture.curve(flat, layout, theta).expected
    counts = np.random.default_rng(3).poisson(expected).astype(float)
    return replace(flat, counts=counts)


def fit(spectrum, *names, place=PLACE):
    known = {one.name: one for one in (*patterns(295.0, ("siderite",))[0], *unknowns())}
    phases = [known[name] for name in names]
    layout = layout_of(spectrum, phases)
    theta = layout.start(spectrum)
    for index, phase in enumerate(phases):
        if phase.name.startswith("?"):
            theta[layout.area[index]] = np.log(0.004)
            where = layout.sites_of(index)[0]
            theta[where] = place if where.stop - where.start == len(place) else PLACE
    return mixture.fitted(spectrum, phases, theta)


def identified(spectrum, sets, scores):
    ranking = Ranking(tuple(sets), np.array(scores))
    source = SimpleNamespace(conditions={"T": 295.0}, file="x")
    measured = SimpleNamespace(axis=VELOCITY)
    return Identified(source, measured, (), spectrum, ranking, True)


def test_a_component_is_there_as_far_as_sets_with_it_are_probable(spectrum):
    """In sets with the doublet under any name; not in those with one elsewhere."""
    alone = fit(spectrum, "siderite")
    sets = [
        fit(spectrum, "siderite", "?doublet"),
        alone,
        fit(spectrum, "siderite", "?doublet2"),
        fit(spectrum, "siderite", "?singlet", place=(-0.2,)),
    ]
    scores = np.log([0.4, 0.3, 0.2, 0.1])
    found = identified(spectrum, sets, scores)
    best = next(one for one in found.answers if one.best is sets[0])
    chances = presence(found.ranking, best)
    assert chances["siderite"] == pytest.approx(1.0)
    assert chances["?doublet"] == pytest.approx(0.6)
    gained = sets[0].log_likelihood - alone.log_likelihood
    want = 2.0 * (gained - np.log(0.4 / 0.3))
    assert price(found.ranking, sets[0]) == pytest.approx(want)


def test_a_phase_is_there_by_name_and_a_site_by_all_of_its_lines(spectrum):
    """Something at the lines of siderite is not siderite; a singlet is no doublet."""
    sets = [
        fit(spectrum, "siderite", "?doublet"),
        fit(spectrum, "?doublet", place=(1.23, 1.80)),
        fit(spectrum, "siderite", "?singlet", place=(-0.6,)),
    ]
    found = identified(spectrum, sets, np.log([0.5, 0.3, 0.2]))
    best = next(one for one in found.answers if one.best is sets[0])
    chances = presence(found.ranking, best)
    assert chances["siderite"] == pytest.approx(0.7)
    assert chances["?doublet"] == pytest.approx(0.5)


def test_what_is_improbable_is_tentative_and_has_errors(spectrum):
    sets = [fit(spectrum, "siderite", "?doublet"), fit(spectrum, "siderite")]
    (said,) = (
        line
        for line in remarks(identified(spectrum, sets, np.log([0.7, 0.3])))
        if "paramagnetic doublet" in line
    )
    assert "tentative: there with probability 0.70" in said
    sd = sets[0].deviations[sets[0].layout.sites_of(1)[0]]
    shift, split = sets[0].theta[sets[0].layout.sites_of(1)[0]]
    assert f"IS {shift:.3f} ± {sd[0]:.3f} mm/s" in said
    assert f"QS {split:.2f} ± {sd[1]:.2f} mm/s" in said
    (sure,) = (
        line
        for line in remarks(identified(spectrum, sets, np.log([0.99, 0.01])))
        if "paramagnetic doublet" in line
    )
    assert "; there with probability 0.99" in sure
    assert any(
        "lowers χ² by about" in s
        for s in foot(identified(spectrum, sets, np.log([0.7, 0.3])))
    )


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        (0.4, "nothing beyond the noise of counting"),
        (0.02, "perhaps a little"),
        (1e-5, "more than counting explains"),
    ],
)
def test_what_is_left_is_worded_by_its_tail_probability(spectrum, tail, said):
    best = fit(spectrum, "siderite")
    freedom = best.curve.size - best.layout.size
    best = replace(best, log_likelihood=-0.5 * chi2.isf(tail, freedom))
    words = remarks(identified(spectrum, [best], [0.0]))[-1]
    assert said in words
    if tail > 1e-3:
        assert f"exceeds with probability {tail:g}" in words


def test_a_bent_baseline_is_said(spectrum):
    flat = identified(spectrum, [fit(spectrum, "siderite")], [0.0])
    assert not any("off resonance are not flat" in line for line in remarks(flat))
    u = VELOCITY / 10.0
    bent = replace(spectrum, counts=np.round(spectrum.counts * (1.0 + 0.004 * u**2)))
    said = remarks(identified(bent, [fit(bent, "siderite")], [0.0]))
    (line,) = (line for line in said if "off resonance are not flat" in line)
    assert "by 0.4" in line.split("highest velocity and")[1]


def test_a_weak_site_may_stand_elsewhere(spectrum):
    """Where a set is fitted anew with a place that is named, it is as probable as said."""
    sure = fit(spectrum, "siderite", "?doublet")
    assert other_places(spectrum, sure, 1) == []
    noise = np.random.default_rng(5).normal(0.0, 1e3, VELOCITY.size)
    weak = replace(spectrum, counts=np.round(spectrum.counts + noise))
    found = fit(weak, "siderite", "?doublet", "?sextet", place=(0.3, 0.0, 33.0))
    places = other_places(weak, found, 2)
    assert places
    for place in places:
        theta = found.theta.copy()
        theta[found.layout.sites_of(2)[0]] = place.values
        again = mixture.fitted(weak, found.phases, theta)
        odds = np.exp(again.log_evidence - found.log_evidence)
        assert place.odds == pytest.approx(odds, rel=0.1)
        assert place.odds > 0.1


def test_what_a_component_costs_is_the_integral_over_its_values(spectrum):
    """The evidence of a set with a doublet over that without, by importance sampling."""
    sets = [fit(spectrum, "siderite"), fit(spectrum, "siderite", "?doublet")]
    laplace = sets[1].log_evidence - sets[0].log_evidence
    sampled = integral(spectrum, sets[1]) - integral(spectrum, sets[0])
    assert laplace == pytest.approx(sampled, abs=0.3)


def integral(spectrum, found, draws=2000, freedom=12):
    """log ∫ likelihood × prior, with draws of Student's t about the mode."""
    layout = found.layout
    shape = np.linalg.inv(found.hessian)
    about = multivariate_t(found.theta, shape, freedom, seed=1)
    thetas = about.rvs(draws)
    logs = []
    for theta in thetas:
        expected = mixture.curve(spectrum, layout, theta).expected
        gained = spectrum.counts * np.log(expected / spectrum.counts)
        likelihood = np.sum(gained - expected + spectrum.counts)
        logs.append(likelihood + mixture.log_prior(layout, theta, spectrum)[0])
    return logsumexp(np.array(logs) - about.logpdf(thetas)) - np.log(draws)
