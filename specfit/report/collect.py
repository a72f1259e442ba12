"""From a run to the value behind `result.json`."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import numpy as np

from specfit import rules
from specfit.contracts import Counted, Finding, Fit, Measurement, Mode, Run
from specfit.model import ir, records
from specfit.model.rule_library import instead_of, words
from specfit.report.instrument import after_the_fit
from specfit.report.numbers import finite
from specfit.report.quantities import Findings, Quantity
from specfit.report.regression.found import (
    held_out_result,
    inclusion_result,
    regression_of,
)
from specfit.report.result import (
    AnswerResult,
    CountResult,
    Diagnostics,
    Evidence,
    Gate,
    Hashes,
    ModeResult,
    Origin,
    OverrideResult,
    QuantityResult,
    RuleResult,
    RunResult,
    Source,
    SpectrumResult,
    StageResult,
)
from specfit.report.stopped import one_point


def result_of(found: Findings) -> RunResult:
    """Everything a script may ask of a run; no host, user or absolute path."""
    run = found.run
    fit = run.fit
    return RunResult(
        verdict=run.verdict.outcome,
        reasons=list(run.verdict.reasons),
        title=run.document.title or run.model.title,
        model=run.model.name,
        kind=run.model.kind,
        spec_file=PurePath(run.document.file).name,
        started=run.started,
        parameters={n: _quantity(found, q) for n, q in found.parameters.items()},
        derived={n: _quantity(found, q) for n, q in found.derived.items()},
        rules=[_rule(finding) for finding in run.verdict.findings],
        libraries=list(run.model.libraries),
        overrides=[_override(override) for override in run.model.overrides],
        log_evidence=_evidence(run),
        diagnostics=diagnostics(found),
        gates=[
            Gate(name=n, value=finite(v), bound=finite(b), passed=bool(p))
            for n, v, b, p in fit.gates
        ],
        spectra=_spectra(found),
        modes=[_mode(mode) for mode in fit.modes],
        answers=[_answer(run, i) for i in range(len(run.answers))],
        counts=[_count(counted) for counted in run.counted],
        held_out=held_out_result(run.held_out),
        inclusion=inclusion_result(regression_of(run)),
        stages=_stages(fit),
        notes=list(fit.notes),
        hashes=_hashes(run),
        versions=dict(run.versions),
        settings={key: _plain(value) for key, value in run.settings.items()},
        seed=_seed(run),
        device=run.device,
        timings_s={name: float(value) for name, value in run.timings.items()},
    )


def _stages(fit: Fit) -> list[StageResult]:
    return [
        StageResult(name=s.name, seconds=s.seconds, detail=s.detail) for s in fit.stages
    ]


def _mode(mode: Mode) -> ModeResult:
    return ModeResult(
        values={name: float(value) for name, value in mode.values.items()},
        log_density=finite(mode.log_density),
        log_evidence=finite(mode.log_evidence),
        weight=finite(mode.weight),
    )


def _answer(run: Run, number: int) -> AnswerResult:
    answer, verdict = run.fit.answers[number], run.answers[number]
    return AnswerResult(
        modes=list(answer.modes),
        weight=answer.weight,
        verdict=verdict.outcome,
        reasons=list(verdict.reasons),
        values={
            name: (float(np.mean(draws)), float(np.std(draws)))
            for name, draws in answer.fit.draws.items()
        },
    )


def _count(counted: Counted) -> CountResult:
    pair = counted.log_evidence
    return CountResult(
        name=counted.name,
        log_evidence=Evidence(value=pair[0], sd=pair[1]) if pair else None,
        probability=counted.probability,
        elpd_loo=counted.elpd[0] if counted.elpd else None,
        verdict=counted.outcome,
        reason=counted.reason,
    )


def _hashes(run: Run) -> Hashes:
    return Hashes(
        spec=run.text_sha256,
        model=run.model.digest(),
        data=[measurement.sha256 for measurement in run.measurements],
        identity=run.identity,
    )


def diagnostics(found: Findings) -> Diagnostics:
    """Divergences, worst R-hat, least effective sample size, reduced χ²."""
    fit = found.run.fit
    diverging = fit.statistics.get("diverging")
    sizes = [*fit.ess_bulk.values(), *fit.ess_tail.values()]
    return Diagnostics(
        divergences=0 if diverging is None else int(np.sum(diverging)),
        rhat_max=_extreme(list(fit.rhat.values()), max),
        ess_min=_extreme(sizes, min),
        chi2_reduced=rules.chi2_reduced(found.residuals),
    )


def _extreme(values: list[float], pick: Any) -> float | None:
    numbers = [float(value) for value in values if np.isfinite(value)]
    return pick(numbers) if numbers else None


def _quantity(found: Findings, item: Quantity) -> QuantityResult:
    fit, summary = found.run.fit, item.summary
    prior = fit.prior.get(item.name)
    drawn = not one_point(fit)
    return QuantityResult(
        unit=item.unit,
        mean=summary.mean,
        sd=summary.sd if drawn else None,
        median=summary.median,
        q05=summary.q05 if drawn else None,
        q95=summary.q95 if drawn else None,
        rhat=finite(fit.rhat.get(item.name)),
        ess_bulk=finite(fit.ess_bulk.get(item.name)),
        ess_tail=finite(fit.ess_tail.get(item.name)),
        q025=summary.low if drawn else None,
        q975=summary.high if drawn else None,
        title=item.title,
        prior=item.prior,
        origin=item.origin,
        because=item.because,
        prior_sd=None if prior is None else finite(float(np.std(prior))),
        database=_origin(found, item),
    )


def _origin(found: Findings, item: Quantity) -> Origin | None:
    conflict = found.conflicts.get(item.name)
    if conflict is None:
        return None
    said = conflict.origin
    return Origin(
        record=said.record,
        temperature_K=said.temperature,
        state_of_charge=said.charge,
        location=said.location,
        scale=said.scale,
        widen=said.widen,
        scatter=said.scatter,
        class_range=said.class_range,
        observations=list(said.observations),
        sources=[source_of(key) for key in said.sources],
        ordering_temperature_K=said.ordering_temperature,
        notes=list(said.notes),
        conflict_sd=conflict.in_prior,
        conflict_sd_records=conflict.in_records,
        vague_weight=conflict.vague_weight,
    )


def source_of(key: str) -> Source:
    """The citation behind a source key."""
    entry = records.source(key)
    return Source(key=key, citation=entry.citation, doi=entry.doi)


def _rule(finding: Finding) -> RuleResult:
    return RuleResult(
        kind=finding.kind,
        line=finding.line,
        text=finding.text,
        because=finding.because,
        outcome=finding.outcome,
        probability=finite(finding.probability),
        rule=finding.rule,
        value=finite(finding.value),
        detail=finding.detail,
        strategy=finding.strategy,
        source=finding.source,
        severity=finding.severity,
    )


def _override(said: ir.Override) -> OverrideResult:
    return OverrideResult(
        rule=said.rule,
        text=words(said),
        library=instead_of(said),
        because=said.because,
        line=said.place.line or None,
    )


def _evidence(run: Run) -> Evidence | None:
    if run.fit.log_evidence is None:
        return None
    value, sd = run.fit.log_evidence
    return Evidence(value=value, sd=sd)


def _spectra(found: Findings) -> list[SpectrumResult]:
    run = found.run
    return [
        SpectrumResult(
            data=spectrum.data,
            label=spectrum.label,
            file=file_of(run.model, spectrum, measurement),
            sha256=measurement.sha256,
            size=measurement.size,
            n_channels=measurement.values.size,
            field_scale=measurement.field_scale,
            found=[
                *measurement.found,
                *after_the_fit(found, spectrum, measurement),
            ],
            chi2_reduced=item.chi2_reduced,
            chi2_z=item.chi2_z,
            chi2_p=item.chi2_tail,
            predictive_p=item.predictive,
            lag1=item.lag1,
            lag1_z=item.lag1_z,
            runs=item.runs,
            runs_z=item.runs_z,
        )
        for spectrum, measurement, item in zip(
            run.model.spectra, run.measurements, found.residuals, strict=True
        )
    ]


def file_of(
    model: ir.Model[ir.Prior], spectrum: ir.Spectrum, measurement: Measurement
) -> str:
    """The data file as the user named it, never where it lies on this machine."""
    for source in model.sources:
        if (source.data, source.label) == (spectrum.data, spectrum.label):
            return _relative(source.file)
    return PurePath(measurement.path).name


def _relative(path: str) -> str:
    return PurePath(path).name if PurePath(path).is_absolute() else path


def _plain(value: Any) -> Any:
    """A setting as JSON has it."""
    if isinstance(value, str):
        return _relative(value) if value.startswith(("/", "~")) else value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    return str(value)


def _seed(run: Run) -> int | None:
    seed = run.settings.get("seed")
    return int(seed) if seed is not None else None
