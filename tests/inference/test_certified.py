"""Certified nonlinear regressions (NIST StRD): found without a start, to many digits."""

from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit import pipeline
from specfit.inference.likeliest import likeliest

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


def write(problem: Certified, folder: Path, tail: str = "") -> Path:
    """The .spec file and its data, in a folder."""
    np.savetxt(folder / f"{problem.name}.txt", np.column_stack([problem.y, problem.x]))
    path = folder / f"{problem.name}.spec"
    path.write_text(problem.spec(f"{problem.name}.txt", tail), encoding="utf-8")
    return path


QUICK = ("DanWood", "Gauss1", "Misra1a")
SLOW = tuple(name for name in FORMULAS if name not in QUICK)
FAR_STARTS = {"BoxBOD", "Eckerle4", "MGH09", "MGH17", "Rat43", "Hahn1"}
"""Problems whose first start, or both, lead any damped least squares elsewhere."""


def digits(problem, values):
    """Correct digits of the worst parameter."""
    errors = [
        abs(values[name] / value - 1.0)
        for name, value in zip(problem.names, problem.values, strict=True)
    ]
    return -np.log10(max(*errors, 1e-16))


def found(name, tmp_path):
    problem = certified(name)
    path = write(problem, tmp_path, "run likelihood { seed = 1 }")
    run = pipeline.run(pipeline.check_with_data(path), pipeline.Options())
    return problem, {n: float(run.fit.draws[n].mean()) for n in problem.names}


@pytest.mark.parametrize("name", QUICK)
def test_the_certified_values_without_a_start(name, tmp_path):
    assert digits(*found(name, tmp_path)) > 6


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_the_certified_values_of_the_others(name, tmp_path):
    assert digits(*found(name, tmp_path)) > 6


@pytest.mark.parametrize("name", [n for n in FORMULAS if n not in FAR_STARTS])
def test_the_certified_values_from_both_starts(name, tmp_path):
    problem = certified(name)
    checked = pipeline.check_with_data(write(problem, tmp_path))
    model = checked.require().models[0]
    with jax.enable_x64(True):
        built = pipeline.build(model, pipeline.measure(model, checked))
        for start in problem.starts:
            values = dict(zip(problem.names, map(float, start), strict=True))
            z = built.unconstrain(_arrays({**values, "σ": 1.0}), built.data)
            left = np.asarray(built.data["counts"] - built.predict(z, built.data))
            spread = {"σ": float(np.sqrt(np.mean(left**2)))}
            z = built.unconstrain(_arrays({**values, **spread}), built.data)["z"]
            best = {"z": jnp.asarray(likeliest(built, np.asarray(z)))}
            known = built.constrain(best, built.data)
            assert digits(problem, {n: float(known[n]) for n in problem.names}) > 6


def _arrays(values):
    return {name: jnp.asarray(value) for name, value in values.items()}
