"""What the data leave open, as a gate and as notes for the reader."""

from __future__ import annotations

from specfit.contracts import FloatArray
from specfit.inference import gates, identify
from specfit.inference.gates import Gate
from specfit.inference.ground import Ground, physical


def open_gates(ground: Ground, positions: FloatArray) -> tuple[Gate, ...]:
    """The gates on what the data leave open."""
    rows = positions.reshape(-1, positions.shape[-1])
    groups = identify.open_directions(rows, ground.prior_positions)
    return (gates.at_most("open_directions", float(len(groups)), 0.0),)


def _at_bounds(ground: Ground, positions: FloatArray, part: float) -> dict[str, float]:
    ranges = identify.bounds(ground.problem, ground.best.peak.position)
    return identify.at_bounds(physical(ground.problem, positions), ranges, part)


def left_open(ground: Ground, positions: FloatArray) -> tuple[str, ...]:
    """Notes on directions, bounds and unknowns that only the prior fixes."""
    rows, names = positions.reshape(-1, positions.shape[-1]), ground.problem.names

    def called(i: int) -> str:
        return names[i] if len(names) == ground.problem.dimension else f"z[{i}]"

    groups = identify.open_directions(rows, ground.prior_positions)
    kept = identify.uninformed(rows, ground.prior_positions)
    near = _at_bounds(ground, positions, identify.NEAR)
    return (
        *(
            f"only a combination of {', '.join(map(called, group))} was learned"
            for group in groups
        ),
        *(f"{called(i)} keeps its prior: the data say nothing of it" for i in kept),
        *(
            f"{name} lies near a bound: {share:.0%} of the draws in 1 % of its range"
            for name, share in near.items()
            if share > identify.HUGGING
        ),
    )
