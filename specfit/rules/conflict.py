"""The posterior against the records its prior was drawn from.

The distance is a tail probability (`rarity`): how rarely a new sample would lie as far
from the records as the posterior mean does, under the predictive that the records give.
Two or three records have heavy tails and are slow to contradict; twenty are quick.  It
is stated for the records as they stand and after the user's `widen`.  A
`check conflict(db) < 3` reads the second, the largest over all parameters; a reader is
warned by the first, because a widened prior hides the disagreement it was widened for.
The weight that the posterior gives to the vague class range of the mixture says the
same without a scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from specfit.constants import SOURCE_SHIFTS
from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.distributions.laws import LAWS
from specfit.distributions.mathematics import NUMPY
from specfit.model.expressions import evaluate
from specfit.model.ir import Dist, Model, Parameter, Prior, Provenance
from specfit.model.rule_library import source_of, thresholds_of
from specfit.model.shelves import shelf_of
from specfit.rules.block import Block, Flags, Outcomes, graded, worst
from specfit.rules.block import environment as block_environment
from specfit.rules.draws import environment, passed, spread
from specfit.rules.rarity import normal_sd
from specfit.rules.remembered import remembered

NAME = "conflict"
SOURCE = source_of(NAME)
LIMIT = thresholds_of(NAME)["limit"]
"""Normal sd beyond which the widened prior and the posterior contradict each other."""
FAR = thresholds_of(NAME)["told"]
"""Normal sd from the records as they stand beyond which the reader is always told."""
CAUSES = {
    "IS": "wrong reference of the isomer shift (source matrix instead of α-Fe), "
    "velocity zero or folding point off, another oxidation or spin state, another "
    "temperature (−0.0007 mm/s per K)",
    "QS": "another definition (ε, 2ε or ΔEQ), another phase or direction of the "
    "moments, substitution or disorder at the site",
    "Bint": "velocity calibration or field-scale convention off (0.4 % is 0.2 T at "
    "49 T), another phase, substitution or oxidation, small particles (collective "
    "excitations lower the field), another temperature",
}


@dataclass(frozen=True)
class Conflict:
    """How far one posterior lies from the records of its prior.

    in_records, in_prior: how far out in the tails of the records' predictive the
    posterior mean lies, in sd of a normal as rare, before and after `widen`.
    vague_weight: share of the posterior that the class range explains better than the
    records, None where the prior is no mixture.
    """

    parameter: Parameter[Prior]
    origin: Provenance
    mean: float
    sd: float
    in_records: float
    in_prior: float
    vague_weight: float | None

    @property
    def difference(self) -> float:
        """Posterior mean minus record location, in the parameter's unit."""
        return self.mean - self.origin.location


@remembered
def conflicts(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> tuple[Conflict, ...]:
    """Every parameter drawn from the database, in the order of the model."""
    known = environment(fit, model, measurements)
    return tuple(
        _compare(fit, known, parameter, parameter.prior.provenance)
        for parameter in model.parameters
        if parameter.prior.provenance is not None
    )


def many_conflicts(block: Block) -> FloatArray:
    """Of each parameter drawn from the database and each spectrum (n_parameters, 3, n).

    `in_records`, `in_prior`, `vague_weight` (0 where the prior is no mixture).
    """
    known = block.once(block_environment)
    figures = [
        _figures(block.flat(parameter.name), parameter.prior.dist, known, origin)
        for parameter in block.model.parameters
        if (origin := parameter.prior.provenance) is not None
    ]
    return np.array(figures).reshape(-1, 3, len(block))


def _figures(
    draws: FloatArray, dist: Dist, known: Mapping[str, object], origin: Provenance
) -> list[FloatArray]:
    mean = draws.mean(axis=-1)
    in_prior = _out(mean, dist, 1.0)
    in_records = in_prior if origin.widen == 1 else _out(mean, dist, origin.widen)
    vague = _vague_weight(draws, dist, known)
    return [in_records, in_prior, np.zeros_like(mean) if vague is None else vague]


def largest(found: Sequence[Conflict]) -> Conflict | None:
    """The conflict that `conflict(db)` speaks of; None without database priors."""
    return max(found, key=lambda item: item.in_prior, default=None)


def _compare(
    fit: Fit,
    known: dict[str, object],
    parameter: Parameter[Prior],
    origin: Provenance,
) -> Conflict:
    draws, dist = np.ravel(fit.draws[parameter.name]), parameter.prior.dist
    in_records, in_prior, vague = map(float, _figures(draws, dist, known, origin))
    return Conflict(
        parameter=parameter,
        origin=origin,
        mean=float(draws.mean()),
        sd=spread(draws),
        in_records=in_records,
        in_prior=in_prior,
        vague_weight=vague if len(dist.components) > 1 else None,
    )


def _out(mean: FloatArray, dist: Dist, narrower: float) -> FloatArray:
    """Sd of a normal as rare as `mean` under the records, their scale divided.

    Of two clusters of records the nearer one counts.
    """
    records = [part for _, part in dist.components[:-1]] or [dist]
    out = normal_sd(mean, records, narrower)
    return np.zeros_like(mean) if out is None else out


def _vague_weight(
    draws: FloatArray, dist: Dist, known: Mapping[str, object]
) -> FloatArray | None:
    """Posterior weight of the last component, the class range.

    The mixture is cut off as a whole, so that the bounds leave the shares alone.
    """
    if len(dist.components) < 2:
        return None
    with np.errstate(all="ignore"):
        logs = np.stack(
            [
                np.log(weight) + _log_density(draws, component, known)
                for weight, component in dist.components
            ]
        )
        total = np.logaddexp.reduce(logs, axis=0)
        weights = np.exp(logs[-1] - total)
    return np.asarray(np.mean(np.nan_to_num(weights, nan=1.0), axis=-1))


def _log_density(x: FloatArray, dist: Dist, known: Mapping[str, object]) -> FloatArray:
    arguments = [
        np.asarray(evaluate(argument, known, np), dtype=float)
        for argument in dist.arguments
    ]
    value = np.asarray(LAWS[dist.family].density(NUMPY, x, *arguments), dtype=float)
    inside = np.ones_like(x, dtype=bool)
    if dist.family == "uniform":
        inside = (x >= arguments[0]) & (x <= arguments[1])
    value = np.where(inside, value, -np.inf)
    return np.broadcast_to(value, x.shape)


# --------------------------------------------------------------------- the rule


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Fail where the widened prior is contradicted; warn where the records are."""
    every = conflicts(model, measurements, fit)
    found = [finding for item in every if (finding := _judge_one(item))]
    if found or not every:
        return found
    text = f"all {len(every)} posteriors agree with the records of their priors"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    found = block.once(many_conflicts)
    return worst(block, [graded(*_grades(*figures)) for figures in found])


def _grades(in_records: Any, in_prior: Any, vague: Any) -> tuple[Flags, Flags]:
    """Whether the reader is told, and whether the prior is contradicted."""
    warned = np.asarray((in_records > FAR) | (vague > 0.5))
    return warned, warned & (in_prior > LIMIT)


def _judge_one(item: Conflict) -> Finding | None:
    warned, failed = _grades(item.in_records, item.in_prior, item.vague_weight or 0.0)
    if not warned:
        return None
    return Finding(
        NAME,
        "physics",
        "failed" if failed else "warned",
        _sentence(item, bool(failed)),
        value=item.in_prior,
        detail="likely causes: " + _causes(item),
        source=SOURCE,
        line=item.parameter.place.line or None,
    )


def _sentence(item: Conflict, failed: bool) -> str:
    parameter, origin = item.parameter, item.origin
    side = "above" if item.difference > 0 else "below"
    unit = f" {parameter.unit}" if parameter.unit else ""
    head = "prior and data conflict: " if failed else ""
    text = (
        f"{head}`{parameter.name}` is {_number(item.mean, unit)}{unit}, "
        f"{_number(abs(item.difference), unit)}{unit} {side} the "
        f"{_number(origin.location, unit)}{unit} of its records ({origin.record}), "
        f"{item.in_records:.1f} sd out in their scatter"
    )
    if origin.widen != 1:
        text += f"; {item.in_prior:.1f} after the prior was widened ×{origin.widen:g}"
    if item.vague_weight is not None and item.vague_weight > 0.5:
        text += f"; the class range carries {item.vague_weight:.0%} of the posterior"
    return text


def _number(value: float, unit: str) -> str:
    places = {"T": 2, "Å": 4}.get(unit.strip(), 3)
    return f"{value:.{places}f}"


def _causes(item: Conflict) -> str:
    role = item.origin.parameter
    if (shelf := shelf_of(role)) is not None:
        return shelf.causes
    known = CAUSES.get(role, "another phase, calibration, temperature")
    if role != "IS":
        return known
    for name, shift in SOURCE_SHIFTS.items():
        if shift and abs(item.difference - shift) < 0.015:
            return (
                f"the shift of {item.difference:+.3f} mm/s is that of {name} against "
                f"α-Fe ({shift:+.3f} mm/s): was the zero left on the source? "
                f"Else {known}"
            )
    return known


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
