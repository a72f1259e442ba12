"""Which column of a file is meant: `column(2)`, `column("xmu")`, `log(column(2) / column(3))`.

Absorption is the logarithm of what goes in over what comes out, fluorescence the ratio
of what is emitted to what goes in; files that have only the counts of the chambers need
no column of absorption.
"""

from __future__ import annotations

from dataclasses import dataclass

from specfit.diagnostics import NOWHERE, Span
from specfit.language import tree

LOG, RATIO, PLAIN = "log", "ratio", ""


@dataclass(frozen=True)
class Told:
    """What stands for a column: how it is made, and of which, by number or title."""

    how: str
    columns: tuple[str, ...]
    unit: str | None = None
    unit_span: Span = NOWHERE

    @property
    def number(self) -> int:
        """The column where it is one and told by its number; else 0."""
        plain = self.how == PLAIN and self.columns[0].isdecimal()
        return int(self.columns[0]) if plain else 0

    @property
    def words(self) -> tuple[str, ...]:
        """As the typed model has it."""
        return (self.how, *self.columns)


def told(value: tree.Expr) -> Told | None:
    """What an expression says of a column, None where it says something else."""
    if isinstance(value, tree.Call) and value.function.text in ("log", "ln"):
        inside = value.arguments[0].value if len(value.arguments) == 1 else None
        pair = _ratio(inside)
        return Told(LOG, pair, value.unit, value.unit_span) if pair else None
    if pair := _ratio(value):
        return Told(RATIO, pair)
    one = _one(value)
    if one is None or not isinstance(value, tree.Call):
        return None
    return Told(PLAIN, (one,), value.unit, value.unit_span)


def _ratio(value: tree.Expr | None) -> tuple[str, str] | None:
    if not isinstance(value, tree.Binary) or value.operator != "/":
        return None
    left, right = _one(value.left), _one(value.right)
    return (left, right) if left and right else None


def _one(value: tree.Expr) -> str | None:
    """The number or title in `column(…)`."""
    if not isinstance(value, tree.Call) or value.function.text != "column":
        return None
    inside = value.arguments[0].value if len(value.arguments) == 1 else None
    if (
        isinstance(inside, tree.String)
        and inside.value
        and not inside.value.isdecimal()
    ):
        return inside.value
    whole = isinstance(inside, tree.Number) and inside.value == int(inside.value)
    if not isinstance(inside, tree.Number) or not whole or inside.value < 1:
        return None
    return str(int(inside.value))
