"""The story: text → Spec → Model[Declared] → Model[Prior] → Problem → Fit → Verdict.

`run` is that line; `check` stops after the priors.  JAX is imported only when a density
is built, and float64 is on only inside the context opened here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from specfit.checking import (
    Checked,
    check,
    check_with_data,
    measure,
    measured,
    read_text,
    strategies,
    with_bases,
)
from specfit.contracts import (
    Fit,
    Measurement,
    Problem,
    Progress,
    Run,
)
from specfit.diagnostics import Diagnostic, Span, SpecError
from specfit.found import at_place
from specfit.gains import contradicted
from specfit.holding_out import STOPPED, held_out
from specfit.inference.journal import Journal
from specfit.made_of import remarks
from specfit.model import ir
from specfit.model.faults import nearest
from specfit.model.levels_apart import apart
from specfit.model.support import PlanError
from specfit.record import Clock, sha256, versions


@dataclass(frozen=True)
class Options:
    """What the command line may change; none of it changes the posterior."""

    seed: int | None = None
    chains: int | None = None
    draws: int | None = None
    warmup: int | None = None
    engine: str | None = None
    thinned: int | None = None
    variant: str | None = None
    part: str | None = None


# --------------------------------------------------------------------------- run


@contextmanager
def float64() -> Iterator[None]:
    """Double precision for everything inside, and for nothing outside."""
    import jax

    with jax.enable_x64(True):
        yield


def build(model: ir.Model[ir.Prior], measurements: tuple[Measurement, ...]) -> Problem:
    """The log-density of a model on its measurements; call inside `float64`."""
    from specfit import density

    return density.build(model, measurements)


def run(
    checked: Checked,
    options: Options,
    progress: Progress | None = None,
    journal: Journal | None = None,
    given: tuple[Measurement, ...] | None = None,
) -> Run:
    """From a checked .spec file to a judged posterior; only `journal` is written to.

    given: the measurements, where they are not those of the files.

    Raises SpecError for a fault in the file or its data.
    """
    from specfit import rules

    clock = Clock(progress)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    document = _part(checked.require(), options.part)
    model = _chosen(document, options.variant, checked)
    with clock("read data"):
        measurements = given or measure(model, checked)
        kept = tuple(strategies(model, measurements))
    settings = settings_of(document.run, options)
    with float64():
        fit, device = _sampled(model, measurements, settings, clock, checked, journal)
        fit = replace(fit, notes=(*fit.notes, *remarks(model, measurements)))
        with clock("judge"):
            every = (fit, *(answer.fit for answer in fit.answers))
            verdicts = [rules.judge(model, measurements, f, kept) for f in every]
            done = contradicted(model, measurements, fit, verdicts[0], settings)
        held, note = held_out(model, measurements, fit, clock, done[0])
        fit = replace(fit, notes=(*fit.notes, *([note] if note else [])))
    stopped = done[1] or note == STOPPED
    return Run(
        document, model, measurements, _marked(fit, stopped), done[0], kept,
        text=checked.text, text_sha256=sha256(checked.text), versions=versions(),
        device=device, settings=_recorded(settings, checked),
        timings={**clock.seconds, "total": clock.total()}, started=started,
        answers=tuple(verdicts[1:]), held_out=held,
    )  # fmt: skip


def _marked(fit: Fit, stopped: bool) -> Fit:
    """The fit, with a mark where the user interrupted what came after it."""
    if not stopped:
        return fit
    return replace(fit, settings={**fit.settings, "interrupted": True})


def _recorded(settings: Mapping[str, Any], checked: Checked) -> dict[str, Any]:
    """The settings of the run, the file's name and the warnings it was run with."""
    warnings = [fault.code for fault in checked.diagnostics]
    return {**settings, "spec": checked.path.name, "warnings": warnings}


def _sampled(
    model: ir.Model[ir.Prior],
    measurements: tuple[Measurement, ...],
    settings: dict[str, Any],
    clock: Clock,
    checked: Checked,
    journal: Journal | None,
) -> tuple[Fit, str]:
    import jax

    from specfit import inference

    parts = apart(model)
    chosen = inference.Settings(**settings)
    try:
        if parts:
            fit = _level_by_level(parts, measurements, chosen, clock, journal)
        else:
            with clock("compile the model"):
                problem = build(model, measurements)
            fit = inference.find(problem, chosen, clock.progress, journal)
    except PlanError as error:
        fault = at_place(error.code, error.words, error.place)
        raise SpecError([fault], checked.texts) from error
    for stage in fit.stages:
        clock.seconds[stage.name] = clock.seconds.get(stage.name, 0.0) + stage.seconds
    return fit, f"{jax.devices()[0].platform} × {jax.device_count()}"


def _level_by_level(
    parts: Mapping[str, ir.Model[ir.Prior]],
    measurements: tuple[Measurement, ...],
    chosen: Any,
    clock: Clock,
    journal: Journal | None,
) -> Fit:
    """Levels that share nothing, each by itself, as one fit."""
    from specfit import inference

    fits: dict[str, Fit] = {}
    near: Mapping[str, float] | None = None
    for number, (label, model) in enumerate(parts.items()):
        with clock("compile the model"):
            problem = build(model, (measurements[number],))
        own = chosen.model_copy(update={"seed": chosen.seed + number})
        progress = inference.of_part(clock.progress, label, number, len(parts))
        kept = journal.part(label) if journal is not None else None
        fits[label] = inference.find(problem, own, progress, kept, near)
        near = fits[label].modes[0].values if fits[label].modes else None
    return inference.joined(fits)


def _part(document: ir.Document[ir.Prior], name: str | None) -> ir.Document[ir.Prior]:
    """What the document says of one of its models; all of it where none is named."""
    if name is None:
        return document
    models = tuple(model for model in document.models if model.name == name)
    reports = tuple(report for report in document.reports if report.of == name)
    return document.model_copy(
        update={"models": models, "variants": {}, "reports": reports}
    )


def _chosen(
    document: ir.Document[ir.Prior], variant: str | None, checked: Checked
) -> ir.Model[ir.Prior]:
    span = Span(str(checked.path))
    if variant is not None:
        if variant in document.variants:
            return document.variants[variant]
        words = {"name": variant, "known": nearest(variant, document.variants)}
        raise SpecError([Diagnostic("unknown-variant", span, words)], checked.texts)
    if len(document.models) != 1:
        words = {"count": str(len(document.models))}
        code = "map-sampled" if document.maps else "one-model"
        raise SpecError([Diagnostic(code, span, words)], checked.texts)
    return document.models[0]


def settings_of(asked: ir.RunSettings, options: Options) -> dict[str, Any]:
    """The settings of inference: those of the file, the command line coming first."""
    settings = {
        "engine": asked.engine,
        "chains": asked.chains,
        "warmup": asked.warmup,
        "draws": asked.draws,
        "seed": asked.seed,
        "target_accept": asked.target_accept,
    }
    given = {
        "seed": options.seed,
        "chains": options.chains,
        "draws": options.draws,
        "warmup": options.warmup,
        "engine": options.engine,
        "thinned": options.thinned,
    }
    return settings | {key: value for key, value in given.items() if value is not None}


__all__ = [
    "Checked",
    "Options",
    "at_place",
    "build",
    "check",
    "check_with_data",
    "float64",
    "measure",
    "measured",
    "read_text",
    "run",
    "settings_of",
    "strategies",
    "with_bases",
]
