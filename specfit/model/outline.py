"""The statements at the top of a file, sorted by what they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from specfit.diagnostics import Span
from specfit.language import tree
from specfit.model.faults import Faults, closest
from specfit.model.kinds import MAP_KINDS, MODEL_KINDS


@dataclass
class Outline:
    """The top-level statements of a file; a name is kept where it stands first."""

    title: str = ""
    data: dict[str, tree.Block] = field(default_factory=dict)
    models: dict[str, tree.Block] = field(default_factory=dict)
    maps: dict[str, tree.Block] = field(default_factory=dict)
    analyses: dict[str, tree.Block] = field(default_factory=dict)
    variants: dict[str, tree.Block] = field(default_factory=dict)
    runs: list[tree.Block] = field(default_factory=list)
    reports: list[tree.Block] = field(default_factory=list)
    overrides: list[tree.Override] = field(default_factory=list)
    constants: dict[str, tree.Let] = field(default_factory=dict)
    firsts: dict[tuple[str, str], Span] = field(default_factory=dict)


def outline(statements: tuple[tree.AnyStatement, ...], faults: Faults) -> Outline:
    """Sort the statements; what cannot stand at the top is reported."""
    found = Outline()
    for item in statements:
        match item:
            case tree.Title(value=value):
                found.title = value
                _once(found, "title", "title", item.span, faults)
            case tree.Let() if len(item.target.parts) == 1:
                name = item.target.text
                if _once(found, "constant", name, item.target.span, faults):
                    found.constants[name] = item
            case tree.Override():
                found.overrides.append(item)
            case tree.Block():
                _block(found, item, faults)
            case _:
                faults.add("not-at-top", item.span)
    return found


def _block(found: Outline, item: tree.Block, faults: Faults) -> None:
    named = {
        "data": found.data,
        "model": found.maps if _of_maps(item) else found.models,
        "analysis": found.analyses,
        "variant": found.variants,
    }
    if item.keyword in named and item.name is None:
        faults.add("name-missing", item.span, keyword=item.keyword)
    elif item.keyword in named:
        into, name = named[item.keyword], item.name or ""
        if _once(found, item.keyword, name, item.name_span, faults):
            into[name] = item
    elif item.keyword == "run":
        found.runs.append(item)
        _once(found, "run", "run", item.span, faults)
    elif item.keyword == "report":
        found.reports.append(item)
        _once(found, "report", item.name or "report", item.name_span, faults)
    else:
        faults.add("not-at-top", item.span)


def _once(found: Outline, sort: str, name: str, span: Span, faults: Faults) -> bool:
    """Is this the first of its name?  Another is reported, with the place of it."""
    first = found.firsts.setdefault((sort, name), span)
    if first == span:
        return True
    code = "duplicate-statement" if sort == name else "duplicate-definition"
    faults.add(code, span, name=name, note=(first, "first-here", dict[str, str]()))
    return False


def _of_maps(block: tree.Block) -> bool:
    """Is it a factorisation, or a slip of the word for one?"""
    word = kind_word(block)
    if word in (*MODEL_KINDS, *MAP_KINDS) or not word:
        return word in MAP_KINDS
    return closest(word, [*MODEL_KINDS, *MAP_KINDS]) in MAP_KINDS


def kind_word(block: tree.Block) -> str:
    """The kind of a block as written; `model peaks on xrd` is named by its kind."""
    if isinstance(block.kind, tree.Call):
        return block.kind.function.text
    if block.kind is None and block.keyword == "model":
        word = block.name or ""
        return word if word in (*MODEL_KINDS, *MAP_KINDS) else ""
    return block.kind.text if block.kind else ""
