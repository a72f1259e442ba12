"""Intervals over 200 simulated maps, the truth of each drawn anew (`drawn`).

The band of a fraction has two parts: counting, of each pixel by itself, and that of the
spectra, common to a whole map. So the share of pixels that a band holds differs much
from map to map, and its mean over maps is what is calibrated. Where a component has no
curve the band is all that the data allow, and holds more than it says.
"""

import functools
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from specfit.maps import Factorisation
from specfit.maps.factorising import factorise

MAPS = 200
REGIMES = {"both": (0, 1), "first": (0,), "second": (1,), "none": ()}
PAIRS = (  # of valences that both sources have
    (("MnO", "SrMnO3"), ("MnO", "MnO2")),
    (("MnO", "LaMnO3"), ("MnO", "LaMnO3")),
    (("LaMnO3", "SrMnO3"), ("LaMnO3", "MnO2")),
)


def module(name):
    path = Path(__file__).with_name(f"{name}.py")
    found = importlib.util.spec_from_file_location(f"maps_{name}", path)
    made = importlib.util.module_from_spec(found)
    sys.modules[f"maps_{name}"] = made
    found.loader.exec_module(made)
    return made


drawn, four = module("drawn"), module("four")


def held(made, energy, known, level):
    """The share of pixels whose fraction is within its band; whether their mean is."""
    given = np.isin([0, 1], known)[:, None]
    library = np.where(given, made.library, np.nan) if known else None
    found = factorise(
        made.counts, energy, Factorisation(2, library=library, level=level)
    )
    apart = np.abs(found.spectra[:, None] - made.spectra[None]).sum(axis=2)
    k = int(not known and np.trace(apart) > np.trace(apart[::-1]))
    truth, inside = made.fraction[made.inside], made.inside
    low, high = found.fraction_low[inside, k], found.fraction_high[inside, k]
    mean = found.average.low[k] <= truth.mean() <= found.average.high[k]
    return np.mean((low <= truth + 1e-9) & (truth <= high + 1e-9)), mean


@functools.cache
def covers(regime, level, maps=MAPS):
    """Of every map of the population its cover, and whether its mean is held."""
    made = [drawn.drawn(seed) for seed in range(maps)]
    rows = [held(one, drawn.ENERGY, REGIMES[regime], level) for one in made]
    print(
        f"{regime} {level}: {np.mean(rows, axis=0).round(3)} {np.std(rows, 0)[0]:.3f}"
    )
    return np.array(rows), made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("level", "low", "high"), [(0.9, 0.85, 0.95), (0.68, 0.6, 0.76)]
)
def test_the_band_with_both_curves(level, low, high):
    rows, _ = covers("both", level)
    assert low <= rows[:, 0].mean() <= high


@pytest.mark.slow
def test_the_band_with_both_curves_whatever_is_pure():
    rows, made = covers("both", 0.9)
    kinds = {}
    for row, one in zip(rows, made, strict=True):
        kind = tuple((one.overlap > 0).tolist()), one.continuum > 0
        kinds.setdefault(kind, []).append(row[0])
    means = {kind: float(np.mean(of)) for kind, of in kinds.items()}
    print({kind: (round(mean, 3), len(kinds[kind])) for kind, mean in means.items()})
    # a dozen maps of one kind: three standard errors of their spread
    assert len(means) == 8
    assert min(means.values()) >= 0.85 - 3 * 0.14 / np.sqrt(12)
    assert max(means.values()) <= 0.95 + 0.03


@pytest.mark.slow
def test_the_mean_fraction_with_both_curves():
    assert 0.8 <= covers("both", 0.9)[0][:, 1].mean() <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("regime", ["first", "second", "none"])
def test_the_band_without_a_curve_holds_at_least_what_it_says(regime):
    assert covers(regime, 0.9, 100)[0][:, 0].mean() >= 0.85


@pytest.mark.slow
@pytest.mark.xfail(
    reason="the curves of MnO of the two sources differ along the line to the other "
    "component, which nothing in them foretells: the bands hold .58 of the pixels",
    strict=True,
)
def test_the_band_with_the_curves_of_two_sources():
    energy = np.linspace(*four.WINDOW, drawn.ENERGY.size)
    rows = []
    for seed in range(60):
        pair = PAIRS[seed // 2 % 3]
        two = [
            np.stack([four.curve(f"Data{n}_{name}", energy) for name in names])
            for n, names in zip((2, 3), pair, strict=True)
        ]
        made = drawn.drawn(seed, tuple(two if seed % 2 == 0 else two[::-1]))
        rows.append(held(made, energy, (0, 1), 0.9)[0])
    print(f"two sources: {np.mean(rows):.3f}")
    assert 0.85 <= np.mean(rows) <= 0.95
