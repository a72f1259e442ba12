"""`method lasso : lasso(alpha = grid(1e-4, 1e1, 60, log))` → `ir.Method`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specfit.language import tree
from specfit.model import ir
from specfit.model.constants import Quantity, constant
from specfit.model.faults import Faults, listing, nearest
from specfit.model.places import place
from specfit.model.regression_kinds import ESTIMATORS, Setting

_MOST = 500
"""Numbers in a grid."""
Values = ir.Grid | tuple[float, ...]


class MethodReader:
    """Reads the methods of one analysis; faulty ones are reported and left out."""

    def __init__(
        self, constants: Mapping[str, Any], faults: Faults, texts: Mapping[str, str]
    ) -> None:
        self.constants, self.faults, self.texts = constants, faults, texts
        self.found: dict[str, ir.Method] = {}
        self.faulty = False

    def read(self, block: tree.Block) -> None:
        """One `method` block."""
        made = self._method(block)
        self.faulty |= made is None
        if made is not None:
            self.found[made.name] = made

    def _method(self, block: tree.Block) -> ir.Method | None:
        name, span = block.name or "", block.name_span
        if not name:
            self.faults.add("name-missing", block.span, keyword="method")
            return None
        if name in self.found:
            self.faults.add("duplicate-statement", span, name=name)
            return None
        word = block.kind.text if isinstance(block.kind, tree.Path) else name
        given: tuple[tree.Argument, ...] = ()
        if isinstance(block.kind, tree.Call):
            word, given = block.kind.function.text, block.kind.arguments
        if word not in ESTIMATORS:
            where = block.kind.span if block.kind else span
            known = nearest(word, ESTIMATORS)
            self.faults.add("unknown-kind", where, name=word, known=known)
            return None
        arguments = self._arguments(word, given, block)
        if arguments is None:
            return None
        where_said = place(block.span, self.texts)
        return ir.Method(
            name=name,
            title=block.title or "",
            function=word,
            arguments=arguments,
            place=where_said,
        )

    def _arguments(
        self, word: str, given: tuple[tree.Argument, ...], block: tree.Block
    ) -> dict[str, Values] | None:
        settings = ESTIMATORS[word]
        found: dict[str, Values] = {}
        for argument in given:
            key = argument.name or ""
            if key not in settings or key in found:
                known = nearest(key, settings)
                self.faults.add("unknown-key", argument.span, key=key, known=known)
                return None
            values = self._values(argument.value, settings[key])
            if values is None:
                return None
            found[key] = values
        for key, setting in settings.items():
            if key not in found and not setting.usual:
                words = {"key": key, "name": block.name or ""}
                self.faults.say("missing-key", block.name_span, words)
                return None
            found.setdefault(key, setting.usual)
        return found

    def _values(self, node: tree.Expr, setting: Setting) -> Values | None:
        """A grid, a list or a number, each within what the setting may be."""
        if isinstance(node, tree.Call) and node.function.text == "grid":
            return self._grid(node, setting)
        items = node.items if isinstance(node, tree.ListOf) else (node,)
        numbers = [constant(item, self.constants) for item in items]
        single = setting.tuned or len(numbers) == 1
        if single and numbers and all(_within(n, setting) for n in numbers):
            return tuple(sorted({float(n) for n in numbers}))
        self._refuse(node, setting)
        return None

    def _grid(self, node: tree.Call, setting: Setting) -> ir.Grid | None:
        """`grid(low, high, count)` or `grid(low, high, count, log)`."""
        parts = [argument.value for argument in node.arguments]
        word = parts.pop() if len(parts) == 4 else None
        logarithmic = isinstance(word, tree.Path) and word.text == "log"
        numbers = [constant(part, self.constants) for part in parts]
        sound = len(numbers) == 3 and (word is None or logarithmic)
        if sound and all(isinstance(n, Quantity) and not n.dimension for n in numbers):
            low, high, count = numbers
            inside = _within(low, setting) and _within(high, setting) and low < high
            whole = float(count).is_integer() and 2 <= float(count) <= _MOST
            if setting.tuned and inside and whole:
                return ir.Grid(
                    low=low, high=high, count=int(count), logarithmic=logarithmic
                )
        self._refuse(node, setting)
        return None

    def _refuse(self, node: tree.Expr, setting: Setting) -> None:
        """Say what may stand there."""
        usual = "grid(1e-4, 1e1, 60, log)" if setting.tuned else "500"
        words = {"low": f"{setting.low:g}", "high": f"{setting.high:g}"}
        words |= {"usual": listing([usual])}
        self.faults.say("grid-expected", node.span, words)


def _within(number: object, setting: Setting) -> bool:
    if not isinstance(number, Quantity) or number.dimension:
        return False
    whole = not setting.whole or float(number).is_integer()
    return bool(setting.low <= number <= setting.high and whole)
