"""Parameters that may be stated in place of others: `height` for `A`, `sigma` for `wG`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from specfit.contracts import Signature
from specfit.language import tree
from specfit.model.faults import Faults
from specfit.model.names import says
from specfit.model.substitution import OUTER
from specfit.model.walk import targets_of


def as_stated(
    signature: Signature,
    instead: Mapping[str, tuple[str, str]],
    items: tuple[tree.AnyStatement, ...],
    faults: Faults,
) -> Signature:
    """The signature with what `items` state as parameters, and what follows from them.

    instead: symbol → the parameter whose place it may take, and what that is then.
    """
    said = {t.removeprefix(OUTER): i for i in items for t in targets_of(i)}
    for symbol, (other, formula) in instead.items():
        item, first = said.get(symbol), signature.parameter(symbol)
        if item is None or first is None or says(item, first.default):
            continue
        if other in said:
            words = {"one": symbol, "other": other, "formula": first.default or ""}
            faults.say("either-or", item.span, words)
            formula = ""
        signature = _exchanged(signature, symbol, other, formula)
    return signature


def _exchanged(
    signature: Signature, symbol: str, other: str, formula: str
) -> Signature:
    """The signature with `symbol` as the parameter and `other` as what follows."""
    parameters = []
    for one in signature.parameters:
        if one.symbol == symbol:
            one = replace(one, computed=False, default=None, low=0.0)
        elif one.symbol == other and formula:
            one = replace(one, computed=True, default=formula, low=None)
        parameters.append(one)
    return replace(signature, parameters=tuple(parameters))
