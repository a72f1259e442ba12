"""The path of the elastic net, exact: the active set followed from penalty to penalty.

At each penalty the coefficients minimise ½/n |y − Xw|² + α (r |w|₁ + ½ (1 − r) |w|²).  With
the signs of those that are not zero known, they solve a linear system; from the answer at
the stronger penalty it takes a step or two to find which.  Coordinate descent, the usual
way, stops short of this where features are many and alike: its path has stairs.

Source: M. R. Osborne, B. Presnell, B. A. Turlach, IMA J. Numer. Anal. 20, 389 (2000),
doi:10.1093/imanum/20.3.389 (there without the ridge).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from specfit.contracts import FloatArray
from specfit.standardised import Rows

RIDGE = 1e-10
"""Least ridge, to the mean square of each feature: columns that are sums of others, as
weights are that add up to one, then share what is theirs."""
SLACK = 1e-9
"""By how much, relative to the penalty, a gradient may pass it."""
STEPS = 10
"""Changes of the active set for each feature and penalty, at most."""


def elastic_net_path(
    x: FloatArray, y: FloatArray, ratio: float, alphas: FloatArray
) -> tuple[FloatArray, Rows]:
    """Coefficients (n_alphas, p) at falling penalties, and which of them are final.

    x: (n, p) and y: (n,), both about their means.
    """
    n, p = x.shape
    tiny = np.finfo(float).tiny
    gram, pull = x.T @ x / n, x.T @ y / n
    least = np.maximum(RIDGE * np.diagonal(gram), tiny)
    w = np.zeros(p)
    path, final = np.empty((len(alphas), p)), np.zeros(len(alphas), dtype=bool)
    for k, alpha in enumerate(alphas):
        ridge = np.maximum(float(alpha) * (1.0 - ratio), least)
        w, final[k] = _solved(gram, pull, float(alpha) * ratio, ridge, w)
        path[k] = w
    return path, final


def _solved(
    gram: FloatArray, pull: FloatArray, lasso: float, ridge: FloatArray, w: FloatArray
) -> tuple[FloatArray, bool]:
    """The minimum at one penalty from a point near it; False where it was not reached."""
    signs = np.sign(w)
    for _ in range(STEPS * len(w)):
        active = np.flatnonzero(signs)
        if active.size:
            w, turned = _towards(w, active, _best(gram, pull, lasso, ridge, signs))
            if turned is not None:
                signs[turned] = 0.0
                continue
        slope = pull - gram @ w
        outside = np.where(signs == 0.0, np.abs(slope), 0.0)
        entering = int(outside.argmax())
        if outside[entering] <= lasso * (1.0 + SLACK):
            return w, True
        signs[entering] = np.sign(slope[entering])
    return w, False


def _best(
    gram: FloatArray,
    pull: FloatArray,
    lasso: float,
    ridge: FloatArray,
    signs: FloatArray,
) -> FloatArray:
    """The minimum over the active coefficients, their signs taken as given."""
    active = np.flatnonzero(signs)
    system = gram[np.ix_(active, active)] + np.diag(ridge[active])
    factor: Any = cho_factor(system, check_finite=False)
    target = pull[active] - lasso * signs[active]
    found: FloatArray = cho_solve(factor, target, check_finite=False)
    return found


def _towards(
    w: FloatArray, active: Any, aim: FloatArray
) -> tuple[FloatArray, int | None]:
    """As far towards the aim as no sign changes, and the coefficient that stops it.

    A coefficient that enters is zero and takes the sign of its slope, as its aim has it.
    """
    here = w[active]
    crossing = here * aim < 0.0
    moved = w.copy()
    if not crossing.any():
        moved[active] = aim
        return moved, None
    share = np.where(crossing, here / np.where(crossing, here - aim, 1.0), np.inf)
    first = int(share.argmin())
    moved[active] = here + share[first] * (aim - here)
    moved[active[first]] = 0.0
    return moved, int(active[first])
