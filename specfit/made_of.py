"""The spectra that others are made of: read or clustered, and whether they reach.

Kept beside the measurements: each `Measurement` carries the bases it is made of, so that
whoever has the spectra has all that their density needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from specfit.contracts import FloatArray, Measurement
from specfit.diagnostics import Diagnostic
from specfit.found import at_place
from specfit.indices import of_basis
from specfit.model import ir
from specfit.model.clustered import CLUSTER
from specfit.model.expressions import evaluate, missing, nodes, references
from specfit.model.known import arguments_of, data_constants
from specfit.model.prior_draws import prior_draws
from specfit.model.support import plan

DRAWS, SEED = 2000, 20_260_102
SAME = 1e-9
"""How far apart, in units of the step, a stage and a basis are one spectrum."""

Read = Callable[
    [tuple[ir.DataSource, ...]],
    tuple[list[tuple[ir.DataSource, Measurement]], list[Diagnostic]],
]
"""Files → measurements and faults."""


def bases_of(
    model: ir.Model[Any], read: Read, shapes_only: bool = False
) -> tuple[dict[str, Measurement], list[Diagnostic]]:
    """The bases of a model by the names they have in expressions, and every fault.

    shapes_only: of clusters the axis is all that is asked for, and nothing is computed.
    """
    if not model.bases:
        return {}, []
    if CLUSTER in model.bases[0].options:
        return _clusters(model, read, shapes_only)
    found, faults = read(model.bases)
    return {_name(source): seen for source, seen in found}, faults


def _name(source: ir.DataSource) -> str:
    column = "mu" if "mu" in source.columns else "chi"
    return of_basis(source.data, source.label, column)


def attached(
    measured: tuple[Measurement, ...], bases: Mapping[str, Measurement]
) -> tuple[Measurement, ...]:
    """Measurements with the bases that they are made of."""
    return tuple(replace(m, bases=bases) for m in measured) if bases else measured


# ---------------------------------------------------------------------- clusters


def _clusters(
    model: ir.Model[Any], read: Read, shapes_only: bool
) -> tuple[dict[str, Measurement], list[Diagnostic]]:
    """Groups of the series, over all that was measured: a shift needs what lies beyond."""
    whole = tuple(
        s.model_copy(update={"window": None, "mask": ()}) for s in model.sources
    )
    found, faults = read(whole)
    if faults:
        return {}, faults
    series = [measured for _, measured in found]
    first, count = model.bases[0], len(model.bases)
    if count > len(series):
        words = {"count": str(count), "levels": str(len(series))}
        return {}, [at_place("cluster-count", words, first.place)]
    axis = series[0].axis
    for source, one in found:
        if not np.array_equal(one.axis, axis):
            return {}, [at_place("cluster-axes", {"file": source.file}, source.place)]
    blank = np.zeros((count, axis.size))
    shares = np.zeros((len(series), count))
    if not shapes_only:
        from specfit.inference.clusters import clustered

        values = np.stack([one.values for one in series])
        blank, shares = clustered(values, count, str(first.options[CLUSTER]))
    labels = [source.label for source, _ in found]
    return {
        _name(source): replace(
            series[0],
            values=blank[k],
            path="",
            sha256="",
            size=0,
            found=(("made of", _made_of(labels, shares[:, k])),),
        )
        for k, source in enumerate(model.bases)
    }, []


def _made_of(labels: Sequence[str], shares: FloatArray) -> str:
    total = max(float(shares.sum()), 1e-12)
    kept = [k for k in range(len(labels)) if shares[k] / total > 0.01]
    return ", ".join(f"{labels[k]} ({shares[k] / total:.0%})" for k in kept)


# ---------------------------------------------------------------------- coverage


def short(models: Sequence[ir.Model[ir.Prior]], read: Read) -> list[Diagnostic]:
    """Every fault of the bases of models, those that end before the spectra do too."""
    faults: list[Diagnostic] = []
    for model in models:
        bases, more = bases_of(model, read, shapes_only=True)
        seen = [measured for _, measured in read(model.sources)[0]] if bases else []
        faults += more or uncovered(model, seen, bases)
    return faults


def uncovered(
    model: ir.Model[ir.Prior],
    measured: Sequence[Measurement],
    bases: Mapping[str, Measurement],
) -> list[Diagnostic]:
    """Bases that end before the spectra do, at a shift that the prior allows."""
    if not bases:
        return []
    reach = _shifts(model, measured)
    low = min(float(m.axis[0]) for m in measured)
    high = max(float(m.axis[-1]) for m in measured)
    faults = []
    for source in model.bases:
        name = _name(source)
        if name not in bases or name not in reach:
            continue
        axis, (back, forth) = bases[name].axis, reach[name]
        if axis[0] <= low - max(forth, 0.0) and axis[-1] >= high - min(back, 0.0):
            continue
        inside = axis[0] + max(forth, 0.0), axis[-1] + min(back, 0.0)
        window = f"[{np.ceil(inside[0]):g}, {np.floor(inside[1]):g}]"
        words = {
            "name": f"{source.data}[{source.label}]",
            "from": f"{axis[0]:.6g}",
            "to": f"{axis[-1]:.6g}",
            "low": f"{low - max(forth, 0.0):.6g}",
            "high": f"{high - min(back, 0.0):.6g}",
            "unit": bases[name].axis_unit,
            "data": model.spectra[0].data,
            "window": window,
        }
        faults.append(at_place("basis-range", words, source.place))
    return faults


def _shifts(
    model: ir.Model[ir.Prior], measured: Sequence[Measurement]
) -> dict[str, tuple[float, float]]:
    """How far each basis may be moved, by the name it has: over draws of the prior."""
    asked: dict[str, list[ir.Expression]] = {}
    for spectrum in model.spectra:
        for node in nodes(spectrum.noise.mean) if spectrum.noise.mean else ():
            if isinstance(node, ir.Apply) and node.function == "shift":
                curve, by = node.arguments
                assert isinstance(curve, ir.Ref)
                asked.setdefault(curve.name, []).append(by)
    moved = {n for every in asked.values() for by in every for n in references(by)}
    known: dict[str, Any] = {}
    if moved:
        part = _only(model, moved)
        constants = data_constants(model, measured)
        known = {
            **constants,
            **prior_draws(part, plan(part), DRAWS, SEED, constants).values,
        }
    found = {}
    for name, every in asked.items():
        values = [
            np.asarray(evaluate(by, known, np), float)
            for by in every
            if not missing(by, known)
        ]
        if values:
            ends = [float(v.min()) for v in values], [float(v.max()) for v in values]
            found[name] = min(ends[0]), max(ends[1])
    return found


def _only(model: ir.Model[ir.Prior], wanted: set[str]) -> ir.Model[ir.Prior]:
    """The unknowns that some names come down to, without rules: quick to draw from."""
    needs = {d.name: references(d.value) for d in model.definitions}
    for parameter in model.parameters:
        arguments = arguments_of(parameter.prior.dist)
        needs[parameter.name] = {n for a in arguments for n in references(a)}
    found, waiting = set[str](), [*wanted]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs.get(name, ())
    kept: dict[str, Any] = {
        "parameters": tuple(p for p in model.parameters if p.name in found),
        "definitions": tuple(d for d in model.definitions if d.name in found),
        "joints": tuple(j for j in model.joints if found & {*j.names}),
        "rules": (),
    }
    return model.model_copy(update=kept)


# ------------------------------------------------------------------------- leaks


def remarks(
    model: ir.Model[ir.Prior], measured: Sequence[Measurement]
) -> tuple[str, ...]:
    """What is to be said of bases that know the spectra they are fitted to."""
    if not model.bases or not measured or not measured[0].bases:
        return ()
    bases = measured[0].bases
    if CLUSTER in model.bases[0].options:
        made = "; ".join(
            f"{source.data}[{source.label}]: {dict(bases[_name(source)].found)['made of']}"
            for source in model.bases
        )
        return (
            "the bases are made of the fitted spectra themselves, so each spectrum is "
            "part of its own basis and the noise of it is fitted twice: weights say how "
            f"the series divides, not what a sample is made of ({made})",
        )
    same = [
        f"{spectrum.data}[{spectrum.label}] is {source.data}[{source.label}]"
        for spectrum, seen in zip(model.spectra, measured, strict=True)
        for source in model.bases
        if _is(seen, bases[_name(source)])
    ]
    if not same:
        return ()
    return (
        "a spectrum that is its own basis has a weight of one by construction, which "
        f"measures nothing: {', '.join(same)}",
    )


def _is(seen: Measurement, basis: Measurement) -> bool:
    """Whether a spectrum is the very one that the basis was read from."""
    there = np.interp(seen.axis, basis.axis, basis.values)
    scale = max(float(np.ptp(basis.values)), 1e-300)
    return bool(np.max(np.abs(there - seen.values)) <= SAME * scale)
