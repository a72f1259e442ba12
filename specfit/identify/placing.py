"""Many phases placed at once, each alone, where each explains most of a residue.

Phases with about as many lines stand side by side as padded arrays; the unknowns of all
are moved together by damped Gauss-Newton steps (Levenberg-Marquardt), while what is
there already responds linearly.  Each ends with an estimate of the log-evidence that it
would add.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from specfit.contracts import FloatArray
from specfit.identify.appearance import Block, block, parts
from specfit.identify.densities import Densities
from specfit.identify.layout import HALF_LOG_2PI
from specfit.identify.mixture import LONGEST
from specfit.identify.patterns import PhasePattern
from specfit.identify.residue import Residue


@dataclass(frozen=True, eq=False)
class Batch:
    """Phases side by side: b of them, up to l lines, s sites, m unknowns and a dummy.

    moves: (b, l, m + 1).  ratio: (b, l, 4).  member: (b, s, l) 1 where a line belongs to
    a site.  shares: (b, s), −inf where there is no such site.  share, values: (b, …)
    places, m where there is none.  mean, bend: (b, m + 1) of the normal densities, the
    inverse variance 0 where the density is another.
    """

    sizes: np.ndarray
    moves: FloatArray
    ratio: FloatArray
    member: FloatArray
    shares: FloatArray
    share: np.ndarray
    values: np.ndarray
    mean: FloatArray
    bend: FloatArray
    norm: FloatArray
    densities: Densities
    middle: FloatArray

    def chosen(self, rows: np.ndarray) -> Batch:
        """Some of them, in this order."""
        d = self.densities
        names = ("logs", "location", "room", "freedom")
        fields = {
            name: getattr(self, name)[rows]
            for name in self.__dataclass_fields__
            if name != "densities"
        }
        some = Densities(*(getattr(d, name)[rows] for name in names))
        return Batch(densities=some, **fields)


def batch(phases: Sequence[PhasePattern], slopes: tuple[float, float, float]) -> Batch:
    """Phases as padded arrays."""
    blocks = [block(phase, slopes) for phase in phases]
    m = max(one.size for one in blocks)
    n_lines = max(len(one.site) for one in blocks)
    n_sites = max(len(one.share) for one in blocks)
    most = max(len(d.weight) for p in phases for s in p.sites for d in s.priors)
    n_values = max(sum(len(p) for p in one.values) for one in blocks)
    rows = [_row(one, m, n_lines, n_sites, n_values) for one in blocks]
    entries = []
    for phase in phases:
        own = [density for site in phase.sites for density in site.priors]
        entries.append(Densities.of([*own, *[None] * (n_values - len(own))], most))
    names = ("logs", "location", "room", "freedom")
    arrays = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return Batch(
        densities=Densities(
            *(np.stack([getattr(e, n) for e in entries]) for n in names)
        ),
        **arrays,
    )


def _row(
    one: Block, m: int, n_lines: int, n_sites: int, n_values: int
) -> dict[str, np.ndarray]:
    """The arrays of one phase, padded."""
    lines, sites = len(one.site), len(one.share)
    moves = np.pad(one.moves, ((0, n_lines - lines), (0, m + 1 - one.size)))
    ratio = np.pad(one.ratio, ((0, n_lines - lines), (0, 0)))
    ratio[lines:, 2] = 1.0
    member = np.zeros((n_sites, n_lines))
    member[one.site, np.arange(lines)] = 1.0
    shares = np.pad(one.shares, (0, n_sites - sites), constant_values=-np.inf)
    share = np.pad(one.share, (0, n_sites - sites), constant_values=m)
    values = np.concatenate(one.values)
    values = np.pad(values, (0, n_values - len(values)), constant_values=m)
    mean, bend = np.zeros(m + 1), np.zeros(m + 1)
    mean[one.normal], bend[one.normal] = one.mean, one.spread**-2.0
    bend[one.size :] = 1.0
    norm = np.sum(np.log(one.spread) + HALF_LOG_2PI)
    return {
        "sizes": np.array(one.size), "moves": moves, "ratio": ratio, "member": member,
        "shares": shares, "share": share, "values": values, "mean": mean, "bend": bend,
        "norm": np.array(norm), "middle": np.pad(one.middle, (0, m + 1 - one.size)),
    }  # fmt: skip


State = tuple[FloatArray, FloatArray, FloatArray]


def placed(
    residue: Residue, phases: Batch, start: FloatArray, steps: int
) -> tuple[FloatArray, FloatArray]:
    """Where each phase (b, m + 1) explains most, and the log-evidence it adds (b,)."""
    theta, at = start, _local(residue, phases, start)
    damping = np.full(len(theta), 1e-2)
    for _ in range(steps):
        trial = theta + _step(at, damping)
        there = _local(residue, phases, trial)
        better = there[0] >= at[0]
        theta = np.where(better[:, None], trial, theta)
        at = (
            np.where(better, there[0], at[0]),
            np.where(better[:, None], there[1], at[1]),
            np.where(better[:, None, None], there[2], at[2]),
        )
        damping = np.where(better, 0.1 * damping, 10.0 * np.maximum(damping, 1e-3))
    sizes = np.linalg.slogdet(at[2])[1]
    evidence = at[0] - residue.value + phases.sizes * HALF_LOG_2PI - 0.5 * sizes
    return theta, evidence


def _step(at: State, damping: FloatArray) -> FloatArray:
    _, gradient, hessian = at
    diagonal = np.diagonal(hessian, axis1=1, axis2=2)
    more = damping[:, None] * diagonal
    damped = hessian + more[:, :, None] * np.eye(diagonal.shape[1])
    step = np.linalg.solve(damped, gradient[:, :, None])[:, :, 0]
    longest = np.max(np.abs(step), axis=1, keepdims=True)
    found: FloatArray = step * np.minimum(1.0, LONGEST / np.maximum(longest, LONGEST))
    return found


def _local(residue: Residue, phases: Batch, theta: FloatArray) -> State:
    """Log posterior of each, gradient, and curvature without that of the residuals."""
    signal, change = _signal(residue, phases, theta)
    e = residue.left - signal
    moved = e @ residue.response + residue.slope
    through = (change @ residue.response.astype(np.float32)).astype(float)
    value = 0.5 * np.sum(moved**2, axis=1) - 0.5 * np.sum(e**2, axis=1)
    gradient = (change @ e.astype(np.float32)[:, :, None])[:, :, 0].astype(float)
    gradient -= np.einsum("bmk,bk->bm", through, moved)
    hessian = (change @ change.transpose(0, 2, 1)).astype(float)
    hessian -= through @ through.transpose(0, 2, 1)
    far = theta - phases.mean
    value -= 0.5 * np.sum(phases.bend * far**2, axis=1) + phases.norm
    gradient -= phases.bend * far
    rows = np.arange(len(theta))[:, None]
    logs, slope, bend = phases.densities.log(theta[rows, phases.values])
    there = phases.values < theta.shape[1] - 1
    value += np.sum(np.where(there, logs, 0.0), axis=1)
    own = phases.bend.copy()
    # only the dummy stands at several places, and nothing is added to it
    gradient[rows, phases.values] += np.where(there, slope, 0.0)
    own[rows, phases.values] += np.where(there, bend, 0.0)
    span = np.arange(theta.shape[1])
    hessian[:, span, span] = np.maximum(hessian[:, span, span], 0.0) + own
    return value, gradient, hessian


def _signal(
    residue: Residue, phases: Batch, theta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """What each phase does to the weighted counts, and its derivatives (b, m + 1, n)."""
    offset = residue.half_offset
    if offset == 0.0:
        return _at(residue, phases, theta, residue.velocity)
    sides = [
        _at(residue, phases, theta, residue.velocity + o) for o in (-offset, offset)
    ]
    return 0.5 * (sides[0][0] + sides[1][0]), 0.5 * (sides[0][1] + sides[1][1])


def _at(
    residue: Residue, phases: Batch, theta: FloatArray, velocity: FloatArray
) -> tuple[FloatArray, FloatArray]:
    rows = np.arange(len(theta))[:, None]
    logs = phases.shares + theta[rows, phases.share]
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    fwhm = np.exp(theta[:, 1])[:, None, None]
    own, _ = parts(phases.ratio, residue.texture)
    heights = np.einsum("bsl,bs->bl", phases.member, shares) * own
    heights = heights * np.exp(theta[:, :1]) * fwhm[:, :, 0] * (0.5 / np.pi)
    positions = np.einsum("blm,bm->bl", phases.moves, theta)
    # single precision is enough to choose by, and twice as fast
    single = np.float32
    fwhm = fwhm.astype(single)
    far = velocity.astype(single) - positions[:, :, None].astype(single)
    q = 1.0 / (far**2 + single(0.25) * fwhm**2)
    dips = heights[:, :, None].astype(single) * q
    slope = far
    slope *= q
    slope *= dips
    slope *= single(2.0)
    change = phases.moves.transpose(0, 2, 1).astype(single) @ slope
    sites = phases.member.astype(single) @ dips
    whole = sites.sum(axis=1)
    share = shares[:, :, None].astype(single)
    change[rows, phases.share] = sites - share * whole[:, None, :]
    q *= dips
    change[:, 1] = whole - single(0.5) * fwhm[:, 0] ** 2 * q.sum(axis=1)
    change[:, 0] = whole
    change[:, -1] = 0.0
    change *= -residue.weight.astype(single)
    return -residue.weight * whole, change
