"""`require`, `expect` and `check` of a factorisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specfit.language import tree
from specfit.language.printer import print_expression
from specfit.model.constants import Quantity, constant
from specfit.model.curves import CurveReader
from specfit.model.factorising import Curve, MapCheck, Order, Overlap, Roughness
from specfit.model.faults import Faults, listing, nearest
from specfit.model.map_words import ENERGY, Names, plain_number, usage
from specfit.model.places import place
from specfit.model.quantities import wrong_unit

_OF_ONE = ("centroid", "share")
_WHOLE = ("components", "chi2")
_FIGURES = (*_WHOLE, "overlap", *_OF_ONE, "match")
_SIGNS = ("<", "<=", ">", ">=", "==")
_ORDERS = {"increasing": True, "decreasing": False}
_COMPARISONS = {"≤": "<=", "≥": ">="}


class MapRules:
    """Reads the rules of one factorisation; faults are reported."""

    def __init__(
        self,
        names: Names,
        count: int,
        constants: Mapping[str, Any],
        curves: CurveReader,
        faults: Faults,
        texts: Mapping[str, str],
    ) -> None:
        self.names, self.count, self.curves = names, count, curves
        self.constants, self.faults, self.texts = constants, faults, texts
        self.said: dict[str, Any] = {}
        self.checks: list[MapCheck] = []

    def read(self, item: tree.RuleStatement) -> None:
        """One rule; a `require` or `expect` must say why."""
        if item.keyword != "check" and not item.because:
            self.faults.add("because-missing", item.span, keyword=item.keyword)
            return
        {"require": self._order, "expect": self._expect, "check": self._check}[
            item.keyword
        ](item)

    def _order(self, item: tree.RuleStatement) -> None:
        """`increasing(centroid(S, along = energy))`."""
        call, inner = item.expression, None
        if isinstance(call, tree.Call) and len(call.arguments) == 1:
            inner = call.arguments[0].value
        rising = (
            _ORDERS.get(call.function.text) if isinstance(call, tree.Call) else None
        )
        if rising is None or not self._centroid(inner):
            return usage(self.faults, "order", item.expression.span, self.names)
        said = {"because": item.because, "place": place(item.span, self.texts)}
        self.said["order"] = Order.model_validate({"rising": rising, **said})
        return None

    def _centroid(self, node: tree.Expr | None) -> bool:
        if not isinstance(node, tree.Call) or node.function.text != "centroid":
            return False
        said = {a.name or "": a.value for a in node.arguments}
        words = {k: v.text for k, v in said.items() if isinstance(v, tree.Path)}
        return words in (
            {"": self.names.spectra, "along": "energy"},
            {"": self.names.spectra},
        )

    def _expect(self, item: tree.RuleStatement) -> None:
        """`expect overlap(C) ~ 0.00 ± 0.10`, `expect roughness(C) ~ 0.00 ± 0.10`."""
        rough = _word(item.expression) == "roughness"
        what, most = ("roughness", 0.0) if rough else ("overlap", 1.0)
        centre = item.prior.centre if item.prior else None
        known = self._of_maps(item.expression, what)
        if not known or not isinstance(centre, tree.PlusMinus):
            what = what if _word(item.expression) == what else "expect"
            return usage(self.faults, what, item.span, self.names)
        mean, sd = (
            plain_number(constant(x, self.constants))
            for x in (centre.centre, centre.sd)
        )
        if mean is None or sd is None or not 0 <= mean <= most or not sd > 0:
            return usage(self.faults, what, item.span, self.names)
        said = {"because": item.because, "place": place(item.span, self.texts)}
        if what in self.said:
            self.faults.add("duplicate-statement", item.span, name=f"expect {what}")
        elif rough:
            self.said[what] = Roughness.model_validate({"sd": sd, **said})
        else:
            self.said[what] = Overlap.model_validate({"mean": mean, "sd": sd, **said})
        return None

    def _of_maps(self, node: tree.Expr, word: str = "overlap") -> bool:
        given = node.arguments if isinstance(node, tree.Call) else ()
        names = [a.value.text for a in given if isinstance(a.value, tree.Path)]
        called = isinstance(node, tree.Call) and node.function.text == word
        return called and names == [self.names.maps]

    def _check(self, item: tree.RuleStatement) -> None:
        """A figure against a bound: `match(S[1], db("MnO.L23")) > 0.95`."""
        test = item.expression
        single = isinstance(test, tree.Compare) and len(test.operators) == 1
        left = _compared_with(test)
        found = self._figure(left) if self._known(left) else None
        if self.faults.within(item.span):
            return None
        figure, component, curve = found or (_word(left), 0, None)
        sign = ""
        if isinstance(test, tree.Compare) and single:
            sign = _COMPARISONS.get(test.operators[0], test.operators[0])
        if found is None:
            return self._usage(figure, test)
        if sign not in _SIGNS or (sign == "==" and figure != "components"):
            return self._compared(left, test)
        assert isinstance(test, tree.Compare)
        bound = self._bound(figure, test.operands[1])
        if bound is None:
            return self._usage(figure, test)
        self.checks.append(
            MapCheck.model_validate(
                {
                    "figure": figure, "component": component, "curve": curve,
                    "comparison": sign, "bound": bound, "because": item.because or "",
                    "place": place(item.span, self.texts),
                }
            )
        )  # fmt: skip
        return None

    def _known(self, node: tree.Expr) -> bool:
        """Is it a figure that maps have?  Another is reported."""
        word = _word(node)
        if word in _FIGURES:
            return True
        if not self.faults.within(node.span):
            near = nearest(word, _FIGURES)
            words = {"name": word or print_expression(node), "known": near}
            self.faults.say("map-figure", node.span, words)
        return False

    def _usage(self, figure: str, test: tree.Expr) -> None:
        what = {"overlap": "check overlap"}.get(figure, figure)
        usage(self.faults, what, test.span, self.names)

    def _compared(self, left: tree.Expr, test: tree.Expr) -> None:
        """A figure that is not held against one number."""
        figure = print_expression(left)
        known = listing(_SIGNS[: None if figure == "components" else -1])
        words = {"figure": figure, "known": known}
        self.faults.say("map-comparison", test.span, words)

    def _bound(self, figure: str, node: tree.Expr) -> float | None:
        """What a figure is held against; None, and a unit that is wrong is reported."""
        wanted = ENERGY if figure == "centroid" else ()
        value = constant(node, self.constants)
        bound = plain_number(value, wanted)
        if bound is None and isinstance(value, Quantity):
            said = (self.faults, node.span, figure, "", wanted, value.dimension)
            wrong_unit(*said)
        return bound

    def _figure(self, node: tree.Expr) -> tuple[str, int, Curve | None] | None:
        """What is compared, of which component, with which curve."""
        if isinstance(node, tree.Path) and node.text in _WHOLE:
            return node.text, 0, None
        if self._of_maps(node):
            return "overlap", 0, None
        if not isinstance(node, tree.Call) or not node.arguments:
            return None
        word, given = node.function.text, [a.value for a in node.arguments]
        wanted = self.names.maps if word == "share" else self.names.spectra
        number = self._component(given[0], wanted)
        if number is None:
            return None
        if word == "match" and len(given) == 2:
            curve = self.curves.curve(given[1])
            return (word, number, curve) if curve else None
        return (word, number, None) if word in _OF_ONE and len(given) == 1 else None

    def _component(self, node: tree.Expr, symbol: str) -> int | None:
        """The number in `S[1]`."""
        index = node.parts[-1].index if isinstance(node, tree.Path) else None
        if not isinstance(node, tree.Path) or node.text != symbol or not index:
            return None
        number = plain_number(constant(index[0], self.constants))
        if number is None or len(index) > 1:
            return None
        if number not in range(1, self.count + 1):
            words = {"name": symbol, "count": str(self.count)}
            self.faults.say("map-index", node.span, words)
            return None
        return int(number)


def _compared_with(test: tree.Expr) -> tree.Expr:
    """The figure in a comparison, which may stand between two numbers."""
    if isinstance(test, tree.Within):
        return test.operand
    if not isinstance(test, tree.Compare):
        return test
    said = [one for one in test.operands if _word(one)]
    return said[0] if said and len(test.operands) > 2 else test.operands[0]


def _word(node: tree.Expr) -> str:
    """The first word of an expression."""
    if isinstance(node, tree.Call):
        return node.function.text
    return node.text if isinstance(node, tree.Path) else ""
