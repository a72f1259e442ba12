"""What can be known of a .spec file without computing anything: text to priors and data.

`check` collects every fault; `measure` reads the data files; neither needs JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from specfit.contracts import Measurement, RequireStrategy
from specfit.diagnostics import Diagnostic, Span, SpecError
from specfit.found import at_place, unlikely
from specfit.language.parse import parse
from specfit.language.tree import Spec
from specfit.made_of import attached, bases_of, short
from specfit.model import ir
from specfit.model.check import check as check_spec
from specfit.model.clustered import CLUSTER
from specfit.model.known import data_constants
from specfit.model.prior_draws import weighed
from specfit.model.priors import resolve_model
from specfit.model.site_remarks import site_remarks
from specfit.model.support import PlanError, plan
from specfit.readers import ReaderError, load, read
from specfit.readers.keyed import keyed
from specfit.readers.looks import looks_like_data

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
    tables = partial(keyed, root=path.resolve().parent, allow_outside=allow_outside)
    found = check_spec(done.spec, name, load, done.texts, faults, tables)
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
    faults += [f for source, seen in found for f in unlikely(source, seen)]
    faults = [_as_used(fault, done) for fault in faults]
    if done.resolved and not faults and not done.errors:
        faults += short(done.resolved.models, partial(_read_all, checked=done))
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
        if not looks_like_data(text):
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
    return [
        replace(at_place(code, words, place), severity=severity)
        for code, words, place, severity in site_remarks(model)
    ]


# -------------------------------------------------------------------------- data


def measure(
    model: ir.Model[Any], checked: Checked, shapes_only: bool = False
) -> tuple[Measurement, ...]:
    """The measured spectra of a model, in the order of its spectra.

    shapes_only: where they are made of clusters, these are not computed.

    Raises
    ------
    SpecError
        A file cannot be read, or does not hold what the `data` block says.

    """
    found, faults = _read_all(model.sources, checked)
    bases, more = bases_of(model, partial(_read_all, checked=checked), shapes_only)
    if faults or more:
        raise SpecError([*checked.diagnostics, *faults, *more], checked.texts)
    return attached(tuple(measurement for _, measurement in found), bases)


def with_bases(
    model: ir.Model[Any], grid: Measurement, checked: Checked
) -> Measurement:
    """A measurement to come, with the spectra that it will be made of.

    Raises
    ------
    SpecError
        They cannot be read.

    """
    bases, faults = bases_of(model, partial(_read_all, checked=checked))
    if faults:
        raise SpecError([*checked.diagnostics, *faults], checked.texts)
    return attached((grid,), bases)[0]


def _as_used(fault: Diagnostic, done: Checked) -> Diagnostic:
    """A warning where there are models and none uses the data."""
    if done.document is None or not done.document.models:
        return fault
    models = (*done.document.models, *done.document.variants.values())
    used = {
        place
        for model in models
        for source in (*model.sources, *model.bases)
        for place in (source.place, *source.places.values())
    }
    spans = {Span(place.file, place.start, place.end) for place in used}
    return fault if fault.span in spans else replace(fault, severity="warning")


def _absent(sources: Sequence[ir.DataSource], checked: Checked) -> list[Diagnostic]:
    """The faults of files that are not there or may not be read."""
    root = checked.path.resolve().parent
    faults: list[Diagnostic] = []
    for source in sources:
        try:
            load(source.file, root, checked.allow_outside)
        except ReaderError as error:
            fault = at_place(error.code, error.words, source.place)
            faults += [fault] if fault not in faults else []
    return faults


def _read_all(
    sources: tuple[ir.DataSource, ...], checked: Checked
) -> tuple[list[tuple[ir.DataSource, Measurement]], list[Diagnostic]]:
    root = checked.path.resolve().parent
    measurements: list[tuple[ir.DataSource, Measurement]] = []
    faults: list[Diagnostic] = []
    for source in sources:
        if CLUSTER in source.options:  # of no file of its own
            continue
        try:
            measurement = read(source, root, checked.allow_outside)
            measurements.append((source, measurement))
        except ReaderError as error:
            place = source.places.get(error.key, source.place)
            fault = at_place(error.code, error.words, place)
            faults += [fault] if fault not in faults else []
    return measurements, faults


def strategies(
    model: ir.Model[ir.Prior], measurements: tuple[Measurement, ...]
) -> list[RequireStrategy]:
    """How each `require` is kept, and the share of prior mass it leaves."""
    known = data_constants(model, measurements)
    return weighed(model, plan(model), known, 4000)
