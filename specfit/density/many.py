"""Data of many spectra of one model, each a problem of its own: the spectrum leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from specfit.contracts import Data, Measurement
from specfit.density.layout import layout_of
from specfit.density.problem import problem_data
from specfit.model.expressions import references, statistics
from specfit.model.ir import Model, Prior
from specfit.model.known import arguments_of, data_constants
from specfit.model.support import plan


def many_data(
    model: Model[Prior], spectra: Sequence[Measurement], room: int, like: Data
) -> Data:
    """`Problem.data` of every spectrum, stacked; `room` channels, the rest masked.

    like: the data of any of them: what of the prior the rules leave is taken from there,
    unless the rules speak of the counts.
    """
    if mass_moves(model):
        prior = [problem_data(model, [one]) for one in spectra]
    else:
        prior = [like] * len(spectra)
    rows: list[dict[str, Any]] = [
        {
            **layout_of(model, [one], room),
            "constants": {
                name: np.float64(value)
                for name, value in data_constants(model, [one]).items()
            },
            "barrier_scale": np.asarray(own["barrier_scale"]),
            "log_prior_mass": np.asarray(own["log_prior_mass"]),
            "log_prior_mass_sd": np.asarray(own["log_prior_mass_sd"]),
        }
        for one, own in zip(spectra, prior, strict=True)
    ]
    stacked: Data = jax.tree.map(lambda *parts: np.stack(parts), *rows)
    return stacked


def mass_moves(model: Model[Prior]) -> bool:
    """Whether the share of the prior that the rules leave depends on the counts.

    It does where a rule or a tie speaks, through whatever it mentions, of a statistic of
    the data.
    """
    made = plan(model)
    priors = {p.name: tuple(arguments_of(p.prior.dist)) for p in model.parameters}
    values = {d.name: (d.value,) for d in model.definitions} | {
        name: (value,) for name, value in made.computed
    }
    asked = [rule.expression for rule in model.rules if rule.kind != "check"]
    asked += [a for rule in model.rules if rule.dist for a in arguments_of(rule.dist)]
    stack = [*made.tied, *(name for e in asked for name in references(e))]
    found = set()
    expressions = list(asked)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            own = [*priors.get(name, ()), *values.get(name, ())]
            expressions += own
            stack += [other for e in own for other in references(e)]
    return any(statistics(expression) for expression in expressions)
