"""Small series that are made of two or three bases, written to a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

E = np.arange(8300.0, 8450.5, 1.0)
SEEN = np.arange(8320.0, 8420.5, 1.0)
LABELS = ("0", "40", "130")


def edge(energy: np.ndarray, start: float) -> np.ndarray:
    step = 0.5 + np.arctan((energy - start) / 2.0) / np.pi
    return step + 0.5 * np.exp(-0.5 * ((energy - start - 6.0) / 3.0) ** 2)


STARTS = {"0": 8344.0, "40": 8345.2, "130": 8346.5}

SPEC = """specfit 1
data basis[soc = [0, 40, 130] %] : absorption {
  file = "b{soc}.xmu"; energy = column(1) eV; mu = column(2)
}
data xanes[stage = 1..2] : absorption {
  file = "x{stage}.xmu"; energy = column(1) eV; mu = column(2)
  soc = lookup("soc.csv", stage) %
}
model ni : linear_combination on xanes, basis per stage {
  w[soc] ~ dirichlet(0.5)
  dE ~ 0.00 ± 0.10 eV
  s ~ halfnormal(0.01)
  BASELINE
  mean_soc = sum(w[soc] * soc over soc)
  require sum(w[soc] over soc) == 1
  expect mean_soc ~ xanes.soc ± 5 % because "coulometry"
  observe xanes.mu ~ student_t(4, sum(w[soc] * shift(basis[soc].mu, dE) over soc), s)
}
variant two { basis.soc = [0, 130] % }
run auto { chains = 4; draws = 200; warmup = 100; seed = 1; batch = stage }
report weights { table = [w, dE]; rows = stage; save = "out/w.csv" }
"""
SHARES = {"1": (0.6, 0.3, 0.1), "2": (0.1, 0.3, 0.6)}


@pytest.fixture
def series(tmp_path: Path) -> Callable[..., Path]:
    """`series(text)`: the files of the series beside the text; the path of the text."""

    def made(text: str = SPEC, baseline: str = "") -> Path:
        generator = np.random.default_rng(8)
        for label in LABELS:
            table = np.c_[E, edge(E, STARTS[label])]
            np.savetxt(tmp_path / f"b{label}.xmu", table, header="energy mu")
        for stage, shares in SHARES.items():
            pure = [edge(SEEN - 0.05, STARTS[label]) for label in LABELS]
            mu = np.dot(shares, pure) + generator.normal(0.0, 0.003, SEEN.size)
            np.savetxt(tmp_path / f"x{stage}.xmu", np.c_[SEEN, mu])
        rows = "stage,soc (%)\n1,25.0\n2,92.0\n"
        (tmp_path / "soc.csv").write_text(rows, encoding="utf-8")
        path = tmp_path / "m.spec"
        path.write_text(text.replace("BASELINE", baseline), encoding="utf-8")
        return path

    return made


@pytest.fixture
def spec_text() -> str:
    return SPEC
