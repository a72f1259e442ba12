"""`result.json` of a factorisation: the keys of every run, and its components."""

from __future__ import annotations

from typing import Literal

import numpy as np

from specfit.contracts import Finding, FloatArray
from specfit.mapped import MapDone
from specfit.report.regression.result import Figure
from specfit.report.result import SCHEMA_VERSION, Record, RuleResult, Text


class ComponentResult(Record):
    """One basis spectrum with its map; `strength` of its library, `shift` in eV.

    library: what it was said to be like, library_note: what is to be known of that.
    """

    number: int
    centroid: float
    peak: float
    share: float
    mean_fraction: float
    fraction_sd_counting: float
    fraction_sd_spectra: float
    library: Text
    library_note: Text
    strength: float | None
    shift: float | None


class FeasibleResult(Record):
    """What the data alone leave open, of two components."""

    decided: bool
    widest: float
    mean_width: float


class HowManyResult(Record):
    """How many components the map holds by itself; criterion: to be least, by number.

    ard: the number that automatic relevance leaves of as many.
    """

    best: int
    ard: int
    criterion: dict[int, float | None]


class MapRunResult(Record):
    """The whole of `result.json` of a factorisation."""

    schema_version: Literal["1"] = SCHEMA_VERSION
    verdict: Literal["accepted", "rejected", "not_converged"]
    reasons: list[Text]
    title: Text
    model: str
    kind: str
    spec_file: Text
    started: str
    pixels: tuple[int, int]
    channels: int
    step_nm: tuple[float | None, float | None]
    components: list[ComponentResult]
    switched_off: int
    relevance: list[float]
    feasible: FeasibleResult | None
    how_many: HowManyResult
    parameters: dict[str, Figure]
    derived: dict[str, Figure]
    rules: list[RuleResult]
    log_evidence: None = None
    diagnostics: dict[str, float]
    notes: list[Text]
    seed: int
    data: list[str]
    data_found: list[tuple[Text, Text]]
    spec_sha256: str
    model_sha256: str
    versions: dict[str, str]
    timings_s: dict[str, float]


def result_of(done: MapDone) -> MapRunResult:
    """What scripts read of a factorisation."""
    result, verdict, asked = done.result, done.verdict, done.factorising
    cube, found = done.measurement.cube, done.result.found
    assert cube is not None
    parts = [_component(done, at) for at in range(result.kept.size)]
    return MapRunResult(
        verdict=verdict.outcome,
        reasons=list(verdict.reasons),
        title=done.title,
        model=asked.name,
        kind=asked.kind,
        spec_file=done.spec,
        started=done.started,
        pixels=cube.shape,
        channels=result.energy.size,
        step_nm=(_known(cube.step[0] / 10.0), _known(cube.step[1] / 10.0)),
        components=parts,
        switched_off=asked.components - result.kept.size,
        relevance=found.relevance.tolist(),
        feasible=_feasible(done),
        how_many=_how_many(done),
        parameters=_parameters(done),
        derived=_derived(done, parts),
        rules=[_rule(finding) for finding in verdict.findings],
        diagnostics={
            "chi2_reduced": result.chi2,
            "steps": float(found.objective.size),
            "objective": float(found.objective[-1]) if found.objective.size else 0.0,
        },
        notes=list(found.notes),
        seed=asked.run.seed,
        data=[done.measurement.sha256],
        data_found=list(done.measurement.found),
        spec_sha256=done.text_sha256,
        model_sha256=asked.digest(),
        versions=dict(done.versions),
        timings_s=dict(done.timings),
    )


def _rule(found: Finding) -> RuleResult:
    return RuleResult(
        kind=found.kind, line=found.line, text=found.text, because=found.because,
        outcome=found.outcome, probability=found.probability, rule=found.rule,
        value=found.value, detail=found.detail, strategy=found.strategy,
        source=found.source,
    )  # fmt: skip


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def mean_of(values: FloatArray) -> float:
    """Over the pixels that hold something; 0 where none does."""
    seen = values[np.isfinite(values)]
    return float(seen.mean()) if seen.size else 0.0


def _component(done: MapDone, at: int) -> ComponentResult:
    result, found, k = done.result, done.result.found, int(done.result.kept[at])
    like = result.library.get(at)
    return ComponentResult(
        number=result.numbers[at],
        centroid=float(result.centroid[at]),
        peak=float(result.energy[int(np.argmax(result.spectra[at]))]),
        share=float(result.share[at]),
        mean_fraction=_mean_fraction(done, at),
        fraction_sd_counting=mean_of(result.by_pixel(found.counting_sd)[:, at]),
        fraction_sd_spectra=mean_of(result.by_pixel(found.spectral_sd)[:, at]),
        library=like.label if like else "",
        library_note=like.note if like else "",
        strength=_known(found.strength[k]) if like else None,
        shift=_known(found.shift[k]) if like else None,
    )


def _mean_fraction(done: MapDone, at: int) -> float:
    """Of weights that may be negative where they are known: cut ones are too large."""
    found, k = done.result.found.average, int(done.result.kept[at])
    return (
        mean_of(done.result.fraction[:, at]) if found is None else float(found.mean[k])
    )


def _how_many(done: MapDone) -> HowManyResult:
    found = done.result.numbered
    pairs = zip(found.components.tolist(), found.criterion.tolist(), strict=True)
    return HowManyResult(
        best=int(found.best),
        ard=int(found.relevant),
        criterion={int(k): _known(value) for k, value in pairs},
    )


def _feasible(done: MapDone) -> FeasibleResult | None:
    feasible = done.result.found.feasible
    if feasible is None:
        return None
    width = (feasible.fraction_high - feasible.fraction_low) * done.result.seen
    seen = width[np.isfinite(width)]
    return FeasibleResult(
        decided=feasible.decided,
        widest=float(seen.max()) if seen.size else 0.0,
        mean_width=mean_of(width),
    )


def _parameters(done: MapDone) -> dict[str, Figure]:
    """What was learned besides maps and spectra; of the drift its root mean square.

    The shift is one for all curves.
    """
    result, found = done.result, done.result.found
    made = {}
    for at in result.library:
        number, k = result.numbers[at], int(result.kept[at])
        if np.isfinite(found.strength[k]):
            made[f"strength[{number}]"] = _figure("", float(found.strength[k]))
        if np.isfinite(found.shift[k]) and done.factorising.shift:
            shift = _figure("eV", float(found.shift[k]))
            made["shift"] = shift.model_copy(update={"sd": found.shift_sd})
    if found.drift is not None:
        spread = float(np.sqrt(mean_of(found.drift**2)))
        made["drift"] = _figure("eV", spread)
    return made


def _derived(done: MapDone, parts: list[ComponentResult]) -> dict[str, Figure]:
    made = {}
    for at, one in enumerate(parts):
        made[f"fraction[{one.number}]"] = _mean(done, at, one.mean_fraction)
        made[f"centroid[{one.number}]"] = _figure("eV", one.centroid)
        made[f"share[{one.number}]"] = _figure("", one.share)
    return made


def _mean(done: MapDone, at: int, value: float) -> Figure:
    """The mean fraction of the pixels, not of their errors."""
    found, k = done.result.found.average, int(done.result.kept[at])
    if found is None:
        return _figure("", value)
    mean = float(found.mean[k])
    return Figure(
        unit="", mean=mean, sd=_known(found.sd[k]), median=mean,
        q05=_known(found.low[k]), q95=_known(found.high[k]),
    )  # fmt: skip


def _figure(unit: str, value: float) -> Figure:
    return Figure(unit=unit, mean=value, sd=None, median=value, q05=None, q95=None)
