"""Certified nonlinear regressions (NIST StRD) as models of the language."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "nist_strd"

RATIONAL = "(b1 + b2 * X + b3 * X^2 + b4 * X^3) / (1 + b5 * X + b6 * X^2 + b7 * X^3)"
EXPONENTIALS = "b1 * exp(-b2 * X) + b3 * exp(-b4 * X) + b5 * exp(-b6 * X)"
FORMULAS = {
    "BoxBOD": "b1 * (1 - exp(-b2 * X))",
    "Chwirut1": "exp(-b1 * X) / (b2 + b3 * X)",
    "DanWood": "b1 * X^b2",
    "Eckerle4": "(b1 / b2) * exp(-0.5 * ((X - b3) / b2)^2)",
    "Gauss1": "b1 * exp(-b2 * X) + b3 * exp(-((X - b4) / b5)^2)"
    " + b6 * exp(-((X - b7) / b8)^2)",
    "Gauss2": "b1 * exp(-b2 * X) + b3 * exp(-((X - b4) / b5)^2)"
    " + b6 * exp(-((X - b7) / b8)^2)",
    "Hahn1": RATIONAL,
    "Lanczos1": EXPONENTIALS,
    "Lanczos2": EXPONENTIALS,
    "MGH09": "b1 * (X^2 + X * b2) / (X^2 + X * b3 + b4)",
    "MGH17": "b1 + b2 * exp(-X * b4) + b3 * exp(-X * b5)",
    "Misra1a": "b1 * (1 - exp(-b2 * X))",
    "Rat43": "b1 / (1 + exp(b2 - b3 * X))^(1 / b4)",
    "Roszman1": "b1 - b2 * X - atan(b3 / (X - b4)) / 180 deg",
    "Thurber": RATIONAL,
}
"""What is expected of y, with X for the column of x."""


ORDER = {
    "Gauss1": "b4 < b7",
    "Gauss2": "b4 < b7",
    "Lanczos1": "b2 < b4 < b6",
    "Lanczos2": "b2 < b4 < b6",
    "MGH17": "b4 < b5",
}
"""What tells components apart that could change places."""


@dataclass(frozen=True)
class Certified:
    """One problem: its data, two starting points, and what is certified."""

    name: str
    x: np.ndarray
    y: np.ndarray
    starts: np.ndarray  # (2, n)
    values: np.ndarray
    sd: np.ndarray
    residual_sd: float

    @property
    def names(self):
        return [f"b{k + 1}" for k in range(len(self.values))]

    def spec(self, file: str, tail: str = "", reach: float = 10.0) -> str:
        """The model, each parameter flat over `reach` times the larger start."""
        far = reach * np.abs(self.starts).max(axis=0)
        low = np.where((self.starts > 0).all(axis=0), 0.0, -far)
        far = np.where((self.starts < 0).all(axis=0), 0.0, far)
        order = ORDER.get(self.name)
        rule = f'require {order} because "which is which"' if order else ""
        priors = "\n".join(
            f"  {n} ~ free in [{a:.10g}, {b:.10g}]"
            for n, a, b in zip(self.names, low, far, strict=True)
        )
        spread = 3.0 * float(np.ptp(self.y))
        mean = FORMULAS[self.name].replace("X", "d.x")
        return f"""specfit 1
title "{self.name}"
data d : table {{ file = "{file}"; y = column(1); x = column(2) }}
model fit : curve on d {{
{priors}
  σ ~ lognormal(log({spread / 1e3:.6g}), 3)
  {rule}
  observe d.y ~ normal({mean}, σ)
}}
{tail}
"""


def certified(name: str) -> Certified:
    """A problem as its file has it; the test is skipped where the file is absent."""
    path = FOLDER / f"{name}.dat"
    if not path.exists():
        pytest.skip("shared data absent")
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [
        line.split("=")[1].split()
        for line in lines
        if line.strip()[:1] == "b" and "=" in line and line.strip()[1].isdigit()
    ]
    table = np.array([row for row in rows if len(row) == 4], dtype=float)
    (residual,) = [x for x in lines if x.startswith("Residual Standard Deviation")]
    first = max(i for i, line in enumerate(lines) if line.startswith("Data")) + 1
    data = np.array([line.split() for line in lines[first:] if line.strip()], float)
    return Certified(
        name, data[:, 1], data[:, 0], table[:, :2].T, table[:, 2], table[:, 3],
        float(residual.split(":")[1]),
    )  # fmt: skip


def write(
    problem: Certified, folder: Path, tail: str = "", reach: float = 10.0
) -> Path:
    """The .spec file and its data, in a folder."""
    np.savetxt(folder / f"{problem.name}.txt", np.column_stack([problem.y, problem.x]))
    path = folder / f"{problem.name}.spec"
    path.write_text(problem.spec(f"{problem.name}.txt", tail, reach), encoding="utf-8")
    return path


def digits(problem, values):
    """Correct digits of the worst parameter."""
    errors = [
        abs(values[name] / value - 1.0)
        for name, value in zip(problem.names, problem.values, strict=True)
    ]
    return -np.log10(max(*errors, 1e-16))
