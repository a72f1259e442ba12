"""Priors of basis spectra: `dirichlet(1.0)`, `smooth(2 eV)`, `like db("MnO.L23")`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specfit.diagnostics import Span
from specfit.language import tree
from specfit.language.printer import print_expression
from specfit.model.constants import constant
from specfit.model.factorising import Curve, SpectrumPrior
from specfit.model.faults import Faults, nearest
from specfit.model.map_words import ENERGY, Names, plain_number, usage
from specfit.model.places import place
from specfit.model.white_lines import NoCurve, known_records, white_lines

_SHELVES = ("db", "file")


class CurveReader:
    """Reads what is said of single spectra, and curves by file or record."""

    def __init__(
        self,
        names: Names,
        constants: Mapping[str, Any],
        faults: Faults,
        texts: Mapping[str, str],
    ) -> None:
        self.names, self.constants = names, constants
        self.faults, self.texts = faults, texts

    def prior(self, prior: tree.Prior, span: Span) -> SpectrumPrior | None:
        """What a basis spectrum is like before the data; None where that is at fault."""
        match prior.centre:
            case tree.Like(curve=call) if prior.bounds is None:
                return self._like(call)
            case tree.Call() as call if prior.bounds is None:
                made = self._shaped(call, span)
            case _:
                made = None
        if made is None:
            usage(self.faults, "spectra", span, self.names)
        return made

    def _shaped(self, call: tree.Call, span: Span) -> SpectrumPrior | None:
        """A flat Dirichlet, or neighbours that are alike."""
        word = call.function.text
        given = [constant(a.value, self.constants) for a in call.arguments]
        if len(given) != 1 or call.unit:
            return None
        if word == "smooth":
            width = plain_number(given[0], ENERGY)
            return self._made("smooth", span, width=width) if width else None
        flat = word == "dirichlet" and plain_number(given[0]) == 1.0
        return self._made("free", span) if flat else None

    def _made(self, kind: str, span: Span, **said: Any) -> SpectrumPrior:
        return SpectrumPrior.model_validate(
            {"kind": kind, "place": place(span, self.texts), **said}
        )

    def _like(self, call: tree.Call) -> SpectrumPrior | None:
        """`db("MnO.L23")`, `file("mno.msa")`; how much that counts is learned."""
        curve = self.curve(call)
        return self._made("like", call.span, curve=curve) if curve else None

    def curve(self, node: tree.Expr) -> Curve | None:
        """A curve by the name of its file or record; faults are reported."""
        given = node.arguments if isinstance(node, tree.Call) else ()
        names = [a.value.value for a in given if isinstance(a.value, tree.String)]
        word = node.function.text if isinstance(node, tree.Call) else ""
        single = len(names) == len(given) == 1 and not given[0].name
        if word and word not in _SHELVES:
            words = {"name": word, "known": nearest(word, _SHELVES)}
            self.faults.say("map-curve-word", node.span, words)
            return None
        if not word or not single:
            usage(self.faults, "like", node.span, self.names)
            return None
        said = {"text": print_expression(node), "place": place(node.span, self.texts)}
        if word == "file":
            return Curve.model_validate({"file": names[0], **said})
        try:
            white_lines(names[0])
        except NoCurve as error:
            known = nearest(names[0], known_records())
            self.faults.say(error.code, node.span, {**error.words, "known": known})
            return None
        return Curve.model_validate({"record": names[0], **said})
