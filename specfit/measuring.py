"""A .spec file as far as it is understood, and the data files that it names, read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from specfit.contracts import Measurement
from specfit.diagnostics import Diagnostic, Span, SpecError
from specfit.found import told
from specfit.language.tree import Spec
from specfit.made_of import attached, bases_of
from specfit.model import ir
from specfit.model.clustered import CLUSTER
from specfit.model.data_faults import together
from specfit.readers import ReaderError, load, read
from specfit.readers.files import located


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
    found, faults = read_all(model.sources, checked)
    bases, more = bases_of(model, partial(read_all, checked=checked), shapes_only)
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
    bases, faults = bases_of(model, partial(read_all, checked=checked))
    if faults:
        raise SpecError([*checked.diagnostics, *faults], checked.texts)
    return attached((grid,), bases)[0]


def measured(
    sources: tuple[ir.DataSource, ...], checked: Checked
) -> tuple[Measurement, ...]:
    """What the files of these sources hold.

    Raises
    ------
    SpecError
        A file cannot be read, or does not hold what the `data` block says.

    """
    found, faults = read_all(sources, checked)
    if faults:
        raise SpecError([*checked.diagnostics, *faults], checked.texts)
    return tuple(measurement for _, measurement in found)


def as_used(fault: Diagnostic, done: Checked) -> Diagnostic:
    """A warning where there are models and none uses the data."""
    document = done.document
    if document is None or not (document.models or document.analyses or document.maps):
        return fault
    models = (*document.models, *document.variants.values())
    sources = [s for model in models for s in (*model.sources, *model.bases)]
    sources += [analysis.source for analysis in document.analyses]
    sources += [one.source for one in document.maps]
    used = {
        place for source in sources for place in (source.place, *source.places.values())
    }
    spans = {Span(place.file, place.start, place.end) for place in used}
    return fault if fault.span in spans else replace(fault, severity="warning")


def absent(sources: Sequence[ir.DataSource], checked: Checked) -> list[Diagnostic]:
    """The faults of files that are not there or may not be read."""
    root = checked.path.resolve().parent
    errors: list[tuple[ReaderError, ir.Place]] = []
    for source in sources:
        look = located if source.kind == "hyperspectral" else load
        try:
            look(source.file, root, checked.allow_outside)
        except ReaderError as error:
            errors.append((error, source.place))
    return told(together(errors))


def read_all(
    sources: tuple[ir.DataSource, ...], checked: Checked
) -> tuple[list[tuple[ir.DataSource, Measurement]], list[Diagnostic]]:
    """What the files hold, as far as they can be read, and the faults of the others."""
    root = checked.path.resolve().parent
    measurements: list[tuple[ir.DataSource, Measurement]] = []
    errors: list[tuple[ReaderError, ir.Place]] = []
    for source in sources:
        if CLUSTER in source.options:  # of no file of its own
            continue
        try:
            measurement = read(source, root, checked.allow_outside)
            measurements.append((source, measurement))
        except ReaderError as error:
            errors.append((error, source.places.get(error.key, source.place)))
    return measurements, told(together(errors))
