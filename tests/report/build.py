"""Synthetic runs for the tests of rules and reports: NumPy draws, no sampler.

`Scene` says what a run looks like; `Scene.run()` makes it.  The curve is a sum of thin
Lorentzian lines written from the formula, and the counts are Poisson draws of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from specfit import rules
from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.contracts import Fit, Measurement, Mode, RequireStrategy, Run, Stage
from specfit.model import ir

SLOPES = FIELD_SCALES[DEFAULT_FIELD_SCALE].slopes
UNITS = {
    "sigma_QS": "mm/s",
    "QS_random": "mm/s",
    "IS": "mm/s",
    "QS": "mm/s",
    "Bint": "T",
    "I": "",
    "width": "mm/s",
    "x": "",
}
TEXT = """specfit 1
title "Fe₃O₄ + α-Fe, 295 K"

model mixture : mossbauer57Fe on spectrum {
  site B "Fe₃O₄ Fe2.5+" : sextet from db("magnetite.B", T = 295 K, widen = 4)
}
"""


@dataclass
class SiteScene:
    """One site: `values` gives (mean, sd), or a number for what is known."""

    name: str
    title: str
    kind: str
    values: dict[str, tuple[float, float] | float]
    record: str | None = None


def const(value: float) -> ir.Const:
    return ir.Const(value=float(value))


def normal(mean: float, sd: float, low=None, high=None) -> ir.Dist:
    arguments = (const(mean), const(sd))
    return ir.Dist(family="normal", arguments=arguments, low=low, high=high)


def apply(function: str, *arguments: ir.Expression) -> ir.Apply:
    return ir.Apply(function=function, arguments=arguments)


def ref(name: str) -> ir.Ref:
    return ir.Ref(name=name)


def cited(location: float, scale: float, widen: float, vague: tuple[float, float]):
    """The mixture of a database prior: 0.9 records, 0.1 class range."""
    student = ir.Dist(
        family="student_t",
        arguments=(const(4.0), const(location), const(scale * widen)),
    )
    middle, half = sum(vague) / 2, (vague[1] - vague[0]) / 2
    return ir.Dist(
        family="mixture", components=((0.9, student), (0.1, normal(middle, half)))
    )


def observed(record: str) -> tuple[str, ...]:
    """Observations of the database, for the records that the scenes use."""
    known = ("magnetite.A", "magnetite.B", "iron.alpha")
    return (f"{record}.295K/1", f"{record}.295K/2") if record in known else ()


def provenance(record: str, parameter: str, location, scale, widen=1.0, orders=858.0):
    return ir.Provenance(
        record=record,
        parameter=parameter,
        temperature=295.0,
        widen=widen,
        observations=() if record == "none" else observed(record),
        sources=("cornell2003", "dyar2006"),
        location=location,
        scale=scale,
        scatter=scale / 2,
        class_range="fe2_5_oct_o",
        ordering_temperature=orders,
        notes=("a record at 298 K counts as 295 K",),
    )


DEFAULT_SITES = (
    SiteScene(
        "B",
        "Fe₃O₄ Fe2.5+ (octahedral)",
        "sextet",
        {"IS": (0.67, 0.006), "QS": (0.0, 0.01), "Bint": (44.4, 0.046), "I": 0.3},
        "magnetite.B",
    ),
    SiteScene(
        "A",
        "Fe₃O₄ Fe3+ (tetrahedral)",
        "sextet",
        {"IS": (0.29, 0.003), "QS": (-0.10, 0.005), "Bint": (48.8, 0.022), "I": 0.15},
        "magnetite.A",
    ),
    SiteScene(
        "Fe",
        "α-Fe 金属鉄",
        "sextet",
        {"IS": (0.0, 0.002), "QS": 0.0, "Bint": (33.0, 0.009), "I": 0.55},
        "iron.alpha",
    ),
)
DEFAULT_RECORDS = {
    "B.IS": (0.66, 0.03, 4.0),
    "B.Bint": (46.0, 0.45, 4.0),
    "A.IS": (0.27, 0.03, 1.0),
    "A.Bint": (48.9, 0.4, 1.0),
    "Fe.Bint": (33.0, 0.1, 1.0),
}


@dataclass
class Scene:
    """What a synthetic run looks like; change what a test is about."""

    sites: tuple[SiteScene, ...] = DEFAULT_SITES
    records: dict[str, tuple[float, float, float]] = field(
        default_factory=lambda: dict(DEFAULT_RECORDS)
    )
    orders: float | None = 858.0
    width: tuple[float, float] = (0.26, 0.002)
    counts: float = 1e6
    area: float = 0.5
    temperature: float = 295.0
    extra_counts: float = 0.0  # an absorption that the model does not know
    rules: tuple[ir.Rule, ...] = ()
    strategies: tuple[RequireStrategy, ...] = ()
    converged: bool = True
    title: str = "Fe₃O₄ + α-Fe, 295 K"
    text: str = TEXT
    channels: int = 256
    draws: int = 250
    seed: int = 7
    priors: dict[str, ir.Dist] = field(default_factory=dict)
    overrides: dict[str, np.ndarray] = field(default_factory=dict)
    reports: tuple[ir.ReportSettings, ...] = (
        ir.ReportSettings(
            name="table4",
            table=("IS", "QS", "Bint", "I"),
            rows=("B", "A", "Fe"),
            also=(
                ("B.I + A.I", apply("+", ref("B.I"), ref("A.I"))),
                ("B.I / A.I", apply("/", ref("B.I"), ref("A.I"))),
            ),
        ),
    )

    # ------------------------------------------------------------- the pieces

    def model(self) -> ir.Model[ir.Prior]:
        parameters, definitions, sites = [], [], []
        line = 10
        for name, unit, prior in (
            ("N0", "counts", normal(self.counts, 0.02 * self.counts)),
            ("area", "mm/s", uniform(0.001, 5.0)),
            ("Γ", "mm/s", normal(0.26, 0.03, 0.1, 0.6)),
        ):
            prior = self.priors.get(name, prior)
            parameters.append(self._parameter(name, name, unit, prior, None, line))
        for site in self.sites:
            place = {"width": "Γ"}
            for symbol, value in site.values.items():
                line += 1
                name = f"{site.name}.{symbol}"
                place[symbol] = name
                if symbol == "I" and not isinstance(value, tuple):
                    continue
                if not isinstance(value, tuple):
                    definition = ir.Definition(
                        name=name,
                        role=symbol,
                        unit=UNITS[symbol],
                        value=const(value),
                        because="cubic site: no electric field gradient",
                    )
                    definitions.append(definition)
                    continue
                prior, origin = self._prior(name, symbol, site)
                parameters.append(
                    self._parameter(name, symbol, UNITS[symbol], prior, origin, line)
                )
            sites.append(
                ir.Site(
                    name=site.name,
                    title=site.title,
                    kind=site.kind,
                    parameters=place,
                    record=site.record,
                )
            )
        if len(self.sites) > 1:
            total = ir.Definition(
                name="magnetite",
                role="magnetite",
                unit="",
                title="share of magnetite",
                value=apply("+", ref("B.I"), ref("A.I")),
                derived=True,
            )
            definitions.append(total)
        fractions = tuple(
            f"{s.name}.I" for s in self.sites if not isinstance(s.values["I"], tuple)
        )
        joint = ir.Joint(
            names=fractions, role="I", concentrations=(1.0,) * len(fractions)
        )
        return ir.Model[ir.Prior](
            name="mixture",
            kind="mossbauer57Fe",
            title=self.title,
            parameters=tuple(parameters),
            definitions=tuple(definitions),
            joints=(joint,) if fractions else (),
            rules=self.rules,
            spectra=(
                ir.Spectrum(
                    data="spectrum",
                    sites=tuple(sites),
                    scalars={"N0": "N0", "area": "area"},
                    noise=ir.Noise(family="poisson"),
                ),
            ),
            sources=(
                ir.DataSource(
                    data="spectrum",
                    kind="transmission",
                    file="data/fe3o4_alphaFe_clean.csv",
                    title="混合物",
                    conditions={"T": self.temperature},
                ),
            ),
        )

    def _prior(self, name, symbol, site):
        if name in self.priors:
            return self.priors[name], None
        if name in self.records:
            location, scale, widen = self.records[name]
            vague = {"IS": (0.2, 1.2), "QS": (-1, 1), "Bint": (20, 60)}[symbol]
            origin = provenance(
                site.record or "none", symbol, location, scale, widen, self.orders
            )
            return cited(location, scale, widen, vague), origin
        mean, _ = site.values[symbol]
        wide = {"IS": 0.3, "QS": 0.2, "Bint": 5.0, "I": 0.2}.get(symbol, 0.7)
        return normal(round(mean, 1), wide), None

    @staticmethod
    def _parameter(name, role, unit, prior, origin, line):
        return ir.Parameter[ir.Prior](
            name=name,
            role=role,
            unit=unit,
            prior=ir.Prior(dist=prior, provenance=origin),
            origin="database" if origin else "explicit",
            place=ir.Place(file="m.spec", line=line, text=f"{name} ~ …"),
        )

    def posterior(self, generator) -> dict[str, np.ndarray]:
        shape = (4, self.draws)
        draws = {
            "N0": generator.normal(self.counts, self.counts**0.5 / 10, shape),
            "area": generator.normal(self.area, 0.001, shape),
            "Γ": generator.normal(*self.width, shape),
        }
        shares = [s.values["I"] for s in self.sites]
        free = [not isinstance(v, tuple) for v in shares]
        if any(free):
            alpha = np.array([v for v in shares if not isinstance(v, tuple)]) * 2e4
            fractions = generator.dirichlet(np.maximum(alpha, 1e-3), shape)
        column = 0
        for site in self.sites:
            for symbol, value in site.values.items():
                name = f"{site.name}.{symbol}"
                if symbol == "I" and not isinstance(value, tuple):
                    draws[name] = fractions[..., column]
                    column += 1
                elif isinstance(value, tuple):
                    draws[name] = generator.normal(*value, shape)
        if len(self.sites) > 1:
            draws["magnetite"] = draws["B.I"] + draws["A.I"]
        return draws | self.overrides

    def prior_draws(self, generator, model) -> dict[str, np.ndarray]:
        n = 1000
        found = {}
        for p in model.parameters:
            origin = p.prior.provenance
            if origin:
                scale = origin.scale * origin.widen
                found[p.name] = origin.location + scale * generator.standard_t(4, n)
                continue
            arguments = [a.value for a in p.prior.dist.arguments]
            draw = getattr(generator, p.prior.dist.family)
            found[p.name] = draw(*arguments, n)
        for joint in model.joints:
            every = generator.dirichlet(joint.concentrations, n)
            found |= {name: every[:, i] for i, name in enumerate(joint.names)}
        if "B.I" in found and "A.I" in found:
            found["magnetite"] = found["B.I"] + found["A.I"]
        return found

    # ---------------------------------------------------------------- the run

    def parts(self):
        """(model, measurements, fit) of this scene."""
        generator = np.random.default_rng(self.seed)
        model = self.model()
        draws = self.posterior(generator)
        axis = np.linspace(-10, 10, self.channels)
        components = np.stack([self.component(axis, s, draws) for s in self.sites])
        curve = self.counts - components.sum(axis=0)
        seen = curve - self.extra_counts * np.exp(-0.5 * ((axis - 0.4) / 0.3) ** 2)
        values = generator.poisson(seen).astype(float)
        measurement = Measurement(
            axis=axis,
            values=values,
            field_slopes=SLOPES,
            field_scale=DEFAULT_FIELD_SCALE,
            path="data/fe3o4_alphaFe_clean.csv",
            sha256="ab" * 32,
            size=7219,
            found=(
                ("format", "two columns, comma, utf-8"),
                ("field scale", DEFAULT_FIELD_SCALE),
                ("isomer shift zero", "α-Fe, 295 K"),
            ),
        )
        return (
            model,
            (measurement,),
            self._fit(generator, model, draws, curve, components),
        )

    def component(self, axis, site, draws) -> np.ndarray:
        def mean(symbol):
            name = f"{site.name}.{symbol}"
            value = site.values.get(symbol, 0.0)
            return draws[name].mean() if name in draws else value

        shift, splitting = mean("IS"), mean("QS")
        if site.kind == "sextet":
            k = np.array([*SLOPES, *SLOPES[::-1]])
            sign = np.array([-1, -1, -1, 1, 1, 1])
            quadrupole = np.array([1, -1, -1, -1, -1, 1])
            lines = shift + sign * k * mean("Bint") + quadrupole * splitting / 2
            weights = np.array([3, 2, 1, 1, 2, 3]) / 12
        elif site.kind == "doublet":
            lines, weights = shift + np.array([-0.5, 0.5]) * splitting, np.ones(2) / 2
        else:
            lines, weights = np.array([shift]), np.ones(1)
        half = self.width[0] / 2
        offset = axis[:, None] - lines
        profile = (half / np.pi) / (offset**2 + half**2)
        return self.counts * self.area * mean("I") * (profile @ weights)

    def _fit(self, generator, model, draws, curve, components) -> Fit:
        shape = (4, self.draws)
        dimension = len(model.parameters) + sum(len(j.names) - 1 for j in model.joints)
        spread = 0.1 * np.sqrt(curve)
        names = list(draws)
        rhat = 1.002 if self.converged else 1.34
        return Fit(
            draws=draws,
            positions=generator.normal(size=(*shape, dimension)),
            prior=self.prior_draws(generator, model),
            curve=curve[None],
            band=np.stack([curve - 1.6 * spread, curve + 1.6 * spread])[:, None],
            components=components[None],
            replicated=generator.poisson(curve, (200, 1, curve.size)).astype(float),
            pointwise=generator.normal(-7, 0.1, (4, 50, 1, curve.size)),
            statistics={
                "diverging": np.zeros(shape, dtype=bool),
                "energy": generator.normal(100, 3, shape),
                "lp": generator.normal(-100, 3, shape),
                "acceptance_rate": generator.uniform(0.7, 1, shape),
                "n_steps": np.full(shape, 15),
                "step_size": np.full(shape, 0.4),
            },
            rhat=dict.fromkeys(names, rhat),
            ess_bulk=dict.fromkeys(names, 1234.0),
            ess_tail=dict.fromkeys(names, 987.0),
            gates=(
                ("R-hat", rhat, 1.01, self.converged),
                ("bulk ESS", 1234.0, 400.0, True),
                ("divergences", 0.0, 0.0, True),
            ),
            modes=(
                Mode({"B.IS": 0.67}, -120.5, -150.1, 0.98),
                Mode({"B.IS": 0.31}, -125.1, -154.2, 0.02),
            ),
            stages=(Stage("search", 2.1, "6 starts"), Stage("sample", 9.8, "4 chains")),
            settings={"max_tree_depth": 8},
            log_evidence=(-1480.2, 0.3),
            notes=("two starts agree",),
        )

    def run(self) -> Run:
        model, measurements, fit = self.parts()
        return Run(
            document=ir.Document[ir.Prior](
                file="models/m.spec",
                title=self.title,
                models=(model,),
                reports=self.reports,
            ),
            model=model,
            measurements=measurements,
            fit=fit,
            verdict=rules.judge(model, measurements, fit, self.strategies),
            strategies=self.strategies,
            text=self.text,
            text_sha256=hashlib.sha256(self.text.encode()).hexdigest(),
            versions={"specfit": "0.1.0", "python": "3.11", "prior database": "abc"},
            device="cpu × 1",
            settings={"engine": "nuts", "chains": 4, "draws": 250, "seed": self.seed},
            timings={"check": 0.1, "search": 2.1, "sample": 9.8, "total": 12.4},
            started="2026-01-01T00:00:00+00:00",
        )


def uniform(low: float, high: float) -> ir.Dist:
    return ir.Dist(
        family="uniform", arguments=(const(low), const(high)), low=low, high=high
    )


def standard_rules() -> tuple[tuple[ir.Rule, ...], tuple[RequireStrategy, ...]]:
    """The rules of the example, with the strategies of its requirements."""

    def place(line: int, text: str) -> ir.Place:
        return ir.Place(file="m.spec", line=line, text=text)

    written = (
        ir.Rule(
            kind="require",
            expression=apply(">", ref("A.Bint"), ref("B.Bint")),
            because="ferrimagnetic spinel: A field exceeds B field at 295 K",
            place=place(29, "require A.Bint > B.Bint"),
        ),
        ir.Rule(
            kind="expect",
            expression=apply("/", ref("B.I"), ref("A.I")),
            dist=normal(1.88, 0.1),
            because="2 B per A in Fe3O4, f_B/f_A = 0.94",
            place=place(31, "expect B.I / A.I ~ 1.88 ± 0.10"),
        ),
        ir.Rule(
            kind="check",
            expression=apply(
                ">",
                apply("prob", apply("within", ref("A.QS"), const(-0.15), const(0.15))),
                const(0.95),
            ),
            because="cubic tetrahedral site",
            place=place(32, "check prob(A.QS in [-0.15, 0.15] mm/s) > 0.95"),
        ),
        ir.Rule(
            kind="check",
            expression=apply("<", apply("conflict", ref("db")), const(3)),
            place=place(33, "check conflict(db) < 3"),
        ),
    )
    return written, (RequireStrategy(0, "ordered", 0.83),)
