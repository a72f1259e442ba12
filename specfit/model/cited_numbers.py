"""The numbers that a call of `db` is given: `T = 295 K`, `SOC = 50 %`, `widen = 4`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from specfit import units
from specfit.language import tree
from specfit.model.expressions import evaluate, references
from specfit.model.faults import Faults, nearest
from specfit.model.quantities import Context, mismatch
from specfit.model.typed import Typer
from specfit.model.walk import paths

WIDEN = "widen"


@dataclass(frozen=True)
class CitedNumbers:
    """Reads them, constants of the file and conditions of the data put in."""

    typer: Typer
    faults: Faults
    wanted: Mapping[str, units.Dimension]
    fault: str  # for what is no such number
    zero: tuple[str, ...] = ()  # which may be 0

    def read(
        self, arguments: Sequence[tree.Argument], context: Context
    ) -> dict[str, float] | None:
        """The numbers by name, None where any is at fault."""
        given: dict[str, float] = {}
        for argument in arguments:
            name = argument.name or ""
            if name not in self.wanted:
                known = nearest(name, self.wanted)
                self.faults.add("unknown-key", argument.span, key=name, known=known)
                return None
            value = self._number(argument.value, name, context)
            if value is None:
                return None
            given[name] = value
        return given

    def condition(self, name: str, context: Context) -> float | None:
        """A condition of the data at a level."""
        conditions = self.typer.names.levels.conditions[context.level or 0]
        return conditions[name][0] if name in conditions else None

    def _number(self, node: tree.Expr, name: str, context: Context) -> float | None:
        names, wanted = self.typer.names, self.wanted[name]
        if any(self.faults.excuses(path.text) for path in paths(node)):
            return None
        inferred = [p for p in paths(node) if not names.known_before(p, context.level)]
        if inferred:
            names.used |= {path.text for path in inferred}
            self.faults.add(self.fault, node.span)
            return None
        typed = self.typer.expression(node, context)
        if typed is None:
            return None
        if typed.dimension != wanted:
            mismatch(self.faults, wanted, typed.dimension, node.span)
            return None
        known = not references(typed.value)
        value = float(evaluate(typed.value, {}, np)) if known else -1.0
        if not value > 0.0 and not (value == 0.0 and name in self.zero):
            self.faults.add(self.fault, node.span)
            return None
        return value
