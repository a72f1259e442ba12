"""Fits of parts that know nothing of each other, as the fit of the whole.

Draws of independent parts, put side by side, are draws of the whole; gates are the worst
of the parts', evidences add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from specfit.contracts import Fit, FloatArray, Mode, Stage
from specfit.indices import at_level


def joined(parts: Mapping[str, Fit]) -> Fit:
    """One fit of all levels; names have their label in brackets."""
    labels, fits = list(parts), list(parts.values())
    chains = min(fit.positions.shape[0] for fit in fits)
    draws = min(fit.positions.shape[1] for fit in fits)

    def named(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            at_level(name, label): value
            for label, mine in zip(labels, values, strict=True)
            for name, value in mine.items()
        }

    drawn = {n: x[:chains, :draws] for n, x in named([f.draws for f in fits]).items()}
    return Fit(
        draws=drawn,
        positions=np.concatenate([f.positions[:chains, :draws] for f in fits], axis=-1),
        prior=named([f.prior for f in fits]),
        curve=_stacked([f.curve for f in fits], axis=0),
        band=_stacked([f.band for f in fits], axis=1),
        components=_stacked([f.components for f in fits], axis=0),
        replicated=_stacked([f.replicated for f in fits], axis=1),
        pointwise=_stacked([f.pointwise for f in fits], axis=2, nothing=True),
        statistics=_statistics(fits, chains, draws),
        rhat=named([f.rhat for f in fits]),
        ess_bulk=named([f.ess_bulk for f in fits]),
        ess_tail=named([f.ess_tail for f in fits]),
        gates=_gates(fits),
        modes=_modes(labels, fits),
        stages=_stages(fits),
        settings=fits[0].settings,
        log_evidence=_evidence(fits),
        notes=_notes(labels, fits),
    )


def _stacked(
    arrays: Sequence[FloatArray], axis: int, nothing: bool = False
) -> FloatArray:
    """Arrays joined along `axis`; the others as long as the longest, or the shortest.

    The last axis (channels) and that of components are filled up with the last value, or
    with `nothing`; axes of draws are cut.
    """
    first = arrays[0]
    cut = [slice(None)] * first.ndim
    for k in range(axis):
        cut[k] = slice(0, min(a.shape[k] for a in arrays))
    shortened = [a[tuple(cut)] for a in arrays]
    longest = [max(a.shape[k] for a in shortened) for k in range(first.ndim)]
    padded = []
    for a in shortened:
        room = [(0, 0 if k <= axis else longest[k] - a.shape[k]) for k in range(a.ndim)]
        plain = nothing or not a.size
        padded.append(np.pad(a, room) if plain else np.pad(a, room, mode="edge"))
    return np.concatenate(padded, axis=axis)


def _statistics(fits: Sequence[Fit], chains: int, draws: int) -> dict[str, FloatArray]:
    """Log-densities and steps add up, a draw diverges where any part does."""
    found = {}
    for name in fits[0].statistics:
        if not all(name in f.statistics for f in fits):
            continue
        every = np.stack([f.statistics[name][:chains, :draws] for f in fits])
        if name == "diverging":
            found[name] = every.max(axis=0)
        else:
            adds = name in ("lp", "energy", "n_steps")
            found[name] = every.sum(axis=0) if adds else every.mean(axis=0)
    return found


Gate = tuple[str, float, float, bool]


def _gates(fits: Sequence[Fit]) -> tuple[Gate, ...]:
    """Each gate as the worst part passes it."""
    of: dict[str, list[Gate]] = {}
    for fit in fits:
        for gate in fit.gates:
            of.setdefault(gate[0], []).append(gate)
    return tuple(_worst(gates) for gates in of.values())


def _worst(gates: list[Gate]) -> Gate:
    failed = [gate for gate in gates if not gate[3]]
    among = failed or gates
    _, value, bound, passed = among[0]
    smaller_is_better = (value <= bound) == passed
    return (max if smaller_is_better else min)(among, key=lambda gate: gate[1])


def _modes(labels: Sequence[str], fits: Sequence[Fit]) -> tuple[Mode, ...]:
    """The highest modes of all parts, together."""
    best = [f.modes[0] for f in fits if f.modes]
    if len(best) < len(fits):
        return ()
    values = {
        at_level(name, label): value
        for label, mode in zip(labels, best, strict=True)
        for name, value in mode.values.items()
    }
    return (Mode(values, sum(mode.log_density for mode in best), weight=1.0),)


def _stages(fits: Sequence[Fit]) -> tuple[Stage, ...]:
    seconds: dict[str, float] = {}
    for fit in fits:
        for stage in fit.stages:
            seconds[stage.name] = seconds.get(stage.name, 0.0) + stage.seconds
    return tuple(Stage(name, value) for name, value in seconds.items())


def _evidence(fits: Sequence[Fit]) -> tuple[float, float] | None:
    known = [f.log_evidence for f in fits if f.log_evidence is not None]
    if len(known) < len(fits):
        return None
    return sum(v for v, _ in known), float(np.sqrt(sum(s * s for _, s in known)))


def _notes(labels: Sequence[str], fits: Sequence[Fit]) -> tuple[str, ...]:
    """What is to be said of any part, and which have several answers."""
    said: dict[str, list[str]] = {}
    for label, fit in zip(labels, fits, strict=True):
        notes = list(fit.notes)
        if fit.answers:
            shares = ", ".join(f"{answer.weight:.0%}" for answer in fit.answers)
            notes.append(f"{len(fit.answers)} answers fit, of weights {shares}")
        for note in notes:
            said.setdefault(note, []).append(label)
    return tuple(f"[{', '.join(where)}]: {note}" for note, where in said.items())
