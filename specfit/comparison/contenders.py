"""Which models a comparison is of: files and their variants, of the same data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from specfit import pipeline
from specfit.checking import Checked, check_with_data
from specfit.diagnostics import SpecError
from specfit.found import at_place
from specfit.model import ir


@dataclass(frozen=True)
class Contender:
    """A model that may be compared: its file, its variant, and how it is called."""

    name: str
    checked: Checked
    variant: str | None

    @property
    def model(self) -> ir.Model[ir.Prior]:
        """The typed model."""
        document = self.checked.require()
        return document.variants[self.variant] if self.variant else document.models[0]


def contenders(paths: Sequence[Path], allow_outside: bool = False) -> list[Contender]:
    """The finished model and every variant of each file.

    Raises
    ------
    SpecError
        A file has faults, or fewer than two models are named, or they cannot be
        compared.

    """
    found = []
    for path in paths:
        checked = check_with_data(path, allow_outside)
        document = checked.require()
        refuse_several(checked)
        name = _name(path, paths)
        if not document.counts:
            found.append(Contender(name, checked, None))
        found += [Contender(f"{name}:{v}", checked, v) for v in document.variants]
    if len(found) < 2:
        place = ir.Place(file=str(paths[0]))
        fault = at_place("compare-one", {"path": str(paths[0])}, place)
        raise SpecError([fault], found[0].checked.texts)
    _refuse_unlike(found)
    return found


def refuse_several(checked: Checked) -> None:
    """Refuse a file that does not have exactly one model.

    Raises SpecError.
    """
    count = len(checked.require().models)
    if count != 1:
        place = ir.Place(file=str(checked.path))
        code = "map-sampled" if checked.require().maps else "one-model"
        fault = at_place(code, {"count": str(count)}, place)
        raise SpecError([fault], checked.texts)


def _name(path: Path, paths: Sequence[Path]) -> str:
    """The stem of a file, or the whole path where two files have the same."""
    alike = [other for other in paths if other.stem == path.stem]
    return path.stem if len(alike) == 1 else str(path)


def _refuse_unlike(found: Sequence[Contender]) -> None:
    """Refuse models of different data or with different likelihoods.

    Raises SpecError.
    """
    first = found[0]
    spectra = pipeline.measure(first.model, first.checked)
    for other in found[1:]:
        names = {"one": first.name, "other": other.name}
        place = ir.Place(file=str(other.checked.path))
        theirs = pipeline.measure(other.model, other.checked)
        same = len(spectra) == len(theirs) and all(
            np.array_equal(a.values, b.values)
            for a, b in zip(spectra, theirs, strict=True)
        )
        if not same:
            fault = at_place("compare-data", names, place)
            raise SpecError([fault], other.checked.texts)
        noises = [
            sorted(s.noise.family for s in c.model.spectra) for c in (first, other)
        ]
        if noises[0] != noises[1]:
            words = {"first": ", ".join(noises[0]), "second": ", ".join(noises[1])}
            fault = at_place("compare-likelihood", {**names, **words}, place)
            raise SpecError([fault], other.checked.texts)
