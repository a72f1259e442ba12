"""Independent proposals, along a curved valley with a map that is learned until it does."""

from __future__ import annotations

from dataclasses import replace

from specfit.contracts import FloatArray
from specfit.inference import gates, keys
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
        trouble = failed(found.gates)
        if (
            ground.best.shape.bend is None
            or not trouble
            or not TAIL.issuperset(trouble)
        ):
            break
        try:
            anew = _learned_anew(ground, number)
            again, heavy = run_independence(anew, number)
        except KeyboardInterrupt:
            return ground, cut_short(found), heaviest
        if again.details["interrupted"]:
            return ground, cut_short(found), heaviest
        why = f"its map was learned anew, because of: {', '.join(trouble)}"
        if len(failed(again.gates)) > len(trouble):
            notes = (f"{why}; that was no better", *found.notes)
            return ground, replace(found, notes=notes), heaviest
        ground, found, heaviest = anew, told(found, again, why), heavy
    return ground, found, heaviest


def _learned_anew(ground: Ground, number: int) -> Ground:
    key = keys.fold_in(ground.keys[2], RELEARNED_KEY + number)
    inside = ground.exchange.inside if ground.exchange.groups else None
    shape = relearned(ground.problem, ground.best.shape, key, inside)
    better = replace(ground.best, shape=shape)
    return replace(ground, summits=(better, *ground.summits[1:]))


def told(before: Sampled, after: Sampled, why: str) -> Sampled:
    """What came after, with a note why, and the stages of both."""
    made = (int(str(one.details["attempts"])) for one in (before, after))
    return replace(
        after,
        notes=(why, *after.notes),
        stages=(*before.stages, *after.stages),
        details={**after.details, "attempts": sum(made)},
    )


def cut_short(first: Sampled) -> Sampled:
    """The first attempt, when its repetition was interrupted."""
    kept = tuple(gate for gate in first.gates if gate[0] != "interrupted")
    return replace(
        first,
        gates=(*kept, gates.at_most("interrupted", 1.0, 0.0)),
        notes=(*first.notes, "interrupted while sampling again"),
        details={**first.details, "interrupted": True},
    )
