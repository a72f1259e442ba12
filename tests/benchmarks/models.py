"""Models of a few sites whose every value is given, as texts of the language.

What is compared goes the whole way: text, checks, priors, compiled density.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from specfit import pipeline
from specfit.contracts import Problem
from tests.benchmarks import cases

UNITS = {
    "mm/s": ("IS", "QS", "width", "eQVzz", "sigma_IS", "source_width", "area"),
    "T": ("Bint", "sigma_Bint", "low", "high", "B_applied"),
    "deg": ("theta", "phi", "beam_theta", "beam_phi", "beam_angle"),
    "mm/s/T": ("IS_slope", "QS_slope"),
    "counts": ("N0",),
}
UNIT = {name: unit for unit, names in UNITS.items() for name in names}
FREE = {
    "eta": "~ free in [0, 1]",
    "phi": "~ free in [0, 90] deg",
}
"""Priors of what is fixed unless the text says otherwise."""
FIXED = ("low", "high", "x", "ratio", "B_applied", "beam_angle")
"""What stays as it is given when all else is free."""
LEVEL = 1e6  # counts a channel


@dataclass(frozen=True, eq=False)
class Site:
    """One site; its values are in the units of `UNIT`."""

    kind: str
    values: Mapping[str, float]
    share: float = 1.0

    def written(self, name: str, free: bool) -> str:
        """Its block: values held, or their priors where they have none by themselves."""
        said = [
            f"{key} = {_quantity(key, value)}"
            for key, value in self.values.items()
            if not free or key in FIXED
        ]
        if free:
            said += [f"{key} {FREE[key]}" for key in self.values if key in FREE]
        else:
            said.append(f"I = {self.share!r}")
        return f"  site {name} : {self.kind} {{ {'; '.join(said)} }}"


@dataclass(frozen=True, eq=False)
class Model:
    """Sites in a thin absorber of this area (mm/s), or in a thick one."""

    sites: Sequence[Site]
    area: float = 0.05
    thickness: float | None = None
    source_width: float = 0.098

    def named(self) -> dict[str, Site]:
        return {f"S{i}": site for i, site in enumerate(self.sites)}

    def amounts(self) -> dict[str, float]:
        """N0 and what says how much is absorbed."""
        if self.thickness is None:
            return {"N0": LEVEL, "area": self.area}
        thick = {"thickness": self.thickness, "source_width": self.source_width}
        return {"N0": LEVEL, **thick, "f_source": 1.0, "background": 0.0}

    def text(self, free: bool) -> str:
        """All values held but N0, or all open."""
        rows = [] if self.thickness is None else ['  absorber = "thick"']
        for key, value in self.amounts().items():
            if key == "N0" or free:
                continue
            rows.append(f"  {key} = {_quantity(key, value)}")
        rows += [site.written(name, free) for name, site in self.named().items()]
        rows.append("  observe spectrum.counts ~ poisson")
        return cases.HEAD + "\n".join(rows) + "\n}\n"

    def build(
        self, free: bool = False, slopes: Sequence[float] | None = None
    ) -> Problem:
        """The compiled model; call inside `pipeline.float64`."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.spec"
            path.write_text(self.text(free), encoding="utf-8")
            model = pipeline.check(path).require().models[0]
        blank = cases.blank(LEVEL)
        if slopes is not None:
            blank = replace(blank, field_slopes=tuple(slopes))
        return pipeline.build(model, (blank,))

    def position(self, problem: Problem) -> np.ndarray:
        """Where the given values are."""
        values = self.amounts()
        if "f_source" in values:
            values |= {"f_source": 0.75, "background": 0.3}
        for name, site in self.named().items():
            values |= {f"{name}.{key}": value for key, value in site.values.items()}
            values[f"{name}.I"] = site.share
        return cases.position(problem, values)

    def dip(self, slopes: Sequence[float]) -> np.ndarray:
        """1 − expected counts / N0, all values held, on these slopes (mm/s/T)."""
        import jax

        with pipeline.float64():
            problem = self.build(slopes=slopes)
            z = cases.position(problem, {"N0": LEVEL})
            seen = jax.jit(problem.predict)({"z": z}, problem.data)
        return 1.0 - np.asarray(seen)[0] / LEVEL


def _quantity(key: str, value: float) -> str:
    return f"{value!r} {UNIT.get(key, '')}".strip()
