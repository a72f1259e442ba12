"""What the data leave open, as a gate and as notes for the reader.

Each of several answers is looked at by itself: two narrow answers far apart are a line
of draws, but not a direction that the data leave open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from specfit.contracts import FloatArray
from specfit.inference import gates, identify
from specfit.inference.gates import Gate
from specfit.inference.ground import Ground, physical

IndexArray = np.ndarray[Any, np.dtype[np.intp]]


def open_gates(ground: Ground, parts: Sequence[FloatArray]) -> tuple[Gate, ...]:
    """The gates on what the data leave open; the draws of each answer are one part."""
    return (gates.at_most("open_directions", float(len(_open(ground, parts))), 0.0),)


def _rows(positions: FloatArray) -> FloatArray:
    return positions.reshape(-1, positions.shape[-1])


def _open(ground: Ground, parts: Sequence[FloatArray]) -> list[tuple[int, ...]]:
    """The groups of unknowns of which some answer knows only a combination.

    Of what a prior makes smooth no more is asked.
    """
    asked, prior = _asked(ground), ground.prior_positions
    each = [
        identify.open_directions(_rows(part)[:, asked], prior[:, asked])
        for part in parts
    ]
    groups = {group for found in each for group in found}
    return sorted(tuple(int(asked[i]) for i in group) for group in groups)


def _asked(ground: Ground) -> IndexArray:
    """The coordinates of unknowns that stand for themselves."""
    problem, every = ground.problem, np.arange(ground.problem.dimension)
    if len(problem.names) != problem.dimension:
        return every
    return every[[name not in problem.smooth for name in problem.names]]


def _at_bounds(ground: Ground, positions: FloatArray, part: float) -> dict[str, float]:
    ranges = identify.bounds(ground.problem, ground.best.peak.position)
    return identify.at_bounds(physical(ground.problem, positions), ranges, part)


def left_open(ground: Ground, parts: Sequence[FloatArray]) -> tuple[str, ...]:
    """Notes on directions, bounds and unknowns that only the prior fixes."""
    names = ground.problem.names

    def called(i: int) -> str:
        return names[i] if len(names) == ground.problem.dimension else f"z[{i}]"

    each = [set(identify.uninformed(_rows(p), ground.prior_positions)) for p in parts]
    kept = sorted(set.intersection(*each) & set(_asked(ground).tolist()))
    whole = np.concatenate([_rows(part) for part in parts])[None]
    near = _at_bounds(ground, whole, identify.NEAR)
    return (
        *(
            f"only a combination of {', '.join(map(called, group))} was learned"
            for group in _open(ground, parts)
        ),
        *(f"{called(i)} keeps its prior: the data say nothing of it" for i in kept),
        *(
            f"{name} lies near a bound: {share:.0%} of the draws in 1 % of its range"
            for name, share in near.items()
            if share > identify.HUGGING
        ),
    )
