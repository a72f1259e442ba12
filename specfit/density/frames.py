"""What the data know of the parts of a whole, by themselves: for `framed`.

Where an expected curve is linear in the members of a simplex, least squares under its
bounds says where each of them lies and how well it is known for given others.  Members at
their bound come first, each with the others there held; then those inside, each with the
ones after it open; last the largest, which is what is left.  Only coordinates follow from
this, no density: a rough frame costs steps, never truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from specfit.contracts import Data, FloatArray, Measurement
from specfit.density.coordinates import Coordinates
from specfit.density.expression_amounts import degree
from specfit.density.splines import Shifted
from specfit.model.expressions import evaluate, references, substitute
from specfit.model.ir import Expression, Joint, Model, Prior

Places = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]
STEP = 0.01
"""Of a coordinate, over which the change of the curve is taken."""
ROUNDS = 3
WIDEST = 1.0
"""The largest scale of a part: more than the whole is no knowledge."""
ALIKE = 1e-12
"""Of the precision of members: below it, two of them are the same curve."""
LOGISTIC = np.sqrt(3.0) / np.pi
"""The scale of a logistic law of unit variance."""


def with_frames(
    model: Model[Prior],
    where: Coordinates,
    computed: Mapping[str, Expression],
    draws: Mapping[str, FloatArray],
    data: Data,
    measurements: Sequence[Measurement],
) -> Data:
    """The data with a frame for each simplex, where every curve is linear in all."""
    if not measurements[0].bases or not where.simplices or where.standards:
        return data
    means = [s.noise.mean for s in model.spectra if s.noise.mean is not None]
    whole = [drawn_only(mean, computed) for mean in means]
    members = frozenset(n for joint in where.simplices for n in joint.names)
    if any(degree(mean, members) > 1 for mean in whole):
        return data
    values = {n: float(np.median(v)) for n, v in draws.items()}
    weight = np.asarray(data["mask"]) / np.asarray(data["spread"])
    seen, frames = np.asarray(data["counts"]), []
    for joint in where.simplices:
        own = [s for s, m in enumerate(whole) if references(m) & {*joint.names}]
        curves = _Curves(where, {s: whole[s] for s in own}, data)
        found = _fitted(
            curves, joint, dict(values), seen[own].ravel(), weight[own].ravel()
        )
        rows = [where.names.index(name) for name in joint.names[:-1]]
        frame = _frame(*found, total=joint.total)
        frames.append(
            {**frame, "rows": np.array(rows), "total": np.float64(joint.total)}
        )
    return {**data, "frames": frames}


def drawn_only(
    expression: Expression, computed: Mapping[str, Expression]
) -> Expression:
    """The expression with definitions put in, as long as any is named."""
    while names := references(expression) & computed.keys():
        expression = substitute(expression, {name: computed[name] for name in names})
    return expression


class _Curves:
    """The expected curves of some spectra, one after another, as NumPy computes them."""

    def __init__(
        self, where: Coordinates, means: Mapping[int, Expression], data: Data
    ) -> None:
        self.where, self.means, self.data = where, means, data
        self.known = {**data["constants"], **where.constant, **data["columns"]}

    def at(self, values: Mapping[str, Any]) -> FloatArray:
        """The curves (S · C,)."""
        rows = []
        for s, mean in self.means.items():
            axis = np.asarray(self.data["x"])[s]
            splines = self.data["bases"].items()
            bases = {n: Shifted(spline, axis) for n, spline in splines}
            known = {**self.known, **values, **bases}
            rows.append(np.broadcast_to(evaluate(mean, known, np), axis.shape))
        return np.concatenate(rows)

    def members(self, joint: Joint, values: Mapping[str, Any]) -> FloatArray:
        """What one unit of each member adds (S · C, n)."""
        none = {**values, **dict.fromkeys(joint.names, 0.0)}
        empty = self.at(none)
        return np.stack([self.at({**none, n: 1.0}) - empty for n in joint.names], 1)

    def outside(self, values: Mapping[str, Any]) -> tuple[FloatArray, FloatArray]:
        """Changes of the curves with every coordinate outside (S · C, m), and these."""
        columns, places = [], []
        nothing = np.zeros(len(self.means) * self.data["counts"].shape[1])
        for group in self.where.groups:
            x = np.array([float(values[n]) for n in group.names])
            z = np.asarray(group.inverse(jnp.asarray(x), 0.0))
            places.append(z)
            for i, name in enumerate(group.names):
                if not any(name in references(mean) for mean in self.means.values()):
                    columns.append(nothing)
                    continue
                ends = []
                for sign in (-1.0, 1.0):
                    moved = z.copy()
                    moved[i] += sign * STEP
                    there = float(np.asarray(group.forward(jnp.asarray(moved))[0])[i])
                    ends.append(self.at({**values, name: there}))
                columns.append((ends[1] - ends[0]) / (2.0 * STEP))
        if not columns:
            return np.zeros((nothing.size, 0)), np.zeros(0)
        return np.stack(columns, 1), np.concatenate(places)


def _fitted(
    curves: _Curves,
    joint: Joint,
    values: dict[str, Any],
    seen: FloatArray,
    weight: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """½ x'Px − p'x of x, all outside and the members: P, p, its minimum, who is free.

    The prior of what is outside counts as normal in its coordinates.
    """
    n = len(joint.names)
    values |= {name: joint.total / n for name in joint.names}
    for _ in range(ROUNDS):
        inner = curves.members(joint, values)
        outer, place = curves.outside(values)
        m = outer.shape[1]
        design = np.concatenate([outer, inner], 1) * np.sqrt(weight)[:, None]
        now = np.array([values[name] for name in joint.names])
        gap = (seen - curves.at(values)) * np.sqrt(weight)
        precision = design.T @ design
        precision[:m, :m] += np.eye(m)
        pull = design.T @ gap
        pull[:m] -= place
        here = np.concatenate([place, now])
        pull = precision @ here + pull
        there, free = _bounded(precision, pull, m, joint.total)
        values |= dict(zip(joint.names, there[m:].tolist(), strict=True))
    return precision, pull, there, free


def _bounded(
    precision: FloatArray, pull: FloatArray, m: int, total: float
) -> tuple[FloatArray, FloatArray]:
    """The minimum of ½ x'Px − p'x with members that add up and are not negative."""
    size = pull.size
    free = np.ones(size, dtype=bool)
    while True:
        at = np.flatnonzero(free)
        inside = (at >= m).astype(float)
        system = np.zeros((at.size + 1, at.size + 1))
        system[:-1, :-1] = precision[np.ix_(at, at)]
        system[:-1, -1] = system[-1, :-1] = inside
        solved = np.linalg.lstsq(system, np.append(pull[at], total), rcond=None)[0]
        x = np.zeros(size)
        x[at] = solved[:-1]
        lowest = m + int(np.argmin(x[m:]))
        if x[lowest] >= 0.0 or free[m:].sum() <= 1:
            return x, free[m:]
        free[lowest] = False


def _frame(
    precision: FloatArray,
    pull: FloatArray,
    there: FloatArray,
    free: FloatArray,
    total: float,
) -> dict[str, Any]:
    """Order, mean, scale and what the mean rests on of each part but the last."""
    m = there.size - free.size
    parts = there[m:]
    order = np.lexsort((parts, free))  # those at their bound first, the largest last
    n = order.size
    h, g = _without_last(precision, pull, order, total)
    held = int(np.sum(np.logical_not(free[order[:-1]])))
    mean, scale = np.zeros(n - 1), np.zeros(n - 1)
    outside, inside = np.zeros((n - 1, m)), np.zeros((n - 1, n - 1))
    for k in range(n - 1):
        later = np.arange(max(k + 1, held), n - 1) + m
        before = np.arange(m + k)
        s, rest = _conditional(h, g, m + k, later, before)
        precise = max(s, (LOGISTIC / (WIDEST * total)) ** 2)
        mean[k] = rest[0] / precise
        outside[k] = rest[1 : 1 + m] / precise
        inside[k, :k] = rest[1 + m :] / precise
        scale[k] = min(LOGISTIC / np.sqrt(precise), WIDEST * total)
    return {
        "order": order,
        "mean": mean,
        "scale": scale,
        "outside": outside,
        "inside": inside,
    }


def _without_last(
    precision: FloatArray, pull: FloatArray, order: Places, total: float
) -> tuple[FloatArray, FloatArray]:
    """The same quadratic of what is outside and all members but the last, in order."""
    n = order.size
    m = pull.size - n
    change = np.zeros((m + n, m + n - 1))
    change[:m, :m] = np.eye(m)
    change[m + order[:-1], m + np.arange(n - 1)] = 1.0
    change[m + order[-1], m:] = -1.0
    fixed = np.zeros(m + n)
    fixed[m + order[-1]] = total
    return change.T @ precision @ change, change.T @ (pull - precision @ fixed)


def _conditional(
    h: FloatArray, g: FloatArray, k: int, later: Places, before: Places
) -> tuple[float, FloatArray]:
    """Precision of coordinate k and, times its mean, a constant and what it rests on.

    `later` are open; what is in neither is held at nothing.
    """
    if later.size:
        inner = np.linalg.pinv(h[np.ix_(later, later)], rcond=ALIKE, hermitian=True)
        solved, pulled = inner @ h[later][:, [k, *before]], inner @ g[later]
        own = h[k, k] - h[k, later] @ solved[:, 0]
        cross = h[k, before] - h[k, later] @ solved[:, 1:]
        constant = g[k] - h[k, later] @ pulled
    else:
        own, cross, constant = h[k, k], h[k, before], g[k]
    return float(own), np.concatenate([[constant], -cross])
