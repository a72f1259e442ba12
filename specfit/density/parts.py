"""A curve, priors and noise laws → the functions of a problem, whatever the curve is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import (
    Array,
    Data,
    FloatArray,
    Position,
    Problem,
    Separable,
    Values,
)
from specfit.density.coordinates import Coordinates
from specfit.density.histograms import waves_of
from specfit.density.identity import identity_of
from specfit.density.prior import PriorTerms
from specfit.density.scope import Both, Scope
from specfit.distributions import NOISES
from specfit.model.expressions import evaluate
from specfit.model.ir import Expression, Model, Prior
from specfit.model.prior_draws import PriorDraws, prior_draws
from specfit.model.support import Plan

MARGIN = 1e-5
"""How far inside their intervals, relatively, `Separable.assemble` puts values."""


class Curve(Protocol):
    """How the values of a model make the curves of its spectra."""

    def expected(self, values: Array, data: Data) -> Array:
        """What is expected (S, C), before counts are kept positive."""

    def components(self, values: Array, data: Data) -> Array:
        """What each component takes or gives (S, n_components, C)."""

    def known(self) -> Any:
        """What the data alone have decided of the curve, for its identity."""


class Parts:
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
        self.counts = np.array([NOISES[x.noise.family].counts for x in model.spectra])
        self.identity = identity_of(model, curve.known(), where)
        self._drawn: tuple[Any, Values] = (None, {})

    @property
    def counted(self) -> int:
        """How many spectra are counts."""
        return int(self.counts.sum())

    def problem(
        self, data: Data, draws: PriorDraws, separable: Separable | None
    ) -> Problem:
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
            separable=separable,
            holds=self.holds if self.plan.barriers else None,
            smooth=waves_of(self.model),
        )  # fmt: skip

    # ---------------------------------------------------------------- density

    def logdensity(self, position: Position, data: Data) -> Array:
        """As in `Problem`."""
        values, log_jacobian, scope = self.where.forward(position["z"], data)
        prior = jnp.sum(self.priors(values, scope, data)) + log_jacobian
        likelihood = self._pointwise(values, scope, data)
        density: Array = prior - data["log_prior_mass"] + jnp.sum(likelihood)
        return density

    def logprior(self, position: Position, data: Data) -> Array:
        """As in `Problem`."""
        values, log_jacobian, scope = self.where.forward(position["z"], data)
        prior = jnp.sum(self.priors(values, scope, data)) + log_jacobian
        normalised: Array = prior - data["log_prior_mass"]
        return normalised

    def loglikelihood(self, position: Position, data: Data) -> Array:
        """As in `Problem`."""
        return jnp.sum(self.pointwise(position, data))

    def pointwise(self, position: Position, data: Data) -> Array:
        """As in `Problem`."""
        values, _, scope = self.where.forward(position["z"], data)
        return self._pointwise(values, scope, data)

    def _pointwise(self, values: Array, scope: Scope, data: Data) -> Array:
        return self._noise(self._expected(values, data), scope, data)

    def noise(self, expected: Array, position: Position, data: Data) -> Array:
        """As in `Problem`."""
        _, _, scope = self.where.forward(position["z"], data)
        return self._noise(expected, scope, data)

    def _noise(self, expected: Array, scope: Scope, data: Data) -> Array:
        total = jnp.zeros_like(expected)
        known = Both(scope, data.get("columns", {}))
        for law, rows, arguments in self.noises:
            given = [_column(a, known, expected.dtype) for a in arguments]
            counts = jnp.asarray(data["counts"])[rows]
            part = NOISES[law].log_likelihood(counts, expected[rows], *given)
            total = total.at[rows].set(part) if len(self.noises) > 1 else part
        return jnp.where(data["mask"] > 0.0, total, 0.0)

    def variance(self, position: Position, data: Data) -> Array:
        """The variance of each datum, shaped like the expected values."""
        values, _, scope = self.where.forward(position["z"], data)
        expected = self._expected(values, data)
        known = Both(scope, data.get("columns", {}))
        total = jnp.ones_like(expected)
        for law, rows, arguments in self.noises:
            given = [_column(a, known, expected.dtype) for a in arguments]
            total = total.at[rows].set(NOISES[law].variance(expected[rows], *given))
        return total

    def _expected(self, values: Array, data: Data) -> Array:
        plain = self.curve.expected(values, data)
        if not self.counted:
            return plain
        floor = jnp.asarray(data["floor"])[:, None]
        return jnp.where(self.counts[:, None], positive(plain, floor), plain)

    def terms(self, position: Position, data: Data) -> dict[str, Array]:
        """As in `Problem`."""
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
            if self.counts[s]:
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
        """As in `Problem`."""
        values, _, _ = self.where.forward(position["z"], data)
        return {name: values[row] for name, row in self.where.index.items()}

    def unconstrain(self, values: Values, data: Data) -> Position:
        """As in `Problem`."""
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
        """As in `Problem`."""
        values, _, _ = self.where.forward(position["z"], data)
        return self._expected(values, data)

    def components(self, position: Position, data: Data) -> Array:
        """As in `Problem`."""
        values, _, _ = self.where.forward(position["z"], data)
        return self.curve.components(values, data)

    # ------------------------------------------------------------------ draws

    def sample_prior(self, key: Array, n: int, data: Data) -> Values:
        """As in `Problem`."""
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
        """As in `Problem`."""
        known = {**data["constants"], **data.get("columns", {}), **values}
        total = np.zeros_like(expected)
        for law, rows, arguments in self.noises:
            given = [np.asarray(evaluate(a, known, np), float) for a in arguments]
            total[rows] = NOISES[law].sample(generator, expected[rows], *given)
        return total


def target(data: Data) -> tuple[Array, Array]:
    """What is observed and the inverse of its variance, about, spectra one after another."""
    weight = jnp.asarray(data["mask"]) / jnp.asarray(data["spread"])
    return jnp.asarray(data["counts"]).reshape(-1), weight.reshape(-1)


def seed_of(key: Array) -> int:
    """A NumPy seed from a JAX key."""
    words = np.asarray(jax.random.key_data(key), dtype=np.uint64).ravel()
    return int(sum(int(word) << (32 * i) for i, word in enumerate(words)))


def positive(expected: Array, floor: Array) -> Array:
    """Expected counts, bent so that they stay positive: a rate cannot be negative.

    Untouched above `floor` (1e-3 of the largest count, which no thin absorber reaches);
    below it f² / (2f − N), which joins with equal slope, falls to zero like 1/|N| and
    so keeps value and gradient of any log-likelihood finite.
    """
    low = jnp.minimum(expected, floor)
    return jnp.where(expected > floor, expected, floor * floor / (2.0 * floor - low))


def _column(argument: Expression, scope: Mapping[str, Any], dtype: Any) -> Array:
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
