"""What is defined and never used, and templates that use what they do not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from specfit.language import tree
from specfit.model.belonging import setting_for
from specfit.model.elaborate import Elaborator
from specfit.model.faults import Faults
from specfit.model.kinds import MODEL_KINDS
from specfit.model.misplaced import report_setting, unused_number
from specfit.model.names import Entry
from specfit.model.outline import Outline
from specfit.model.walk import paths


def unused(
    found: Outline,
    templates: Mapping[str, tree.Block],
    works: Iterable[Elaborator],
    used: set[str],
    faults: Faults,
) -> None:
    """Report what no statement uses; `used` are constants that constants use."""
    works = tuple(works)
    applied: set[str] = set()
    for work in works:
        applied |= work.components.used_templates
        used |= work.names.used
    for work in works:
        _unused_parameters(work, used, faults)
    if not (found.models or found.analyses or found.maps):
        return
    for name, template in templates.items():
        if name not in applied:
            span = template.name_span
            faults.add("unused-template", span, severity="warning", name=name)
    blocks = [*found.data.values(), *found.models.values(), *templates.values()]
    blocks += (*found.analyses.values(), *found.maps.values())
    used |= {
        path.text for block in blocks for path in paths((block.binders, block.body))
    }
    for name, item in found.constants.items():
        counts = isinstance(item.value, tree.Number | tree.Unary | tree.Binary)
        if counts and name not in used:
            faults.add("unused-definition", item.span, name=name)


def _unused_parameters(work: Elaborator, used: set[str], faults: Faults) -> None:
    """Unknowns of the model's own that nothing uses only widen the answer.

    A number that nothing uses changes nothing: most often the name is a slip.
    """
    for entry in work.names.entries.values():
        if entry.signature is not None:
            continue
        inferred = isinstance(entry.statement, tree.Sample)
        if inferred and entry.name not in work.names.used:
            if setting_for(work.kind, entry.name):
                own = work.scalar_signatures()
                report_setting(entry.name, entry.span, work.kind, own, faults)
            else:
                faults.add("unused-parameter", entry.span, name=entry.name)
        elif _is_number(entry) and entry.name not in used:
            component, _, symbol = entry.name.rpartition(".")
            if component:
                work.components.no_parameter(component, symbol, entry.span)
            else:
                own = work.scalar_signatures()
                unused_number(symbol, entry.span, work.kind, own, faults)


def _is_number(entry: Entry) -> bool:
    value = entry.statement.value if isinstance(entry.statement, tree.Let) else None
    value = value.operand if isinstance(value, tree.Unary) else value
    return entry.origin == "explicit" and isinstance(value, tree.Number)


def hygiene(
    found: Outline, templates: Mapping[str, tree.Block], faults: Faults
) -> None:
    """A template may only use its arguments, its own names and constants."""
    symbols = {
        parameter.symbol
        for kind in MODEL_KINDS.values()
        for signature in kind.components.values()
        for parameter in signature.parameters
    }
    top = {*found.constants, *found.data, "db"}
    for template in templates.values():
        items = template.body.items if template.body else ()
        own = {*template.parameters, *symbols, *top, *_targets(items)}
        said = [i for i in items if isinstance(i, tree.Let | tree.Sample)]
        rules = [i for i in items if isinstance(i, tree.RuleStatement)]
        for path in paths((*said, *rules)):
            name = path.text
            if path.parts[0].name not in own and not faults.excuses(name):
                title = template.name or ""
                faults.add("template-free-name", path.span, name=name, template=title)


def _targets(items: tuple[tree.AnyStatement, ...]) -> set[str]:
    targets = set()
    for item in items:
        if isinstance(item, tree.Let):
            targets.add(item.target.parts[0].name)
        elif isinstance(item, tree.Sample):
            targets |= {target.parts[0].name for target in item.targets}
    return targets
