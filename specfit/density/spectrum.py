"""57Fe Mössbauer spectra: a model of sites joined to measured counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import (
    Array,
    Data,
    FloatArray,
    Measurement,
    Position,
    Problem,
    Values,
)
from specfit.density.coordinates import Coordinates, coordinates
from specfit.density.curve import Curve, curve_of, positive
from specfit.density.histograms import waves_of
from specfit.density.identity import identity_of
from specfit.density.informed import informed
from specfit.density.layout import spectra_data
from specfit.density.prior import PriorTerms, prior_terms
from specfit.density.scope import Scope
from specfit.density.separable import separable_part
from specfit.distributions import NOISES
from specfit.model.expressions import evaluate
from specfit.model.ir import Expression, Model, Prior
from specfit.model.known import data_constants
from specfit.model.prior_draws import PriorDraws, prior_draws
from specfit.model.support import Plan, plan

N_DRAWS = 2_000
"""Prior draws behind the prior's normalisation and the barriers' widths."""

_SEED = 20_260_101

MARGIN = 1e-5
"""How far inside their intervals, relatively, `Separable.assemble` puts values."""


def build(model: Model[Prior], measurements: Sequence[Measurement]) -> Problem:
    """The problem of a Mössbauer model; call it inside `jax.enable_x64(True)`.

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
    data = _data(draws, constants, measurements)
    parts = _parts(model, made, measurements)
    if parts.where.standards:
        own = informed(parts.where, parts.predict, data, draws.values)
        parts = _parts(model, made, measurements, own)
    return parts.problem(data, draws)


def _parts(
    model: Model[Prior],
    made: Plan,
    measurements: Sequence[Measurement],
    own: Mapping[str, float] | None = None,
) -> _Parts:
    where = coordinates(model, made, own)
    curve = curve_of(model, measurements, where)
    return _Parts(model, made, where, curve, prior_terms(model, made, where))


def problem_data(model: Model[Prior], measurements: Sequence[Measurement]) -> Data:
    """`Problem.data` of other measurements of the same shape: a new argument.

    Beside the arrays of `layout.spectra_data`: `constants`, the statistics of the data
    that the model mentions; `barrier_scale`, in the units of each slack;
    `log_prior_mass`, the logarithm of what rules, ties and expectations leave of the
    prior, by Monte Carlo, so that the prior integrates to one and evidences compare;
    and `log_prior_mass_sd`, its standard error.
    """
    constants = data_constants(model, measurements)
    draws = prior_draws(model, plan(model), N_DRAWS, _SEED, constants)
    return _data(draws, constants, measurements)


def _data(
    draws: PriorDraws,
    constants: Mapping[str, float],
    measurements: Sequence[Measurement],
) -> Data:
    data: Data = {
        **spectra_data(measurements),
        "constants": {name: np.float64(value) for name, value in constants.items()},
        "barrier_scale": draws.barrier_scale,
        "log_prior_mass": np.float64(draws.log_mass),
        "log_prior_mass_sd": np.float64(draws.log_mass_sd),
    }
    placed: Data = jax.tree.map(jnp.asarray, data)
    return placed


class _Parts:
    """The pieces of one problem, and its functions."""

    def __init__(
        self,
        model: Model[Prior],
        plan: Plan,
        where: Coordinates,
        curve: Curve,
        priors: PriorTerms,
    ) -> None:
        self.model, self.plan, self.where = model, plan, where
        self.curve, self.priors = curve, priors
        self.noises = _noises(model)
        self.identity = identity_of(model, curve, where)
        self._drawn: tuple[Any, Values] = (None, {})

    def problem(self, data: Data, draws: PriorDraws) -> Problem:
        """The functions and the data, as the engine takes them."""
        names = self.where.names
        return Problem(
            names=names,
            dimension=len(names),
            data=data,
            logdensity=self.logdensity,
            logprior=self.logprior,
            loglikelihood=self.loglikelihood,
            constrain=self.constrain,
            unconstrain=self.unconstrain,
            predict=self.predict,
            components=self.components,
            pointwise=self.pointwise,
            noise=self.noise,
            sample_prior=self.sample_prior,
            scatter=self.scatter,
            terms=self.terms,
            separable=separable_part(
                self.model, self.plan, self.curve, draws.values,
                self.vector, self.flat, self.settled, self.identity,
            ),
            holds=self.holds if self.plan.barriers else None,
            smooth=waves_of(self.model),
        )  # fmt: skip

    # ---------------------------------------------------------------- density

    def logdensity(self, position: Position, data: Data) -> Array:
        values, log_jacobian, scope = self.where.forward(position["z"], data)
        prior = jnp.sum(self.priors(values, scope, data)) + log_jacobian
        likelihood = self._pointwise(values, scope, data)
        density: Array = prior - data["log_prior_mass"] + jnp.sum(likelihood)
        return density

    def logprior(self, position: Position, data: Data) -> Array:
        values, log_jacobian, scope = self.where.forward(position["z"], data)
        prior = jnp.sum(self.priors(values, scope, data)) + log_jacobian
        normalised: Array = prior - data["log_prior_mass"]
        return normalised

    def loglikelihood(self, position: Position, data: Data) -> Array:
        return jnp.sum(self.pointwise(position, data))

    def pointwise(self, position: Position, data: Data) -> Array:
        values, _, scope = self.where.forward(position["z"], data)
        return self._pointwise(values, scope, data)

    def _pointwise(self, values: Array, scope: Scope, data: Data) -> Array:
        return self._noise(self._expected(values, data), scope, data)

    def noise(self, expected: Array, position: Position, data: Data) -> Array:
        _, _, scope = self.where.forward(position["z"], data)
        return self._noise(expected, scope, data)

    def _noise(self, expected: Array, scope: Scope, data: Data) -> Array:
        total = jnp.zeros_like(expected)
        for law, rows, arguments in self.noises:
            given = [_column(a, scope, expected.dtype) for a in arguments]
            counts = jnp.asarray(data["counts"])[rows]
            part = NOISES[law].log_likelihood(counts, expected[rows], *given)
            total = total.at[rows].set(part) if len(self.noises) > 1 else part
        return jnp.where(data["mask"] > 0.0, total, 0.0)

    def _expected(self, values: Array, data: Data) -> Array:
        floor = jnp.asarray(data["floor"])[:, None]
        return positive(self.curve.expected(values, data), floor)

    def terms(self, position: Position, data: Data) -> dict[str, Array]:
        values, log_jacobian, scope = self.where.forward(position["z"], data)
        parts = self.priors(values, scope, data)
        found = dict(zip(self.priors.names, parts, strict=True))
        found["change of variables"] = log_jacobian
        found["prior mass"] = -jnp.asarray(data["log_prior_mass"])
        likelihood = jnp.sum(self._pointwise(values, scope, data), axis=1)
        raw = self.curve.expected(values, data)
        low = jnp.where(data["mask"] > 0.0, raw, jnp.inf).min(axis=1) <= 0.0
        for s, spectrum in enumerate(self.model.spectra):
            label = f"[{spectrum.label}]" if spectrum.label else ""
            name = f"{spectrum.data}{label}"
            found[f"likelihood of {name}"] = likelihood[s]
            found[f"N(v) of {name} not positive"] = jnp.where(low[s], -jnp.inf, 0.0)
        return found

    def holds(self, position: Position, data: Data) -> Array:
        """Whether no barrier is crossed: outside, the density falls but goes on."""
        values, _, scope = self.where.forward(position["z"], data)
        parts = self.priors(values, scope, data)
        barriers = [n.startswith("barrier") for n in self.priors.names]
        return jnp.all(jnp.where(np.array(barriers), parts >= 0.0, True))

    # ----------------------------------------------------------------- values

    def constrain(self, position: Position, data: Data) -> Values:
        values, _, _ = self.where.forward(position["z"], data)
        return {name: values[row] for name, row in self.where.index.items()}

    def unconstrain(self, values: Values, data: Data) -> Position:
        return {"z": self.where.backward(values, data)}

    def vector(self, values: Mapping[str, Any], data: Data) -> Array:
        """All values in one vector, from unknowns by name."""
        return self.where.forward(self.where.backward(values, data), data)[0]

    def flat(self, position: Position, data: Data) -> Array:
        """All values in one vector, at a position."""
        return self.where.forward(position["z"], data)[0]

    def settled(self, values: Mapping[str, Any], data: Data) -> Values:
        """All values, from unknowns that are first moved well inside their bounds."""
        z = self.where.backward(values, data, MARGIN)
        return self.constrain({"z": z}, data)

    def predict(self, position: Position, data: Data) -> Array:
        values, _, _ = self.where.forward(position["z"], data)
        return self._expected(values, data)

    def components(self, position: Position, data: Data) -> Array:
        values, _, _ = self.where.forward(position["z"], data)
        return self.curve.components(values, data)

    # ------------------------------------------------------------------ draws

    def sample_prior(self, key: Array, n: int, data: Data) -> Values:
        constants = {name: float(v) for name, v in data["constants"].items()}
        asked = (seed_of(key), n, tuple(sorted(constants.items())))
        kept = self._drawn  # threads of a batch replace it
        if asked != kept[0]:  # the next spectrum of a batch asks the same
            drawn = prior_draws(self.model, self.plan, n, seed_of(key), constants)
            values = {name: jnp.asarray(x) for name, x in drawn.values.items()}
            self._drawn = kept = asked, values
        return kept[1]

    def scatter(
        self,
        generator: np.random.Generator,
        expected: FloatArray,
        values: Mapping[str, Any],
        data: Data,
    ) -> FloatArray:
        known = {**data["constants"], **values}
        total = np.zeros_like(expected)
        for law, rows, arguments in self.noises:
            given = [np.asarray(evaluate(a, known, np), float) for a in arguments]
            total[rows] = NOISES[law].sample(generator, expected[rows], *given)
        return total


def seed_of(key: Array) -> int:
    """A NumPy seed from a JAX key."""
    words = np.asarray(jax.random.key_data(key), dtype=np.uint64).ravel()
    return int(sum(int(word) << (32 * i) for i, word in enumerate(words)))


def _column(argument: Expression, scope: Scope, dtype: Any) -> Array:
    return jnp.asarray(evaluate(argument, scope, jnp), dtype)


def _noises(
    model: Model[Prior],
) -> list[tuple[str, FloatArray, tuple[Expression, ...]]]:
    """Noise laws with the spectra that each governs."""
    groups: dict[str, tuple[str, list[int], tuple[Expression, ...]]] = {}
    for s, spectrum in enumerate(model.spectra):
        noise = spectrum.noise
        key = noise.model_dump_json(exclude={"place"})
        groups.setdefault(key, (noise.family, [], noise.arguments))[1].append(s)
    return [(law, np.array(rows), given) for law, rows, given in groups.values()]
