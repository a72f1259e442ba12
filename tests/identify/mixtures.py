"""Simulated mixtures of phases, and which phases nobody could tell apart.

Mixtures are drawn from what the database says, the class ranges ("unlike all recorded")
apart: 1 to 4 different phases that have records within 60 K of 295 K, each with at least
8 % of a total of 0.4 mm/s, 10⁶ counts off resonance, 512 channels from -11 to 11 mm/s.

Two phases cannot be told apart if, of spectra of either alone (0.1 mm/s, the same
counts), the wrong one of the two gets a posterior probability of more than 0.1 on
average.  That is a property of the database at that temperature and of nothing else.
"""

import re
from functools import lru_cache
from itertools import permutations

import numpy as np
from scipy.special import expit

from specfit.identify import mixture as mixtures
from specfit.identify.appearance import Spectrum
from specfit.identify.asked import candidates
from specfit.identify.formulas import ELEMENTS
from specfit.identify.layout import layout_of
from specfit.identify.patterns import WIDTHS, patterns
from specfit.identify.screen import bank
from specfit.identify.search import Search
from specfit.identify.unknown import UNKNOWN
from specfit.model import records

SLOPES = np.array([5.3123, 3.0760, 0.8397]) / 33.04
VELOCITY = np.linspace(-11.0, 11.0, 512)
COUNTS, TOTAL, LEAST = 1e6, 0.4, 0.08
ALONE, DRAWN, CONFUSED = 0.1, 20, 0.1
TEMPERATURE = 295.0


@lru_cache(maxsize=1)
def everything():
    return patterns(TEMPERATURE)[0]


def measured_there():
    return [phase for phase in everything() if phase.log_weight == 0.0]


def spectrum_of(counts):
    return Spectrum(counts, VELOCITY, 0.0, np.zeros((VELOCITY.size, 0)), SLOPES)


def as_recorded(density, generator):
    """A value of a sample like those recorded: from all parts but the last, the class's."""
    weight = density.weight[:-1] / density.weight[:-1].sum()
    part = generator.choice(len(weight), p=weight)
    while True:
        t = generator.standard_t(density.freedom[part])
        value = density.location[part] + density.scale[part] * t
        if abs(t) < 4.0 and density.low <= value <= density.high:
            return value


def simulated(phases, areas, generator):
    """A spectrum of phases with these areas (mm/s), and the unknowns behind it."""
    flat = spectrum_of(np.full(VELOCITY.size, COUNTS))
    layout = layout_of(flat, phases)
    theta = layout.start(flat)
    theta[0] = np.log(COUNTS)
    theta[layout.area] = np.log(areas)
    for index, phase in enumerate(phases):
        width = theta[layout.width[index]] + WIDTHS * generator.standard_normal()
        theta[layout.width[index]] = max(width, np.log(0.194))
        share = layout.share[layout.of_site == index]
        theta[share] = phase.spreads * generator.standard_normal(len(share))
        for site, place in zip(phase.sites, layout.sites_of(index), strict=True):
            theta[place] = [as_recorded(d, generator) for d in site.priors]
    theta[layout.saturation] = 0.0
    expected = mixtures.curve(flat, layout, theta).expected
    return spectrum_of(generator.poisson(expected).astype(float)), theta


@lru_cache(maxsize=1)
def of_known_elements():
    """Those of them whose formula can be read."""
    readable = {phase.name for phase in candidates(TEMPERATURE, (), ELEMENTS)}
    return [phase for phase in measured_there() if phase.name in readable]


def elements_of(phases):
    """All elements in some phases."""
    formulas = [records.phase(p.name.partition(".")[0]).formula for p in phases]
    return {e for text in formulas for e in re.findall("[A-Z][a-z]?", text)}


def mixture(generator, pool):
    """One of the study: phases, fractions, spectrum, unknowns."""
    count = generator.integers(1, 5)
    chosen = [pool[i] for i in generator.choice(len(pool), count, replace=False)]
    while True:
        fractions = generator.dirichlet(np.ones(count))
        if fractions.min() >= LEAST:
            break
    spectrum, theta = simulated(chosen, TOTAL * fractions, generator)
    return chosen, fractions, spectrum, theta


@lru_cache(maxsize=4096)
def confusion(*names):
    """The mean probability of the wrong one of two phases, spectra of either alone."""
    pair = [phase for phase in everything() if phase.name in names]
    pair = sorted(pair, key=lambda phase: phase.name)
    generator = np.random.default_rng(5)
    known = bank(spectrum_of(np.full(VELOCITY.size, COUNTS)), pair)
    wrong = []
    for true, other in (pair, pair[::-1]):
        for _ in range(DRAWN):
            spectrum, _ = simulated([true], [ALONE], generator)
            found = Search(spectrum, known).grown(None)
            logs = {next(iter(m.names)): m.log_evidence for m in found}
            wrong.append(
                expit(logs.get(other.name, -np.inf) - logs[true.name])
                if true.name in logs
                else 1.0
            )
    return float(np.mean(wrong))


def cannot_be_told_apart(one, other):
    """Never what is no phase of the database, which a mixture does not hold."""
    if one == other or UNKNOWN in one + other:
        return one == other
    return confusion(*sorted((one, other))) > CONFUSED


def same_answer(found, true):
    """Whether two sets of names are the same but for phases nobody could tell apart."""
    if len(found) != len(true):
        return False
    mine, others = sorted(found - true), sorted(true - found)
    return any(
        all(map(cannot_be_told_apart, mine, order)) for order in permutations(others)
    )
