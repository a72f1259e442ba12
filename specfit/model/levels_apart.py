"""A model whose levels share nothing, as a model of each level by itself.

`model peaks on xrd per stage` says that the stages are fits of their own.  Sampled
together they would be one posterior of hundreds of unknowns that know nothing of each
other; apart each is small, and all have one shape, so that one compilation serves all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specfit.indices import level_of, plain
from specfit.model.expressions import references
from specfit.model.ir import DataSource, Expression, Model, Prior, Ref, Rule, Spectrum
from specfit.model.known import arguments_of, expressions_of


def apart(model: Model[Prior]) -> dict[str, Model[Prior]]:
    """Label → the model of that level, names without it; empty where levels share.

    What is derived of several levels stays with the whole and is in none of the parts.
    """
    labels = [spectrum.label for spectrum in model.spectra]
    if len(labels) < 2 or "" in labels or not _independent(model, labels):
        return {}
    return {label: _level(model, label) for label in labels}


def _independent(model: Model[Prior], labels: list[str]) -> bool:
    """Whether all that shapes the density of a level is of that level alone."""
    values = {d.name: d.value for d in model.definitions}

    def levels(expressions: Sequence[Expression]) -> set[str]:
        return _levels(_names(expressions, values), labels)

    def alone(expressions: Sequence[Expression], label: str) -> bool:
        return levels(expressions) <= {label}

    for parameter in model.parameters:
        own = level_of(parameter.name, labels)
        if not own or not alone([*arguments_of(parameter.prior.dist)], own):
            return False
    for joint in model.joints:
        if len({level_of(name, labels) for name in joint.names} - {""}) != 1:
            return False
    for spectrum in model.spectra:
        if not alone(_used(spectrum), spectrum.label):
            return False
    return all(len(levels(_said(rule))) == 1 for rule in _kept(model))


def _used(spectrum: Spectrum) -> list[Expression]:
    """Everything that the curve and the noise of a spectrum are made of."""
    names = [*spectrum.scalars.values()]
    names += [n for site in spectrum.sites for n in site.parameters.values()]
    mean = [spectrum.noise.mean] if spectrum.noise.mean is not None else []
    return [*(Ref(name=name) for name in names), *spectrum.noise.arguments, *mean]


def _names(
    expressions: Sequence[Expression], values: Mapping[str, Expression]
) -> set[str]:
    """The names in expressions, and in the definitions that they rest on."""
    found: set[str] = set()
    waiting = [*expressions]
    while waiting:
        for name in references(waiting.pop()) - found:
            found.add(name)
            if name in values:
                waiting.append(values[name])
    return found


def _kept(model: Model[Prior]) -> list[Rule]:
    """The rules that shape the density."""
    return [rule for rule in model.rules if rule.kind != "check"]


def _said(rule: Rule) -> list[Expression]:
    return [rule.expression, *(arguments_of(rule.dist) if rule.dist else ())]


def _levels(names: set[str], labels: list[str]) -> set[str]:
    return {found for name in names if (found := _any_level(name, labels))}


def _any_level(name: str, labels: list[str]) -> str:
    """The level of a name, or of the data that a column belongs to."""
    head = name.partition("].")[0] + "]" if "]." in name else name
    return level_of(head, labels)


def _level(model: Model[Prior], label: str) -> Model[Prior]:
    labels = [spectrum.label for spectrum in model.spectra]

    def mine(name: str) -> bool:
        return level_of(name, labels) == label

    spectrum = next(s for s in model.spectra if s.label == label)
    definitions = [
        d
        for d in model.definitions
        if mine(d.name) or (not d.derived and not level_of(d.name, labels))
    ]
    values = {d.name: d.value for d in model.definitions}
    rules = [
        r for r in _kept(model) if _levels(_names(_said(r), values), labels) == {label}
    ]
    update: Mapping[str, Any] = {
        "parameters": tuple(p for p in model.parameters if mine(p.name)),
        "definitions": tuple(definitions),
        "joints": tuple(j for j in model.joints if mine(j.names[0])),
        "rules": tuple(rules),
        "spectra": (spectrum,),
        "sources": _sources(model, label),
    }
    part: Model[Prior] = _renamed(model.model_copy(update=dict(update)), label)
    return part


def _sources(model: Model[Prior], label: str) -> tuple[DataSource, ...]:
    """The file of a level, without conditions that are another's elsewhere.

    Expressions have them as numbers already, or by name where they are from a table;
    parts that differ in nothing else are then the same functions of their data.
    """
    named = {n.rpartition(".")[2] for e in expressions_of(model) for n in references(e)}
    every = [source.conditions for source in model.sources]
    alike = [
        key for key in every[0] if key in named or len({c.get(key) for c in every}) == 1
    ]
    return tuple(
        source.model_copy(
            update={"conditions": {k: source.conditions[k] for k in alike}}
        )
        for source in model.sources
        if source.label == label
    )


_NAMES = frozenset({"name", "names", "parameters", "scalars"})
"""Fields that hold names of the model."""


def _renamed(value: Any, label: str, inside: str = "") -> Any:
    """A piece of the model with the names that it has without the level."""
    if isinstance(value, Ref):
        return Ref(name=plain(value.name, label))
    if isinstance(value, str):
        return plain(value, label) if inside in _NAMES else value
    if isinstance(value, tuple):
        return tuple(_renamed(item, label, inside) for item in value)
    if isinstance(value, dict):
        return {key: _renamed(item, label, inside) for key, item in value.items()}
    if not hasattr(type(value), "model_fields"):
        return value
    changed = {}
    for key in type(value).model_fields:
        if key in ("place", "places", "offered", "bases"):
            continue
        before = getattr(value, key)
        after = _renamed(before, label, key)
        if key == "label":
            after = ""
        if after != before:
            changed[key] = after
    return value.model_copy(update=changed) if changed else value
