"""How far out in the tails of a density a value lies, in sd of a normal as rare.

A tail probability compares densities of any shape (G. E. P. Box, J. R. Stat. Soc. A 143,
383 (1980)): "three scales out" is rare under a normal and common under a Student-t of two
degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.distributions.laws import LAWS
from specfit.distributions.mathematics import NUMPY
from specfit.model.ir import Dist

_FROM_ZERO = {"halfnormal", "halfcauchy", "exponential"}  # small values are expected
_SMALLEST = -700.0  # the logarithm of the least probability told apart


def normal_sd(value: float, parts: Sequence[Dist], narrower: float = 1.0) -> float:
    """Sd of a normal as rare as `value`, under the nearest of `parts`.

    `narrower` divides the scale of normal and Student-t parts.  Bounds are left out of
    account.  Parts whose arguments are not known numbers, and uniform ones, say nothing;
    with no other the answer is −∞.
    """
    tails = [_log_tail(value, part, narrower) for part in parts if _speaks(part)]
    if not tails:
        return -np.inf
    from scipy.special import ndtri_exp

    return float(-ndtri_exp(max(tails)))


def _speaks(part: Dist) -> bool:
    known = all(argument.op == "const" for argument in part.arguments)
    return known and part.family in LAWS and part.family != "uniform"


def _log_tail(value: float, part: Dist, narrower: float) -> float:
    numbers = [a.value for a in part.arguments if a.op == "const"]
    if part.family in ("normal", "student_t"):
        numbers[-1] /= narrower
    law = LAWS[part.family]
    sides = [law.above] if part.family in _FROM_ZERO else [law.below, law.above]
    with np.errstate(all="ignore"):
        logs = [float(side(NUMPY, np.float64(value), *numbers)) for side in sides]
    return max(_SMALLEST, min(logs))
