"""The spectra that everything here is measured on: models in the language, and truths.

Priors are vague: the kinds of the sites are given, their values are not.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from specfit import pipeline
from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.contracts import Measurement, Problem
from specfit.inference import evaluate
from specfit.model import records

CLEAN, NOISY = 1e6, 2e4  # counts a channel
CHANNELS, LIMIT = 512, 10.0  # mm/s
AREA, WIDTH = 0.40, 0.26  # mm/s
ROOM = 295.0  # K
MOST_SITES = 8

HEAD = """specfit 1
data spectrum : transmission {
  file = "none.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
  IS_zero = "alpha-Fe"
}
model mixture : mossbauer57Fe on spectrum {
"""
VAGUE = (
    "  N0 ~ lognormal(log(%(level)g), 0.1) counts",
    "  Γ ~ free in [0.194, 1.0] mm/s",
    "  area ~ free in [0.001, 5.0] mm/s",
)
KINDS = {
    "sextet": "IS ~ free in [-0.5, 1.5] mm/s; QS ~ free in [-2, 2] mm/s; "
    "Bint ~ free in [%s, %s] T",
    "doublet": "IS ~ free in [-0.5, 1.5] mm/s; QS ~ free in [0, 4] mm/s",
    "singlet": "IS ~ free in [-0.5, 1.5] mm/s",
}
LOWEST = {"alike": 0.0, "mixed": 12.0}
"""Tesla.  Beside doublets a sextet that does not split stands for the same lines."""


@dataclass(frozen=True)
class Site:
    """One site: its kind, its true parameters, and where its field may lie (T)."""

    name: str
    kind: str
    values: Mapping[str, float]
    share: float
    field: tuple[float, float] = (LOWEST["alike"], 60.0)


@dataclass(frozen=True)
class Case:
    """A mixture of sites with one linewidth, or with a linewidth for each."""

    name: str
    sites: tuple[Site, ...]
    default_priors: bool = False

    def spec(self, level: float) -> str:
        """The model as a text of the language."""
        rows = (
            [] if self.default_priors else [line % {"level": level} for line in VAGUE]
        )
        for site in self.sites:
            own = (
                KINDS[site.kind] % site.field
                if site.kind == "sextet"
                else KINDS[site.kind]
            )
            body = "" if self.default_priors else f"{own}; width = Γ"
            rows.append(f"  site {site.name} : {site.kind} {{ {body} }}")
        rows.append("  observe spectrum.counts ~ poisson")
        return HEAD + "\n".join(rows) + "\n}\n"

    def truth(self, level: float) -> dict[str, float]:
        """All values by name."""
        values = {"N0": level, "Γ": WIDTH, "area": AREA}
        for site in self.sites:
            values[f"{site.name}.width"] = WIDTH
            values |= {f"{site.name}.{k}": v for k, v in site.values.items()}
            values[f"{site.name}.I"] = site.share
        return values


def sextet(name, share, isomer_shift, quadrupole, field, window=(0.0, 60.0)):
    values = {"IS": isomer_shift, "QS": quadrupole, "Bint": field}
    return Site(name, "sextet", values, share, window)


REPORT = Case(
    "the report's three sextets",
    (
        sextet("B", 0.30, 0.67, 0.00, 44.4),
        sextet("A", 0.15, 0.29, -0.10, 48.8),
        sextet("Fe", 0.55, 0.00, 0.00, 33.0),
    ),
)
"""Fe3O4 and α-Fe: Table 4 of an industrial laboratory's report."""


def apart(windows: Mapping[str, tuple[float, float]]) -> Case:
    """The same with the field of each site in a window of its own."""
    sites = tuple(replace(site, field=windows[site.name]) for site in REPORT.sites)
    return replace(REPORT, sites=sites)


SIX = Case(
    "six sextets 2 T apart",
    tuple(sextet(f"S{i}", 1 / 6, 0.35, 0.0, 38.0 + 2.0 * i) for i in range(6)),
)

MIXED = Case(
    "hematite, doublet, singlet, α-Fe",
    (
        sextet("hematite", 0.35, 0.37, -0.205, 51.7, (LOWEST["mixed"], 60.0)),
        Site("D", "doublet", {"IS": 0.36, "QS": 0.80}, 0.25),
        Site("S", "singlet", {"IS": -0.10}, 0.10),
        sextet("iron", 0.30, 0.00, 0.00, 33.0, (LOWEST["mixed"], 60.0)),
    ),
)


@cache
def phases() -> tuple[tuple[tuple[str, dict[str, float]], ...], ...]:
    """Kind and values of each site, for every phase wholly on record at 295 K."""
    return tuple(sites for name in records.phases() if (sites := _at_room(name)))


WANTED = {"singlet": ("IS",), "doublet": ("IS", "QS"), "sextet": ("IS", "QS", "Bint")}


def _at_room(name: str) -> tuple[tuple[str, dict[str, float]], ...]:
    states = [s for _, s in records.states(records.phase(name)) if s.T_K == ROOM]
    sites = []
    for state in states:
        known = {p: state.assessed(p) for p in WANTED.get(state.pattern, ())}
        if not known or any(value is None for value in known.values()):
            return ()
        sites.append((state.pattern, {p: v.value for p, v in known.items()}))
    return tuple(sites)


def random_mixture(seed: int) -> Case:
    """Two to five phases on record, with all their sites, in random shares."""
    generator = np.random.default_rng(seed)
    known = phases()
    count = int(generator.integers(2, 6))
    while True:
        chosen = generator.choice(len(known), count, replace=False)
        every = [site for index in chosen for site in known[index]]
        if len(every) <= MOST_SITES:
            break
    shares = generator.dirichlet(np.full(len(every), 3.0))
    sites = tuple(
        Site(f"S{i}", kind, values, float(share))
        for i, ((kind, values), share) in enumerate(zip(every, shares, strict=True))
    )
    return Case(f"mixture {seed}", sites, default_priors=True)


# --------------------------------------------------------------------- problems


def blank(level: float) -> Measurement:
    """A measurement of the right shape whose counts are still to come."""
    scale = FIELD_SCALES[DEFAULT_FIELD_SCALE]
    return Measurement(
        axis=np.linspace(-LIMIT, LIMIT, CHANNELS),
        values=np.full(CHANNELS, level),
        field_slopes=scale.slopes,
        field_scale=DEFAULT_FIELD_SCALE,
        axis_jacobian=np.zeros((CHANNELS, 0)),
    )


def build(case: Case, level: float) -> Problem:
    """The compiled model of a case; call inside `pipeline.float64`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.spec"
        path.write_text(case.spec(level), encoding="utf-8")
        model = pipeline.check(path).require().models[0]
    return pipeline.build(model, (blank(level),))


def position(problem: Problem, values: Mapping[str, float]) -> np.ndarray:
    """The position of constrained values; those that the model has not are left out."""
    rows = {name: np.array([value]) for name, value in values.items()}
    return evaluate.unconstrain(problem, rows)[0]


def simulated(problem: Problem, values: Mapping[str, float], seed: int) -> Problem:
    """The problem with counts drawn at `values`; nothing is compiled again."""
    z = position(problem, values)
    expected = np.asarray(problem.predict({"z": z}, problem.data))
    generator = np.random.default_rng(seed)
    counts = generator.poisson(expected).astype(float)
    return problem._replace(data={**problem.data, "counts": counts})
