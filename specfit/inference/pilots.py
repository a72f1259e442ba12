"""Pilots of a batch: a few spectra searched, their modes the starts of all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from specfit.contracts import FloatArray, Problem
from specfit.inference import evaluate
from specfit.inference.exchange import Exchange, exchange, exchangeable
from specfit.inference.laplace import Gaussian, evidence, gaussian
from specfit.inference.many import Starts
from specfit.inference.rounds import Rounds
from specfit.inference.search import search
from specfit.inference.settings import Settings

PILOTS = 5
CARRIED, MODES = 1e-2, 4
"""Weight of a mode of a pilot that makes it a start, and how many at most."""
LABELLED = 32
"""Prior draws at which it is looked which components may change places."""
CLOSE = 3.0
"""Distance in standard deviations within which one mode is start enough for two."""


@dataclass(frozen=True)
class Pilot:
    """What a search of one spectrum found: its modes, weightiest first, their shapes."""

    positions: FloatArray  # (n_modes, dimension)
    spreads: FloatArray  # (n_modes, dimension, dimension), covariances

    @classmethod
    def of(cls, arrays: Mapping[str, Any]) -> Pilot:
        """A pilot from its arrays, as a journal keeps them."""
        return cls(arrays["positions"], arrays["spreads"])


def pilot(problem: Problem, settings: Settings, rounds: Rounds | None = None) -> Pilot:
    """Search one spectrum; its modes of more than `CARRIED` of the evidence.

    rounds: of the search; whoever listens to them may stop it.
    Raises NonFiniteStart where the density is finite at no draw of the prior.
    """
    keys = jax.random.split(jax.random.key(settings.seed), 2)
    found = search(problem, keys[0], settings, rounds)
    shapes = [gaussian(peak) for peak in found.peaks]
    shares = evidence(problem, shapes, keys[1]).shares
    order = np.argsort(-shares, kind="stable")[:MODES]
    kept = [shapes[i] for i in order if shares[i] > CARRIED] or [shapes[order[0]]]
    return Pilot(
        np.stack([shape.mean for shape in kept]),
        np.stack([shape.factor @ shape.factor.T for shape in kept]),
    )


def labelling(
    problem: Problem, prior: Mapping[str, FloatArray], pilots: Sequence[Pilot]
) -> Exchange:
    """The components that may change places, and the labelling of the whole batch.

    prior: draws by name.  The first pilot tells which unknown the order goes by.
    """
    few = {name: np.asarray(values)[:LABELLED] for name, values in prior.items()}
    positions = evaluate.unconstrain(problem, few)
    groups = exchangeable(problem, tuple(few), positions)
    factor = np.linalg.cholesky(pilots[0].spreads[0])
    best = Gaussian(pilots[0].positions[0], factor, 0.0, 0)
    return exchange(problem, tuple(few), groups, best)


def starts_of(pilots: Sequence[Pilot], change: Exchange) -> Starts:
    """The modes of all pilots in one labelling; of like pilots one is enough.

    All are given as many modes, by repeating the first: one shape to compile.
    """
    folded = [
        _distinct(replace(p, positions=change.folded(p.positions))) for p in pilots
    ]
    kept: list[Pilot] = []
    for one in folded:
        if not any(_alike(one, other) for other in kept):
            kept.append(one)
    most = max(len(one.positions) for one in kept)
    places = [
        [*range(len(p.positions)), *[0] * (most - len(p.positions))] for p in kept
    ]
    return Starts(
        np.stack([p.positions[i] for p, i in zip(kept, places, strict=True)]),
        np.stack([p.spreads[i] for p, i in zip(kept, places, strict=True)]),
    )


def _distinct(one: Pilot) -> Pilot:
    """Without modes that are another in this labelling."""
    kept: list[int] = []
    for i in range(len(one.positions)):
        if not any(_close(one, j, one.positions[i]) for j in kept):
            kept.append(i)
    return Pilot(one.positions[kept], one.spreads[kept])


def _alike(one: Pilot, other: Pilot) -> bool:
    """Whether each mode of `one` lies at one of `other`."""
    return all(
        any(_close(other, j, place) for j in range(len(other.positions)))
        for place in one.positions
    )


def _close(one: Pilot, mode: int, place: FloatArray) -> bool:
    far = np.linalg.cholesky(one.spreads[mode])
    away = np.linalg.solve(far, place - one.positions[mode])
    return bool(np.linalg.norm(away) < CLOSE)
