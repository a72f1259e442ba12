"""The ranking of models: by evidence, and by how well each predicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from specfit import pipeline
from specfit.checking import Checked
from specfit.comparison.contenders import Contender, refuse_several
from specfit.contracts import Counted, Progress, Run
from specfit.inference import NonFiniteStart
from specfit.inference.journal import Journal
from specfit.inference.loo import Loo, loo, standard_error

HOPELESS = 5.0
"""Nats by which the rough evidence of a model that did not converge must lie below the
best for it to be left out of account."""
UNDECIDED = 1.0
"""Difference of log-evidence that is not worth more than a bare mention.

Source: Kass and Raftery 1995, doi:10.1080/01621459.1995.10476572.
"""
UNWEIGHED = "no log-evidence: "
"""How the note of a fit begins that says why."""
DRAWS = 2000
"""Draws that carry pointwise likelihoods, for the weights of leave-one-out."""


@dataclass(frozen=True)
class Entry:
    """A contender after its run; `loo` is None where there is no result.

    failure: why there is not even a run: the density is finite at no start.
    """

    name: str
    run: Run | None
    loo: Loo | None
    failure: str = ""

    @property
    def outcome(self) -> str:
        """The verdict of the run."""
        return self.run.verdict.outcome if self.run else "not_converged"

    @property
    def log_evidence(self) -> tuple[float, float] | None:
        """Log-evidence and its Monte Carlo sd; None where it could not be had."""
        return self.run.fit.log_evidence if self.run and self.loo else None

    @property
    def reason(self) -> str:
        """Why it has no evidence to be trusted; empty where it has one."""
        if self.run is None or self.log_evidence:
            return self.failure
        if self.loo is None:
            return "; ".join(self.run.verdict.reasons)
        said = [n for n in self.run.fit.notes if n.startswith(UNWEIGHED)]
        return said[0].removeprefix(UNWEIGHED) if said else "none was computed"


@dataclass(frozen=True)
class Comparison:
    """Entries in the order of their evidence; those without come last."""

    entries: tuple[Entry, ...]

    @property
    def ranked(self) -> tuple[Entry, ...]:
        """The entries that have a log-evidence."""
        return tuple(entry for entry in self.entries if entry.log_evidence)

    def evidence_behind(self, entry: Entry) -> tuple[float, float] | None:
        """Log-evidence minus that of the best, and its Monte Carlo sd."""
        if not (entry.log_evidence and self.ranked):
            return None
        best = self.ranked[0].log_evidence
        assert best is not None
        value, sd = entry.log_evidence
        own = 0.0 if entry is self.ranked[0] else sqrt(sd**2 + best[1] ** 2)
        return value - best[0], own

    @property
    def missing(self) -> tuple[Entry, ...]:
        """The entries without an evidence to be trusted that might well be the best.

        Those that converged, and those whose rough evidence is near that of the best.
        """
        return tuple(e for e in self.entries if not e.log_evidence and self._able(e))

    def _able(self, entry: Entry) -> bool:
        rough = entry.run.fit.log_evidence if entry.run else None
        if entry.loo or rough is None or not self.ranked:
            return entry.loo is not None
        best = self.ranked[0].log_evidence
        return best is not None and rough[0] > best[0] - HOPELESS

    @property
    def unknown(self) -> tuple[Entry, ...]:
        """The entries that ran, did not converge, and have not even a rough evidence."""
        return tuple(
            e
            for e in self.entries
            if e.run and not e.loo and not e.run.fit.log_evidence
        )

    def probability(self, entry: Entry) -> float | None:
        """Posterior probability of the model, all being equally likely beforehand.

        None where one without a trusted evidence might be the best.
        """
        if entry.log_evidence is None or self.missing or len(self.ranked) < 2:
            return None
        behind = [self.evidence_behind(other) for other in self.ranked]
        logs = np.array([b[0] for b in behind if b is not None])
        own = self.evidence_behind(entry)
        assert own is not None
        return float(np.exp(own[0]) / np.sum(np.exp(logs)))

    def prediction_behind(self, entry: Entry) -> tuple[float, float] | None:
        """Expected log predictive density minus the best one's, and its standard error."""
        able = [other.loo for other in self.entries if other.loo]
        if entry.loo is None:
            return None
        best = max(able, key=lambda found: found.elpd)
        difference = entry.loo.pointwise - best.pointwise
        return float(difference.sum()), standard_error(difference)

    def words(self) -> str:
        """What follows, in a sentence."""
        if len(self.ranked) < 2:
            return "Nothing can be ranked: fewer than two models have a log-evidence."
        behind = self.evidence_behind(self.ranked[1])
        assert behind is not None
        first, second = self.ranked[0].name, self.ranked[1].name
        if -behind[0] < max(UNDECIDED, 2.0 * behind[1]):
            return self._open(
                f"The data do not decide between {first} and {second}: their "
                f"log-evidences differ by {-behind[0]:.1f} ± {behind[1]:.1f}, which is "
                "no more than a bare mention."
            )
        return self._open(
            f"{first} is the most probable: {_odds(-behind[0])} against {second}, if "
            "all were equally probable before the data."
        )

    def _open(self, words: str) -> str:
        """The sentence, and whom it says nothing of."""
        said = [words]
        if self.missing:
            said.append(
                f"Not among them: {_named(self.missing)}, of no evidence to be trusted, "
                "which may be better."
            )
        if self.unknown:
            names = _named(self.unknown)
            said.append(f"Nothing is known of {names}, which did not converge.")
        told = (*self.missing, *self.unknown)
        behind = [e for e in self.entries if e.run and not e.loo and e not in told]
        if behind:
            said.append(f"Far behind, and not converged: {_named(behind)}.")
        return " ".join(said)

    @property
    def failures(self) -> tuple[str, ...]:
        """A sentence for each model that could not be run."""
        return tuple(
            f"{entry.name} could not be run: {entry.failure}."
            for entry in self.entries
            if entry.failure
        )


def _named(entries: Sequence[Entry]) -> str:
    """Each with the reason why it has no evidence."""
    return ", ".join(f"{entry.name} ({entry.reason})" for entry in entries)


def _odds(nats: float) -> str:
    return f"{np.exp(nats):.3g} to 1" if nats < 14.0 else f"more than {10**6} to 1"


def numbered(
    checked: Checked,
    options: pipeline.Options,
    progress: Callable[[str], Progress | None],
    journal: Journal | None = None,
) -> Run:
    """Every number of components tried; the run of the most probable, and the ranking.

    Where one that converged has no evidence, it is the one that predicts best that is
    shown, and where none converged the one with the fewest components.  One that cannot
    be run stops none of the others.
    """
    document = checked.require()
    refuse_several(checked)
    counts = document.counts
    found = [Contender(name, checked, name) for name in counts]
    ranked = compare(found, options, progress, journal)
    rising = sorted(ranked.entries, key=lambda entry: counts.index(entry.name))
    able = [entry for entry in rising if entry.loo]
    if ranked.ranked and not ranked.missing:
        best = ranked.ranked[0]
    else:
        first = next(entry for entry in rising if entry.run)
        best = max(able, key=lambda e: e.loo.elpd if e.loo else 0.0, default=first)
    assert best.run is not None
    said = (ranked.words(), *ranked.failures, f"Shown is {best.name}.")
    return replace(
        best.run,
        counted=tuple(counted_of(ranked, entry) for entry in rising),
        conclusion=" ".join(said),
    )


def counted_of(ranked: Comparison, entry: Entry) -> Counted:
    """An entry as a report has it."""
    return Counted(
        entry.name,
        entry.log_evidence,
        ranked.evidence_behind(entry),
        ranked.probability(entry),
        (entry.loo.elpd, entry.loo.error) if entry.loo else None,
        entry.outcome,
        entry.reason,
    )


def compare(
    found: Sequence[Contender],
    options: pipeline.Options,
    progress: Callable[[str], Progress | None],
    journal: Journal | None = None,
    keep: Callable[[Contender, Run], None] = lambda contender, run: None,
) -> Comparison:
    """Run every contender and rank what converged; `progress` is asked by name.

    keep: called with each run as soon as it is done.  Raises KeyboardInterrupt when one
    of the runs was interrupted, NonFiniteStart where no contender has a start.
    """
    entries: list[Entry] = []
    failed: NonFiniteStart | None = None
    for contender in found:
        own = replace(options, variant=contender.variant, thinned=DRAWS)
        part = journal.part(contender.name) if journal else None
        try:
            run = pipeline.run(contender.checked, own, progress(contender.name), part)
        except NonFiniteStart as error:
            failed = error
            entries.append(Entry(contender.name, None, None, str(error)))
            continue
        keep(contender, run)
        if run.fit.settings.get("interrupted"):
            raise KeyboardInterrupt
        scored = loo(run.fit.pointwise) if run.fit.converged else None
        entries.append(Entry(contender.name, run, scored))
    if failed and not any(entry.run for entry in entries):
        raise failed
    entries.sort(key=_rank)
    return Comparison(tuple(entries))


def _rank(entry: Entry) -> tuple[int, float]:
    if entry.log_evidence:
        return 0, -entry.log_evidence[0]
    return (1, -entry.loo.elpd) if entry.loo else (2, 0.0)
