"""Made-up paths have the traits of calculated ones, and say that they are made up."""

import numpy as np
import pytest

from specfit.exafs.synthetic import feff_text, layered_oxide, write_paths
from specfit.readers import load
from specfit.readers.feff import scattering_path

NAMES = tuple(layered_oxide())


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paths")
    return {p.name: scattering_path(load(p.name, folder)) for p in write_paths(folder)}


def test_there_are_four_about_each_metal(paths):
    assert len(paths) == 12
    assert {n[:2] for n in paths} == {"ni", "co", "mn"}
    assert paths["ni_o1.dat"].half_length == 2.03
    assert paths["mn_m2.dat"].half_length == 4.97


@pytest.mark.parametrize("name", NAMES)
def test_a_path_reads_back_and_looks_like_one(paths, name):
    path, text = paths[name], feff_text(layered_oxide()[name])
    assert text.splitlines()[0].strip().startswith("SYNTHETIC")
    inside = (path.k >= 3.0) & (path.k <= 14.0)
    k, amplitude = path.k[inside], path.amplitude[inside]
    if "_o" in name:  # an oxygen scatters less and less
        assert (np.diff(amplitude[k >= 3.4]) < 0).all()
    else:  # a metal most between 6 and 7 1/Å
        assert 6.0 <= k[np.argmax(amplitude)] <= 7.0
    assert (np.diff(path.phase) < 0.2).all()
    assert (np.diff(path.phase[inside]) < 0).all()
    free = path.mean_free_path
    assert 2.5 <= path.k[np.argmin(free)] <= 4.5
    assert 4.0 < free.min() < 8.0
    assert (path.wave >= path.k).all()


def test_they_are_the_same_each_time():
    path = layered_oxide()["ni_m1.dat"]
    assert feff_text(path) == feff_text(path)
