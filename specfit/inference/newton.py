"""A damped Newton ascent for small dense problems (dimension up to about 100).

The curvature is made positive by taking absolute eigenvalues, so that saddles repel
(Dauphin et al. 2014, arXiv:1406.2572), and damped as Levenberg and Marquardt do.  The
loop runs on the host: the dimension is small, the density dominates, and nothing but
the density has to be compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from specfit.contracts import FloatArray

Evaluate = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]

FLAT = 1e-10
"""Curvature relative to the diagonal below which a direction counts as flat."""
CLOSE = 1e-4
"""Newton decrement (nats) below which a maximum counts as reached: 0.014 sd."""
PATIENCE = 8
"""Steps uphill after which an ascent that promises too little is given up."""
LONGEST_STEP = 4.0
"""Largest change of one coordinate; coordinates are of order one by construction."""


@dataclass(frozen=True)
class Peak:
    """Where an ascent ended: position, log-density, negative Hessian, what is left.

    decrement: predicted gain of another Newton step, in nats.
    """

    position: FloatArray
    log_density: float
    hessian: FloatArray
    decrement: float

    @property
    def stiffness(self) -> float:
        """Smallest eigenvalue of the Hessian scaled to unit diagonal."""
        scaled, _ = unit_diagonal(self.hessian)
        return float(np.linalg.eigvalsh(scaled)[0])

    @property
    def reached(self) -> bool:
        """The position is a proper local maximum."""
        return self.decrement < CLOSE and self.stiffness > FLAT


def unit_diagonal(hessian: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The Hessian scaled to a diagonal of ones, and the scale of each coordinate."""
    diagonal = np.abs(np.diag(hessian))
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    return hessian * scale * scale[:, None], scale


def climb(
    evaluate: Evaluate,
    start: FloatArray,
    steps: int = 100,
    enough: float = 1e-10,
    floor: float = -np.inf,
) -> Peak | None:
    """The local maximum above `start`, after at most `steps` accepted or failed steps.

    `evaluate(z)`: log-density, gradient, negative Hessian (or an approximation).
    None where these are not finite at the start.  Stops where another step would gain
    less than `enough`, or, after `PATIENCE` steps, none by the curvature where it stands
    promises to lead above `floor`: a guess, which a bent valley can belie.
    """
    position, damping, stalled = start, 1e-3, 0
    value, gradient, hessian = first = evaluate(position)
    if not all(np.isfinite(part).all() for part in first):
        return None
    taken = 0
    for _ in range(steps):
        step, gain = _step(gradient, hessian, damping)
        if gain < enough or stalled >= 3 or damping > 1e12:
            break
        if taken >= PATIENCE and value + gain < floor:
            break
        trial = position + step
        found = evaluate(trial)
        if _better(found, value):
            stalled = stalled + 1 if found[0] - value < 1e-9 else 0
            position, (value, gradient, hessian) = trial, found
            damping, taken = max(damping * 0.1, 1e-12), taken + 1
        else:
            damping *= 10.0
    _, decrement = _step(gradient, hessian, 0.0)
    return Peak(position, value, hessian, decrement)


def _better(found: tuple[float, FloatArray, FloatArray], value: float) -> bool:
    """Higher up to rounding, and usable for another step."""
    new, gradient, hessian = found
    rounding = 1e-15 * abs(value)
    usable = np.isfinite(gradient).all() and np.isfinite(hessian).all()
    return bool(np.isfinite(new) and usable and new >= value - rounding)


def _step(
    gradient: FloatArray, hessian: FloatArray, damping: float
) -> tuple[FloatArray, float]:
    """The damped Newton step, at most `LONGEST_STEP`, and the undamped gain."""
    scaled, scale = unit_diagonal(hessian)
    eigenvalues, vectors = np.linalg.eigh(scaled)
    stiff = np.maximum(np.abs(eigenvalues), FLAT)
    slope = vectors.T @ (scale * gradient)
    step = scale * (vectors @ (slope / (stiff + damping)))
    longest = float(np.max(np.abs(step)))
    if longest > LONGEST_STEP:
        step = step * (LONGEST_STEP / longest)
    return step, 0.5 * float(np.sum(slope**2 / stiff))
