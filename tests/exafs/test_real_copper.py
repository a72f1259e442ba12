"""A copper foil at 10 K, measured: from μ(E) to distance, beside xraylarch's answer."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import BSpline, make_interp_spline

from specfit.cli import main
from specfit.exafs import WAVE_OF_ENERGY
from specfit.readers.distances import independent

REAL = Path(__file__).parents[3] / "shared" / "data" / "xas" / "larch"
SPEC = """specfit 1
title "Cu foil, 10 K"
data cu "χ(k)" : absorption {
  file = "cu.chi"
  k = column(1) Å^-1
  chi = column(2)
  window = [3, 16.5] Å^-1
}
model shell : exafs on cu {
  k_weight = 2
  R_range = [1.4, 3.0] Å
  path Cu1 "Cu–Cu" : feff { file = "feffcu01.dat"; R ~ free in [2.2, 2.9] Å }
  observe cu.chi ~ gaussian(sd = halfnormal(0.02))
}
run auto { chains = 4; draws = 250; seed = 3 }
"""
LARCH = {
    "Cu1.R": (2.5487, 0.0018),
    "Cu1.sigma2": (0.0035, 0.0002),
    "S02": (0.9155, 0.0284),
    "dE0": (5.61, 0.40),
}
"""xraylarch 2026.3.1, `feffit` in R space on the same χ(k), k weight 2, the same ranges."""


def chi_of(energy, mu, edge, shortest=1.0, end=18.0):
    """χ(k) as what a spline leaves that takes all it can at short distances."""
    x = energy - edge
    before = (x > -150) & (x < -40)
    mu = mu - np.polyval(np.polyfit(x[before], mu[before], 1), x)
    after = (x > 100) & (x < 800)
    step = np.polyval(np.polyfit(x[after], mu[after], 2), 0.0)
    k = np.arange(0.0, end + 1e-9, 0.05)
    seen = make_interp_spline(x, mu, 3)(k**2 / WAVE_OF_ENERGY) / step
    inner = np.linspace(0.0, end, int(2 * shortest * end / np.pi))
    knots = np.concatenate([[0.0] * 3, inner, [end] * 3])
    basis = BSpline.design_matrix(np.clip(k, 0, end - 1e-12), knots, 3).toarray()
    rows = independent(k, 0.0, shortest)[0] * k
    plain = np.linalg.lstsq(basis, seen, rcond=None)[0]
    system = np.vstack([rows @ basis, 1e-6 * np.eye(len(plain))])
    right = np.concatenate([rows @ seen, 1e-6 * plain])
    background = basis @ np.linalg.lstsq(system, right, rcond=None)[0]
    return k, seen - background


@pytest.mark.slow
def test_the_distance_in_copper_is_that_of_larch(tmp_path, monkeypatch, result_of):
    if not REAL.is_dir():
        pytest.skip("shared data absent")
    energy, mu = np.loadtxt(REAL / "cu_10k.xmu").T
    slope = np.gradient(mu, energy)
    edge = energy[np.argmax(np.where(np.abs(energy - 8979.0) < 20, slope, 0.0))]
    np.savetxt(tmp_path / "cu.chi", np.column_stack(chi_of(energy, mu, edge)))
    shutil.copy(REAL / "feffcu01.dat", tmp_path)
    (tmp_path / "cu.spec").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["run", "cu.spec", "--out", "run", "--quiet"]) == 0
    found = result_of(tmp_path / "run")["parameters"]
    for name, (value, error) in LARCH.items():
        mine, sd = found[name]["mean"], found[name]["sd"]
        assert abs(mine - value) < max(sd, error), name
        assert 0.4 < sd / error < 2.5, name
    assert abs(found["Cu1.R"]["mean"] - 2.5487) < 0.01
