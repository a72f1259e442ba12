"""One formula, two namespaces: JAX for densities, NumPy with SciPy for samplers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from specfit.lazy import LazyModule

_LOG_2PI = math.log(2.0 * math.pi)
_FEW = 16.0  # from here four terms of Stirling's series are exact to rounding


class Mathematics(NamedTuple):
    """The functions a formula needs, under the names that JAX and SciPy share."""

    array: Any
    special: Any

    def log(self, x: Any) -> Any:
        """The logarithm; −inf with derivative 0 where `x` is not positive."""
        where = self.array.where
        return where(x > 0, self.array.log(where(x > 0, x, 1.0)), -math.inf)

    def power_log(self, power: Any, x: Any) -> Any:
        """Power times log x, with its limit and derivative 0 at x = 0."""
        where = self.array.where
        limit = where(power > 0, -math.inf, where(power < 0, math.inf, 0.0))
        return where(x > 0, power * self.array.log(where(x > 0, x, 1.0)), limit)

    def choose(self, where: Any, special: Callable[[], Any], usual: Any) -> Any:
        """`special()` where a condition holds, else `usual`.

        The former is computed only if it is needed anywhere, by JAX too (where one
        problem is computed at a time, as on a CPU).
        """
        if self.array is np:
            return np.where(where, special(), usual) if np.any(where) else usual
        from jax.lax import cond

        return cond(
            self.array.any(where),
            lambda: self.array.where(where, special(), usual),
            lambda: usual,
        )

    def stirling(self, n: Any) -> Any:
        """Remainder log n! − (n + ½) log n + n − ½ log 2π for n > 0, about 1 / 12n."""
        where, log = self.array.where, self.array.log

        def direct() -> Any:
            small = where(n < _FEW, n, _FEW)
            power = (small + 0.5) * log(small)
            return self.special.gammaln(small + 1.0) - power + small - 0.5 * _LOG_2PI

        u = 1.0 / where(n < _FEW, _FEW, n)
        v = u * u
        series = u * (1 / 12 - v * (1 / 360 - v * (1 / 1260 - v * (1 / 1680))))
        return self.choose(n < _FEW, direct, series)

    def log_beta(self, a: Any, b: Any) -> Any:
        """Logarithm of the beta function, to rounding for arguments however unequal.

        JAX's own `betaln` is wrong by 1e-7 where the larger argument is near ten.
        """
        if isinstance(a, float) and isinstance(b, float):
            return _log_beta(a, b)
        return self._log_beta(a, b)

    def _log_beta(self, a: Any, b: Any) -> Any:
        large, small = self.array.where(a > b, a, b), self.array.where(a > b, b, a)
        total = large + small
        change = (large - 0.5) * self.array.log1p(small / large)
        change = change + small * self.array.log(total) - small
        remainder = self.stirling(large) - self.stirling(total)
        return self.special.gammaln(small) - change + remainder

    def log_difference(self, larger: Any, smaller: Any) -> Any:
        """log(exp(larger) − exp(smaller)); −inf where that is not positive."""
        where = self.array.where
        ordered = smaller < larger
        gap = where(ordered & (smaller > -math.inf), smaller - larger, -1.0)
        part = where(smaller > -math.inf, self.array.log(-self.array.expm1(gap)), 0.0)
        return where(ordered, larger + part, -math.inf)


JAX = Mathematics(LazyModule("jax.numpy"), LazyModule("jax.scipy.special"))
NUMPY = Mathematics(np, LazyModule("scipy.special"))


@lru_cache(maxsize=4096)
def _log_beta(a: float, b: float) -> float:
    """The same of two numbers: constants of priors, asked for again and again."""
    return float(NUMPY._log_beta(a, b))
