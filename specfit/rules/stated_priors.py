"""The posterior against the priors that the file itself states.

A narrow prior in the wrong place pulls the answer or lets two sites change names, and
nothing in the residuals shows it.  The values that say which state an iron ion is in are
held to what the file states of them; any other unknown is only told of.
"""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Finding, Fit, Measurement, PhysicsRule
from specfit.model.ir import Dist, Model, Parameter, Prior
from specfit.rules.draws import flat, passed, plus_minus, spread
from specfit.rules.rarity import normal_sd

NAME = "stated_priors"
SOURCE = "tail probability of the posterior mean under the stated prior"
FAR, LIMIT = 3.0, 5.0
"""Normal sd beyond which the reader is told, and beyond which the file is contradicted."""
IDENTITY = {"IS", "QS", "Bint"}
_CAUSE = (
    "the prior pulls the value: widen it if it was a guess; where it was known, another "
    "site may have taken this one's lines, or the calibration is off"
)
_CAUSES = {
    "width": "the prior pulls the value: widen it if it was a guess; broad lines come "
    "from a thick absorber, a distribution of fields or splittings, an unresolved site"
}


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail where a stated IS, QS or Bint is contradicted; warn of other unknowns."""
    stated = [p for p in model.parameters if p.prior.provenance is None]
    found = [finding for p in stated if (finding := _judge_one(p, model, fit))]
    if found or not stated:
        return found
    return [passed(NAME, "no posterior contradicts a prior of the file", SOURCE)]


def _judge_one(
    parameter: Parameter[Prior], model: Model[Prior], fit: Fit
) -> Finding | None:
    draws = flat(fit, model, parameter.name)
    mean, dist = float(draws.mean()), parameter.prior.dist
    out = normal_sd(mean, _parts(dist))
    if out <= FAR:
        return None
    unit = f" {parameter.unit}" if parameter.unit else ""
    whose = "default" if parameter.origin == "default" else "stated"
    return Finding(
        NAME,
        "physics",
        "failed" if out > LIMIT and parameter.role in IDENTITY else "warned",
        f"`{parameter.name}` is {plus_minus(mean, spread(draws))}{unit}, {out:.1f} sd "
        f"out in its {whose} prior",
        value=out,
        detail=_CAUSES.get(parameter.role, _CAUSE),
        source=SOURCE,
        line=parameter.place.line or None,
    )


def _parts(dist: Dist) -> list[Dist]:
    return [part for _, part in dist.components] or [dist]


RULE = PhysicsRule(NAME, SOURCE, judge)
