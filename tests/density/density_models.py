"""Typed models put together by hand, for tests of the density."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.contracts import Measurement
from specfit.model.ir import (
    Apply,
    Const,
    DataSource,
    Definition,
    Dist,
    Expression,
    Joint,
    Model,
    Noise,
    Parameter,
    Place,
    Prior,
    Ref,
    Rule,
    Site,
    Spectrum,
)
from specfit.sites import SITES

SLOPES = FIELD_SCALES[DEFAULT_FIELD_SCALE].slopes
OPERATORS = ("+", "-", "*", "/", "<", "<=", ">", ">=", "==", "and", "or")


def expr(value: float | str | tuple | Expression) -> Expression:
    """`("+", "A.I", 1.0)` as an expression."""
    if isinstance(value, int | float):
        return Const(value=float(value))
    if isinstance(value, str):
        return Ref(name=value)
    if isinstance(value, tuple):
        return Apply(function=value[0], arguments=tuple(expr(v) for v in value[1:]))
    return value


def dist(family: str, *arguments, low=None, high=None) -> Dist:
    return Dist(
        family=family, arguments=tuple(expr(a) for a in arguments), low=low, high=high
    )


def mixture(*parts: tuple[float, Dist], low=None, high=None) -> Dist:
    return Dist(family="mixture", components=parts, low=low, high=high)


def parameter(name: str, density: Dist, unit: str = "") -> Parameter[Prior]:
    role = name.rpartition(".")[2]
    return Parameter[Prior](name=name, role=role, unit=unit, prior=Prior(dist=density))


def definition(name: str, value, derived: bool = False) -> Definition:
    role = name.rpartition(".")[2]
    return Definition(name=name, role=role, unit="", value=expr(value), derived=derived)


def require(expression, line: int = 1) -> Rule:
    return Rule(kind="require", expression=expr(expression), place=Place(line=line))


def expect(expression, density: Dist, line: int = 1) -> Rule:
    place = Place(line=line)
    return Rule(kind="expect", expression=expr(expression), dist=density, place=place)


def joint(
    *names: str, concentrations: Sequence[float] | None = None, total=1.0
) -> Joint:
    return Joint(
        names=names,
        role="I",
        concentrations=tuple(concentrations or [1.0] * len(names)),
        total=total,
    )


def site(name: str, kind: str, **where: str) -> Site:
    """A site whose parameters are `name.symbol` unless given another name."""
    symbols = [p.symbol for p in SITES[kind].signature.parameters]
    places = {symbol: where.get(symbol, f"{name}.{symbol}") for symbol in symbols}
    return Site(name=name, kind=kind, parameters=places)


DEFAULTS: Mapping[str, float] = {
    "x": 2.0,
    "ratio": 1.0,
    "sigma_IS": 0.0,
    "sigma_QS": 0.0,
    "sigma_Bint": 0.0,
    "IS_slope": 0.0,
    "QS_slope": 0.0,
    "QS_random": 0.0,
    "texture": 0.0,
    "f_anisotropy": 0.0,
    "sign_eQVzz": 1.0,
}


def make_model(
    sites: Sequence[Site] | Sequence[Sequence[Site]],
    parameters: Sequence[Parameter[Prior]],
    definitions: Sequence[Definition] = (),
    joints: Sequence[Joint] = (),
    rules: Sequence[Rule] = (),
    baseline: str = "constant",
    noise: Noise | None = None,
    scalars: Sequence[Mapping[str, str]] | None = None,
) -> Model[Prior]:
    """A model; site parameters that nobody mentions are constants of their type."""
    groups = [list(sites)] if isinstance(sites[0], Site) else [list(g) for g in sites]
    known = {p.name for p in parameters} | {d.name for d in definitions}
    known |= {name for item in joints for name in item.names}
    made = list(definitions)
    for name in {n for group in groups for s in group for n in s.parameters.values()}:
        if name not in known:
            made.append(definition(name, DEFAULTS[name.rpartition(".")[2]]))
    extra = {"constant": (), "linear": ("slope",), "parabola": ("slope", "curvature")}
    names = {name: name for name in ("N0", "area", *extra[baseline])}
    labels = [""] if len(groups) == 1 else [str(i) for i in range(len(groups))]
    spectra = tuple(
        Spectrum(
            data="spectrum",
            label=label,
            sites=tuple(group),
            scalars=dict(scalars[i]) if scalars else names,
            baseline=baseline,
            noise=noise or Noise(family="poisson"),
        )
        for i, (label, group) in enumerate(zip(labels, groups, strict=True))
    )
    sources = tuple(
        DataSource(data="spectrum", label=label, kind="transmission", file="x.csv")
        for label in labels
    )
    return Model[Prior](
        name="mixture",
        kind="mossbauer57Fe",
        parameters=tuple(parameters),
        definitions=tuple(made),
        joints=tuple(joints),
        rules=tuple(rules),
        spectra=spectra,
        sources=sources,
    )


def measurement(
    counts: np.ndarray | None = None,
    n_channels: int = 64,
    limit: float = 10.0,
    **changes,
) -> Measurement:
    axis = np.linspace(-limit, limit, n_channels)
    values = np.full(n_channels, 1e4) if counts is None else counts
    return Measurement(axis=axis, values=values, field_slopes=SLOPES, **changes)


TRUTH = {
    "N0": 1e6,
    "area": 0.4,
    "width": 0.27,
    "B.IS": 0.67,
    "B.QS": 0.0,
    "B.Bint": 44.4,
    "B.I": 0.30,
    "A.IS": 0.29,
    "A.QS": -0.10,
    "A.Bint": 48.8,
    "A.I": 0.15,
    "Fe.IS": 0.0,
    "Fe.QS": 0.0,
    "Fe.Bint": 33.0,
    "Fe.I": 0.55,
}


def magnetite_iron(
    names: Sequence[str] = ("B", "A", "Fe"), rules: Sequence[Rule] = ()
) -> Model[Prior]:
    """Sextets that share a width and share out the total area; three by default."""
    parameters = [
        parameter("N0", dist("normal", 1e6, 2e4)),
        parameter("area", dist("uniform", 0.001, 5.0)),
        parameter("width", dist("normal", 0.26, 0.03, low=0.194, high=0.60)),
    ]
    for name in names:
        parameters += [
            parameter(f"{name}.IS", dist("uniform", -0.5, 1.5)),
            parameter(f"{name}.QS", dist("normal", 0.0, 0.1)),
            parameter(f"{name}.Bint", dist("uniform", 12.0, 60.0)),
        ]
    sites = [site(name, "sextet", width="width") for name in names]
    fractions = joint(*(f"{name}.I" for name in names))
    return make_model(sites, parameters, joints=[fractions], rules=rules)


QUICK = {"xla_backend_optimization_level": 0}
_PURE = (
    "logdensity", "logprior", "loglikelihood", "constrain", "unconstrain", "predict",
    "components", "pointwise", "terms",
)  # fmt: skip


def quick(problem):
    """The problem with its functions compiled, without much optimisation."""
    import jax

    compiled = {
        name: jax.jit(getattr(problem, name), compiler_options=QUICK) for name in _PURE
    }
    parts = problem.separable
    if parts is not None:
        names = ("atom", "columns", "assemble")
        compiled["separable"] = parts._replace(
            **{n: jax.jit(getattr(parts, n), compiler_options=QUICK) for n in names}
        )
    return problem._replace(**compiled)
