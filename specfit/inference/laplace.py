"""The Gaussian that touches the posterior at a peak: whitening, evidence, draws.

The evidence is first that of the Gaussians (Laplace), then corrected by importance
sampling from Student-t densities of the same curvature; Pareto k̂ of the weights says
whether that estimate can be believed (Vehtari et al. 2024, JMLR 25:72).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammaln, logsumexp

from specfit.contracts import Array, FloatArray, Problem
from specfit.inference import evaluate, keys, transport
from specfit.inference.bend import Bend, bend_of
from specfit.inference.evaluate import Flags
from specfit.inference.newton import FLAT, Peak, unit_diagonal
from specfit.inference.pareto import pareto_k

IndexArray = np.ndarray[Any, np.dtype[np.intp]]
FREEDOM = 5.0
"""Degrees of freedom of the Student-t: tails heavier than any posterior met so far."""
UNRELIABLE = 0.7
"""Pareto k̂ above which importance weights have no usable mean."""
CURVED = 0.4
"""Pareto k̂ above which modes that carry weight are asked how they bend."""
MOST = 4
"""Modes that are asked, at most."""
MANY = 8000
"""Draws by which bent shapes are judged: by fewer, Pareto k̂ scatters by 0.15."""
ROUNDS = 4
"""Times that a single mode's map is learned from its draws, at most."""
FEWEST = 200
"""Draws with a density from which a map is learned, at least."""
LEARNABLE = 40
"""Unknowns up to which a map is learned: beyond, its coefficients outnumber the draws
that carry weight, and it takes minutes."""
LISTED = 1e-3
"""Weight below which a mode is left out of the evidence."""


@dataclass(frozen=True)
class Gaussian:
    """Normal approximation at a peak: z = mean + factor @ u, u standard normal.

    floored: number of directions whose curvature was too small and was raised.
    bend: what straightens it, where it was found to be curved.
    """

    mean: FloatArray
    factor: FloatArray  # lower triangular
    log_evidence: float
    floored: int
    bend: Bend | None = None


@dataclass(frozen=True)
class Evidence:
    """Log-evidence of the modes together, its Monte Carlo sd, and Pareto k̂.

    shares: of each mode, in the order given; by importance sampling where k̂ allows,
    else by Laplace's method.
    """

    value: float
    sd: float
    pareto_k: float
    shares: FloatArray


def gaussian(peak: Peak) -> Gaussian:
    """The normal approximation at a peak; curvature that is not positive is raised."""
    scaled, scale = unit_diagonal(peak.hessian)
    eigenvalues, vectors = np.linalg.eigh(scaled)
    stiff = np.where(eigenvalues > FLAT, eigenvalues, np.maximum(-eigenvalues, FLAT))
    half = scale[:, None] * vectors / np.sqrt(stiff)
    factor: FloatArray = np.transpose(np.linalg.qr(half.T, mode="r"))
    factor = factor * np.sign(np.diag(factor))
    log_volume = np.sum(np.log(scale)) - 0.5 * np.sum(np.log(stiff))
    log_evidence = peak.log_density + 0.5 * len(scale) * np.log(2 * np.pi) + log_volume
    floored = int(np.sum(eigenvalues <= FLAT))
    return Gaussian(peak.position, factor, float(log_evidence), floored)


def weights(gaussians: Sequence[Gaussian]) -> FloatArray:
    """The share of each mode in the evidence by Laplace's method."""
    logs = np.array([g.log_evidence for g in gaussians])
    shares: FloatArray = np.exp(logs - logsumexp(logs))
    return shares


def dispersed(
    shape: Gaussian, key: Array, count: int, spread: float | FloatArray
) -> FloatArray:
    """`count` Student-t draws about the mode, `spread` times as wide; or (n, 1) by row."""
    generator = evaluate.generator(key)
    normal = generator.standard_normal((count, len(shape.mean)))
    heavy = normal / np.sqrt(generator.chisquare(FREEDOM, (count, 1)) / FREEDOM)
    if shape.bend is None:
        straight: FloatArray = shape.mean + spread * heavy @ shape.factor.T
        return straight
    return shape.mean + shape.bend.away(spread * heavy)[0]


def walled(problem: Problem) -> bool:
    """Whether its posterior is known to be like no normal, however one is bent.

    Scales whose coefficients are integrated out, weights that end at the corners of a
    simplex: a map that takes a minute to learn would not do for them.
    """
    return problem.whole or cornered(problem)


def cornered(problem: Problem) -> bool:
    """Whether it has a simplex whose members stand straight in the expected curve."""
    return "frames" in problem.data


def measured_evidence(
    problem: Problem,
    shapes: list[Gaussian],
    key: Array,
    inside: Callable[[FloatArray], Flags] | None,
) -> tuple[list[Gaussian], Evidence]:
    """`evidence`, and the shapes it is by: bent where the weights are better for it."""
    straight = evidence(problem, shapes, key, inside)
    if straight.pareto_k <= CURVED:
        return shapes, straight
    heavy = np.flatnonzero(weights(shapes) > LISTED)
    bent = [
        replace(shape, bend=bend_of(problem, shape.mean, shape.factor))
        if i in heavy[:MOST] and not shape.floored
        else shape
        for i, shape in enumerate(shapes)
    ]
    leader, best = int(heavy[0]), (shapes, straight)
    for number in range(1 + ROUNDS):
        drawn = _drawn(problem, bent, keys.fold_in(key, number), inside, MANY)
        curved = _summed(drawn)
        if curved.pareto_k < best[1].pareto_k:
            best = list(bent), curved
        only = len(heavy) == 1 and _learnable(bent[leader]) and not walled(problem)
        if curved.pareto_k <= CURVED or not only or number == ROUNDS:
            break
        bent[leader] = _learned(bent[leader], drawn)
    if best[0] is shapes:
        return best
    # the draws that chose a shape flatter it
    anew = keys.fold_in(key, 1 + ROUNDS)
    return best[0], evidence(problem, best[0], anew, inside, MANY)


def relearned(
    problem: Problem,
    shape: Gaussian,
    key: Array,
    inside: Callable[[FloatArray], Flags] | None,
) -> Gaussian:
    """The curved shape of the only mode, its map learned anew from twice as many draws."""
    return _learned(shape, _drawn(problem, [shape], key, inside, 2 * MANY))


def _learned(shape: Gaussian, drawn: _Drawn) -> Gaussian:
    """The shape with its map learned from the only mode's draws, if it is bent."""
    there, bend = np.isfinite(drawn.ratio), shape.bend
    if bend is None or not _learnable(shape) or np.sum(there) < FEWEST:
        return shape
    w = bend.unbent(drawn.positions[there] - shape.mean)
    learned = transport.learned(w, drawn.ratio[there])
    return replace(shape, bend=replace(bend, learned=learned))


def _learnable(shape: Gaussian) -> bool:
    return shape.bend is not None and len(shape.mean) <= LEARNABLE


class _Drawn(NamedTuple):
    """Draws (n, dimension) of the mixture of `kept` shapes and their weights.

    ratio: (n,), logarithms of the weights; parts: (n_kept, n), log-densities of each
    shape; laplace: the shares of all shapes by Laplace's method.
    """

    positions: FloatArray
    ratio: FloatArray
    parts: FloatArray
    kept: IndexArray
    laplace: FloatArray


def evidence(
    problem: Problem,
    gaussians: Sequence[Gaussian],
    key: Array,
    inside: Callable[[FloatArray], Flags] | None = None,
    count: int = 2000,
) -> Evidence:
    """Evidence by importance sampling from the neighbourhood of the modes.

    Draws come from the mixture of Student-t densities at the modes that carry weight,
    in equal shares.  A mode owns a position in proportion to its density there, so the
    shares of modes that overlap add up to the whole.  Only positions `inside` count.
    """
    return _summed(_drawn(problem, gaussians, key, inside, count))


def _drawn(
    problem: Problem,
    gaussians: Sequence[Gaussian],
    key: Array,
    inside: Callable[[FloatArray], Flags] | None,
    count: int,
) -> _Drawn:
    laplace = weights(gaussians)
    kept = np.flatnonzero(laplace > LISTED)
    own = keys.split(key, len(kept))
    each = -(-count // len(kept))
    shapes = [gaussians[int(i)] for i in kept]
    draws = np.concatenate(
        [dispersed(s, k, each, 1.0) for s, k in zip(shapes, own, strict=True)]
    )
    target = evaluate.log_densities(problem, draws)
    if inside is not None:
        target = np.where(inside(draws), target, -np.inf)
    parts = np.stack([log_student(shape, draws) for shape in shapes])
    ratio = target - logsumexp(parts, axis=0) + np.log(len(kept))
    ratio = np.where(np.isfinite(ratio), ratio, -np.inf)
    return _Drawn(draws, ratio, parts, kept, laplace)


def _summed(drawn: _Drawn) -> Evidence:
    ratio, kept, laplace = drawn.ratio, drawn.kept, drawn.laplace
    value = float(logsumexp(ratio) - np.log(len(ratio)))
    relative = np.exp(ratio - value)
    sd = float(np.std(relative) / np.sqrt(len(ratio)))
    k = pareto_k(ratio)
    shares = laplace.copy()
    if k <= UNRELIABLE:
        owned = relative * np.exp(drawn.parts - logsumexp(drawn.parts, axis=0))
        shares[kept] = laplace[kept].sum() * np.mean(owned, axis=1)
    return Evidence(value, sd, k, shares)


def log_student(shape: Gaussian, z: FloatArray) -> FloatArray:
    """Log-density of the multivariate Student-t at each row of `z`."""
    dimension, away = len(shape.mean), z - shape.mean
    if shape.bend is None:
        white, volume = np.linalg.solve(shape.factor, away.T).T, np.zeros(len(z))
    else:
        white, volume = shape.bend.spherical(away)
    distance = np.sum(white**2, axis=1)
    constant = (
        gammaln(0.5 * (FREEDOM + dimension))
        - gammaln(0.5 * FREEDOM)
        - 0.5 * dimension * np.log(FREEDOM * np.pi)
        - np.sum(np.log(np.diag(shape.factor)))
        - volume
    )
    log_density: FloatArray = constant - 0.5 * (FREEDOM + dimension) * np.log1p(
        distance / FREEDOM
    )
    return log_density
