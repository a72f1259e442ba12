"""What the data do not decide: unknowns, or groups of them, that keep their prior's spread.

Values are put on the scale of their priors (normal scores of their distribution function),
where a spread of one is the prior's own.  Unknowns that the posterior links are looked at
together: where a combination of them keeps its spread, the data fix others only, and the
errors of its members are those of the priors, however small they look.  A prior that the
file states is knowledge, and no fault where the data add nothing to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.drawing import log_mass_of
from specfit.model.ir import Model, Parameter, Prior, Ref
from specfit.model.rule_library import limits, source_of
from specfit.model.undecidable import prior_draws
from specfit.rules.block import Block, Flags, Outcomes, graded, worst
from specfit.rules.draws import flat, passed
from specfit.rules.remedies import remedy

NAME = "undecided"
SOURCE = source_of(NAME)
_VISIBLE = 0.1  # of a combination, from which an unknown is named as its member
_NARROW = 0.3  # sum of variances in units of the priors', below which none is left
_FARTHEST = 8.0  # sd: where a distribution function is 0 or 1 to double precision
_MOST = 60  # unknowns; of more, as of hundreds of spectra, none is compared with all


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of unknowns that keep the spread of their priors, and of open signs."""
    asked = _asked(model)
    known = limits(model, NAME)
    draws = [flat(fit, model, one.name) for one in asked]
    symbols = _symbols(model)
    found = [
        _finding([asked[i] for i in members], kept, symbols, model.kind)
        for members, kept in _groups(asked, draws, known["left"], known["linked"])
    ]
    found += [
        _sign(one, share)
        for one, values in zip(asked, draws, strict=True)
        if (share := float(_open_sign(one, values))) > known["sign"]
    ]
    if found or not asked:
        return found
    text = f"the data decide {len(asked)} unknowns beyond what their priors say"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    asked = _asked(block.model)
    known = limits(block.model, NAME)
    draws = [block.flat(one.name) for one in asked]
    found = [
        graded(_open_sign(one, values) > known["sign"], False)
        for one, values in zip(asked, draws, strict=True)
    ]
    told = np.zeros(len(block), dtype=bool)
    for row in np.flatnonzero(_wide(asked, draws)):
        own = [values[row] for values in draws]
        told[row] = bool(_groups(asked, own, known["left"], known["linked"]))
    return worst(block, [*found, graded(told, False)])


# ------------------------------------------------------------------ who is asked


def _asked(model: Model[Prior]) -> list[Parameter[Prior]]:
    """Unknowns whose prior is one of numbers, neither of records nor of a calibration.

    The waves of a histogram are many on purpose, and held by their prior.
    """
    found = [
        parameter
        for parameter in model.parameters
        if parameter.prior.provenance is None
        and parameter.origin not in ("calibration", "database")
        and not parameter.role.lstrip("c").isdigit()
        and prior_draws(parameter) is not None
    ]
    return found if len(found) <= _MOST else []


def _says_nothing(parameter: Parameter[Prior]) -> bool:
    """Whether nobody has said anything of an unknown: a flat prior, or the default."""
    return parameter.origin == "default" or parameter.prior.dist.family == "uniform"


# ----------------------------------------------------------------- spread that is left


def _scores(parameter: Parameter[Prior], draws: FloatArray) -> FloatArray:
    """Normal scores of draws under their prior, of the shape of the draws."""
    from scipy.special import ndtri_exp

    dist = parameter.prior.dist
    with np.errstate(all="ignore"):
        below = log_mass_of(dist, {}, high=draws) - log_mass_of(dist, {})
        scores = ndtri_exp(np.minimum(below, 0.0))
    clean: FloatArray = np.nan_to_num(scores, nan=0.0)
    return np.clip(clean, -_FARTHEST, _FARTHEST)


def _wide(asked: Sequence[Parameter[Prior]], draws: Sequence[FloatArray]) -> Flags:
    """Whether the posterior is anywhere near its prior's width; of many, cheap to ask."""
    total: FloatArray = np.zeros(draws[0].shape[:-1]) if asked else np.zeros(0)
    for one, values in zip(asked, draws, strict=True):
        total = total + (values.std(axis=-1) / _half_width(one)) ** 2
    return np.asarray(total > _NARROW)


def _half_width(parameter: Parameter[Prior]) -> float:
    """Half of the central 68 % of its prior."""
    draws = prior_draws(parameter)
    assert draws is not None  # those are not asked
    low, high = np.quantile(draws, [0.16, 0.84])
    return float(high - low) / 2


def _groups(
    asked: Sequence[Parameter[Prior]],
    draws: Sequence[FloatArray],
    left: float,
    linked: float,
) -> list[tuple[list[int], float]]:
    """Members of each combination that keeps its spread, and how much of it."""
    if not np.any(_wide(asked, draws)):
        return []
    scores = np.array([_scores(o, d) for o, d in zip(asked, draws, strict=True)])
    return list(_told(asked, scores, left, linked))


def _told(
    asked: Sequence[Parameter[Prior]], scores: FloatArray, left: float, linked: float
) -> Iterator[tuple[list[int], float]]:
    """The same of scores (k, n)."""
    covariance = np.atleast_2d(np.cov(scores))
    spread = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    near = np.abs(covariance / spread[:, None] / spread) > linked
    for group in _components(near):
        part = covariance[np.ix_(group, group)]
        values, vectors = np.linalg.eigh(part)
        open_ = values > left
        if not open_.any():
            continue
        shares = np.sum(vectors[:, open_] ** 2, axis=1)
        members = [i for i, s in zip(group, shares, strict=True) if s > _VISIBLE]
        silent = [i for i in members if _says_nothing(asked[i])]
        if len(silent) == len(members) or len(members) > 1:
            yield members, float(min(values.max(), 1.0))


def _components(near: Flags) -> Iterator[list[int]]:
    """Groups of indices that a symmetric relation links, directly or by others."""
    waiting = set(range(len(near)))
    while waiting:
        group, edge = set[int](), {min(waiting)}
        while edge:
            group |= edge
            edge = {int(j) for i in edge for j in np.flatnonzero(near[i])} - group
        waiting -= group
        yield sorted(group)


# ----------------------------------------------------------------------- open signs


def _open_sign(parameter: Parameter[Prior], draws: FloatArray) -> FloatArray:
    """The share of the rarer sign, where the size is known; 0 of a value near zero."""
    if parameter.role != "eQVzz":
        return np.zeros(draws.shape[:-1])
    size = np.abs(draws)
    certain = size.mean(axis=-1) > 3.0 * size.std(axis=-1)
    above = np.mean(draws > 0.0, axis=-1)
    return np.where(certain, np.minimum(above, 1.0 - above), 0.0)


# ------------------------------------------------------------------------- sentences


def _symbols(model: Model[Prior]) -> dict[str, str]:
    """What an unknown is to the sites, as `width` of one that several of them share."""
    found = {one.name: one.role for one in model.parameters}
    for item in model.definitions:
        if isinstance(item.value, Ref):
            found[item.value.name] = item.role
    return found


def _finding(
    members: Sequence[Parameter[Prior]],
    kept: float,
    symbols: Mapping[str, str],
    kind: str,
) -> Finding:
    names = [f"`{one.name}`" for one in members]
    if len(names) == 1:
        text = f"the data do not decide {names[0]}: its posterior is that of its prior"
    else:
        together = f"{', '.join(names[:-1])} and {names[-1]}"
        text = (
            f"the data do not decide {together} one by one, but a combination of them"
        )
    text += f" ({kept:.0%} of the prior's variance is left)"
    return Finding(
        NAME,
        "physics",
        "warned",
        text,
        value=kept,
        detail=remedy([symbols[one.name] for one in members], kind),
        source=SOURCE,
        line=members[0].place.line or None,
    )


def _sign(parameter: Parameter[Prior], share: float) -> Finding:
    return Finding(
        NAME,
        "physics",
        "warned",
        f"the data do not decide the sign of `{parameter.name}`: {share:.0%} of the "
        "posterior has the rarer one, so that its mean and sd say nothing",
        value=share,
        detail="the sign shows in a magnetic field, in a single crystal, or in lines of "
        "unequal area whose cause is known; else report the size alone",
        source=SOURCE,
        line=parameter.place.line or None,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
