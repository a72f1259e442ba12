"""What the words of the language mean: kinds of model and site, their parameters, states.

`specfit explain` and the report read it, so that a parameter is the same thing on both;
the sentences themselves stand with the kinds, in `sites` and `kinds`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from specfit import units
from specfit.contracts import ParameterSignature, Signature
from specfit.model.belonging import own_parameters
from specfit.model.catalog import table
from specfit.model.ir import Model, Site
from specfit.model.kinds import MODEL_KINDS, MOSSBAUER, REFERENCES, ModelKind
from specfit.model.records import class_ranges

STATE = "state"

_LEFT_OPEN = {
    "velocity_scale": "scale of the velocities",
    "velocity_zero": "zero of the velocities",
    "mirror_point": "channel at which the sweep turns",
    "halves_scale": "difference of the velocity scales of the two halves",
    "velocity_bend": "bend of the velocity, which goes with the square of the sweep",
    "halves_bend": "difference of the bends of the two halves",
    "velocity_cubic": "part of the velocity that goes with the cube of the sweep",
    "halves_cubic": "difference of the cubic parts of the two halves",
}
_OF_CALIBRATION = (
    "what the calibration leaves open of the {part}, in its standard error"
)


# ---------------------------------------------------------------- of one model


_SEVERAL = re.compile(r"\b([a-z]+1), (?:[a-z]+\d+, )*([a-z]+\d+)\b")
"""`c1, c2, c3` in a default, shown as `c1 … c3`."""


def meanings(model: Model[Any]) -> dict[str, str]:
    """What each parameter and definition is that a site or the model itself has."""
    own = {p.symbol: p.meaning for p, _ in own_parameters(MODEL_KINDS[model.kind])}
    for symbol, part in _LEFT_OPEN.items():
        own[symbol] = _OF_CALIBRATION.format(part=part)
    found: dict[str, str] = {}
    for spectrum in model.spectra:
        for symbol, name in spectrum.scalars.items():
            found[name] = own[symbol]
        for site in spectrum.sites:
            for parameter in signature_of(model.kind, site).parameters:
                found[site.parameters[parameter.symbol]] = parameter.meaning
    return found


def signature_of(kind: str, site: Site) -> Signature:
    """The signature of a site of a model of this kind."""
    whole = MODEL_KINDS[kind]
    word, one = next(x for x in whole.components.items() if x[1].name == site.kind)
    more = [p for p, _ in _seen(whole, word) if p.symbol in site.parameters]
    return replace(one, parameters=(*one.parameters, *more))


def _seen(kind: ModelKind, word: str) -> Iterator[tuple[ParameterSignature, str]]:
    """What a kind of site has besides, with the words of `absorber` that give it."""
    for absorber, components in kind.seen.items():
        for parameter in components.get(word, ()):
            yield parameter, f'absorber = "{absorber}"'


def symbols(model: Model[Any], wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Symbols of sites with what each means, once for each meaning it has."""
    sites = [site for spectrum in model.spectra for site in spectrum.sites]
    for symbol in wanted:
        said = [signature_of(model.kind, site).parameter(symbol) for site in sites]
        for meaning in dict.fromkeys(p.meaning for p in said if p is not None):
            yield symbol, meaning


# --------------------------------------------------------------- of the language


def explain(word: str, inside: str | None = None) -> list[str]:
    """What a kind of model, a kind of site or `state` is; empty for another word.

    inside: a kind of site of the model kind `word`.
    """
    if word == STATE and inside is None:
        return _states()
    if inside is not None:
        return site(MODEL_KINDS.get(word, MOSSBAUER), inside)
    if word in MODEL_KINDS:
        return _model(MODEL_KINDS[word])
    own = [kind for kind in MODEL_KINDS.values() if word in kind.components]
    return site(own[0], word) if own else []


def site(kind: ModelKind, word: str) -> list[str]:
    """One kind of site: each parameter with unit, default and meaning."""
    signature = kind.components.get(word)
    if signature is None:
        return []
    head = f"{word}: {signature.title}; a {kind.component} of {kind.name}"
    rows = [_row(group) for group in _series(signature.parameters)]
    rows += [_row([p], when) for p, when in _seen(kind, word)]
    lines = [f"    {line}" for line in table(rows)]
    return [head, *lines, f"    source: {signature.source}"]


def _model(kind: ModelKind) -> list[str]:
    lines = [f"{kind.name}: {_said(kind)}"]
    rows = [_row([p], when) for p, when in own_parameters(kind)]
    if rows:
        lines += ["  parameters of the model", *(f"    {line}" for line in table(rows))]
    for key, words in kind.settings.items():
        usual, *others = words
        rest = f", or {' or '.join(others)}" if others else ""
        lines.append(f"  {key}: {usual} unless said{rest}")
    for key, (low, high) in kind.numbers.items():
        lines.append(f"  {key}: a number from {low:g} to {high:g}, {low:g} unless said")
    for key, of in kind.ranges.items():
        unit = units.canonical_unit(units.dimension(of))
        lines.append(f"  {key}: [lower, upper] {unit}, everything unless said")
    if kind.component:
        lines.append(f"  kinds of {kind.component}")
    rows = [(word, entry.title) for word, entry in kind.components.items()]
    return [*lines, *(f"    {line}" for line in table(rows))]


def _said(kind: ModelKind) -> str:
    """What the numbers of a kind of model count from, or what it is."""
    if kind.name in REFERENCES:
        return f"isomer shifts count from {REFERENCES[kind.name]}"
    return kind.title


_UNITS = {"axis": "axis", "signal": "signal", "area": "both", "per_axis": "1/axis"}
"""Of parameters that have the units of the data."""
_MARKS = {
    "{counts}": "counts",
    "{x}": "x",
    "{y}": "y",
    " {uper}": " 1/axis",
    " / 1 {ux}": "",
    " / 1 {uy}": "",
    " / 1 {ua}": "",
    " {ux}": "",
    " {uy}": "",
    " {ua}": "",
}
"""What stands in defaults for columns and units of the data, and how it is shown."""


def _series(
    parameters: Sequence[ParameterSignature],
) -> Iterator[list[ParameterSignature]]:
    """Parameters one by one, but `c1`, `c2`, … together."""
    numbered = re.compile(r"[a-z]+(?=\d+$)")

    def stem(parameter: ParameterSignature) -> str:
        found = numbered.match(parameter.symbol)
        return found.group() if found else parameter.symbol

    for _, group in groupby(parameters, stem):
        yield list(group)


def _row(group: Sequence[ParameterSignature], when: str = "") -> tuple[str, ...]:
    first, last = group[0], group[-1]
    several = len(group) > 1
    symbol = f"{first.symbol} … {last.symbol}" if several else first.symbol
    meaning = f"{first.meaning}, and so on" if several else first.meaning
    default = first.default or _unsaid(first)
    for mark, text in _MARKS.items():
        default = default.replace(mark, text)
    default = _SEVERAL.sub(r"\1 … \2", default)
    unit = _UNITS.get(first.dimension, first.unit or "–")
    return symbol, unit, default, meaning + (f" ({when})" if when else "")


def _unsaid(parameter: ParameterSignature) -> str:
    """What there is without a default: shares have one prior together."""
    return "~ dirichlet(1, …)" if parameter.symbol == "I" else "must be said"


def _states() -> list[str]:
    """The classes of iron that `state = "…"` knows, with their windows."""
    head = [
        'state = "…" in a site of 57Fe: what it stands for; the rule `state_windows` of '
        '`use "rules/57Fe"` holds',
        "IS (mm/s, at T), |QS| (mm/s) and the saturation field (T) against its class",
    ]
    rows: list[Sequence[str]] = [("class", "T", "IS", "|QS|", "Bint", "known by")]
    for entry in class_ranges().values():
        at = f"{entry.T_K:g} K" if entry.T_K else "any"
        ends = (entry.IS, entry.QS_abs, entry.Bint_saturation)
        spans = [f"{e[0]:g} … {e[1]:g}" if e else "–" for e in ends]
        rows.append((entry.title, at, *spans, entry.confidence))
    return [*head, *(f"    {line}" for line in table(rows))]
