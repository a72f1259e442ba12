"""`db(…)`: from a citation to a density that knows its records.

The recipe.  Values in one convention and at one temperature (`evidence`) → predictive
for a new sample (`predictive`) → scale × `widen` → 0.9 of it and 0.1 of the range of
the site's class, so that a wrong guess can be recovered and its weight can be seen →
bounds of what is physically possible, which a bijector meets smoothly.  Where two
groups of records disagree, the 0.9 is shared between them by their numbers.

The class range is a normal about the middle of the published range, its standard
deviation 1.5 × that for which the range would hold 90 %: the ranges are soft.  The
range of the isomer shift moves with temperature as the records do; that of the field is
the saturation field reduced to the temperature.
"""

from __future__ import annotations

from collections.abc import Sequence

from specfit.diagnostics import Diagnostic, Span, SpecError
from specfit.model import path_records, recoil_free, records
from specfit.model.evidence import Evidence, gather
from specfit.model.ir import (
    Citation,
    Const,
    Declared,
    Dist,
    Model,
    Parameter,
    PathCitation,
    Prior,
    Provenance,
)
from specfit.model.lookup import SiteRecord, record_for
from specfit.model.predictive import (
    Predictive,
    clusters,
    density,
    predictive,
    quantile,
)
from specfit.model.records import RecordError, ScatterClass
from specfit.model.shelves import shelf_of
from specfit.model.thermal import isomer_shift_change, reduced_field

__all__ = ["density", "describe", "quantile", "resolve", "resolve_model"]

VAGUE_SHARE = 0.1
PHYSICAL = {"IS": (-1.0, 1.6), "QS": (-4.3, 4.3), "Bint": (0.0, 63.0)}
"""mm/s, mm/s, T.  QS of a doublet is unsigned: from 0."""

SCATTER = {"IS": 0.02, "QS": 0.05, "Bint": 0.5}
"""Scale of the half-normal prior of the scatter between samples: mm/s, mm/s, T."""

LOOSE_FIELD = 1.5
"""T: the same for the field in nanoparticles, alloys and glasses."""

_NINETY = 1.645
_SOFT = 1.5
_FIELD_FLOOR = 3.0


def resolve(citation: Citation) -> Prior:
    """The prior that a citation stands for.

    Raises `RecordError` with a code of `grammars/messages.toml` where the database has
    nothing to say, or where the bounds given leave nothing.
    """
    if citation.parameter in recoil_free.PARAMETERS:
        return recoil_free.resolve(citation)
    if (shelf := shelf_of(citation.parameter)) is not None:
        return shelf.resolve(citation)
    record = record_for(citation.record, citation.temperature)
    parameter = citation.parameter
    evidence = gather(record, parameter)
    scatter = _scatter(parameter, record.scatter)
    name, vague = class_density(record, parameter)
    numbers = [value.value for value in evidence.values]
    errors = [value.error for value in evidence.values]
    groups = clusters(numbers, errors, scatter, width=2.0 * _sd(vague))
    parts = [
        predictive([numbers[i] for i in g], [errors[i] for i in g], scatter)
        for g in groups
    ]
    whole = parts[0] if len(parts) == 1 else predictive(numbers, errors, scatter)
    shares = [(len(g) + 1) / (len(numbers) + len(groups)) for g in groups]
    low, high = _bounds(citation, record)
    mixture = [
        ((1.0 - VAGUE_SHARE) * share, part.dist(citation.widen))
        for share, part in zip(shares, parts, strict=True)
    ]
    dist = Dist(
        family="mixture",
        components=(*mixture, (VAGUE_SHARE, vague)),
        low=low,
        high=high,
    )
    notes = (*_split_note(parts, parameter), *evidence.notes)
    return Prior(
        dist=dist,
        provenance=_provenance(citation, record, evidence, whole, name, notes),
    )


def resolve_model(model: Model[Declared]) -> Model[Prior]:
    """The model with every citation turned into a density; all else unchanged.

    Raises `SpecError` with every citation that the database cannot answer.
    """
    parameters, faults = [], []
    for parameter in model.parameters:
        try:
            prior = _prior(parameter.prior)
        except RecordError as fault:
            place = parameter.place
            span = Span(place.file, place.start, place.end)
            faults.append(Diagnostic(fault.code, span, fault.words))
        else:
            said = {key: getattr(parameter, key) for key in Parameter.model_fields}
            parameters.append(Parameter[Prior](**(said | {"prior": prior})))
    if faults:
        raise SpecError(faults)
    said = {key: getattr(model, key) for key in Model.model_fields}
    return Model[Prior](**(said | {"parameters": tuple(parameters)}))


def _prior(declared: Declared) -> Prior:
    if isinstance(declared, PathCitation):
        return path_records.resolve(declared)
    return resolve(declared) if isinstance(declared, Citation) else Prior(dist=declared)


def class_density(record: SiteRecord, parameter: str) -> tuple[str, Dist]:
    """The vague component: its class's key, and a normal over the class's range."""
    state = record.states[0]
    entry = records.class_ranges()[state.class_range]
    low, high = entry.IS
    if parameter == "IS" and entry.T_K is not None:
        change, _, _ = isomer_shift_change(entry.T_K, record.temperature)
        low, high = low + change, high + change
    elif parameter == "QS":
        low, high = entry.QS_abs
        if record.pattern == "sextet":
            low, high = -high, high
    elif parameter == "Bint":
        low, high = _field_range(record, entry.Bint_saturation or (0.0, 63.0))
    sd = _SOFT * (high - low) / (2.0 * _NINETY)
    if parameter == "Bint":
        sd = max(sd, _FIELD_FLOOR)
    arguments = (Const(value=(low + high) / 2.0), Const(value=sd))
    return state.class_range, Dist(family="normal", arguments=arguments)


def _field_range(
    record: SiteRecord, saturation: tuple[float, float]
) -> tuple[float, float]:
    ordering = record.ordering_temperature
    if ordering is None:
        return 0.0, saturation[1]
    share = reduced_field(record.temperature, ordering)
    return share * saturation[0], share * saturation[1]


def _sd(normal: Dist) -> float:
    scale = normal.arguments[1]
    assert isinstance(scale, Const)
    return scale.value


def _scatter(parameter: str, kind: ScatterClass) -> float:
    if parameter == "Bint" and kind != "crystalline":
        return LOOSE_FIELD
    return SCATTER[parameter]


def _bounds(citation: Citation, record: SiteRecord) -> tuple[float, float]:
    low, high = PHYSICAL[citation.parameter]
    if citation.parameter == "QS" and record.pattern == "doublet":
        low = 0.0
    low = low if citation.low is None else max(low, citation.low)
    high = high if citation.high is None else min(high, citation.high)
    if not low < high:
        unit = records.UNITS[citation.parameter]
        raise RecordError(
            "db-bounds",
            record=record.key,
            parameter=citation.parameter,
            low=f"{low:g} {unit}",
            high=f"{high:g} {unit}",
        )
    return low, high


def _split_note(parts: Sequence[Predictive], parameter: str) -> tuple[str, ...]:
    if len(parts) == 1:
        return ()
    unit = records.UNITS[parameter]
    places = " and ".join(f"{part.location:.3g} {unit}" for part in parts)
    return (f"the records fall into two groups, about {places}: both are kept",)


def _provenance(
    citation: Citation,
    record: SiteRecord,
    evidence: Evidence,
    whole: Predictive,
    class_range: str,
    notes: tuple[str, ...],
) -> Provenance:
    used = [i for value in evidence.values for i in value.observations]
    keys = [key for value in evidence.values for key in value.sources]
    return Provenance(
        record=record.key,
        parameter=citation.parameter,
        temperature=citation.temperature,
        widen=citation.widen,
        observations=tuple(used),
        sources=tuple(dict.fromkeys(keys)),
        location=whole.location,
        scale=whole.scale,
        scatter=whole.scatter,
        class_range=class_range,
        ordering_temperature=record.ordering_temperature,
        notes=notes,
    )


def describe(prior: Prior) -> list[str]:
    """Lines that say what a prior is and where it comes from; none without records."""
    said = prior.provenance
    if said is None:
        return []
    if said.charge is not None:
        return path_records.lines_of(prior)
    if said.parameter in recoil_free.PARAMETERS:
        return recoil_free.lines_of(prior)
    if (shelf := shelf_of(said.parameter)) is not None:
        return shelf.lines_of(prior)
    unit = records.UNITS[said.parameter]
    lines = [
        f"{said.record}.{said.parameter} at {said.at}:"
        f" {said.location:.3f} ± {said.scale:.3f} {unit}"
    ]
    if said.widen != 1.0:
        wide = said.scale * said.widen
        lines.append(f"widened {said.widen:g} × → ± {wide:.3f} {unit}")
    lines.append(f"scatter between samples and laboratories: {said.scatter:.3f} {unit}")
    entry = records.class_ranges()[said.class_range]
    lines.append(f"{VAGUE_SHARE:g} of it is the range of its class: {entry.title}")
    low, high = (quantile(prior.dist, p) for p in (0.05, 0.95))
    lines.append(f"90 % of it lies in [{low:.3f}, {high:.3f}] {unit}")
    if said.ordering_temperature is not None:
        lines.append(f"orders magnetically below {said.ordering_temperature:g} K")
    lines += [_record_line(i, said.parameter, unit) for i in said.observations]
    lines += [f"note: {note}" for note in said.notes]
    return lines


def _record_line(identifier: str, parameter: str, unit: str) -> str:
    seen = records.observation(identifier)
    if seen is None:
        return f"record {identifier}: assessed value of the state"
    origin = records.source(seen.source).citation
    place = f" — {seen.locator}" if seen.locator else ""
    value = getattr(seen, parameter)
    access = seen.access.replace("_", " ")
    how = access if access == seen.confidence else f"{seen.confidence}, {access}"
    return (
        f"record {seen.id}: {value:g} {unit} at {seen.T_K:g} K, {how}; {origin}{place}"
    )
