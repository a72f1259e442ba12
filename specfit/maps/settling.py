"""Where on its line a pure spectrum lies: what the data leave open a library settles.

Two things may be true of a component. Some pixel has nothing of the others: then its
spectrum lies at the inner end of what the data allow. Or none has: then it may lie
anywhere beyond. Either is given half of the prior, and the library tells which. Without
the first a map with pure pixels would have all of its posterior on one side of the truth.
A point of positive prior at the bound, instead of a density that would be steep there by
a form of its own; as in the selection of variables (Mitchell & Beauchamp, J. Am. Stat.
Assoc. 83, 1023, 1988).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

from specfit.maps import edges
from specfit.maps.found import Array
from specfit.maps.rotation import Level, Line, Projected, independent, line

FINE = 161
STRENGTHS = np.exp(np.linspace(np.log(10.0), np.log(1e6), 60))
PURE = 0.5
"""Prior probability that some pixel holds one component alone."""


def strengths(of: Line, curve: Array) -> Array:
    """Log of the joint density of strength and place, (n_strengths, T).

    The measure of the spectrum is that of its logarithms, so that neither the number
    of channels without intensity nor their order matters; uniform in log A.
    """
    a = STRENGTHS[:, None]
    norm = gammaln(STRENGTHS) - np.sum(gammaln(a * curve[None]), axis=1)
    told = of.independent * (norm[:, None] + a * of.likeness[None])
    return np.asarray(told + of.level[None])


@dataclass(frozen=True)
class Settled:
    """A line's posterior: places of equal weight (D,), the best, the learned strength.

    `places` (T,) rise, `weights` (T − 1,) are the logarithms of what lies between them.
    `worth`: the share of channels that told something. `pure`: the probability that some
    pixel has nothing of the other component. The best is the mean of the best if so and
    the best if not, by that probability.
    """

    draws: Array
    best: float
    strength: float
    evidence: float
    places: Array
    weights: Array
    pure: float = 0.0
    worth: float = 1.0


def settled(
    found: Projected,
    level: Level,
    curve: Array | None,
    draws: int = 64,
    worth: float | None = None,
) -> Settled:
    """The posterior of the place of one pure spectrum along a line.

    `worth` is the share of channels whose departure from the curve tells something of
    its own; that at the best place if it is not known.
    """
    of = refined(found, level, curve, worth)
    if curve is None:
        return _level(of, draws)
    joint = strengths(of, curve)
    beyond, at_edge = _beyond(of, level, joint), _at_edge(of, level, joint)
    power = logsumexp([logsumexp(beyond, axis=1), logsumexp(at_edge, axis=1)], axis=0)
    step = logsumexp([beyond, at_edge], axis=(0, 1))
    pure = float(np.exp(logsumexp(at_edge) - logsumexp(power)))
    edge = _quantiles(of.places, logsumexp(at_edge, axis=0), 1)[0] if pure > 0 else 0.0
    inside = of.places[np.argmax(joint[np.argmax(logsumexp(beyond, axis=1))])]
    return Settled(
        _quantiles(of.places, step, draws),
        float(pure * edge + (1.0 - pure) * inside),
        float(STRENGTHS[np.argmax(power)]),
        float(logsumexp(power)),
        of.places,
        np.asarray(step),
        pure,
        of.independent,
    )


def single(spectrum: Array, curve: Array) -> tuple[float, float]:
    """The learned strength of the curve of a spectrum that is alone, and its evidence."""
    lifted = spectrum + 1e-6 / spectrum.size
    likeness = np.log(lifted / lifted.sum()) @ curve
    none = np.zeros(1)
    of = Line(none, none, np.array([likeness]), independent(spectrum, curve))
    power = strengths(of, curve)[:, 0]
    return float(STRENGTHS[np.argmax(power)]), float(logsumexp(power))


def _level(of: Line, draws: int) -> Settled:
    """Of a line on which no curve speaks."""
    share = np.exp(of.level - of.level.max())
    width = np.gradient(of.places)
    mean = float(np.sum(share * of.places * width) / np.sum(share * width))
    nan, whole = float("nan"), float(np.log(np.sum(share * width)) + of.level.max())
    step = _between(of.level[None])[0] + np.log(np.diff(of.places))
    drawn = _quantiles(of.places, step, draws)
    return Settled(drawn, mean, nan, whole, of.places, step)


def _beyond(of: Line, level: Level, joint: Array) -> Array:
    """Log of strength and interval (n_strengths, T − 1) if no pixel is pure."""
    low, high = level.ends
    wide = np.diff(of.places) / max(high - low, 1e-300)
    return np.asarray(_between(joint) + np.log((1.0 - PURE) * wide))


def _at_edge(of: Line, level: Level, joint: Array) -> Array:
    """The same if some pixel is pure, where the data bound the weights."""
    gain = np.interp(of.places, level.places, level.gain)
    outside = edges.outside(gain)
    with np.errstate(divide="ignore"):
        mass = np.log(PURE * (outside[:-1] - outside[1:]))
    return np.asarray(_between(joint + edges.cost(gain)) + mass)


def _between(height: Array) -> Array:
    return np.asarray(np.logaddexp(height[:, 1:], height[:, :-1]) - np.log(2.0))


def _quantiles(places: Array, step: Array, draws: int) -> Array:
    """Places (draws,) of equal weight, of logs of weights (T − 1,) between places (T,)."""
    total = np.concatenate([[0.0], np.cumsum(np.exp(step - step.max()))])
    found = np.interp((np.arange(draws) + 0.5) / draws * total[-1], total, places)
    return np.asarray(found)


def refined(
    found: Projected, level: Level, curve: Array | None, worth: float | None = None
) -> Line:
    """A line on a grid that follows its density; places rise.

    It is finer at the peak: there the bound of the weights falls off within a thousandth.
    """
    low, high = level.reach
    place = np.union1d(level.places, np.linspace(low, high, FINE))
    inside = place[(place >= low) & (place <= high)]
    of = line(found, level, curve, inside, worth)
    if curve is None:
        return of
    step = (high - low) / (FINE - 1)
    for _ in range(2):
        height = np.logaddexp.reduce(strengths(of, curve), axis=0)
        fine = np.linspace(-step, step, 11) + of.places[int(np.argmax(height))]
        fine = fine[(fine >= low) & (fine <= high)]
        of = line(found, level, curve, np.union1d(of.places, fine), worth)
        step /= 5.0
    return of
