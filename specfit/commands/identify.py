"""`specfit identify`: which phases of the database a spectrum shows."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from specfit import exits
from specfit.commands import identified
from specfit.commands.common import Reporter, say, show_diagnostics, writable
from specfit.diagnostics import NOWHERE, Diagnostic, Span, SpecError

if TYPE_CHECKING:
    from specfit.checking import Checked
    from specfit.contracts import Measurement, Progress
    from specfit.identify import PhasePattern
    from specfit.model import ir

RECORD = "identify.json"
PICTURE = "phases.png"


def identify(arguments: argparse.Namespace) -> int:
    """Rank sets of phases; exit 3 where none of the database explains anything."""
    from specfit import checking

    checked = checking.check_with_data(arguments.file, arguments.allow_outside)
    show_diagnostics(checked.diagnostics, checked.texts)
    if checked.errors:
        return exits.FAULT
    asked = _asked(checked, arguments)
    folder = arguments.out or Path("runs") / f"{arguments.file.stem}.identify"
    proposal = arguments.file.with_name(f"{arguments.file.stem}.identified.spec")
    _refuse(folder, proposal)
    reporter = None if arguments.quiet else Reporter()
    try:
        found = _found(asked, reporter)
    finally:
        if reporter:
            reporter.close()
    _write(found, checked, folder, proposal)
    if arguments.json:
        print((folder / RECORD).read_text(encoding="utf-8"))
    else:
        print(identified.text(found))
        if found.phases:
            print(
                f"\n{folder / PICTURE}\n{say('identify-written', path=str(proposal))}"
            )
    return exits.ACCEPTED if found.phases else exits.NOT_CONVERGED


@dataclass(frozen=True)
class Asked:
    """One spectrum, what the `data` block says of it, and the phases to consider."""

    source: ir.DataSource
    measured: Measurement
    phases: tuple[PhasePattern, ...]
    held: frozenset[str]  # elements surely in one of them
    restricted: bool

    @property
    def temperature(self) -> float:
        """Of the sample, K."""
        return self.source.conditions["T"]


def _asked(checked: Checked, arguments: argparse.Namespace) -> Asked:
    """The spectrum and the phases to consider, or the fault as a `SpecError`."""
    from specfit.identify.asked import NotAnElement, candidates, elements_of, listed
    from specfit.model.records import RecordError

    if len(checked.measured) != 1:
        count = str(len(checked.measured))
        raise _fault(checked, "identify-one-spectrum", Span(str(checked.path)), count)
    source, measured = checked.measured[0]
    if "T" not in source.conditions:
        raise _fault(checked, "identify-no-temperature", _at(source, ""), source.data)
    options = source.options
    names = listed(arguments.phases or str(options.get("phases", "")))
    said = arguments.elements or str(options.get("elements", ""))
    temperature = source.conditions["T"]
    try:
        elements, held = elements_of(said)
        phases = candidates(temperature, names, elements)
    except RecordError as error:
        span = NOWHERE if arguments.phases else _at(source, "phases")
        fault = Diagnostic(error.code, span, error.words)
        raise SpecError([fault], checked.texts) from error
    except NotAnElement as error:
        span = NOWHERE if arguments.elements else _at(source, "elements")
        raise _fault(checked, "identify-element", span, str(error)) from error
    if not phases:
        asked = arguments.phases or arguments.elements
        span = NOWHERE if asked else _at(source, "T")
        raise _fault(checked, "identify-no-phase", span, f"{temperature:g}")
    return Asked(source, measured, phases, held, bool(names or elements))


def _at(source: ir.DataSource, key: str) -> Span:
    """The statement of the block that says `key`; "" is its name."""
    place = source.places.get(key, source.place)
    return Span(place.file, place.start, place.end)


def _fault(checked: Checked, code: str, span: Span, word: str) -> SpecError:
    words = {"count": word, "name": word, "temperature": word}
    return SpecError([Diagnostic(code, span, words)], checked.texts)


def _refuse(folder: Path, proposal: Path) -> None:
    """Stop before the work where something else than an identification would go."""
    if folder.exists():
        if not folder.is_dir():
            raise FileExistsError(f"{folder} is a file, not a folder")
        if any(folder.iterdir()) and not (folder / RECORD).exists():
            raise FileExistsError(f"{folder} is not empty and holds no identification")
    writable(folder)
    writable(proposal.parent)
    if proposal.exists():
        start = proposal.read_bytes()[: len(identified.MARK)]
        if start != identified.MARK.encode():
            span, words = Span(str(proposal)), {"path": str(proposal)}
            raise SpecError([Diagnostic("identify-would-overwrite", span, words)])


def _found(asked: Asked, progress: Progress | None) -> identified.Identified:
    from specfit import identify as search

    spectrum = search.Spectrum.of(asked.measured)

    def tell(done: float, words: str) -> None:
        if progress:
            progress("identify", done, words)

    tell(0.0, "")
    considered = (*asked.phases, *search.unknowns())
    ranking = search.identify(spectrum, considered, tell, asked.held)
    return identified.Identified(
        asked.source,
        asked.measured,
        asked.phases,
        spectrum,
        ranking,
        asked.restricted,
    )


def _write(
    found: identified.Identified, checked: Checked, folder: Path, proposal: Path
) -> None:
    from specfit.report.figures import phases
    from specfit.report.writing import write_text

    record = json.dumps(identified.record(found), ensure_ascii=False, indent=2)
    write_text(folder / RECORD, record)
    picture = folder / PICTURE
    if found.answers:
        picture.write_bytes(phases.draw(identified.picture(found)))
    else:
        picture.unlink(missing_ok=True)
    if found.phases:
        write_text(proposal, identified.proposal(found, checked))
    else:
        proposal.unlink(missing_ok=True)
