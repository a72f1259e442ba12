"""Every type that passes a door between two rooms, on one page.

`Spec` is in `language/tree.py`, `Model` in `model/ir.py`; all else is here.  Only names
used in annotations come from further up the house.  What JAX traces is a NamedTuple of
pure functions; what people read is a frozen dataclass.  Nothing is mutated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    import jax

    from specfit.cubes import Cube
    from specfit.features import Features, HeldOut
    from specfit.model.ir import Document, Model, Prior
    from specfit.rules.block import Block, Outcomes
    from specfit.scattering import Scattering

    Array = jax.Array
else:
    Array = Any

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
Position = dict[str, Array]  # unconstrained; one entry, "z", shape (dimension,)
Values = dict[str, Array]  # constrained, by qualified name
Data = dict[str, Any]  # a pytree of arrays: what changes when the spectrum changes


# ------------------------------------------------------------------ signatures


@dataclass(frozen=True)
class ParameterSignature:
    """A parameter of a site, shape or family, as the language sees it.

    `dimension` is a name known to `units` ("velocity", "field", "fraction" …); `unit`
    the one it is shown in; `default` the right-hand side of `~` or `=` in the language
    (`~ free in [-0.5, 1.5] mm/s`, `= 2`), None where the user must speak.  `computed`:
    follows from others and cannot be stated.  `minor`: smoothed, and no column of a table.
    """

    symbol: str
    dimension: str
    unit: str
    meaning: str
    low: float | None = None
    high: float | None = None
    default: str | None = None
    computed: bool = False
    minor: bool = False


@dataclass(frozen=True)
class Signature:
    """What a registered entry is, without the functions behind it.

    `spread`: symbols of its like that have no single value here, with the parameters
    that say how they are distributed.
    """

    name: str
    title: str
    parameters: tuple[ParameterSignature, ...]
    source: str
    spread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def parameter(self, symbol: str) -> ParameterSignature | None:
        """The parameter called `symbol`, or None."""
        return next((p for p in self.parameters if p.symbol == symbol), None)


class Lines(NamedTuple):
    """The lines of one site: leading axis is the line."""

    position: Array  # (n_lines,) mm/s
    area: Array  # (n_lines,) sums to 1
    gauss_sigma: Array  # (n_lines,) mm/s, standard deviation of the Gaussian part


@dataclass(frozen=True)
class SiteKind:
    """A site kind: hyperfine parameters → lines.

    `lines(values, scale)`: `values` maps symbols to scalars (canonical units); `scale`
    is (3,) mm/s/T, the line slopes k16, k25, k34 of the field-scale convention.
    `profile(values, scale, velocity)`: for kinds whose absorption is no sum of lines, the
    absorption of unit area at velocities (n,), 1/(mm/s); `lines` are those at rest.
    `histogram(xp, values)`: bins and shares, each (…, n_bins).  `alike`: lines of one σ.
    """

    signature: Signature
    n_lines: int
    lines: Callable[[Mapping[str, Array], Array], Lines]
    profile: Callable[[Mapping[str, Array], Array, Array], Array] | None = None
    histogram: Callable[[Any, Mapping[str, Any]], tuple[Any, Any]] | None = None
    alike: bool = False


@dataclass(frozen=True)
class Shape:
    """A line shape of unit area: `profile(offset, fwhm, sigma)`; arrays broadcast.

    `fwhm` is the Lorentzian full width, `sigma` the Gaussian standard deviation.
    """

    signature: Signature
    profile: Callable[[Array, Array, Array], Array]


@dataclass(frozen=True)
class Family:
    """A prior family or noise law.

    `log_density(x, *arguments)` is normalised on `support(*arguments)` and is written in
    `jax.numpy`; `cdf(x, *arguments)` is needed to renormalise to bounds;
    `sample(generator, size, *arguments)` draws with NumPy and imports no JAX.
    `support` is "real", "positive", "unit" or "interval" (arguments are low, high).
    """

    signature: Signature
    support: Literal["real", "positive", "unit", "interval"]
    log_density: Callable[..., Array]
    cdf: Callable[..., Array]
    sample: Callable[..., FloatArray]


# ------------------------------------------------------------------------ data


@dataclass(frozen=True)
class Reading:
    """A figure of the instrument that a fit improves: value + weights · nuisances.

    weights: (n_nuisance,) in the order of `Measurement.nuisance_names`.
    """

    label: str
    unit: str
    value: float
    weights: FloatArray


@dataclass(frozen=True)
class Measurement:
    """One measured spectrum, axis increasing and finite.

    axis: (n_channels,) canonical unit (mm/s relative to the IS zero of the project).
    values: (n_channels,) counts as recorded (folded: the sum of the two halves).
    half_offset: a folded channel is the sum of two measured at axis ± half_offset; the
        model is averaged over both: neighbours stay independent.  0 if folded elsewhere.
    axis_jacobian: (n_channels, n_nuisance) d axis / d z, z standard normal: what the
        velocity calibration leaves open.  n_nuisance is 0 without a calibration.
    nuisance_names: one name for each column ("velocity_scale", "velocity_zero").
    columns: by name, every one declared.  features: the matrix of a table that has one.
    bases: the spectra it is made of, by the name that each has in expressions.
    position: (n_channels,) of the drive, in units of its amplitude, negative in the
        first half of the sweep; empty where both halves were summed.
    readings: what the fit itself finds of the instrument, by the nuisances.
    field_slopes: (3,) mm/s/T, k16, k25, k34 of the field-scale convention.
    found: what was sniffed, folded and fitted, as (label, text) for people.
    scattering: the paths that χ(k) is held against; values are then as it says.
    cube: the spectrum of every pixel of a map; values are then their sum.
    """

    axis: FloatArray
    values: FloatArray
    axis_unit: str = "mm/s"
    value_unit: str = "counts"
    half_offset: float = 0.0
    axis_jacobian: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    nuisance_names: tuple[str, ...] = ()
    position: FloatArray = field(default_factory=lambda: np.zeros(0))
    readings: tuple[Reading, ...] = ()
    field_slopes: tuple[float, float, float] = (0.0, 0.0, 0.0)
    field_scale: str = ""
    columns: Mapping[str, FloatArray] = field(default_factory=dict)
    features: Features | None = None
    bases: Mapping[str, Measurement] = field(default_factory=dict)
    path: str = ""
    sha256: str = ""
    size: int = 0
    found: tuple[tuple[str, str], ...] = ()
    scattering: Scattering | None = None
    cube: Cube | None = None


# --------------------------------------------------------------------- problem


@runtime_checkable
class Identified(Protocol):
    """What can say who it is: a text that two share only if they compute alike.

    Functions of equal identity may share compiled programs; an empty one is nobody's.
    """

    @property
    def identity(self) -> str:
        """The text."""


class Separable(NamedTuple):
    """The part of a problem that search uses: the curve is linear in some unknowns.

    curve = baseline(linear) − Σ components; every component is one site of the model.
    `component_names`: the sites in order.
    `atom(values, data)`: (n_components, n_data) unit-area absorption of each component.
    `columns(position, data)`: the curves (n_baseline, n_data) that scale the baseline, and
        the atoms at a position.
    `component_parameters`: for each component the names of the unknowns it alone or
        with others depends on (nonlinear ones only).
    `assemble(values, amplitudes, background, data)`: constrained values with the
        linear unknowns set from fitted amplitudes: N0, area and area fractions.
    `target(data)`: what the curve is held against, the observed values and the inverse
        variances (1 / max(counts, 1) for counts), both (n_data,), in the order of `atom`.
    """

    component_names: tuple[str, ...]
    component_parameters: tuple[tuple[str, ...], ...]
    atom: Callable[[Values, Data], Array]
    columns: Callable[[Position, Data], tuple[Array, Array]]
    assemble: Callable[[Values, Array, Array, Data], Values]
    target: Callable[[Data], tuple[Array, Array]]


class Problem(NamedTuple):
    """A model joined to its measurement layout: pure functions of position and data.

    logdensity(position, data): unnormalised log posterior, change of variables included.
    logprior(position, data), loglikelihood(position, data): its two parts.
    constrain(position, data): all parameters and definitions in physical units, by name.
    unconstrain(values, data): the position of constrained values (inverse of constrain).
    predict(position, data): expected counts (n_spectra, n_channels).
    components(position, data): absorption of each site (n_spectra, n_sites, n_channels).
    pointwise(position, data): log-likelihood of each datum (n_spectra, n_channels).
    noise(expected, position, data): the same, given the expected counts.
    sample_prior(key, n, data): n draws that obey every rule; values by name, each (n,).
    scatter(generator, expected, values, data): counts (n_spectra, n_channels) about the
        expected ones, drawn by NumPy; `values` are scalars by name.
    terms(position, data): log-density by named term, to find the one not finite.
    holds(position, data): does a draw obey what only a barrier keeps?  None without any.
    """

    names: tuple[str, ...]  # unknowns, in the order of position["z"]
    dimension: int
    data: Data
    logdensity: Callable[[Position, Data], Array]
    logprior: Callable[[Position, Data], Array]
    loglikelihood: Callable[[Position, Data], Array]
    constrain: Callable[[Position, Data], Values]
    unconstrain: Callable[[Values, Data], Position]
    predict: Callable[[Position, Data], Array]
    components: Callable[[Position, Data], Array]
    pointwise: Callable[[Position, Data], Array]
    noise: Callable[[Array, Position, Data], Array]
    sample_prior: Callable[[Array, int, Data], Values]
    scatter: Callable[
        [np.random.Generator, FloatArray, Mapping[str, Any], Data], FloatArray
    ]
    terms: Callable[[Position, Data], dict[str, Array]]
    separable: Separable | None = None
    holds: Callable[[Position, Data], Array] | None = None
    smooth: tuple[str, ...] = ()  # unknowns that are only learned in combinations
    whole: bool = False  # chains go freely between modes, which are not told apart


# ------------------------------------------------------------------- inference


@dataclass(frozen=True)
class Stage:
    """One step of finding the answer, with its wall time."""

    name: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True)
class Mode:
    """A local maximum of the posterior that was found."""

    values: Mapping[str, float]
    log_density: float
    log_evidence: float | None = None
    weight: float | None = None


@dataclass(frozen=True)
class Answer:
    """One of several answers that fit: its modes, their weight, its own draws.

    modes: places in `Fit.modes`; several where chains walk freely between them.
    """

    modes: tuple[int, ...]
    weight: float
    fit: Fit


@dataclass(frozen=True)
class Fit:
    """Draws in physical units and how they were made; no JAX after this point.

    draws: name → (n_chains, n_draws), unknowns and definitions alike.
    positions: (n_chains, n_draws, dimension) unconstrained.
    curve: (n_spectra, n_channels) posterior mean of the expected counts; band: the 5 %
    and 95 % quantiles (2, n_spectra, n_channels); components: (n_spectra, n_sites,
    n_channels) mean absorption.
    replicated: (n_replicates, n_spectra, n_channels) posterior predictive counts.
    statistics: per-draw sampler figures, each (n_chains, n_draws): "diverging",
    "energy", "lp", "acceptance_rate", "n_steps", "step_size".
    gates: each convergence gate as (name, value, bound, passed).
    answers: where the draws mix several answers, each by itself, weightiest first.
    """

    draws: Mapping[str, FloatArray]
    positions: FloatArray
    prior: Mapping[str, FloatArray]
    curve: FloatArray
    band: FloatArray
    components: FloatArray
    replicated: FloatArray
    pointwise: FloatArray  # (n_chains, n_draws_kept, n_spectra, n_channels)
    statistics: Mapping[str, FloatArray]
    rhat: Mapping[str, float]
    ess_bulk: Mapping[str, float]
    ess_tail: Mapping[str, float]
    gates: tuple[tuple[str, float, float, bool], ...]
    modes: tuple[Mode, ...]
    stages: tuple[Stage, ...]
    settings: Mapping[str, Any]
    log_evidence: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()

    @property
    def converged(self) -> bool:
        """Every gate passed."""
        return all(passed for *_, passed in self.gates)


# --------------------------------------------------------------------- verdict


@dataclass(frozen=True)
class Finding:
    """What one rule found.

    severity: of a rule of physics, "hard", "soft" or "warning"; empty for the user's own.
    outcome: "passed", "failed" or "warned".  probability: posterior probability that the
    rule holds, None where that has no meaning.  strategy: how a `require` was compiled.
    """

    rule: str
    kind: Literal["require", "expect", "check", "physics", "residual"]
    outcome: Literal["passed", "failed", "warned"]
    text: str
    because: str = ""
    probability: float | None = None
    value: float | None = None
    detail: str = ""
    strategy: str = ""
    source: str = ""
    line: int | None = None
    severity: str = ""


@dataclass(frozen=True)
class Verdict:
    """The judgement of a run: outcome and every finding."""

    outcome: Literal["accepted", "rejected", "not_converged"]
    findings: tuple[Finding, ...]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class PhysicsRule:
    """A rule of physics: `judge(model, measurements, fit)`.  The library says when.

    outcomes(block): the worst of its findings for each of many spectra, as `rules.block`
    codes it.
    """

    name: str
    source: str
    judge: Callable[[Model[Prior], Sequence[Measurement], Fit], Sequence[Finding]]
    outcomes: Callable[[Block], Outcomes]


@dataclass(frozen=True)
class RequireStrategy:
    """How one `require` was compiled, and what it costs the prior.

    `strategy`: "already true", "tie", "interval", "ordered", "fixed sum", "bound" or
    "barrier".  `mass_kept`: the share of the prior under the other rules that satisfies
    it; `alone`: the same under no other rule.  NaN where it is not known.
    """

    index: int  # of the rule in `Model.rules`
    strategy: str
    mass_kept: float
    alone: float = float("nan")


@dataclass(frozen=True)
class Counted:
    """One number of components that was tried: how it ranks among the others.

    log_evidence and elpd (leave-one-out) are values with their standard errors, behind
    what its log-evidence lacks to the best; None where there is none.  reason: why it
    could not be run or has no evidence, where that is so.
    """

    name: str
    log_evidence: tuple[float, float] | None
    behind: tuple[float, float] | None
    probability: float | None
    elpd: tuple[float, float] | None
    outcome: str
    reason: str = ""


@dataclass(frozen=True)
class Run:
    """Everything a report may show: what was asked, found and judged."""

    document: Document[Prior]
    model: Model[Prior]
    measurements: tuple[Measurement, ...]  # one for each of `model.spectra`
    fit: Fit
    verdict: Verdict
    strategies: tuple[RequireStrategy, ...]
    text: str  # the .spec file as read
    text_sha256: str
    versions: Mapping[str, str]  # specfit, python, jax, blackjax, numpy, prior database
    device: str
    settings: Mapping[str, Any]  # of the run: engine, seed, chains …
    timings: Mapping[str, float]  # seconds by stage, "total" among them
    started: str  # ISO 8601, UTC
    answers: tuple[Verdict, ...] = ()  # one for each of `fit.answers`
    counted: tuple[Counted, ...] = ()  # every number of components that was tried
    conclusion: str = ""  # what follows from `counted`
    identity: str = ""  # SHA-256 of all that decides its bits; none if interrupted
    held_out: HeldOut | None = None  # of a regression


Progress = Callable[[str, float, str], None]  # stage, fraction done in [0, 1], detail
