"""From the fitted spectra of a batch to their rows: what the table says of it, and why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from specfit import inference, rules
from specfit.batching.judging import Judge, passing
from specfit.batching.table import Column, Row
from specfit.contracts import Finding, Fit, Measurement, Problem, Verdict
from specfit.inference.batch import REACHED, Fitter, Many
from specfit.inference.laplace import UNRELIABLE
from specfit.rules import Block, Residuals

SAMPLED = ("never", "flagged", "always")
UNUSUAL, SLACK = 4.0, 2.0
"""Standard deviations of χ² at which a spectrum is searched by itself, and how often the
misfit that is usual."""
Say = Callable[[str], None]
"""What is being done with a spectrum that takes longer."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Desk:
    """All that is needed to go from a fitted spectrum to its row.

    sample: when draws are taken, one of `SAMPLED`.  usual: misfit that the model leaves
    of every spectrum, in standard deviations of χ².
    """

    fitter: Fitter
    judge: Judge
    columns: Sequence[Column]
    sample: str
    usual: float

    def rows(
        self,
        problem: Callable[[int], Problem],
        found: Many,
        spectra: Sequence[Measurement],
        told: Callable[[int, str], None],
    ) -> Iterator[Row]:
        """What the table says of each spectrum: most are plain and done together."""
        plain = self._plain(problem, found, spectra)
        for i, one in enumerate(spectra):
            if i in plain:
                yield plain[i]
            else:
                yield self.row(problem(i), found.only(i), one, partial(told, i))

    def _plain(
        self,
        problem: Callable[[int], Problem],
        found: Many,
        spectra: Sequence[Measurement],
    ) -> dict[int, Row]:
        """The rows of spectra that are judged as they were fitted, by place.

        All others need a search or draws of their own.
        """
        if self.sample == "always" or not self.judge.poisson:
            return {}
        folded = self.fitter.change.folded(found.position)
        usual = [one.axis.size == self.judge.length for one in spectra]
        sound = passing(found) & (folded == found.position).all(axis=1)
        places = np.flatnonzero(sound & (found.gain < REACHED) & usual)
        if not places.size:
            return {}
        found = found.rows(places)
        try:
            block = self.judge.block(found, [spectra[int(i)] for i in places])
            own = [partial(problem, int(i)) for i in places]
            rows = list(self._judged(own, found, block))
        except MemoryError:
            raise
        except Exception as error:  # of which spectrum, and why, is found one by one
            if "RESOURCE_EXHAUSTED" in str(error):
                raise
            _log.warning("rules of a block: %s: %s", type(error).__name__, error)
            return {}
        return {int(i): row for i, row in zip(places, rows, strict=True) if row}

    def _judged(
        self, problems: Sequence[Callable[[], Problem]], found: Many, block: Block
    ) -> Iterator[Row | None]:
        """The rows of a block, None where a search or all of `judge` is needed."""
        grades = rules.grades(block)
        (chi2, *_), freedom = block.once(rules.misfits)
        misfit = (chi2 - freedom) / np.sqrt(2 * freedom)
        worst = np.max(list(grades.values()), axis=0)
        fits = misfit <= max(UNUSUAL, SLACK * self.usual)
        # draws that break a `require` may have to be left out, by what holds of each
        kept = grades.get("require", block.all(0)) < rules.FAILED
        places = [found.names.index(column.name) for column in self.columns]
        values, sd = found.values[:, places], found.sd[:, places]
        for i, bad in enumerate(worst):
            if (
                not fits[i]
                or bad > rules.FAILED
                or (bad == rules.FAILED and not kept[i])
            ):
                yield None
                continue
            why: tuple[Finding, ...] = ()
            if bad == rules.FAILED:
                fit = self.judge.fit(found.only(i), block.spectra[i], problems[i]())
                why = rules.failures(block, i, fit, grades)
            told = {f.rule for f in why if f.outcome == "warned"}
            told |= {name for name, of in grades.items() if of[i] == rules.WARNED}
            yield Row(
                "rejected" if why else "accepted", "; ".join(rules.reasons(why)),
                ", ".join(name for name in grades if name in told), "laplace",
                float(chi2[i] / freedom), float(found.pareto_k[i]),
                float(found.log_evidence[i]), values[i], sd[i],
            )  # fmt: skip

    def row(
        self, problem: Problem, found: Many, spectrum: Measurement, say: Say
    ) -> Row:
        """What the table says of one spectrum; no fault of one stops the others."""
        try:
            return self._answered(problem, found, spectrum, say)
        except MemoryError:
            raise
        except Exception as error:  # said in the table, and by the exit code
            if "RESOURCE_EXHAUSTED" in str(error):  # no fault of this spectrum
                raise
            say("failed")
            reason = f"cannot be fitted: {type(error).__name__}: {error}"
            return Row("not_converged", reason)

    def _answered(
        self, problem: Problem, found: Many, spectrum: Measurement, say: Say
    ) -> Row:
        found = self.fitter.relabelled(problem, found)
        fit = self.judge.fit(found, spectrum, problem)
        if not self._fits(found, self.judge.residuals(spectrum, fit)):
            say("searched by itself")
            found = self.fitter.searched(problem, found)
            fit = self.judge.fit(found, spectrum, problem)
        asked = {"always": True, "never": False, "flagged": not fit.converged}
        drawn = self._sampled(problem, say) if asked[self.sample] else None
        verdict = self.judge.verdict(spectrum, drawn or fit)
        left = self.judge.residuals(spectrum, drawn or fit)
        return self._told(found, fit, verdict, left, drawn)

    def _fits(self, found: Many, left: Residuals) -> bool:
        """Whether a mode was reached, and fits as well as others of their spectra."""
        reached = bool(found.gain[0] < REACHED)
        return reached and left.chi2_z <= max(UNUSUAL, SLACK * self.usual)

    def _sampled(self, problem: Problem, say: Say) -> Fit | None:
        """The draws of one spectrum; None where they cannot begin."""
        say("sampled")
        try:
            fit = inference.find(problem, self.fitter.settings, None)
        except inference.NonFiniteStart:
            return None
        return self.fitter.drawn(problem, fit)

    def _told(
        self,
        found: Many,
        fit: Fit,
        verdict: Verdict,
        left: Residuals,
        drawn: Fit | None,
    ) -> Row:
        warned = [f.rule for f in verdict.findings if f.outcome == "warned"]
        k = float(found.pareto_k[0])
        row = Row(
            verdict.outcome,
            "; ".join(verdict.reasons),
            ", ".join(dict.fromkeys(warned)),
            "laplace" if drawn is None else str(drawn.settings["sampler"]),
            left.chi2_reduced,
            k,
            float(found.log_evidence[0]) if k <= UNRELIABLE else np.nan,
        )
        if verdict.outcome == "not_converged":
            return row
        if drawn is not None:
            draws = [drawn.draws[column.name] for column in self.columns]
            means, sds = np.mean(draws, axis=(1, 2)), np.std(draws, axis=(1, 2))
            return replace(row, values=means, sd=sds)
        places = [found.names.index(column.name) for column in self.columns]
        sd = found.sd[0, places]
        if fit.positions.shape[1] < found.draws.shape[1]:  # a rule cuts off a part
            sd = np.array([np.std(fit.draws[column.name]) for column in self.columns])
        return replace(row, values=found.values[0, places], sd=sd)
