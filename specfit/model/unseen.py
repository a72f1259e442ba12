"""What a spectrum would show of a component in closed form, left out where that is wrong."""

from __future__ import annotations

from dataclasses import replace

from specfit.language import tree
from specfit.model.components import Components
from specfit.model.names import Entry


def forget_unseen(components: Components) -> None:
    """Take the closed forms from components that Gaussians widen, wherever that is said."""
    entries, of = components.names.entries, components.names.components
    for name, component in components.found.items():
        spreads = [s for s in of[name] if s.startswith("sigma_")]
        if all(_is_zero(entries[f"{name}.{symbol}"]) for symbol in spreads):
            continue
        gone = {p.symbol for p in components.seen.get(component.kind, ())}
        for symbol in gone:
            entries.pop(f"{name}.{symbol}", None)
        of[name] = tuple(s for s in of[name] if s not in gone)
        kept = [p for p in component.signature.parameters if p.symbol not in gone]
        signature = replace(component.signature, parameters=tuple(kept))
        components.found[name] = replace(component, signature=signature)


def _is_zero(entry: Entry) -> bool:
    """Whether it is stated as the constant 0."""
    match entry.statement:
        case tree.Let(value=tree.Number(value=0.0)):
            return True
    return False
