"""What large maps cost: single precision changes nothing, memory stays flat."""

import subprocess
import sys

import numpy as np
import pytest

from specfit.maps import Factorisation, fitting, space
from specfit.maps.factorising import factorise

ENERGY = np.linspace(0.0, 10.0, 60)

PEAK = """
import resource, sys
import numpy as np
from specfit.maps import Factorisation
from specfit.maps.factorising import factorise

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

def counts(side, channels):
    energy = np.linspace(0.0, 10.0, channels)
    rows = np.exp(-0.5 * ((energy - np.array([[4.0], [6.0]])) / 0.9) ** 2) + 0.1
    rows /= rows.sum(axis=1, keepdims=True)
    generator = np.random.default_rng(0)
    made = np.empty((side * side, channels))
    for i in range(0, side * side, 1024):
        share = generator.uniform(0.0, 1.0, (min(1024, side * side - i), 1))
        mean = 3000.0 * (share * rows[0] + (1.0 - share) * rows[1])
        made[i : i + 1024] = generator.poisson(mean)
    return made, energy, rows

small = counts(32, 64)
factorise(*small[:2], Factorisation(2, library=small[2]))
map_, energy, rows = counts(int(sys.argv[1]), int(sys.argv[2]))
before = peak()
factorise(map_, energy, Factorisation(2, library=rows))
print((peak() - before) / map_.nbytes, map_.nbytes / 2**20)
"""


def small(pixels=3000, seed=0, unit=0.1):
    generator = np.random.default_rng(seed)
    rows = np.exp(-0.5 * ((ENERGY - np.array([[4.0], [6.0]])) / 0.9) ** 2) + unit
    spectra = rows / rows.sum(axis=1, keepdims=True)
    share = np.clip(generator.uniform(-0.3, 1.3, (pixels, 1)), 0.0, 1.0)
    counts = generator.poisson(3e3 * (share * spectra[0] + (1 - share) * spectra[1]))
    return counts.astype(float), spectra * np.exp(0.1 * np.sin(ENERGY))


@pytest.mark.parametrize("known", [True, False])
def test_single_precision_changes_nothing(known, monkeypatch):
    counts, library = small()
    request = Factorisation(2, library=library if known else None)
    double = factorise(counts, ENERGY, request)
    monkeypatch.setattr(fitting, "SINGLE", 0)
    single = factorise(counts, ENERGY, request)
    # a pixel's own error is a hundred times as large
    assert double.counting_sd.mean() > 0.01
    assert np.abs(single.fraction - double.fraction).max() < 2e-4
    assert np.abs(single.fraction_low - double.fraction_low).mean() < 2e-4
    assert np.abs(single.fraction_high - double.fraction_high).mean() < 2e-4
    assert np.abs(single.spectra - double.spectra).max() < 1e-5


def test_sums_of_pixels_first_come_to_the_same(monkeypatch):
    counts, library = small(9000)
    request = Factorisation(2, library=library)
    by_levels = factorise(counts, ENERGY, request)
    monkeypatch.setattr(space, "LEVELS", ())
    at_once = factorise(counts, ENERGY, request)
    assert by_levels.converged
    assert at_once.converged
    assert np.abs(by_levels.fraction - at_once.fraction).mean() < 2e-3


def test_chunks_fit_the_cache_and_lose_no_pixel():
    data = fitting.chunked(np.ones((1000, 4096)), 4096)
    assert data.x.shape == (8, 128, 4096)
    assert float(data.x.sum()) == 1000 * 4096


def peak(side, channels):
    """MiB of counts, and of memory at the peak beyond them."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(side), str(channels)],
        capture_output=True,
        text=True,
        check=True,
        timeout=500,
    )
    more, size = map(float, done.stdout.split())
    print(f"{size:.0f} MiB of counts, and {more:.2f} times as much at the peak")
    return size, more * size


@pytest.mark.slow
def test_memory_is_at_most_that_of_the_data_again():
    """Whatever the size of a map, compiling takes some memory: that is taken off.

    256 x 256 x 512 counts in double precision took 2.1 to 2.3 times their memory with it.
    """
    small, large = peak(128, 512), peak(256, 512)
    assert (large[1] - small[1]) / (large[0] - small[0]) <= 1.0
    assert large[1] <= 1.3 * large[0]
