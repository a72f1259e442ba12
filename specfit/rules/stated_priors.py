"""The posterior against the priors that the file itself states.

A narrow prior in the wrong place pulls the answer or lets two sites change names, and
nothing in the residuals shows it.  The values that say which state an iron ion is in are
held to what the file states of them; any other unknown is only told of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.expressions import references
from specfit.model.ir import Model, Parameter, Prior
from specfit.model.known import arguments_of
from specfit.model.rule_library import source_of, thresholds_of
from specfit.model.spelt_features import is_scale
from specfit.rules.block import Block, Outcomes, graded, worst
from specfit.rules.draws import flat, passed, plus_minus, spread
from specfit.rules.rarity import normal_sd

NAME = "stated_priors"
SOURCE = source_of(NAME)
_LIMITS = thresholds_of(NAME)
FAR, LIMIT = _LIMITS["told"], _LIMITS["limit"]
"""Normal sd beyond which the reader is told, and beyond which the file is contradicted."""
IDENTITY = {"IS", "QS", "Bint"}
_CAUSE = (
    "prior and data disagree: widen the prior if it was a guess; where the value is "
    "known, another site may have taken this one's lines, or the calibration is off"
)
_WHOSE = {"default": "default", "calibration": "calibration's"}
_OTHER = {
    "default": "the default is for ordinary sites and pulls the value: state a prior that "
    "says what is known of this one",
    "calibration": "the sample's lines ask for another velocity scale than the "
    "calibration's: was it measured with the same drive, and is the field scale right?",
}
_CAUSES = {
    "width": "prior and data disagree: widen the prior if it was a guess; broad lines come "
    "from a thick absorber, a distribution of fields or splittings, an unresolved site"
}


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail where a stated IS, QS or Bint is contradicted; warn of other unknowns."""
    identity = _identity(model)
    known = {name: float(np.mean(draws)) for name, draws in fit.draws.items()}
    found, judged = [], 0
    for parameter in model.parameters:
        if parameter.prior.provenance is not None or is_scale(parameter.name):
            continue  # the scale of a feature that counts is meant to be far out
        out = _out(parameter, known)
        judged += out is not None
        if out is not None and out > FAR:
            draws = flat(fit, model, parameter.name)
            decisive = _decisive(parameter, identity)
            found.append(_finding(parameter, draws, float(out), decisive))
    if found or not judged:
        return found
    text = f"none of {judged} posteriors contradicts its stated or default prior"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    identity = _identity(block.model)
    means = {name: draws.mean(axis=-1) for name, draws in block.draws.items()}
    found = []
    for parameter in block.model.parameters:
        if parameter.prior.provenance is None and not is_scale(parameter.name):
            out = _many_out(parameter, means)
            if out is not None:
                failed = (out > LIMIT) & _decisive(parameter, identity)
                found.append(graded(out > FAR, failed))
    return worst(block, found)


def _many_out(
    parameter: Parameter[Prior], means: Mapping[str, FloatArray]
) -> FloatArray | None:
    """As `_out`, one by one where the prior rests on other unknowns."""
    dist = parameter.prior.dist
    if not any(references(argument) for argument in arguments_of(dist)):
        return _out(parameter, means)
    count = len(means[parameter.name])
    rows = [{name: mean[i] for name, mean in means.items()} for i in range(count)]
    each = [_out(parameter, row) for row in rows]
    return None if any(out is None for out in each) else np.array(each)


def _decisive(parameter: Parameter[Prior], identity: set[str]) -> bool:
    """Whether a value that the file states says which state an ion is in."""
    return parameter.name in identity and parameter.origin in ("explicit", "template")


def _identity(model: Model[Prior]) -> set[str]:
    """Every name that the IS, QS or Bint of a site rests on."""
    values = {d.name: references(d.value) for d in model.definitions}
    found: set[str] = set()
    wanted = [
        name
        for spectrum in model.spectra
        for site in spectrum.sites
        for symbol, name in site.parameters.items()
        if symbol in IDENTITY
    ]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            wanted += values.get(name, ())
    return found


def _out(parameter: Parameter[Prior], known: Mapping[str, Any]) -> FloatArray | None:
    dist = parameter.prior.dist
    parts = [part for _, part in dist.components] or [dist]
    within = (dist.low, dist.high)
    return normal_sd(known[parameter.name], parts, known=known, within=within)


def _finding(
    parameter: Parameter[Prior], draws: FloatArray, out: float, decisive: bool
) -> Finding:
    unit = f" {parameter.unit}" if parameter.unit else ""
    stated = parameter.origin in ("explicit", "template")
    advice = _CAUSES.get(parameter.role, _CAUSE)
    return Finding(
        NAME,
        "physics",
        "failed" if out > LIMIT and decisive else "warned",
        f"`{parameter.name}` is {plus_minus(float(draws.mean()), spread(draws))}{unit}, "
        f"{out:.1f} sd out in its {_WHOSE.get(parameter.origin, 'stated')} prior",
        value=out,
        detail=advice if stated else _OTHER.get(parameter.origin, advice),
        source=SOURCE,
        line=parameter.place.line or None,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
