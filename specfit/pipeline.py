"""The story: text → Spec → Model[Declared] → Model[Prior] → Problem → Fit → Verdict.

`run` is that line; `check` stops after the priors.  JAX is imported only when a density
is built, and float64 is on only inside the context opened here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from specfit.contracts import (
    Fit,
    Measurement,
    Problem,
    Progress,
    RequireStrategy,
    Run,
    Verdict,
)
from specfit.diagnostics import Diagnostic, Span, SpecError
from specfit.language.parse import parse
from specfit.language.tree import Spec
from specfit.model import ir
from specfit.model.check import check as check_spec
from specfit.model.known import data_constants
from specfit.model.prior_draws import weighed
from specfit.model.priors import resolve_model
from specfit.model.support import PlanError, plan
from specfit.readers import ReaderError, read

FILE_LIMIT = 1 << 20


@dataclass
class Checked:
    """A .spec file as far as it can be understood without computing anything."""

    path: Path
    text: str = ""
    spec: Spec | None = None
    document: ir.Document[ir.Declared] | None = None
    resolved: ir.Document[ir.Prior] | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> list[Diagnostic]:
        """The faults that stop a run."""
        return [d for d in self.diagnostics if d.severity == "error"]

    def require(self) -> ir.Document[ir.Prior]:
        """The document with its priors.

        Raises
        ------
        SpecError
            The file has errors; all of them.

        """
        if self.errors or self.resolved is None:
            raise SpecError(self.diagnostics, self.texts)
        return self.resolved


@dataclass(frozen=True)
class Options:
    """What the command line may change; none of it changes the posterior."""

    seed: int | None = None
    chains: int | None = None
    draws: int | None = None
    warmup: int | None = None
    variant: str | None = None
    allow_outside: bool = False


# ------------------------------------------------------------------------- check


def check(path: Path, allow_outside: bool = False) -> Checked:
    """Parse, type and resolve the priors of a file; every fault is in `diagnostics`."""
    done = Checked(path)
    name = str(path)
    raw = read_text(path, done)
    if raw is None:
        return done
    done.text = raw
    done.texts[name] = raw
    done.spec, faults = parse(raw, name)
    load = _loader(path, done, faults, allow_outside)
    done.document, done.diagnostics = check_spec(
        done.spec, name, load, done.texts, faults
    )
    if done.document is not None:
        _resolve(done)
    return done


def read_text(path: Path, done: Checked) -> str | None:
    """The text of a .spec file; None, with the fault in `done`, where it has none."""
    span = Span(str(path))
    try:
        if path.stat().st_size > FILE_LIMIT:
            done.diagnostics.append(Diagnostic("file-too-large", span))
            return None
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        done.diagnostics.append(Diagnostic("spec-not-found", span, {"path": str(path)}))
    except UnicodeDecodeError as error:
        where = {"path": str(path), "byte": str(error.start)}
        done.diagnostics.append(Diagnostic("not-utf8", span, where))
    except OSError as error:
        words = {"path": str(path), "reason": error.strerror or str(error)}
        done.diagnostics.append(Diagnostic("spec-unreadable", span, words))
    return None


def _loader(
    path: Path, done: Checked, faults: list[Diagnostic], allow_outside: bool
) -> Callable[[str], tuple[Spec | None, str]]:
    """Reads the files named by `use`, inside the folder of the main file only."""
    root = path.resolve().parent

    def load(wanted: str) -> tuple[Spec | None, str]:
        target = (root / wanted).resolve() if not Path(wanted).is_absolute() else None
        if wanted.startswith(str(path.parent)):
            target = Path(wanted).resolve()
        if target is None or not (allow_outside or target.is_relative_to(root)):
            return None, wanted
        name = str(target.relative_to(root)) if target.is_relative_to(root) else wanted
        name = str(path.parent / name)
        if name in done.texts and name != str(path):
            return parse(done.texts[name], name)[0], name
        if name == str(path):
            return done.spec, name
        text = read_text(target, Checked(target))
        if text is None:
            return None, name
        done.texts[name] = text
        spec, found = parse(text, name)
        faults.extend(found)
        return spec, name

    return load


def _resolve(done: Checked) -> None:
    """Draw the cited priors, plan every `require`; faults found there join the others."""
    assert done.document is not None
    document = done.document
    try:
        models = tuple(resolve_model(model) for model in document.models)
        variants = {n: resolve_model(model) for n, model in document.variants.items()}
    except SpecError as error:
        done.diagnostics += error.diagnostics
        return
    for model in (*models, *variants.values()):
        try:
            plan(model)
        except PlanError as error:
            done.diagnostics.append(_at(error.code, error.words, error.place))
    done.resolved = ir.Document[ir.Prior](
        file=document.file,
        title=document.title,
        models=models,
        variants=variants,
        run=document.run,
        reports=document.reports,
    )


def _at(code: str, words: Mapping[str, str], place: ir.Place) -> Diagnostic:
    span = Span(place.file, place.start, place.end)
    return Diagnostic(code, span, dict(words))


# -------------------------------------------------------------------------- data


def measure(
    model: ir.Model[Any], checked: Checked, allow_outside: bool = False
) -> tuple[Measurement, ...]:
    """The measured spectra of a model, in the order of its spectra.

    Raises
    ------
    SpecError
        A file cannot be read, or does not hold what the `data` block says.

    """
    root = checked.path.resolve().parent
    measurements, faults = [], []
    for source in model.sources:
        try:
            measurements.append(read(source, root, allow_outside))
        except ReaderError as error:
            faults.append(_at(error.code, error.words, source.place))
    if faults:
        raise SpecError([*checked.diagnostics, *faults], checked.texts)
    return tuple(measurements)


def strategies(
    model: ir.Model[ir.Prior], measurements: tuple[Measurement, ...]
) -> list[RequireStrategy]:
    """How each `require` is kept, and the share of prior mass it leaves."""
    known = data_constants(model, measurements)
    return weighed(model, plan(model), known, 4000)


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


def run(path: Path, options: Options, progress: Progress | None = None) -> Run:
    """From a .spec file to a judged posterior; nothing is written.

    Raises
    ------
    SpecError
        A fault in the file or its data.

    """
    from specfit import rules

    clock = _Clock(progress)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with clock("check"):
        checked = check(path, options.allow_outside)
        document = checked.require()
        model = _chosen(document, options.variant, checked)
    with clock("read data"):
        measurements = measure(model, checked, options.allow_outside)
        kept = strategies(model, measurements)
    settings = _settings(document.run, options)
    with float64():
        fit, device = _sample(model, measurements, settings, clock)
        with clock("judge"):
            verdict = rules.judge(model, measurements, fit, kept)
            verdict = _contradicted(model, measurements, fit, verdict, settings)
    return Run(
        document=document,
        model=model,
        measurements=measurements,
        fit=fit,
        verdict=verdict,
        strategies=tuple(kept),
        text=checked.text,
        text_sha256=_sha256(checked.text),
        versions=versions(),
        device=device,
        settings={
            **settings,
            "spec": path.name,
            "warnings": [d.code for d in checked.diagnostics],
        },
        timings={**clock.seconds, "total": clock.total()},
        started=started,
    )


def _sample(
    model: ir.Model[ir.Prior],
    measurements: tuple[Measurement, ...],
    settings: dict[str, Any],
    clock: _Clock,
) -> tuple[Fit, str]:
    import jax

    from specfit import inference

    with clock("compile the model"):
        problem = build(model, measurements)
    chosen = inference.Settings(**settings)
    fit = inference.find(problem, chosen, clock.progress)
    for stage in fit.stages:
        clock.seconds[stage.name] = clock.seconds.get(stage.name, 0.0) + stage.seconds
    return fit, f"{jax.devices()[0].platform} × {jax.device_count()}"


def _chosen(
    document: ir.Document[ir.Prior], variant: str | None, checked: Checked
) -> ir.Model[ir.Prior]:
    span = Span(str(checked.path))
    if variant is not None:
        if variant in document.variants:
            return document.variants[variant]
        known = ", ".join(f"`{name}`" for name in document.variants) or "–"
        words = {"name": variant, "known": known}
        raise SpecError([Diagnostic("unknown-variant", span, words)], checked.texts)
    if len(document.models) != 1:
        words = {"count": str(len(document.models))}
        raise SpecError([Diagnostic("one-model", span, words)], checked.texts)
    return document.models[0]


def _settings(asked: ir.RunSettings, options: Options) -> dict[str, Any]:
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
    }
    return settings | {key: value for key, value in given.items() if value is not None}


def _contradicted(
    model: ir.Model[ir.Prior],
    measurements: tuple[Measurement, ...],
    fit: Fit,
    verdict: Verdict,
    settings: Mapping[str, Any],
) -> Verdict:
    """Add what the data say against a `require` that the posterior is pressed upon."""
    from specfit.rules import pressed, with_findings

    suspects = pressed.suspects(model, fit)
    if not suspects or verdict.outcome == "not_converged":
        return verdict
    findings = []
    for index in suspects:
        freed = model.model_copy(
            update={"rules": tuple(r for i, r in enumerate(model.rules) if i != index)}
        )
        gain = _gain(freed, measurements, fit, settings)
        findings.append(pressed.finding(model.rules[index], gain))
    return with_findings(verdict, findings)


def _gain(
    freed: ir.Model[ir.Prior],
    measurements: tuple[Measurement, ...],
    fit: Fit,
    settings: Mapping[str, Any],
) -> float:
    """By how much χ² falls when one rule is left out: twice the gain in likelihood."""
    from specfit import inference

    problem = build(freed, measurements)
    chosen = inference.Settings(**{**settings, "engine": "map"})
    best = inference.find(problem, chosen, None)
    with_rule = float(fit.pointwise.sum(axis=(-1, -2)).max())
    return 2.0 * (float(best.pointwise.sum(axis=(-1, -2)).max()) - with_rule)


# ----------------------------------------------------------------------- records


class _Clock:
    """Wall time of each stage, told to `progress` as it goes."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        if self.progress:
            self.progress(stage, 0.0, "")
        begin = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - begin

    def total(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self._start


def _sha256(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def _database_digest() -> str:
    """SHA-256 over all files of the prior database, in the order of their paths."""
    import hashlib

    from specfit.assets import folder

    digest = hashlib.sha256()
    for path in sorted(Path(str(folder("priors_db"))).rglob("*.toml")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Versions of everything that can change a number."""
    import platform
    from importlib.metadata import version

    names = ("specfit", "jax", "jaxlib", "blackjax", "numpy", "scipy")
    found = {name: version(name) for name in names}
    found["python"] = platform.python_version()
    found["prior database"] = _database_digest()
    return found


__all__ = [
    "Checked",
    "Options",
    "build",
    "check",
    "float64",
    "measure",
    "read_text",
    "run",
    "strategies",
    "versions",
]
