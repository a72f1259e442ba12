"""What a factorisation says and its engine does not use: told before and after a run.

An engine that would leave out what was written is refused where that changes the answer
(a curve, a background, an offset), and is told of where it only guides the search.
"""

from __future__ import annotations

from collections.abc import Iterator

from specfit.model.factorising import Factorising
from specfit.model.peak_remarks import Remark
from specfit.model.pieces import Place

OWN = "multiplicative"
"""The optimizer whose likelihood is that of counting."""


def unused(asked: Factorising) -> Iterator[Remark]:
    """Errors of what cannot be done, notes of what does not guide the search."""
    if asked.likelihood == "normal" and asked.maps != 1.0:
        yield "map-normal-gamma", {}, _at(asked, asked.names[0]), "error"
    if asked.roughness is not None and asked.drift:
        yield "map-drift-roughness", {}, asked.roughness.place, "error"
    if asked.likelihood == "normal" and asked.drift:
        yield "map-normal-drift", {}, _at(asked, "drift"), "error"
    yield from _other_engine(asked)
    by = {"optimizer": str(asked.run.optimizer)}
    code = "map-drift-level" if asked.run.optimizer == OWN else "map-level-unused"
    for place in _levels(asked):
        yield code, by, place, "note"
    if asked.overlap is not None and asked.run.optimizer == "scikit_learn":
        yield "map-overlap-unused", by, asked.overlap.place, "note"


def notes(asked: Factorising) -> Iterator[str]:
    """The same of an answer, a sentence each."""
    by = f"is not used by the optimizer `{asked.run.optimizer}`"
    if asked.run.optimizer == OWN:
        by = "is not used where every pixel drifts"
    why = _INSTEAD.get(
        asked.run.optimizer, "its weights are those of greatest likelihood"
    )
    for place in _levels(asked):
        yield f"The prior `{place.text}` {by}: {why}."
    if asked.overlap is not None and asked.run.optimizer == "scikit_learn":
        text = asked.overlap.place.text.partition(" because ")[0]
        why = "the overlap of the maps is judged when they are found"
        yield f"The prior `{text}` {by}: {why}."
    free = [one for one in asked.spectra if not one.curve]
    if free and asked.background != "none" and asked.fit is None:
        yield (
            "Nothing tells the background from a spectrum without a curve, and no band "
            "holds what either may take of the other: say with `fit` where it is alone."
        )
    yield from _of_the_run(asked)


def _of_the_run(asked: Factorising) -> Iterator[str]:
    """Settings that are written in `run` and change nothing here."""
    run, written = asked.run, asked.run.model_fields_set
    one = asked.spectra and all(prior.curve for prior in asked.spectra)
    if "restarts" in written and run.restarts > 1:
        if run.optimizer == "scikit_learn":
            yield "`restarts` changes nothing: scikit-learn has a start of its own."
        elif one and run.optimizer == OWN:
            yield "`restarts` changes nothing: with a curve each, there is one start."
    if "then" in written:
        yield f"`then = {run.then}` changes nothing: both errors are always found."


_INSTEAD = {"ard_so": "it learns the level of each map by a prior of its own"}


def _levels(asked: Factorising) -> Iterator[Place]:
    """The priors of the weights, where the engine draws none from them."""
    if asked.run.optimizer == OWN and not asked.drift:
        return
    if asked.relevance is not None:
        yield asked.relevance.place
    if asked.maps != 1.0 or asked.scale is not None:
        yield _at(asked, asked.names[0])


def _other_engine(asked: Factorising) -> Iterator[Remark]:
    """Engines that find spectra and weights and nothing else."""
    if asked.run.optimizer == OWN:
        return
    found = [("like", one.place) for one in asked.spectra if one.curve]
    if asked.background != "none":
        found.append(("baseline", _at(asked, "baseline")))
    if asked.shift:
        found.append(("shift", _at(asked, "shift")))
    if asked.drift:
        found.append(("drift", _at(asked, "drift")))
    if asked.roughness is not None:
        found.append(("roughness", asked.roughness.place))
    smooth = [one for one in asked.spectra if one.kind == "smooth"]
    found += [("smooth", one.place) for one in dict.fromkeys(smooth)]
    for name, place in found:
        words = {"name": name, "optimizer": asked.run.optimizer}
        yield "map-engine", words, place, "error"


def _at(asked: Factorising, name: str) -> Place:
    return dict(asked.places).get(name, asked.place)
