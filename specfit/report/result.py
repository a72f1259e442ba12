"""`result.json`: what scripts read.  One versioned schema, exported as JSON Schema.

Keys are only ever added within a version; a key that changes its meaning changes the
version.  Numbers that JSON does not have (NaN, infinities) are null.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from specfit.report.text import clean

SCHEMA_VERSION: Literal["1"] = "1"


def _clean(value: Any) -> Any:
    return clean(value, keep="\n\t") if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_clean)]


class Record(BaseModel):
    """Closed to unknown keys, so that the schema is the whole truth."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Record):
    """A citation behind a prior."""

    key: str
    citation: Text
    doi: Text = ""


class Origin(Record):
    """The records a prior was drawn from, and what the posterior says of them.

    `conflict_sd` is how far out in the tails of the prior the posterior mean lies, in
    sd of a normal as rare; `conflict_sd_records` the same before they were widened;
    `vague_weight` the posterior weight of the class range.
    """

    record: str
    temperature_K: float | None
    state_of_charge: float | None
    location: float
    scale: float
    widen: float
    scatter: float
    class_range: str
    observations: list[str]
    sources: list[Source]
    ordering_temperature_K: float | None
    notes: list[Text]
    conflict_sd: float
    conflict_sd_records: float
    vague_weight: float | None


class QuantityResult(Record):
    """One parameter or derived quantity; of one point no sd and no quantile is known."""

    unit: str
    mean: float
    sd: float | None
    median: float
    q05: float | None
    q95: float | None
    rhat: float | None
    ess_bulk: float | None
    ess_tail: float | None
    q025: float | None
    q975: float | None
    title: Text = ""
    prior: Text = ""
    origin: str = ""
    because: Text = ""
    prior_sd: float | None = None
    database: Origin | None = None


class RuleResult(Record):
    """What one rule found."""

    kind: Literal["require", "expect", "check", "physics", "residual"]
    line: int | None
    text: Text
    because: Text
    outcome: Literal["passed", "failed", "warned"]
    probability: float | None
    rule: str
    value: float | None
    detail: Text
    strategy: Text
    source: Text
    severity: str = ""


class OverrideResult(Record):
    """A rule of the library that the file judges otherwise, and what it stands for."""

    rule: str
    text: Text
    library: Text
    because: Text
    line: int | None


class Evidence(Record):
    """Log-evidence with its standard error."""

    value: float
    sd: float


class Diagnostics(Record):
    """How well the sampler worked and how well the curve fits."""

    divergences: int
    rhat_max: float | None
    ess_min: float | None
    chi2_reduced: float


class SpectrumResult(Record):
    """Residual statistics of one spectrum and what was found in its file.

    chi2_p: the share of spectra of the model that would fit worse; predictive_p: of
    replicates, which are not fitted again.
    """

    data: str
    label: str
    file: Text
    sha256: str
    size: int
    n_channels: int
    field_scale: Text
    found: list[tuple[Text, Text]]
    chi2_reduced: float
    chi2_z: float
    chi2_p: float | None
    predictive_p: float
    lag1: float
    lag1_z: float
    runs: int
    runs_z: float


class ModeResult(Record):
    """A local maximum that was found."""

    values: dict[str, float]
    log_density: float | None
    log_evidence: float | None
    weight: float | None


class AnswerResult(Record):
    """One of several answers that fit, judged by itself.

    modes: places in `modes`; values: means and sd of every quantity of this answer.
    """

    modes: list[int]
    weight: float
    verdict: Literal["accepted", "rejected", "not_converged"]
    reasons: list[Text]
    values: dict[str, tuple[float, float]]


class CountResult(Record):
    """One number of components that was tried, where the number was open.

    reason: why it could not be run or has no evidence; empty where it has one.
    """

    name: str
    log_evidence: Evidence | None
    probability: float | None
    elpd_loo: float | None
    verdict: str
    reason: Text = ""


class HeldOutResult(Record):
    """A regression refitted without each row; groups, features: inclusion."""

    r2: float
    q2: float
    coverage: float
    elpd: float
    psis_elpd: float
    psis_worst_k: float
    divergences: int
    unsettled_refits: int
    predicted: list[float]
    q05: list[float]
    q95: list[float]


class InclusionResult(Record):
    """Inclusion probabilities of features and groups, with those of the prior."""

    features: dict[str, tuple[float, float]]
    groups: dict[str, tuple[float, float]]


class StageResult(Record):
    """One step of finding the answer."""

    name: str
    seconds: float
    detail: Text


class Gate(Record):
    """One convergence gate."""

    name: str
    value: float | None
    bound: float | None
    passed: bool


class Hashes(Record):
    """What exactly was run: SHA-256 of the text, the typed model and each data file.

    identity: of all that decides the bits of a run, settings, versions and processor
    among it; empty where it was interrupted.
    """

    spec: str
    model: str
    data: list[str]
    identity: str


class RunResult(Record):
    """The whole of `result.json`."""

    schema_version: Literal["1"] = SCHEMA_VERSION
    verdict: Literal["accepted", "rejected", "not_converged"]
    reasons: list[Text]
    title: Text
    model: str
    kind: str
    spec_file: Text
    started: str
    parameters: dict[str, QuantityResult]
    derived: dict[str, QuantityResult]
    rules: list[RuleResult]
    libraries: list[str] = []
    overrides: list[OverrideResult] = []
    log_evidence: Evidence | None
    diagnostics: Diagnostics
    gates: list[Gate]
    spectra: list[SpectrumResult]
    modes: list[ModeResult]
    answers: list[AnswerResult]
    counts: list[CountResult]
    held_out: HeldOutResult | None = None
    inclusion: InclusionResult | None = None
    stages: list[StageResult]
    notes: list[Text]
    hashes: Hashes
    versions: dict[str, str]
    settings: dict[str, Any]
    seed: int | None
    device: str
    timings_s: dict[str, float]


def result_schema() -> dict[str, Any]:
    """The JSON Schema of `result.json`."""
    schema = RunResult.model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema
