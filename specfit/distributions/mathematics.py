"""One formula, two namespaces: JAX for densities, NumPy with SciPy for samplers."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from specfit.lazy import LazyModule


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

    def log_difference(self, larger: Any, smaller: Any) -> Any:
        """log(exp(larger) − exp(smaller)); −inf where that is not positive."""
        where = self.array.where
        ordered = smaller < larger
        gap = where(ordered & (smaller > -math.inf), smaller - larger, -1.0)
        part = where(smaller > -math.inf, self.array.log(-self.array.expm1(gap)), 0.0)
        return where(ordered, larger + part, -math.inf)


JAX = Mathematics(LazyModule("jax.numpy"), LazyModule("jax.scipy.special"))
NUMPY = Mathematics(np, LazyModule("scipy.special"))
