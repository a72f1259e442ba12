"""Sites whose being there the data hardly ask for: the evidence without each of them.

Leaving a site out is the model at I = 0.  Where the fractions have a Dirichlet prior of
concentration 1 for it, the others' prior at I = 0 is that of the model without it, and
the Bayes factor is the prior density at 0 over the posterior's (J. M. Dickey, Ann. Math.
Stat. 42, 204 (1971)).  The posterior's density there is that of a normal cut at 0 that
has its mean and sd: good where the factor is small, which is where it is asked for; an
enormous one is only known to be enormous.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.expressions import references
from specfit.model.ir import Joint, Model, Prior
from specfit.model.rule_library import limits, source_of
from specfit.rules.block import Block, Outcomes, graded, worst
from specfit.rules.draws import IronSite, flat, iron_sites, passed, spreads

NAME = "component_evidence"
SOURCE = source_of(NAME)
Draws = Callable[[str], FloatArray]


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of sites without which the evidence would hardly be smaller, or larger."""
    limit = limits(model, NAME)["least"]
    factors = list(_factors(model, lambda name: flat(fit, model, name)))
    found = [
        _finding(item, float(factor), limit)
        for item, factor in factors
        if float(factor) < limit
    ]
    if found or not factors:
        return found
    text = f"without any of {len(factors)} sites ln-evidence falls by {limit:g} or more"
    return [passed(NAME, text, SOURCE)]


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    limit = limits(block.model, NAME)["least"]
    found = [graded(f < limit, False) for _, f in _factors(block.model, block.flat)]
    return worst(block, found)


def _factors(
    model: Model[Prior], draws: Draws
) -> Iterator[tuple[IronSite, FloatArray]]:
    """Ln of the Bayes factor for each site, where its fraction is drawn freely."""
    joints = {name: joint for joint in model.joints for name in joint.names}
    for item in iron_sites(model):
        name = item.site.parameters["I"]
        joint = joints.get(name)
        if joint is None or _touched(model, joint):
            continue
        if (
            joint.concentrations[joint.names.index(name)] == 1.0
            and len(joint.names) > 1
        ):
            yield item, _log_factor(joint, draws(name))


def _touched(model: Model[Prior], joint: Joint) -> bool:
    """Whether a `require` or `expect` says something of these fractions."""
    said = (rule for rule in model.rules if rule.kind != "check")
    return any(set(joint.names) & references(rule.expression) for rule in said)


def _log_factor(joint: Joint, draws: FloatArray) -> FloatArray:
    """Ln p(I = 0) of the prior, Beta(1, rest), over that of the posterior."""
    rest = sum(joint.concentrations) - 1.0
    mean, sd = draws.mean(axis=-1), np.maximum(spreads(draws), 1e-300)
    return np.asarray(np.log(rest / joint.total) - _log_density_at_zero(mean, sd))


def _log_density_at_zero(mean: FloatArray, sd: FloatArray) -> FloatArray:
    """Of the normal that, cut at 0, has this mean and sd; an exponential is its limit."""
    from scipy.special import log_ndtr

    centre = np.concatenate([np.linspace(-8.0, 8.0, 641), [1e9]])  # in units of its sd
    height = -0.5 * centre**2 - 0.5 * np.log(2.0 * np.pi) - log_ndtr(centre)
    slope = np.exp(height)
    part = np.sqrt(1.0 - centre * slope - slope**2)  # of the sd that is left when cut
    at = np.interp(mean / sd, (centre + slope) / part, centre)
    whole = sd / np.interp(at, centre, part)
    return np.asarray(
        -0.5 * at**2 - 0.5 * np.log(2.0 * np.pi) - log_ndtr(at) - np.log(whole)
    )


def _finding(item: IronSite, factor: float, limit: float) -> Finding:
    more = f"only by {factor:.1f}" if factor > 0 else f"not, but rises by {-factor:.1f}"
    return Finding(
        NAME,
        "physics",
        "warned",
        f"without `{item.name}` ln-evidence falls {more}, where {limit:g} is asked for",
        value=factor,
        detail="leave the site out, or say what makes it sure to be there; `compare` "
        "with a variant without it gives the exact number",
        source=SOURCE,
        line=item.site.place.line or None,
    )


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
