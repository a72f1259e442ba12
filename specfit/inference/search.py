"""The modes of a posterior, found without a starting value."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from threadpoolctl import threadpool_limits

from specfit.contracts import Array, FloatArray, Problem
from specfit.inference import evaluate
from specfit.inference.beam import Beam, best, whole_beams
from specfit.inference.exchange import Own, exchangeable, exchanged
from specfit.inference.mend import MOST_RIVALS, adequate, settled, undisputed
from specfit.inference.near import NOTE, from_near
from specfit.inference.newton import Peak, climb
from specfit.inference.owned import alike_pairs, owned
from specfit.inference.projection import assemble
from specfit.inference.rounds import Rounds
from specfit.inference.settings import NonFiniteStart, Settings
from specfit.inference.stock import stock

Draws = tuple[dict[str, FloatArray], FloatArray]
"""Draws of the prior, constrained by name and unconstrained."""
TRIES = 100
"""Prior draws at which density and gradient must be finite at least once."""
STARTS = 16
"""Starts polished, of all fits found or, where a problem is not separable, of the prior."""
FARTHEST = (
    100.0  # by how much a coordinate of a prior draw is moved to the middle at most
)
AGAIN = 3
"""Searches from other atoms at most, where the best fit has rivals."""
ALL_ANEW = 3
"""Components that have all been placed anew together once a search is done."""
AGREED = 0.3  # nats between two searches that have found the same
HOPELESS = 100.0  # nats below the best that a long ascent must promise to pass
BARRIER = 1.0
"""Depth (nats) of the valley between two peaks that a chain crosses freely."""


@dataclass(frozen=True)
class Found:
    """Distinct peaks, highest first, and the prior draws that search started from.

    groups: components that may be exchanged without any change.
    """

    peaks: tuple[Peak, ...]
    groups: tuple[Own, ...]
    prior: dict[str, FloatArray]
    prior_positions: FloatArray
    notes: tuple[str, ...]


def search(
    problem: Problem,
    key: Array,
    settings: Settings,
    rounds: Rounds | None = None,
    near: Mapping[str, float] | None = None,
) -> Found:
    """Draw from the prior, place the components, polish, keep the distinct peaks.

    rounds: where what is done is kept and said.  near: the answer of a like problem; where
    the peak above it fits these data as well as noise allows, nothing else is searched.
    Raises NonFiniteStart where density or gradient is finite at none of the draws.
    NumPy's linear algebra keeps to one thread meanwhile: on systems as small as these a
    second one only waits.
    """
    with one_thread():
        return _search(_Task(problem, key, settings, rounds or Rounds()), near)


def one_thread() -> AbstractContextManager[object]:
    """NumPy's linear algebra on one thread.

    Each puts back what it found, so searches that run at once need one around them all.
    """
    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


class _Task(NamedTuple):
    problem: Problem
    key: Array
    settings: Settings
    rounds: Rounds


def _search(task: _Task, near: Mapping[str, float] | None) -> Found:
    problem, key, settings, _ = task
    prior, positions = prior_sample(problem, key, settings)
    finite = evaluate.finite_starts(problem, positions[:TRIES])
    if not finite.any():
        faults = evaluate.terms_at_fault(problem, positions[0])
        raise NonFiniteStart(faults, len(finite))
    notes: tuple[str, ...] = ()
    if not finite.all():
        notes = (
            f"density not finite at {np.sum(~finite)} of {len(finite)} prior draws",
        )
    groups = exchangeable(problem, tuple(prior), positions)
    if begun := from_near(problem, near):
        return Found(tuple(begun), groups, prior, positions, (*notes, NOTE))
    starts = []
    if problem.separable is not None:
        beams = _beams(task, (prior, positions), groups)
        every = [assemble(problem, b.position, b.placed) for b in beams]
        starts = likeliest(problem, every)
    peaks = polish(problem, starts, -np.inf)
    peaks = peaks or polish(problem, prior_starts(problem, positions))
    peaks = distinct(problem, peaks)
    if not peaks:  # finite where it was tried, and nowhere on the way up
        raise NonFiniteStart(
            evaluate.terms_at_fault(problem, positions[0]), len(positions)
        )
    twins = swapped(problem, peaks[0], (tuple(prior), positions), groups)
    more = polish(problem, twins, peaks[0].log_density)
    peaks = distinct(problem, peaks + more)
    return Found(tuple(peaks), groups, prior, positions, notes)


def _beams(task: _Task, first: Draws, groups: tuple[Own, ...]) -> list[Beam]:
    """Full fits from atoms of the prior, the first that were drawn or others.

    Where another sharing of the lines fits nearly as well, all is done again from other
    atoms, until two starts agree on the best.  Where no fit is adequate, once more from
    atoms beyond the prior.
    """
    (values, positions), (problem, key, settings, rounds) = first, task

    def start(number: int, prior: Draws, more: Sequence[Beam] = ()) -> list[Beam]:
        atoms = stock(problem, *prior, groups)
        own = rounds.part(f"start {number}", number / (AGAIN + 1))
        begun = own(whole_beams, atoms, settings.beams)
        every = best([*more, *begun], settings.beams) if more else begun
        return settled(atoms, every, own)

    found = start(0, first)
    if not found or not adequate(found[0]):
        far = wider(positions, np.random.default_rng(settings.seed))
        beyond = evaluate.constrain(problem, far)
        return start(1, ({name: beyond[name] for name in values}, far), found)
    for number, again in enumerate(jax.random.split(key, AGAIN), 1):
        if undisputed(found) or found[0].placed.size <= ALL_ANEW:
            break
        other = start(number, prior_sample(problem, again, settings))
        agreed = bool(other) and abs(other[0].value - found[0].value) < AGREED
        found = best(found + other, MOST_RIVALS)
        if agreed:
            break
    return found


def wider(positions: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Prior draws (n, dimension), half of their coordinates moved away from the middle.

    By up to `FARTHEST` times their distance: a truth in the far tail of a prior, or a
    prior stated in the wrong place, still has its lines among the atoms.
    """
    middle = np.median(positions, axis=0)
    factor = FARTHEST ** generator.uniform(size=positions.shape)
    moved = generator.uniform(size=positions.shape) < 0.5
    spread: FloatArray = np.where(moved, factor, 1.0) * (positions - middle)
    return middle + spread


def prior_sample(problem: Problem, key: Array, settings: Settings) -> Draws:
    """Draws of the prior, constrained by name and unconstrained."""
    count = settings.prior_draws
    if problem.separable is not None:
        count = max(count, settings.atoms)
    draws = problem.sample_prior(key, count, problem.data)
    prior = {name: evaluate.numpy(value) for name, value in draws.items()}
    return prior, evaluate.unconstrain(problem, prior)


def prior_starts(problem: Problem, positions: FloatArray) -> list[FloatArray]:
    """The prior draws of highest density, and as many taken as they come."""
    values = evaluate.log_densities(problem, positions)
    order = np.argsort(-np.where(np.isfinite(values), values, -np.inf))
    usable = np.flatnonzero(np.isfinite(values))
    chosen = np.concatenate([order[: STARTS // 2], usable[: STARTS // 2]])
    return list(positions[chosen[: 2 if problem.whole else None]])


def likeliest(problem: Problem, starts: list[FloatArray]) -> list[FloatArray]:
    """At most `STARTS`: half the first, half those of highest density among the rest.

    The linear unknowns have priors that a fit with them eliminated knows nothing of.
    """
    first, rest = starts[: STARTS // 2], starts[STARTS // 2 :]
    if not rest:
        return first
    values = evaluate.log_densities(problem, np.stack(rest))
    order = np.argsort(-np.where(np.isfinite(values), values, -np.inf), kind="stable")
    return first + [rest[i] for i in order[: STARTS - len(first)]]


def polish(
    problem: Problem, starts: list[FloatArray], best: float | None = None
) -> list[Peak]:
    """The peak above each start whose density is finite.

    best: a height known; a long ascent that promises to stay `HOPELESS` below it, or below
    what was found here, is cut short.  None where starts are raw and every way is long.
    """
    found: list[Peak] = []
    for start in starts:
        known = [] if best is None else [best, *(peak.log_density for peak in found)]
        floor = max(known, default=-np.inf) - HOPELESS
        peak = climb(lambda z: evaluate.curvature(problem, z), start, floor=floor)
        found += [] if peak is None else [peak]
    return found


def distinct(problem: Problem, peaks: list[Peak]) -> list[Peak]:
    """Proper maxima that no easy path joins, highest first.

    An ascent that did not reach a maximum is kept only while nothing higher was found.
    """
    kept: list[Peak] = []
    for peak in sorted(peaks, key=lambda p: -p.log_density):
        alone = problem.whole and kept  # of modes that are not told apart, the best
        new = not alone and all(_separate(problem, peak, other) for other in kept)
        if new and (peak.reached or not kept):
            kept.append(peak)
    return kept


def _separate(problem: Problem, low: Peak, high: Peak) -> bool:
    """Whether the straight way between two peaks dips by more than `BARRIER`."""
    share = np.linspace(0.0, 1.0, 11)[1:-1, None]
    way = low.position + share * (high.position - low.position)
    return bool(
        np.min(evaluate.log_densities(problem, way)) < low.log_density - BARRIER
    )


def swapped(
    problem: Problem,
    peak: Peak,
    drawn: tuple[tuple[str, ...], FloatArray],
    groups: tuple[Own, ...],
) -> list[FloatArray]:
    """The peak with the values of two like components exchanged, for every pair.

    drawn: names of a full set of values, and draws of the prior.  Swaps find the
    labelling that the priors prefer; of `groups` that may be exchanged it is known that
    they prefer none.
    """
    if problem.separable is None:
        return []
    names, positions = drawn
    pairs = alike_pairs(owned(problem, names, positions))
    starts = [
        exchanged(problem, names, pair, peak.position[None])[0]
        for pair in pairs
        if not any(pair[0] in group and pair[1] in group for group in groups)
    ]
    return [start for start in starts if np.isfinite(start).all()]


def packed(found: Found) -> dict[str, Any]:
    """What was found as plain arrays, for a journal."""
    peaks = found.peaks
    words = {"notes": found.notes, "groups": found.groups}
    return {
        "position": np.stack([peak.position for peak in peaks]),
        "log_density": np.array([peak.log_density for peak in peaks]),
        "hessian": np.stack([peak.hessian for peak in peaks]),
        "decrement": np.array([peak.decrement for peak in peaks]),
        "prior_positions": found.prior_positions,
        "words": np.array(json.dumps(words)),
        **{f"prior.{name}": values for name, values in found.prior.items()},
    }


def unpacked(arrays: Mapping[str, Any]) -> Found:
    """What was found, from its arrays."""
    columns = ("position", "log_density", "hessian", "decrement")
    peaks = [
        Peak(z, float(value), hessian, float(left))
        for z, value, hessian, left in zip(*(arrays[c] for c in columns), strict=True)
    ]
    words = json.loads(str(arrays["words"]))
    prior = {
        name.removeprefix("prior."): values
        for name, values in arrays.items()
        if name.startswith("prior.")
    }
    groups = tuple(tuple(group) for group in words["groups"])
    positions = arrays["prior_positions"]
    return Found(tuple(peaks), groups, prior, positions, tuple(words["notes"]))
