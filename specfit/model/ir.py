"""The typed model: what a .spec file means, once names, units and kinds are settled.

Frozen pydantic values with one canonical JSON form.  A `Model[Declared]` may still cite
database records; a `Model[Prior]` has concrete densities and knows where each came
from.  Numbers are in canonical units (mm/s, T, K, eV, deg, counts); `unit` is only how a
value is shown.  Loops, templates, variants and `per` are gone: every parameter is a
scalar with a qualified name (`B.IS`, `B.Bint[77]`), and each measured spectrum has its
own list of sites that point to parameters.  One flat list is what the density stacks
into arrays, so equal components cost one compiled kernel however many there are.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field

from specfit.model.factorising import Factorising as Factorising
from specfit.model.pieces import DataSource as DataSource
from specfit.model.pieces import Frozen as Frozen
from specfit.model.pieces import Place as Place

# ---------------------------------------------------------------- expressions


class Const(Frozen):
    """A number in canonical units."""

    op: Literal["const"] = "const"
    value: float


class Ref(Frozen):
    """A parameter, a derived quantity or a data constant (`spectrum.T`, `spectrum.counts`).

    A whole data column may only stand inside a statistic: `mean(spectrum.counts)` is
    `Apply("mean", Ref("spectrum.counts"))`.
    """

    op: Literal["ref"] = "ref"
    name: str


class Apply(Frozen):
    """An operator or function from the fixed table `expressions.FUNCTIONS`.

    Operators: + - * / ^ neg < <= > >= == != and or not within (x, lo, hi).
    """

    op: Literal["apply"] = "apply"
    function: str
    arguments: tuple[Expression, ...]


Expression = Annotated[Const | Ref | Apply, Field(discriminator="op")]


# -------------------------------------------------------------- distributions


class Dist(Frozen):
    """A density on the real line: a family of `distributions.py`, renormalised to bounds.

    `arguments` follow the family's signature.  `low`/`high` are the bounds of `in […]`
    or the family's own support, whichever is tighter; None is unbounded.
    Family "mixture" has `components` (weight, Dist) in place of arguments.
    """

    kind: Literal["dist"] = "dist"
    family: str
    arguments: tuple[Expression, ...] = ()
    low: float | None = None
    high: float | None = None
    components: tuple[tuple[float, Dist], ...] = ()


class Citation(Frozen):
    """A prior still to be drawn from the database: `db("magnetite.B", T = 295 K)`."""

    kind: Literal["citation"] = "citation"
    record: str  # "magnetite.B": phase, then site where the phase has several
    parameter: str  # "IS", "QS", "Bint", "f", "f_ratio", or a symbol of a shelf
    temperature: float  # K
    widen: float = 1.0
    low: float | None = None
    high: float | None = None


class PathCitation(Frozen):
    """The same of a scattering path: `db("NMC111.Ni-O", SOC = 50 %)`."""

    kind: Literal["path_citation"] = "path_citation"
    record: str
    parameter: Literal["R", "sigma2"]
    charge: float  # state of charge, 1 is charged
    widen: float = 1.0
    low: float | None = None
    high: float | None = None


class Provenance(Frozen):
    """Where a prior drawn from the database comes from; all that `explain` prints."""

    record: str
    parameter: str
    temperature: float | None = None
    charge: float | None = None  # of a scattering path, in place of the temperature
    widen: float
    observations: tuple[str, ...]  # ids of the observations used
    sources: tuple[str, ...]  # keys into sources.toml
    location: float  # the predictive before widening and mixing
    scale: float
    scatter: float  # tau, between samples and laboratories
    class_range: str  # name of the vague component, "" without one
    ordering_temperature: float | None = None  # K
    notes: tuple[str, ...] = ()  # extrapolation, reference conversion, < 3 records …

    @property
    def at(self) -> str:
        """What the record was asked for at: `295 K`, `50 %`."""
        charged = self.temperature is None and self.charge is not None
        return (
            f"{100 * (self.charge or 0):g} %" if charged else f"{self.temperature:g} K"
        )


class Prior(Frozen):
    """A concrete density and its origin."""

    kind: Literal["prior"] = "prior"
    dist: Dist
    provenance: Provenance | None = None


Declared = Annotated[Dist | Citation | PathCitation, Field(discriminator="kind")]
P = TypeVar("P")


# --------------------------------------------------------------------- pieces


class Parameter(Frozen, Generic[P]):
    """A scalar unknown: `name ~ prior`.

    `origin`: "explicit", "default" (of the type), "database", "template", "calibration"
    or, of a definition, "file".  `role` is the symbol in its site ("IS"), or the name.
    """

    name: str
    role: str
    unit: str
    title: str = ""
    prior: P
    origin: str = "explicit"
    because: str = ""
    place: Place = Place()


class Definition(Frozen):
    """A known or computed scalar: `name = expression` (a constant, a tie or a derived)."""

    name: str
    role: str
    unit: str
    title: str = ""
    value: Expression
    derived: bool = False  # True: reported; False: a tie or constant used by the model
    origin: str = "explicit"
    because: str = ""
    place: Place = Place()


class Joint(Frozen):
    """Several scalars with one prior on the simplex: `(A.I, B.I) ~ dirichlet(1, 1)`.

    Its members stand in no `Parameter`; they sum to `total`.
    """

    names: tuple[str, ...]
    role: str
    unit: str = ""
    concentrations: tuple[float, ...]
    total: float = 1.0
    origin: str = "explicit"
    because: str = ""
    place: Place = Place()


class Rule(Frozen):
    """`require E`, `expect E ~ D` or `check E`.

    `check` may use what only a posterior has: `prob(E)`, `conflict(db)`, `rhat`, `ess`,
    `chi2`: they are `Apply` nodes with those names ("conflict" takes `Ref("db")`).
    """

    kind: Literal["require", "expect", "check"]
    expression: Expression
    dist: Dist | None = None
    because: str = ""
    place: Place = Place()


Severity = Literal["hard", "soft", "warning"]
"""How strongly a rule of the library judges; `priors_db/rules` explains each."""


class Override(Frozen):
    """`override linewidth = warning because "…"`, or of one of its thresholds.

    Either `severity` is stated or `threshold` with its `value`, in canonical units.
    """

    rule: str
    severity: Severity | Literal["off", ""] = ""
    threshold: str = ""
    value: float | None = None
    because: str
    place: Place = Place()


class Site(Frozen):
    """One component of one spectrum: its kind and where each of its parameters is.

    `parameters` maps the kind's parameter symbols to names of `Parameter`, `Definition`
    or a `Joint` member.  All of the kind's parameters are present.  `settings`: "state",
    the key of the class range whose window a rule holds it against.
    """

    name: str
    title: str = ""
    kind: str
    parameters: dict[str, str]
    record: str | None = None  # database record it was drawn from
    offered: dict[str, Citation] = {}  # symbol → what the database has, used or not
    settings: dict[str, str] = {}
    place: Place = Place()


class Noise(Frozen):
    """`observe data.counts ~ family(arguments)`.

    mean: what is expected of every datum, where the model is no sum of components; names
    of columns (`d.x`) stand for the values of each datum.
    """

    family: str
    mean: Expression | None = None
    arguments: tuple[Expression, ...] = ()
    place: Place = Place()


class Spectrum(Frozen):
    """What the model says of one measured spectrum (one level of the data's dimensions)."""

    data: str  # name of the data block
    label: str = ""  # "77" for `spectrum[T = 77]`, "" without dimensions
    sites: tuple[Site, ...]
    scalars: dict[str, str]  # model-level symbols: N0, area, baseline coefficients …
    baseline: str = "constant"
    noise: Noise


class Model(Frozen, Generic[P]):
    """A complete model of one kind on one data block.

    libraries: of rules, by `use "rules/NAME"`; overrides: of single rules; bases: the
    spectra that those of `sources` are made of.
    """

    name: str
    kind: str
    title: str = ""
    parameters: tuple[Parameter[P], ...]
    definitions: tuple[Definition, ...] = ()
    joints: tuple[Joint, ...] = ()
    rules: tuple[Rule, ...] = ()
    spectra: tuple[Spectrum, ...]
    sources: tuple[DataSource, ...]
    settings: dict[str, str | float] = {}
    libraries: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    bases: tuple[DataSource, ...] = ()

    def canonical(self) -> str:
        """Canonical JSON: what the model says, whatever the order or place it was said."""
        said = self.model_dump(mode="json")
        for key in (
            "libraries",
            "overrides",
            "bases",
        ):  # of no file that does not speak of rules or bases
            said = said if said[key] else {k: v for k, v in said.items() if k != key}
        return json.dumps(
            _essence(said),
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
        )

    def digest(self) -> str:
        """SHA-256 of the canonical form: the model hash of every report."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


class Grid(Frozen):
    """`grid(1e-4, 1e1, 60, log)`: numbers evenly apart, or evenly apart in logarithm."""

    low: float
    high: float
    count: int
    logarithmic: bool = False


class Method(Frozen):
    """`method lasso : lasso(alpha = grid(…))`: an estimator and what is tuned of it."""

    name: str
    title: str = ""
    function: str
    arguments: dict[str, Grid | tuple[float, ...]] = {}
    place: Place = Place()


class AnalysisCheck(Frozen):
    """`check permutation_p(score) < 0.01`: a figure of every method against a bound."""

    figure: Literal["permutation_p", "R2", "Q2"]
    comparison: Literal["<", "<=", ">", ">="]
    bound: float
    because: str = ""
    place: Place = Place()


class Analysis(Frozen):
    """`analysis NAME : regression on table { … }`: estimators judged by held-out rows.

    folds: "leave_one_out", "leave_block_out" (of `block` neighbours) or
    "leave_group_out" (rows of one value of the column `by`).  tuning: "nested", or
    "same_folds", which tunes on the folds that are reported and is optimistic.
    """

    name: str
    title: str = ""
    kind: str = "regression"
    source: DataSource
    methods: tuple[Method, ...]
    scale: Literal["standardize", "none"] = "standardize"
    folds: Literal["leave_one_out", "leave_block_out", "leave_group_out"]
    block: int = 1
    by: str = ""
    tuning: Literal["nested", "same_folds"] = "nested"
    score: Literal["R2(pooled)", "Q2(pooled)"] = "R2(pooled)"
    permutations: int = 199
    resamples: int = 200
    checks: tuple[AnalysisCheck, ...] = ()
    place: Place = Place()


class RunSettings(Frozen):
    """`run nuts { … }`: how to look, never what to find.

    batch: the dimension whose levels are fits of their own; "" where it is not said.
    """

    engine: str = "auto"
    chains: int = 4
    warmup: int = 500
    draws: int = 1000
    seed: int = 0
    target_accept: float = 0.8
    batch: str = ""
    place: Place = Place()


class ReportSettings(Frozen):
    """`report NAME { … }`: what to show, `of` which of several models.

    rows: components; or levels: the dimension of the data that has a row for each level.
    save: the CSV file of the table, in the folder of the run's tables.
    """

    name: str = "report"
    of: str = ""
    table: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    levels: str = ""
    also: tuple[tuple[str, Expression], ...] = ()  # (text, expression)
    plots: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()  # `redox.score`, `inclusion(β, by = group)`
    compare: tuple[str, ...] = ()
    save: str = ""


class Document(Frozen, Generic[P]):
    """A whole .spec file: its models (the finished one and its variants), run and report.

    counts: the variants that differ in an open number of components, rising; the
    finished model is the last of them.
    """

    file: str
    title: str = ""
    models: tuple[Model[P], ...]
    analyses: tuple[Analysis, ...] = ()
    maps: tuple[Factorising, ...] = ()
    variants: dict[str, Model[P]] = {}
    counts: tuple[str, ...] = ()
    run: RunSettings = RunSettings()
    reports: tuple[ReportSettings, ...] = ()


_UNORDERED = {
    "parameters", "definitions", "joints", "rules", "sites", "sources", "spectra",
    "bases", "libraries", "overrides",
}  # fmt: skip


_REMARKS = {"place", "places", "title", "because", "origin", "provenance"}


def _essence(value: Any) -> Any:
    """Without what does not change the posterior; sorted where order has no meaning.

    Numbers keep 12 digits, so that a unit conversion does not change what is said.
    """
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, list):
        return [_essence(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        if key in _REMARKS or (key == "mean" and item is None):
            continue
        if key == "told" and not item:  # of no file that has all columns by number
            continue
        item = _essence(item)
        if key in _UNORDERED and isinstance(item, list):
            item = sorted(item, key=lambda entry: json.dumps(entry, sort_keys=True))
        kept[key] = item
    return kept


Apply.model_rebuild()
Dist.model_rebuild()


RESOLVED = (Parameter[Prior], Model[Prior], Document[Prior])
"""Made here, where pydantic names them in the module: another process finds them."""
