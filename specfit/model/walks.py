"""`a ~ random_walk(a0, t) per stage`: each level a step away from the one before it.

Of the first level a0 is the value before.  Levels are in the order of the data block, so
that nothing but a normal about another unknown is new to the density.
"""

from __future__ import annotations

from specfit.language import tree
from specfit.model import ir
from specfit.model.quantities import Context
from specfit.model.typed import Typer

WALK = "random_walk"


def steps(
    typer: Typer,
    node: tree.Call,
    arguments: list[ir.Expression],
    context: Context,
    name: str,
) -> bool:
    """Let the first argument be the value at the level before; False after a fault."""
    names = typer.names
    entry = names.entries.get(name)
    if entry is None or not (entry.local and names.levels.dimension):
        typer.faults.add("walk-levels", node.function.span, name=name)
        return False
    if context.level:
        arguments[0] = ir.Ref(name=names.qualified(entry, context.level - 1))
    return True
