"""`specfit explain`: what each name is, its prior and sources; the rules that judge.

A kind of site or of model, or `state`, is explained without a file, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from specfit import exits, pipeline
from specfit.commands.common import show_diagnostics
from specfit.diagnostics import NOWHERE, Diagnostic
from specfit.model import (
    analysis_glossary,
    glossary,
    ir,
    map_glossary,
    map_language,
    rule_library,
)
from specfit.model.expressions import to_text
from specfit.model.faults import nearest
from specfit.model.kinds import MODEL_KINDS
from specfit.model.priors import describe, resolve
from specfit.model.records import RecordError
from specfit.model.wording import prior_text
from specfit.text import pad

_ORIGINS = {
    "explicit": "this file",
    "database": "the database",
    "template": "a template",
    "default": "the default of the kind",
    "calibration": "the velocity calibration",
    "file": "the file of the path",
}


def explain(arguments: argparse.Namespace) -> int:
    """Explain one name, rule or kind, or all that a file has."""
    word, wanted = str(arguments.file), arguments.name
    known = [] if arguments.file.exists() else _of_language(word, wanted)
    if known:
        print("\n".join(known))
        return exits.ACCEPTED
    checked = pipeline.check(arguments.file, arguments.allow_outside)
    show_diagnostics(checked.diagnostics, checked.texts)
    if checked.errors:
        return exits.FAULT
    document = checked.require()
    blocks = [block for model in document.models for block in _blocks(model)]
    blocks += [block for asked in document.maps for block in map_glossary.blocks(asked)]
    blocks += [b for one in document.analyses for b in analysis_glossary.blocks(one)]
    if wanted:
        names = [name for name, _ in blocks]
        inside = (f"{wanted}.", f"{wanted}[")
        blocks = [b for b in blocks if b[0] == wanted or b[0].startswith(inside)]
        blocks = blocks or [(wanted, lines) for lines in _kinds(document, wanted)]
        if not blocks:
            words = {"name": wanted, "known": nearest(wanted, names)}
            fault = Diagnostic("unknown-name", NOWHERE, words)
            show_diagnostics([fault], checked.texts)
            return exits.FAULT
    for _, lines in blocks:
        print("\n".join(lines))
    return exits.ACCEPTED


def _of_language(word: str, inside: str | None) -> list[str]:
    """What a word is without a file; empty where it is none."""
    known = glossary.explain(word, inside)
    if known or inside:
        return known
    return [*analysis_glossary.explain(word), *map_language.explain(word)]


def _kinds(document: ir.Document[ir.Prior], word: str) -> list[list[str]]:
    """A kind of site of the isotopes of a file's models, or a word without isotope."""
    kinds = dict.fromkeys(model.kind for model in document.models)
    found = [glossary.site(MODEL_KINDS[kind], word) for kind in kinds]
    elsewhere = [_of_language(word, None)]
    return [lines for lines in found if lines] or [x for x in elsewhere if x]


def _blocks(model: ir.Model[ir.Prior]) -> Iterator[tuple[str, list[str]]]:
    replaced = _replaced(model)
    meant = {name: [f"    {x}"] for name, x in glossary.meanings(model).items()}
    for parameter in model.parameters:
        first, *rest = _parameter(parameter)
        lines = [first, *meant.get(parameter.name, []), *rest]
        yield parameter.name, lines + replaced.get(parameter.name, [])
    for joint in model.joints:
        numbers = ", ".join(f"{c:g}" for c in joint.concentrations)
        names = ", ".join(joint.names)
        text = f"({names}) ~ dirichlet({numbers}), sum {joint.total:g}"
        for name in joint.names:
            lines = [f"{pad(name, 12)} {text}", *meant.get(name, [])]
            yield name, [*lines, f"    said by {_origin(joint)}"]
    for definition in model.definitions:
        text = f"= {to_text(definition.value)} {definition.unit}".rstrip()
        lines = [f"{pad(definition.name, 12)} {text}", *meant.get(definition.name, [])]
        lines.append(f"    said by {_origin(definition)}")
        if definition.because:
            lines.append(f"    because {definition.because}")
        yield definition.name, lines + replaced.get(definition.name, [])
    yield from _rules(model)


def _rules(model: ir.Model[ir.Prior]) -> Iterator[tuple[str, list[str]]]:
    """The rules that judge, those that hold by construction, and those that are off."""
    for rule in rule_library.in_force(model):
        lines = [f"{pad(rule.name, 12)} {rule.severity} rule: {rule.entry.title}"]
        yield rule.name, lines + [f"    {x}" for x in rule_library.describe(rule)]
    of_iron = model.kind.startswith("mossbauer")
    for name, entry in rule_library.held().items() if of_iron else ():
        lines = [f"{pad(name, 12)} holds by construction: {entry.title}"]
        lines.append(f"    kept by: {entry.held}")
        yield name, [*lines, f"    {entry.basis}: {entry.grounds}"]
    for override in model.overrides:
        if override.severity == "off":
            where = rule_library.where(override)
            lines = [f"{pad(override.rule, 12)} does not judge{where}"]
            yield override.rule, [*lines, f"    because {override.because}"]


def _replaced(model: ir.Model[ir.Prior]) -> dict[str, list[str]]:
    """What the database would have said of the values that the file states itself."""
    cited = {p.name for p in model.parameters if p.prior.provenance is not None}
    found: dict[str, list[str]] = {}
    for site in (site for spectrum in model.spectra for site in spectrum.sites):
        for symbol, citation in site.offered.items():
            name = site.parameters[symbol]
            if name not in cited:
                lines = _database(citation)
                known = found.setdefault(name, [])
                known += [] if lines[0] in known else lines
    return found


def _database(citation: ir.Citation) -> list[str]:
    try:
        prior = resolve(citation)
    except RecordError as error:
        words = f"in place of the database, which has nothing here ({error.code})"
        return [f"    {words}"]
    unit = "T" if citation.parameter == "Bint" else "mm/s"
    text = prior_text(prior.dist, unit)
    head = f"in place of the database at {citation.temperature:g} K: ~ {text}"
    return [f"    {line}" for line in (head, *(f"  {x}" for x in describe(prior)))]


def _parameter(parameter: ir.Parameter[ir.Prior]) -> Iterator[str]:
    text = prior_text(parameter.prior.dist, parameter.unit)
    title = f"   {parameter.title}" if parameter.title else ""
    yield f"{pad(parameter.name, 12)} ~ {text}{title}"
    yield f"    said by {_origin(parameter)}"
    if parameter.because:
        yield f"    because {parameter.because}"
    for line in describe(parameter.prior):
        yield f"    {line}"


def _origin(
    item: ir.Parameter[ir.Prior] | ir.Definition | ir.Joint,
) -> str:
    where = f", line {item.place.line}" if item.place.line else ""
    return _ORIGINS[item.origin] + where
