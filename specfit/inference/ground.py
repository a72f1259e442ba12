"""What every engine starts from and ends with: the modes found, and the Fit."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from time import perf_counter

import jax
import numpy as np

from specfit.contracts import (
    Answer,
    Array,
    Fit,
    FloatArray,
    Mode,
    Problem,
    Progress,
    Stage,
)
from specfit.inference import evaluate, gates, keys
from specfit.inference.backend import layout
from specfit.inference.exchange import Exchange, exchange
from specfit.inference.gates import Gate
from specfit.inference.journal import Journal
from specfit.inference.laplace import (
    LISTED,
    UNRELIABLE,
    Evidence,
    Gaussian,
    gaussian,
    measured_evidence,
)
from specfit.inference.mixing import Mixing
from specfit.inference.newton import Peak
from specfit.inference.predictions import Predictions, predictions
from specfit.inference.rounds import Rounds
from specfit.inference.search import distinct, packed, polish, search, unpacked
from specfit.inference.settings import Settings

MOST = 8
"""Modes that are sampled at most; the weight of the others is a gate."""


@dataclass(frozen=True)
class Summit:
    """A peak, the Gaussian that touches it, and its share of the evidence."""

    peak: Peak
    shape: Gaussian
    weight: float


@dataclass(frozen=True)
class Ground:
    """The modes (weightiest first), their evidence, the prior, and the random keys.

    exchange: components that may change places, and the labelling that is kept.
    """

    problem: Problem
    settings: Settings
    exchange: Exchange
    summits: tuple[Summit, ...]
    evidence: Evidence
    prior: Mapping[str, FloatArray]
    prior_positions: FloatArray
    keys: tuple[Array, ...]
    say: Progress
    stages: tuple[Stage, ...]
    notes: tuple[str, ...]
    journal: Journal

    @property
    def best(self) -> Summit:
        """The weightiest mode."""
        return self.summits[0]

    @property
    def kept(self) -> tuple[Summit, ...]:
        """The modes that are sampled."""
        return tuple(s for s in self.summits if s.weight > LISTED)[:MOST]

    def mode_gates(self, sampled: Container[int]) -> tuple[Gate, ...]:
        """The gates that no sampling can open; `sampled` are the modes that were."""
        others = sum(s.weight for i, s in enumerate(self.summits) if i not in sampled)
        return gates.mode_gates(self.best.peak, others)


Part = tuple[tuple[int, ...], float, FloatArray]


@dataclass(frozen=True)
class Sampled:
    """What an engine made: positions (n_chains, n_draws, dimension) and how good.

    parts: where several answers are mixed, the modes of each, its weight, its positions.
    """

    positions: FloatArray
    draws: Mapping[str, FloatArray]
    statistics: Mapping[str, FloatArray]
    mixed: Mixing
    gates: tuple[Gate, ...]
    notes: tuple[str, ...]
    stages: tuple[Stage, ...]
    details: dict[str, object]
    parts: tuple[Part, ...] = ()


class Clock:
    """Seconds since the last stage ended."""

    def __init__(self) -> None:
        self._last = perf_counter()

    def stage(self, name: str, detail: str = "") -> Stage:
        """The stage that ends now."""
        now = perf_counter()
        seconds, self._last = now - self._last, now
        return Stage(name, seconds, detail)


def survey(
    problem: Problem,
    settings: Settings,
    say: Progress,
    journal: Journal,
    near: Mapping[str, float] | None = None,
) -> Ground:
    """Search, fold, weigh the modes, estimate the evidence; raises NonFiniteStart."""
    clock = Clock()
    parts = keys.split(keys.seeded(settings.seed), 4)
    say("search", 0.0, "")
    asked = (problem, parts[0], settings, Rounds(journal, say), near)
    found = unpacked(journal.step("search", lambda: packed(search(*asked))))
    best = gaussian(found.peaks[0])
    change = exchange(problem, tuple(found.prior), found.groups, best)
    peaks = _folded(problem, change, list(found.peaks))
    searched = clock.stage("search", f"{len(peaks)} modes")
    say("search", 1.0, searched.detail)
    prior = {n: v[: settings.prior_draws] for n, v in found.prior.items()}
    ground = Ground(
        problem, settings, change, (), _UNKNOWN, prior, found.prior_positions,
        parts, say, (searched,), found.notes + change.notes(), journal,
    )  # fmt: skip
    return weighed(ground, peaks)


_UNKNOWN = Evidence(float("nan"), float("nan"), float("inf"), np.zeros(0))


def _folded(problem: Problem, change: Exchange, peaks: list[Peak]) -> list[Peak]:
    """The distinct peaks in the labelling that is kept."""
    positions = np.stack([peak.position for peak in peaks])
    places = change.folded(positions)
    moved = (places != positions).any(axis=1)
    stay = [peak for peak, away in zip(peaks, moved, strict=True) if not away]
    return distinct(problem, stay + polish(problem, list(places[moved])))


def weighed(ground: Ground, peaks: list[Peak]) -> Ground:
    """The ground with these peaks as its modes, their evidence taken anew."""
    clock = Clock()
    shapes = [gaussian(peak) for peak in peaks]
    change = ground.exchange
    inside = change.inside if change.groups else None
    shapes, found = measured_evidence(ground.problem, shapes, ground.keys[1], inside)
    summits = [
        Summit(peak, shape, float(share))
        for peak, shape, share in zip(peaks, shapes, found.shares, strict=True)
    ]
    summits.sort(key=lambda summit: -summit.weight)
    sd = float(np.hypot(found.sd, ground.problem.data.get("log_prior_mass_sd", 0.0)))
    found = replace(found, value=found.value + change.log_labellings, sd=sd)
    measured = clock.stage("evidence", f"Pareto k {found.pareto_k:.2f}")
    return replace(
        ground,
        summits=tuple(summits),
        evidence=found,
        stages=(*ground.stages, measured),
    )


def with_peaks(ground: Ground, positions: FloatArray) -> Ground | None:
    """The ground with the modes above `positions` too; None where none of them is new.

    positions: (n, dimension), where chains ended up.
    """
    known = [summit.peak for summit in ground.summits]
    starts = list(ground.exchange.folded(positions))
    every = distinct(ground.problem, known + polish(ground.problem, starts))
    return weighed(ground, every) if len(every) > len(known) else None


def _notes(best: Summit, weighed: Evidence) -> tuple[str, ...]:
    notes = []
    if best.shape.floored:
        notes.append(
            f"curvature at the mode is not positive in {best.shape.floored} directions "
            "and was raised to the rounding level there"
        )
    if weighed.pareto_k > UNRELIABLE or best.shape.floored:
        notes.append(
            f"no log-evidence: importance weights have Pareto k {weighed.pareto_k:.2f} "
            f"(Laplace alone gives {best.shape.log_evidence:.2f})"
        )
    else:
        notes.append(
            "log-evidence is that of the log-density as compiled: priors normalised, "
            "prior mass of the rules and constant terms of the likelihood only as far "
            "as the log-density holds them"
        )
    return tuple(notes)


def physical(problem: Problem, positions: FloatArray) -> dict[str, FloatArray]:
    """All unknowns and definitions (n_chains, n_draws) at the positions."""
    n_chains, n_draws, dimension = positions.shape
    values = evaluate.constrain(problem, positions.reshape(-1, dimension))
    return {name: value.reshape(n_chains, n_draws) for name, value in values.items()}


def modes(ground: Ground) -> tuple[Mode, ...]:
    """The modes in physical units."""
    positions = np.stack([summit.peak.position for summit in ground.summits])
    values = evaluate.constrain(ground.problem, positions)
    return tuple(
        Mode(
            values={name: float(value[i]) for name, value in values.items()},
            log_density=summit.peak.log_density,
            log_evidence=summit.shape.log_evidence,
            weight=summit.weight,
        )
        for i, summit in enumerate(ground.summits)
    )


def finish(ground: Ground, sampled: Sampled) -> Fit:
    """The Fit: draws, predictions, figures and gates together."""
    clock, settings = Clock(), ground.settings
    ground.say("prediction", 0.0, "")
    predicted = _predicted(ground, sampled.positions)
    believed = ground.evidence.pareto_k <= UNRELIABLE and not ground.best.shape.floored
    fit = Fit(
        draws=sampled.draws,
        positions=sampled.positions,
        prior=ground.prior,
        statistics=sampled.statistics,
        rhat=sampled.mixed.rhat,
        ess_bulk=sampled.mixed.ess_bulk,
        ess_tail=sampled.mixed.ess_tail,
        gates=sampled.gates,
        modes=modes(ground),
        stages=(),
        settings=settings.model_dump() | _circumstances(settings) | sampled.details,
        log_evidence=(ground.evidence.value, ground.evidence.sd) if believed else None,
        notes=ground.notes + _notes(ground.best, ground.evidence) + sampled.notes,
        **predicted._asdict(),
    )
    answers = tuple(_answer(ground, fit, part) for part in sampled.parts)
    ground.say("prediction", 1.0, "")
    stages = (*ground.stages, *sampled.stages, clock.stage("prediction"))
    return replace(fit, answers=answers, stages=stages)


def _predicted(ground: Ground, positions: FloatArray) -> Predictions:
    asked = ground.settings.thinned, ground.settings.replicates
    return predictions(ground.problem, positions, ground.keys[3], *asked)


def _answer(ground: Ground, whole: Fit, part: Part) -> Answer:
    """One answer as a Fit of its own draws."""
    places, weight, positions = part
    own = replace(
        whole,
        draws=physical(ground.problem, positions),
        positions=positions,
        **_predicted(ground, positions)._asdict(),
    )
    return Answer(places, weight, own)


def _circumstances(settings: Settings) -> dict[str, object]:
    """What else decides the bits of a run."""
    return {
        "sampler": settings.engine,  # unless it chose among several
        "layout": layout(settings.chains),
        "platform": jax.local_devices()[0].platform,
        "float": str(jax.numpy.zeros(()).dtype),
        "jax": version("jax"),
        "blackjax": version("blackjax"),
    }


def failed(conditions: Sequence[Gate]) -> list[str]:
    """Names of the gates that did not pass."""
    return [name for name, _, _, passed in conditions if not passed]
