"""Several models of the same data side by side: evidence and predictive accuracy.

The evidence weighs a model with its priors: what it said before it saw the data.  PSIS-LOO
says how well each channel is predicted from all the others, and hardly depends on the
priors.  Both mean something only between models of the same data with the same
likelihood, so anything else is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import numpy as np

from specfit import pipeline
from specfit.checking import Checked, at_place, check_with_data
from specfit.contracts import Counted, Progress, Run
from specfit.diagnostics import SpecError
from specfit.inference import NonFiniteStart
from specfit.inference.journal import Journal
from specfit.inference.loo import Loo, loo, standard_error
from specfit.model import ir

UNDECIDED = 1.0
"""Difference of log-evidence that is not worth more than a bare mention.

Source: Kass and Raftery 1995, doi:10.1080/01621459.1995.10476572.
"""
DRAWS = 2000
"""Draws that carry pointwise likelihoods, for the weights of leave-one-out."""


@dataclass(frozen=True)
class Contender:
    """A model that may be compared: its file, its variant, and how it is called."""

    name: str
    checked: Checked
    variant: str | None

    @property
    def model(self) -> ir.Model[ir.Prior]:
        """The typed model."""
        document = self.checked.require()
        return document.variants[self.variant] if self.variant else document.models[0]


@dataclass(frozen=True)
class Entry:
    """A contender after its run; `loo` is None where there is no result."""

    name: str
    run: Run
    loo: Loo | None

    @property
    def log_evidence(self) -> tuple[float, float] | None:
        """Log-evidence and its Monte Carlo sd; None where it could not be had."""
        return self.run.fit.log_evidence if self.loo else None


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
        """The entries that converged without a log-evidence: nothing ranks them."""
        return tuple(e for e in self.entries if e.loo and not e.log_evidence)

    def probability(self, entry: Entry) -> float | None:
        """Posterior probability of the model, all being equally likely beforehand.

        None where a model that converged has no evidence: it might be the best.
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
        names = ", ".join(entry.name for entry in self.missing)
        if not names:
            return words
        return f"{words} Not among them: {names}, of no known evidence."


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
    shown, and where none converged the one with the fewest components.
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
        best = max(able, key=lambda e: e.loo.elpd if e.loo else 0.0, default=rising[0])
    return replace(
        best.run,
        counted=tuple(_counted(ranked, entry) for entry in rising),
        conclusion=f"{ranked.words()} Shown is {best.name}.",
    )


def _counted(ranked: Comparison, entry: Entry) -> Counted:
    return Counted(
        entry.name,
        entry.log_evidence,
        ranked.evidence_behind(entry),
        ranked.probability(entry),
        (entry.loo.elpd, entry.loo.error) if entry.loo else None,
        entry.run.verdict.outcome,
    )


def contenders(paths: Sequence[Path], allow_outside: bool = False) -> list[Contender]:
    """The finished model and every variant of each file.

    Raises
    ------
    SpecError
        A file has faults, or fewer than two models are named, or they cannot be
        compared.

    """
    found = []
    for path in paths:
        checked = check_with_data(path, allow_outside)
        document = checked.require()
        refuse_several(checked)
        name = _name(path, paths)
        if not document.counts:
            found.append(Contender(name, checked, None))
        found += [Contender(f"{name}:{v}", checked, v) for v in document.variants]
    if len(found) < 2:
        place = ir.Place(file=str(paths[0]))
        fault = at_place("compare-one", {"path": str(paths[0])}, place)
        raise SpecError([fault], found[0].checked.texts)
    _refuse_unlike(found)
    return found


def refuse_several(checked: Checked) -> None:
    """Refuse a file that does not have exactly one model.

    Raises SpecError.
    """
    count = len(checked.require().models)
    if count != 1:
        place = ir.Place(file=str(checked.path))
        fault = at_place("one-model", {"count": str(count)}, place)
        raise SpecError([fault], checked.texts)


def _name(path: Path, paths: Sequence[Path]) -> str:
    """The stem of a file, or the whole path where two files have the same."""
    alike = [other for other in paths if other.stem == path.stem]
    return path.stem if len(alike) == 1 else str(path)


def _refuse_unlike(found: Sequence[Contender]) -> None:
    """Refuse models of different data or with different likelihoods.

    Raises SpecError.
    """
    first = found[0]
    spectra = pipeline.measure(first.model, first.checked)
    for other in found[1:]:
        names = {"one": first.name, "other": other.name}
        place = ir.Place(file=str(other.checked.path))
        theirs = pipeline.measure(other.model, other.checked)
        same = len(spectra) == len(theirs) and all(
            np.array_equal(a.values, b.values)
            for a, b in zip(spectra, theirs, strict=True)
        )
        if not same:
            fault = at_place("compare-data", names, place)
            raise SpecError([fault], other.checked.texts)
        noises = [
            sorted(s.noise.family for s in c.model.spectra) for c in (first, other)
        ]
        if noises[0] != noises[1]:
            words = {"first": ", ".join(noises[0]), "second": ", ".join(noises[1])}
            fault = at_place("compare-likelihood", {**names, **words}, place)
            raise SpecError([fault], other.checked.texts)


def compare(
    found: Sequence[Contender],
    options: pipeline.Options,
    progress: Callable[[str], Progress | None],
    journal: Journal | None = None,
    keep: Callable[[Contender, Run], None] = lambda contender, run: None,
) -> Comparison:
    """Run every contender and rank what converged; `progress` is asked by name.

    keep: called with each run as soon as it is done.  Raises KeyboardInterrupt when one
    of the runs was interrupted, NonFiniteStart naming the contender that has no start.
    """
    entries = []
    for contender in found:
        own = replace(options, variant=contender.variant, thinned=DRAWS)
        part = journal.part(contender.name) if journal else None
        try:
            run = pipeline.run(contender.checked, own, progress(contender.name), part)
        except NonFiniteStart as error:
            error.add_note(f"in {contender.name}")
            raise
        keep(contender, run)
        if run.fit.settings.get("interrupted"):
            raise KeyboardInterrupt
        scored = loo(run.fit.pointwise) if run.fit.converged else None
        entries.append(Entry(contender.name, run, scored))
    entries.sort(key=_rank)
    return Comparison(tuple(entries))


def _rank(entry: Entry) -> tuple[int, float]:
    if entry.log_evidence:
        return 0, -entry.log_evidence[0]
    return (1, -entry.loo.elpd) if entry.loo else (2, 0.0)
