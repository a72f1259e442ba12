"""A model and its measurements → the problem that an engine takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Data, FloatArray, Measurement, Problem, Separable
from specfit.density.coordinates import Coordinates, coordinates
from specfit.density.frames import with_frames
from specfit.density.given import Given
from specfit.density.informed import informed
from specfit.density.layout import layout_of
from specfit.density.parts import Curve, Parts
from specfit.density.prior import prior_terms
from specfit.model.ir import Model, Prior
from specfit.model.known import data_constants
from specfit.model.prior_draws import PriorDraws, prior_draws
from specfit.model.support import plan

N_DRAWS = 2_000
"""Prior draws behind the prior's normalisation and the barriers' widths."""

_SEED = 20_260_101

Make = Callable[[Model[Prior], Sequence[Measurement], Coordinates], Curve]
"""The curve of a model."""
Split = Callable[["Parts", Mapping[str, FloatArray]], Separable | None]
"""The separable part of a problem, given draws of its prior."""


Linear = Callable[[Model[Prior], Coordinates], Given | None]
"""The linear part of a regression, given its coordinates."""


def problem_of(
    model: Model[Prior],
    measurements: Sequence[Measurement],
    make: Make,
    split: Split,
    linear: Linear | None = None,
) -> Problem:
    """The problem of a model whose curve is made by `make`, in `jax.enable_x64(True)`.

    Raises
    ------
    PlanError
        Its rules contradict each other or its priors.
    ValueError
        JAX is set to single precision, in which counts cannot be told apart.

    """
    if jnp.zeros(()).dtype != np.float64:
        raise ValueError("the density needs double precision: jax.enable_x64(True)")
    made = plan(model)
    constants = data_constants(model, measurements)
    draws = prior_draws(model, made, N_DRAWS, _SEED, constants)
    data = _data(model, draws, constants, measurements)

    def parts_of(own: Mapping[str, float] | None) -> Parts:
        where = coordinates(model, made, own)
        if linear is not None:
            where = replace(where, given=linear(model, where))
        curve = make(model, measurements, where)
        return Parts(model, made, where, curve, prior_terms(model, made, where))

    parts = parts_of(None)
    if parts.where.standards and parts.where.given is None:
        variance = parts.variance if parts.counted < len(model.spectra) else None
        parts = parts_of(
            informed(parts.where, parts.predict, data, draws.values, variance)
        )
    problem = parts.problem(data, draws, split(parts, draws.values))
    return _whole(problem, parts.where.given)


def _whole(problem: Problem, given: Given | None) -> Problem:
    """With what is known of scales whose coefficients are integrated out."""
    if given is None:
        return problem
    learned = (*problem.smooth, *given.names, *given.local)
    return problem._replace(smooth=learned, whole=True)


def problem_data(model: Model[Prior], measurements: Sequence[Measurement]) -> Data:
    """`Problem.data` of other measurements of the same shape: a new argument.

    Beside the arrays of `layout.layout_of`: `constants`, the statistics of the data
    that the model mentions; `barrier_scale`, in the units of each slack;
    `log_prior_mass`, the logarithm of what rules, ties and expectations leave of the
    prior, by Monte Carlo, so that the prior integrates to one and evidences compare;
    and `log_prior_mass_sd`, its standard error.
    """
    constants = data_constants(model, measurements)
    draws = prior_draws(model, plan(model), N_DRAWS, _SEED, constants)
    return _data(model, draws, constants, measurements)


def _data(
    model: Model[Prior],
    draws: PriorDraws,
    constants: Mapping[str, float],
    measurements: Sequence[Measurement],
) -> Data:
    data: Data = {
        **layout_of(model, measurements),
        "constants": {name: np.float64(value) for name, value in constants.items()},
        "barrier_scale": draws.barrier_scale,
        "log_prior_mass": np.float64(draws.log_mass),
        "log_prior_mass_sd": np.float64(draws.log_mass_sd),
    }
    where, computed = coordinates(model, plan(model)), dict(plan(model).computed)
    data = with_frames(model, where, computed, draws.values, data, measurements)
    placed: Data = jax.tree.map(jnp.asarray, data)
    return placed
