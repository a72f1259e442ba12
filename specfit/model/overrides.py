"""`override RULE = SEVERITY because "…"` → what a file says of the rules that judge it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from specfit import units
from specfit.diagnostics import Span
from specfit.language import tree
from specfit.model import ir
from specfit.model.constants import Quantity, constant
from specfit.model.faults import Faults, nearest
from specfit.model.places import place
from specfit.model.quantities import known_unit, wrong_unit
from specfit.model.rule_library import LIBRARY, RuleEntry, Threshold, entries

SEVERITIES = (*get_args(ir.Severity), "off")


class OverrideReader:
    """Reads the overrides of one file; faulty ones are reported and left out."""

    def __init__(
        self,
        libraries: Sequence[str],
        constants: Mapping[str, Any],
        faults: Faults,
        texts: Mapping[str, str],
    ) -> None:
        self.libraries, self.constants = libraries, constants
        self.faults, self.texts = faults, texts

    def read(self, items: Sequence[tree.Override]) -> tuple[ir.Override, ...]:
        """Every override, each name once."""
        first: dict[str, tree.Override] = {}
        found = []
        for item in items:
            name = item.target.text
            if first.setdefault(name, item) is not item:
                note = (first[name].span, "first-here", dict[str, str]())
                span = item.span
                self.faults.add("duplicate-statement", span, name=name, note=note)
            elif (override := self._one(item)) is not None:
                found.append(override)
        return tuple(found)

    def _one(self, item: tree.Override) -> ir.Override | None:
        if not item.because:
            self.faults.add("because-missing", item.span, keyword="override")
        name, _, threshold = item.target.text.partition(".")
        entry = self._entry(name, item)
        if entry is None:
            return None
        said: dict[str, Any] = {"rule": name, "because": item.because or ""}
        said["place"] = place(item.span, self.texts)
        if not threshold:
            strength = self._severity(name, item.value)
            return ir.Override(**said | {"severity": strength}) if strength else None
        value = self._threshold(name, threshold, entry, item)
        if value is None:
            return None
        return ir.Override(threshold=threshold, value=value, **said)

    def _entry(self, name: str, item: tree.Override) -> RuleEntry | None:
        """The rule of that name, if there is one that a file may override."""
        entry, span = entries().get(name), item.target.span
        if entry is None:
            known = nearest(name, entries())
            self.faults.add("unknown-rule", span, name=name, known=known)
        elif entry.held:
            self.faults.add("rule-held", span, name=name)
            return None
        elif not entry.always and not self.libraries:
            self.faults.add("rule-not-used", span, name=name, library=LIBRARY)
        return entry

    def _severity(self, name: str, value: tree.Expr) -> str:
        word = constant(value, {})
        word = value.text if isinstance(value, tree.Path) else word
        if word in SEVERITIES:
            return str(word)
        written = self._written(value)
        near = nearest(written, SEVERITIES)
        self.faults.add("unknown-word", value.span, key=name, word=written, known=near)
        return ""

    def _written(self, value: tree.Expr) -> str:
        return self.texts[value.span.file][value.span.start : value.span.end]

    def _threshold(
        self, name: str, key: str, entry: RuleEntry, item: tree.Override
    ) -> float | None:
        known = entry.thresholds.get(key)
        if known is None:
            near = nearest(key, entry.thresholds)
            self.faults.add(
                "unknown-threshold", item.target.span, name=name, key=key, known=near
            )
            return None
        if entry.fixed:
            self.faults.add("threshold-fixed", item.target.span, name=name, key=key)
            return None
        return self._quantity(key, known, item.value)

    def _quantity(self, key: str, known: Threshold, value: tree.Expr) -> float | None:
        wanted = units.parse_unit(known.unit).dimension if known.unit else ()
        node = value.operand if isinstance(value, tree.Unary) else value
        if isinstance(node, tree.Number):
            if node.unit is None and wanted:
                self.faults.add("unit-missing", node.span, unit=known.unit)
                return None
            if node.unit and known_unit(self.faults, node.unit, node.unit_span) is None:
                return None
        number = constant(value, self.constants)
        if not isinstance(number, Quantity):
            self.faults.add("threshold-expected", value.span, key=key)
            return None
        if number.dimension != wanted:
            wrong_unit(self.faults, value.span, key, "", wanted, number.dimension)
            return None
        return float(number)


def judged(
    document: ir.Document[ir.Declared] | None,
    reader: OverrideReader,
    items: Sequence[tree.Override],
    states: Sequence[Span],
) -> ir.Document[ir.Declared] | None:
    """The document, its models with the rules that the file uses and overrides.

    states: where a site says what class of iron it is, which a library would judge.
    """
    overrides = reader.read(items)
    for span in states if not reader.libraries else ():
        reader.faults.add("state-unjudged", span)
    if document is None:
        return None
    said = {"libraries": reader.libraries, "overrides": overrides}
    models = tuple(model.model_copy(update=said) for model in document.models)
    variants = {n: m.model_copy(update=said) for n, m in document.variants.items()}
    return document.model_copy(update={"models": models, "variants": variants})
