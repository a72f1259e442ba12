"""Independent proposals, along a curved valley with a map that is learned until it does."""

from __future__ import annotations

from dataclasses import replace

from specfit.contracts import FloatArray
from specfit.inference import keys
from specfit.inference.ground import Ground, Sampled, failed
from specfit.inference.independence import run_independence
from specfit.inference.laplace import relearned

RELEARNED, RELEARNED_KEY = 2, 7100
"""Times that a curved mode's map is learned anew, and the key of their numbers."""
TAIL = frozenset({"rhat", "ess_bulk", "ess_tail", "pareto_k"})
"""Gates that a better map may open."""


def proposed(ground: Ground) -> tuple[Ground, Sampled, FloatArray]:
    """The ground with the map that was used, the draws, the proposals of largest weight."""
    found, heaviest = run_independence(ground)
    for number in range(1, 1 + RELEARNED):
        shape, trouble = ground.best.shape, failed(found.gates)
        if shape.bend is None or not trouble or not TAIL.issuperset(trouble):
            break
        key = keys.fold_in(ground.keys[2], RELEARNED_KEY + number)
        inside = ground.exchange.inside if ground.exchange.groups else None
        better = replace(
            ground.best, shape=relearned(ground.problem, shape, key, inside)
        )
        ground = replace(ground, summits=(better, *ground.summits[1:]))
        again, heaviest = run_independence(ground, number)
        why = f"its map was learned anew, because of: {', '.join(trouble)}"
        found = told(found, again, why)
    return ground, found, heaviest


def told(before: Sampled, after: Sampled, why: str) -> Sampled:
    """What came after, with a note why, and the stages of both."""
    made = (int(str(one.details["attempts"])) for one in (before, after))
    return replace(
        after,
        notes=(why, *after.notes),
        stages=(*before.stages, *after.stages),
        details={**after.details, "attempts": sum(made)},
    )
