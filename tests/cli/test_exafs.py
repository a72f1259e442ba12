"""EXAFS from the command line: made, fitted between two distances, shown."""

import json
import tomllib

import numpy as np
import pytest

from specfit.exafs.synthetic import write_paths

SPEC = """specfit 1
title "first and second shell"
data ni : absorption {
  file = "data/ni.chi"
  k = column(1) Å^-1
  chi = column(2)
  window = [3, 13] Å^-1
}
model shells : exafs on ni {
  k_weight = 2
  R_range = [1.0, 3.2] Å
  path O "Ni–O" : feff { file = "ni_o1.dat"; R ~ free in [1.6, 2.4] Å }
  path M "Ni–M" : feff { file = "ni_m1.dat"; R ~ free in [2.4, 3.4] Å }
  check M.R - O.R in [0.5, 1.2] Å because "a layered oxide"
  observe ni.chi ~ gaussian(sd = halfnormal(0.01))
}
run auto { chains = 4; draws = 250; seed = 2 }
"""
TRUTH = """seed = 7
[axis]
low = 2.0
high = 14.0
channels = 241
[values]
"O.R" = 1.93
"O.sigma2" = 0.0065
"M.R" = 2.84
"M.sigma2" = 0.0055
S02 = 0.88
dE0 = -2.5
"ni.sd" = 0.002
"""


@pytest.fixture
def made(specfit, tmp_path):
    write_paths(tmp_path)
    (tmp_path / "m.spec").write_text(SPEC, encoding="utf-8")
    (tmp_path / "t.toml").write_text(TRUTH, encoding="utf-8")
    code, printed, told = specfit(
        "simulate", "m.spec", "--truth", "t.toml", "--out", "data"
    )
    assert code == 0, printed + told
    return tmp_path


def test_what_is_made_is_over_all_distances(made):
    """The file is χ(k) itself; that only part of it is compared is the fit's matter."""
    text = (made / "data" / "ni.chi").read_text("utf-8")
    assert text.startswith("# SYNTHETIC")
    k, chi = np.loadtxt(made / "data" / "ni.chi", delimiter=",").T
    assert (k[0], k[-1], k.size) == (2.0, 14.0, 241)
    again = tomllib.loads((made / "data" / "m.truth.toml").read_text("utf-8"))
    assert again["values"]["O.N"] == 6.0
    # noise that is white in k² χ: 0.002 where k^4 has its mean
    far = k > 12.0  # the paths have died away to below 0.003 there
    assert np.std(chi[far]) < 0.004
    assert np.std(chi[k < 4.0]) > 0.02


def test_a_file_of_a_path_that_is_missing_is_told(specfit, made):
    (made / "ni_m1.dat").unlink()
    code, _, told = specfit("simulate", "m.spec", "--truth", "t.toml", "--out", "data")
    assert code == 2
    assert "ni_m1.dat" in told
    assert "m.spec:13" in told


@pytest.mark.slow
def test_wide_priors_and_no_start_find_the_truth(specfit, made, result_of):
    """The priors span four turns of the phase at the end of the data."""
    code, printed, told = specfit("run", "m.spec", "--out", "run", "--quiet")
    assert code == 0, printed + told
    result = result_of(made / "run")
    values = tomllib.loads(TRUTH)["values"]
    found = result["parameters"]
    z = {n: (found[n]["mean"] - v) / found[n]["sd"] for n, v in values.items()}
    assert max(map(abs, z.values())) < 4.2, z
    assert abs(found["O.R"]["mean"] - 1.93) < 0.02
    assert abs(found["M.R"]["mean"] - 2.84) < 0.02
    assert found["O.sigma2"]["unit"] == "Å^2"
    pictures = {p.name for p in (made / "run" / "figures").iterdir()}
    assert "spectrum.png" in pictures
    page = (made / "run" / "report.html").read_text("utf-8")
    assert "between 1 and 3.2 Å (shaded) lie 12 independent numbers" in page
    assert "mm/s" not in page
    with_paths = json.dumps(result["spectra"], ensure_ascii=False) + page
    assert "ni_m1.dat" in with_paths
