"""`specfit explain`: what each name is, its prior, and where the prior comes from."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from specfit import exits, pipeline
from specfit.commands.common import show_diagnostics
from specfit.diagnostics import Diagnostic, Span
from specfit.model import ir
from specfit.model.expressions import to_text
from specfit.model.faults import nearest
from specfit.model.priors import describe
from specfit.model.wording import prior_text
from specfit.text import pad

_ORIGINS = {
    "explicit": "this file",
    "database": "the database",
    "template": "a template",
    "default": "the default of the kind",
    "calibration": "the velocity calibration",
}


def explain(arguments: argparse.Namespace) -> int:
    """Explain one name, or all of them."""
    checked = pipeline.check(arguments.file, arguments.allow_outside)
    show_diagnostics(checked.diagnostics, checked.texts)
    if checked.errors:
        return exits.FAULT
    document = checked.require()
    blocks = [block for model in document.models for block in _blocks(model)]
    wanted = arguments.name
    if wanted:
        names = [name for name, _ in blocks]
        blocks = [b for b in blocks if b[0] == wanted or b[0].startswith(f"{wanted}.")]
        if not blocks:
            words = {"name": wanted, "known": nearest(wanted, names)}
            fault = Diagnostic("unknown-name", Span(str(arguments.file)), words)
            show_diagnostics([fault], checked.texts)
            return exits.FAULT
    for _, lines in blocks:
        print("\n".join(lines))
    return exits.ACCEPTED


def _blocks(model: ir.Model[ir.Prior]) -> Iterator[tuple[str, list[str]]]:
    for parameter in model.parameters:
        yield parameter.name, list(_parameter(parameter))
    for joint in model.joints:
        numbers = ", ".join(f"{c:g}" for c in joint.concentrations)
        names = ", ".join(joint.names)
        text = f"({names}) ~ dirichlet({numbers}), sum {joint.total:g}"
        for name in joint.names:
            yield name, [f"{pad(name, 12)} {text}", f"    said by {_origin(joint)}"]
    for definition in model.definitions:
        text = f"= {to_text(definition.value)} {definition.unit}".rstrip()
        lines = [f"{pad(definition.name, 12)} {text}"]
        lines.append(f"    said by {_origin(definition)}")
        if definition.because:
            lines.append(f"    because {definition.because}")
        yield definition.name, lines


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
