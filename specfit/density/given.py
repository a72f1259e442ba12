"""Coefficients that are Gaussian once everything else is given, drawn as such.

In y = a + X β + ε with ε normal and β_j = s_j u_j, u standard normal, the coefficients
are normal given their scales s, and so is the intercept.  A sampler that walks over u
itself meets a funnel for every coefficient; one that walks over the scales, the
coefficients integrated out, meets none.  Here that is a change of variables: u (and the
intercept, in units of its prior) = m + L ζ, with m and L Lᵀ the mean and covariance they
have given the rest.  Of ζ the posterior is a standard normal, of the rest it is the
marginal one, and the density stays that of u because the Jacobian goes with it.

With B = (s_a 1, X s) / sd of the noise, (n, 1 + p), and C Cᵀ = I + B Bᵀ, the square root
is L = I − Bᵀ C⁻ᵀ (C + I)⁻¹ B, as in the square-root filter of A. Andrews, AIAA J. 6, 1165
(1968), doi:10.2514/3.4704: only n × n matrices are factored.  Where entries of X have
errors the noise depends on β; L then takes a mean of that (`_widened`), and the density
is exact all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular

from specfit.contracts import Array, Data, FloatArray
from specfit.density.scope import Both, Scope
from specfit.model.expressions import evaluate, references
from specfit.model.ir import Const, Expression

LOCAL = "#local"
NOTHING = Const(value=0.0)


@dataclass(frozen=True)
class Intercept:
    """A normal intercept: its prior, and z = (value − centre) / unit of its coordinate."""

    row: int
    location: Expression
    scale: Expression
    centre: float
    unit: float


@dataclass(frozen=True)
class Given:
    """The linear part of one regression.

    rows, names: (p,) places of the standard normals in z, their names; local: their
    scales by name; scale: of a coefficient, `LOCAL` standing for its own; rest: what is
    expected where all coefficients are 0 and the intercept is at its location; noise: the
    sd of the target; features, errors: columns of the data.
    """

    rows: FloatArray
    names: tuple[str, ...]
    local: tuple[str, ...]
    scale: Expression
    intercept: Intercept | None
    rest: Expression
    noise: Expression
    features: str
    errors: tuple[str, str] | tuple[()]

    def moved(self, z: Array, scope: Scope, data: Data) -> tuple[Array, Array]:
        """The z of the plain coordinates, and log |det L|."""
        b, pull = self._system(scope, data, z.dtype)
        zeta = z[self.rows]
        if self.intercept is not None:
            zeta = jnp.concatenate([z[self.intercept.row][None], zeta])
        c = jnp.linalg.cholesky(jnp.eye(len(b), dtype=z.dtype) + b @ b.T)
        inner = solve_triangular(c + jnp.eye(len(b)), b @ zeta, lower=True)
        mean = solve_triangular(c, pull, lower=True)
        found = zeta + b.T @ solve_triangular(c, mean - inner, lower=True, trans="T")
        log_det = -jnp.sum(jnp.log(jnp.diagonal(c)))
        if self.intercept is None:
            return z.at[self.rows].set(found), log_det
        at, stretch = self._placed(found[0], scope, z.dtype)
        z = z.at[self.rows].set(found[1:]).at[self.intercept.row].set(at)
        return z, log_det + stretch

    def unmoved(self, z: Array, scope: Scope, data: Data) -> Array:
        """The inverse of `moved`, by a plain solution of all its equations."""
        b, pull = self._system(scope, data, z.dtype)
        found = z[self.rows]
        if self.intercept is not None:
            location, scale = self._prior(scope, z.dtype)
            value = self.intercept.centre + self.intercept.unit * z[self.intercept.row]
            found = jnp.concatenate([((value - location) / scale)[None], found])
        c = jnp.linalg.cholesky(jnp.eye(len(b), dtype=z.dtype) + b @ b.T)
        half = solve_triangular(c + jnp.eye(len(b)), b, lower=True)
        root = jnp.eye(len(found)) - b.T @ solve_triangular(
            c, half, lower=True, trans="T"
        )
        mean = solve_triangular(c, pull, lower=True)
        mean = b.T @ solve_triangular(c, mean, lower=True, trans="T")
        zeta = jnp.linalg.solve(root, found - mean)
        if self.intercept is None:
            return z.at[self.rows].set(zeta)
        return z.at[self.rows].set(zeta[1:]).at[self.intercept.row].set(zeta[0])

    def _system(self, scope: Scope, data: Data, dtype: Any) -> tuple[Array, Array]:
        """B, and what is left of the target, both in units of the noise."""
        known = {**data["constants"], **data["columns"]}
        local = scope.gather(self.local)
        own = {name: scope[name] for name in references(self.scale) - {LOCAL}}
        s = jnp.asarray(evaluate(self.scale, {**own, LOCAL: local}, jnp), dtype)
        a = (jnp.asarray(known[self.features]) * s[:, None]).T
        every = Both(data["columns"], scope)
        left = jnp.asarray(data["counts"])[0] - evaluate(self.rest, every, jnp)
        noise = jnp.asarray(evaluate(self.noise, every, jnp), dtype) ** 2
        if self.intercept is not None:
            location, scale = self._prior(scope, dtype)
            left = left - location
            a = jnp.concatenate(
                [jnp.full((len(a), 1), 1.0, a.dtype) * scale, a], axis=1
            )
        learned = jnp.asarray(data["learned"])[0]
        if self.errors:
            errors, places = (jnp.asarray(known[name]) for name in self.errors)
            noise = _widened(a, left, learned, noise, _Errors(s, errors, places))
        weight = learned / jnp.sqrt(noise)
        return a * weight[:, None], left * weight

    def _prior(self, scope: Scope, dtype: Any) -> tuple[Array, Array]:
        assert self.intercept is not None
        location, scale = (
            jnp.asarray(evaluate(e, scope, jnp), dtype)
            for e in (self.intercept.location, self.intercept.scale)
        )
        return location, scale

    def _placed(self, standard: Array, scope: Scope, dtype: Any) -> tuple[Array, Array]:
        """The coordinate of the intercept, and the logarithm of how that is stretched."""
        assert self.intercept is not None
        location, scale = self._prior(scope, dtype)
        value = location + scale * standard
        at = (value - self.intercept.centre) / self.intercept.unit
        return at, jnp.log(scale / self.intercept.unit)


class _Errors(NamedTuple):
    """Of entries whose coefficients have the sds `s` (p,) a priori; see `feature_columns`."""

    s: Array
    errors: Array
    places: Array

    def each(self, values: Array) -> Array:
        """Values (p,) by block and member, (n_blocks, b)."""
        return jnp.append(values, 0.0)[self.places]


@jax.custom_jvp
def _inverse_root(matrix: Array) -> Array:
    """C⁻¹ of a positive definite matrix C Cᵀ; its derivative needs no further solution.

    With the root and not the inverse, what it leaves of 1 keeps its digits.
    """
    c = jnp.linalg.cholesky(matrix)
    return solve_triangular(c, jnp.eye(len(matrix), dtype=matrix.dtype), lower=True)


@_inverse_root.defjvp
def _inverse_root_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    found = _inverse_root(*primals)
    turned = found @ tangents[0] @ found.T
    lower = jnp.tril(turned, -1) + 0.5 * jnp.diag(jnp.diagonal(turned))
    return found, -lower @ found


def _widened(
    a: Array, left: Array, learned: Array, noise: Array, off: _Errors
) -> Array:
    """Variance of each row with the errors of its entries, β² as far as it is known.

    The mean of β² is taken over what the rows say of it with the errors that its mean
    over the prior would make; over the prior alone, scales far above what the rows allow
    would leave a coefficient no room.  Correlations count for the mean of β,
    not for its spread.
    """
    p, own = len(off.s), off.each(off.s)
    alone = own[:, :, None] ** 2 * jnp.sum(off.errors**2, axis=2)
    weight = learned / jnp.sqrt(noise + jnp.sum(alone, axis=(0, 1)))
    b = a * weight[:, None]
    root = _inverse_root(jnp.eye(len(b), dtype=a.dtype) + b @ b.T)
    half = root @ b
    mean = half.T @ (root @ (left * weight))
    spread = off.each((1.0 - jnp.sum(half**2, axis=0))[-p:])
    wide = own * off.each(mean[-p:])
    noise += jnp.sum(spread[:, :, None] * alone, axis=(0, 1))
    return noise + jnp.sum(
        jnp.sum(wide[:, :, None, None] * off.errors, axis=1) ** 2, axis=(0, 1)
    )
