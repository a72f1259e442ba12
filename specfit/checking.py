"""What can be known of a .spec file without computing anything: text to priors and data.

`check` collects every fault; `measure` reads the data files; neither needs JAX.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from specfit.contracts import Measurement, RequireStrategy
from specfit.diagnostics import Diagnostic, Span, SpecError
from specfit.language.parse import parse
from specfit.language.tree import Spec
from specfit.model import ir
from specfit.model.check import check as check_spec
from specfit.model.data_faults import of_data, together
from specfit.model.known import data_constants
from specfit.model.peak_remarks import Remark
from specfit.model.prior_draws import weighed
from specfit.model.priors import resolve_model
from specfit.model.site_remarks import site_remarks
from specfit.model.support import PlanError, plan
from specfit.readers import ReaderError, load, read

FILE_LIMIT = 1 << 20
_NUMBERS = re.compile(r"[\s,;+-]*\d[\d\s.,;eE+-]*")
"""A line of a data file."""
FASTEST = 25.0
"""mm/s; the outer lines of the largest fields known, 63 T, lie at ±10 mm/s."""


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
    sources: tuple[ir.DataSource, ...] = ()
    unsound: tuple[ir.DataSource, ...] = ()
    measured: list[tuple[ir.DataSource, Measurement]] = field(default_factory=list)
    allow_outside: bool = False

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


# ------------------------------------------------------------------------- check


def check(path: Path, allow_outside: bool = False) -> Checked:
    """Parse, type and resolve the priors of a file; every fault is in `diagnostics`."""
    done = Checked(path, allow_outside=allow_outside)
    name = str(path)
    raw = read_text(path, done)
    if raw is None:
        return done
    done.text = raw
    done.texts[name] = raw
    done.spec, faults = parse(raw, name)
    load = _loader(path, done, faults, allow_outside)
    found = check_spec(done.spec, name, load, done.texts, faults)
    done.document, done.diagnostics, done.sources, done.unsound = found
    if done.document is not None:
        _resolve(done)
    return done


def check_with_data(path: Path, allow_outside: bool = False) -> Checked:
    """`check`, and every fault of the data files that the text names.

    Of a block that is itself at fault only the presence of its file is looked at; what
    is wrong with the file of a block that no model uses is a warning.
    """
    done = check(path, allow_outside)
    found, faults = _read_all(done.sources, done)
    done.measured = found
    faults += [f for source, seen in found for f in _unlikely(source, seen)]
    faults = [_as_used(fault, done) for fault in faults]
    models = done.resolved.models if done.resolved is not None else ()
    faults += _told(of_data(models, found))
    whole = [s for s in done.unsound if s.file and "{" not in s.file]
    faults += _absent(whole, done)
    own = str(path)
    done.diagnostics = sorted(
        [*done.diagnostics, *faults], key=lambda d: (d.span.file != own, d.span)
    )
    return done


def read_text(path: Path, done: Checked) -> str | None:
    """The text of a .spec file; None, with the fault in `done`, where it has none."""
    span = Span(str(path))
    try:
        if path.stat().st_size > FILE_LIMIT:
            done.diagnostics.append(Diagnostic("file-too-large", span))
            return None
        text = path.read_bytes().decode("utf-8")
        if not _is_data(text):
            return text
        words = {"path": str(path), "name": path.name}
        done.diagnostics.append(Diagnostic("spec-is-data", span, words))
        return None
    except FileNotFoundError:
        done.diagnostics.append(Diagnostic("spec-not-found", span, {"path": str(path)}))
    except UnicodeDecodeError as error:
        where = {"path": str(path), "byte": str(error.start)}
        done.diagnostics.append(Diagnostic("not-utf8", span, where))
    except OSError as error:
        words = {"path": str(path), "reason": error.strerror or str(error)}
        done.diagnostics.append(Diagnostic("spec-unreadable", span, words))
    return None


def _is_data(text: str) -> bool:
    """Whether most lines are numbers, or tags as in a ws5 file: no statement is."""
    lines = [line for line in text.splitlines()[:200] if line.strip(" \t\ufeff")]
    lines = [line for line in lines if not line.lstrip().startswith("#")]
    numbers = sum(bool(_NUMBERS.fullmatch(line)) for line in lines)
    return text.lstrip().startswith("<") or 3 <= len(lines) < 2 * numbers


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
            done.diagnostics.append(at_place(error.code, error.words, error.place))
    for model in models:
        done.diagnostics += _remarks(model)
    done.resolved = ir.Document[ir.Prior](
        file=document.file,
        title=document.title,
        models=models,
        variants=variants,
        counts=document.counts,
        run=document.run,
        reports=document.reports,
    )


def _remarks(model: ir.Model[ir.Prior]) -> list[Diagnostic]:
    """What is said of the sites of a model whose priors are known."""
    return _told(site_remarks(model))


def at_place(code: str, words: Mapping[str, str], place: ir.Place) -> Diagnostic:
    """A diagnostic at a place of the typed model."""
    span = Span(place.file, place.start, place.end)
    return Diagnostic(code, span, dict(words))


def _told(remarks: Iterable[Remark]) -> list[Diagnostic]:
    """Remarks of the model's as diagnostics, each once."""
    every = (
        replace(at_place(code, words, place), severity=severity)
        for code, words, place, severity in remarks
    )
    found: list[Diagnostic] = []
    for fault in every:
        found += [fault] if fault not in found else []
    return found


# -------------------------------------------------------------------------- data


def measure(model: ir.Model[Any], checked: Checked) -> tuple[Measurement, ...]:
    """The measured spectra of a model, in the order of its spectra.

    Raises
    ------
    SpecError
        A file cannot be read, or does not hold what the `data` block says.

    """
    found, faults = _read_all(model.sources, checked)
    if faults:
        raise SpecError([*checked.diagnostics, *faults], checked.texts)
    return tuple(measurement for _, measurement in found)


def _as_used(fault: Diagnostic, done: Checked) -> Diagnostic:
    """A warning where there are models and none uses the data."""
    if done.document is None or not done.document.models:
        return fault
    models = (*done.document.models, *done.document.variants.values())
    used = {
        place
        for model in models
        for source in model.sources
        for place in (source.place, *source.places.values())
    }
    spans = {Span(place.file, place.start, place.end) for place in used}
    return fault if fault.span in spans else replace(fault, severity="warning")


def _unlikely(source: ir.DataSource, seen: Measurement) -> list[Diagnostic]:
    """A warning of velocities at which no 57Fe line lies."""
    farthest = float(abs(seen.axis).max())
    if seen.axis_unit != "mm/s" or farthest <= FASTEST:
        return []
    fault = at_place("velocity-unlikely", {"farthest": f"{farthest:.3g}"}, source.place)
    return [replace(fault, severity="warning")]


def _absent(sources: Sequence[ir.DataSource], checked: Checked) -> list[Diagnostic]:
    """The faults of files that are not there or may not be read."""
    root = checked.path.resolve().parent
    errors: list[tuple[ReaderError, ir.Place]] = []
    for source in sources:
        try:
            load(source.file, root, checked.allow_outside)
        except ReaderError as error:
            errors.append((error, source.place))
    return _told(together(errors))


def _read_all(
    sources: tuple[ir.DataSource, ...], checked: Checked
) -> tuple[list[tuple[ir.DataSource, Measurement]], list[Diagnostic]]:
    root = checked.path.resolve().parent
    measurements: list[tuple[ir.DataSource, Measurement]] = []
    errors: list[tuple[ReaderError, ir.Place]] = []
    for source in sources:
        try:
            measurement = read(source, root, checked.allow_outside)
            measurements.append((source, measurement))
        except ReaderError as error:
            errors.append((error, source.places.get(error.key, source.place)))
    return measurements, _told(together(errors))


def strategies(
    model: ir.Model[ir.Prior], measurements: tuple[Measurement, ...]
) -> list[RequireStrategy]:
    """How each `require` is kept, and the share of prior mass it leaves."""
    known = data_constants(model, measurements)
    return weighed(model, plan(model), known, 4000)
