"""A model made ready once, then given chunks of files.

What a chunk becomes depends on its files, the model and the pilots alone, so that chunks
may be done anywhere, in any order, and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from specfit import density, inference, pipeline, rules
from specfit.batching.judging import Judge
from specfit.batching.table import QUARANTINED, blank, columns, plain
from specfit.checking import Checked, at_place, strategies
from specfit.contracts import Data, Fit, Measurement, Problem, Verdict
from specfit.diagnostics import Diagnostic, Span, SpecError
from specfit.inference import batch
from specfit.inference.journal import Arrays, Journal
from specfit.inference.laplace import UNRELIABLE
from specfit.model import ir
from specfit.readers import ReaderError, read
from specfit.rendering import message

CHUNK = 4 * batch.BLOCK
"""Files read, fitted and kept together."""
SAMPLED = ("never", "flagged", "always")
LOOKED = 20
"""Files looked at for each pilot, before it is given up."""
STEP = 64
"""Spectra are filled up to a multiple of it: few lengths, few compilations."""
Read = Measurement | str
"""A spectrum, or in words why there is none."""


@dataclass(frozen=True)
class Asked:
    """What is to be done: all files, when to sample, the settings of a run."""

    files: tuple[str, ...]
    sample: str = "flagged"
    options: pipeline.Options = field(default_factory=pipeline.Options)


class Workshop:
    """A model ready for any number of spectra; use it inside `pipeline.float64`.

    Raises
    ------
    SpecError
        The file has faults, not exactly one model, or a model of several spectra.

    """

    def __init__(self, checked: Checked, asked: Asked) -> None:
        document = checked.require()
        self.checked, self.asked = checked, asked
        self.model = _one_spectrum(checked)
        self.source = self.model.sources[0]
        given = pipeline.settings_of(document.run, asked.options)
        self.settings = inference.Settings(**given)
        self.columns = columns(self.model)

    # ------------------------------------------------------------------ pilots

    def prepare(
        self, progress: Callable[[float], None], journal: Journal
    ) -> list[batch.Pilot]:
        """Search the pilots, readable files spread over all of them; then be ready.

        Raises SpecError where none of them can be read, NonFiniteStart where the density
        is finite nowhere.
        """
        pilots = []
        spectra = self._spread()
        self._build(spectra)
        for number, one in enumerate(spectra):
            problem = self._own(self._data([one]), 0)
            found = partial(batch.pilot, problem, self.settings)
            arrays = journal.step(f"pilot {number}", lambda found=found: vars(found()))  # type: ignore[misc]
            pilots.append(batch.Pilot.of(arrays))
            progress((number + 1) / len(spectra))
        self.ready(pilots)
        return pilots

    def ready(self, pilots: Sequence[batch.Pilot]) -> None:
        """Take over the pilots, found here or elsewhere."""
        if not hasattr(self, "problem"):
            self._build(self._spread())
        self.starts = batch.starts_of(pilots)
        self.bound = batch.bound(pilots)

    def _build(self, spectra: Sequence[Measurement]) -> None:
        first = spectra[0]
        self.lengths = {one.axis.size for one in spectra}
        self.problem = pipeline.build(self.model, (first,))
        import jax

        key = jax.random.key(self.settings.seed)
        drawn = self.problem.sample_prior(
            key, self.settings.prior_draws, self.problem.data
        )
        self.names = tuple(drawn)
        self.judge = Judge(
            self.model,
            self.problem,
            strategies(self.model, (first,)),
            {name: np.asarray(values) for name, values in drawn.items()},
        )

    def _spread(self) -> list[Measurement]:
        files = self.asked.files
        places = np.linspace(0, len(files) - 1, min(batch.PILOTS, len(files)))
        found = []
        for first in sorted({round(place) for place in places}):
            nearby = (self.read(file) for file in files[first : first + LOOKED])
            found += [s for s in nearby if isinstance(s, Measurement)][:1]
        if not found:
            words = {"count": str(len(files)), "reason": str(self.read(files[0]))}
            fault = at_place("batch-none", words, self.source.place)
            raise SpecError([fault], self.checked.texts)
        return found

    # ------------------------------------------------------------------ chunks

    def read(self, file: str) -> Read:
        """The spectrum of a file, or in words why there is none."""
        root = self.checked.path.resolve().parent
        try:
            return read(self.source, root, self.checked.allow_outside, Path(file))
        except ReaderError as error:
            return message(error.code, error.words, "en") or error.code

    def chunk(
        self,
        files: Sequence[str],
        spectra: Sequence[Read],
        told: Callable[[int, str], None] = lambda row, words: None,
    ) -> Arrays:
        """All that is kept of some files, an array for each column of the table."""
        table = blank(self.columns, files)
        groups: dict[int, list[int]] = {}
        for row, found in enumerate(spectra):
            if isinstance(found, Measurement):
                groups.setdefault(self._room(found.axis.size), []).append(row)
            else:
                table["verdict"][row], table["reasons"][row] = QUARANTINED, found
        blocks = [
            rows[begin : begin + batch.BLOCK]
            for rows in groups.values()
            for begin in range(0, len(rows), batch.BLOCK)
        ]
        with ThreadPoolExecutor(1) as ahead:  # one is judged while the next is fitted
            fits = [ahead.submit(self._fit, [spectra[r] for r in b]) for b in blocks]
            for rows, fit in zip(blocks, fits, strict=True):
                self._fill(table, rows, [spectra[r] for r in rows], *fit.result(), told)
        return plain(table)

    def _fit(self, spectra: Sequence[Any]) -> tuple[Data, batch.Many]:
        with pipeline.float64():  # of this thread alone
            data = self._data(spectra)
            return data, batch.fit(self.problem, self.names, self.starts, data)

    def _fill(
        self,
        table: Mapping[str, np.ndarray[Any, Any]],
        rows: Sequence[int],
        spectra: Sequence[Any],
        data: Data,
        found: batch.Many,
        told: Callable[[int, str], None],
    ) -> None:
        for place, (row, spectrum) in enumerate(zip(rows, spectra, strict=True)):
            problem = self._own(data, place)
            mine, at = found, place
            if self._misfits(problem, found, place):
                told(row, "searched by itself")
                mine, at = self._searched(problem, found, place), 0
            self._record(table, row, problem, mine, at, spectrum, told)

    def _misfits(self, problem: Problem, found: batch.Many, row: int) -> bool:
        lost = not found.gain[row] < batch.REACHED
        excess = batch.excess(problem, found.expected[row], problem.data)
        return lost or not excess <= self.bound

    def _searched(self, problem: Problem, found: batch.Many, row: int) -> batch.Many:
        """The better of what was found and what a search of its own finds."""
        try:
            own = batch.pilot(problem, self.settings)
        except inference.NonFiniteStart:
            return found.only(row)
        again = batch.again(problem, self.names, own, self.starts)
        better = again.log_density[0] > found.log_density[row]
        lost = not found.gain[row] < batch.REACHED
        return again if better or lost else found.only(row)

    def _record(
        self,
        table: Mapping[str, np.ndarray[Any, Any]],
        row: int,
        problem: Problem,
        found: batch.Many,
        at: int,
        spectrum: Measurement,
        told: Callable[[int, str], None],
    ) -> None:
        chi2, freedom = batch.misfit(problem, found.expected[at], problem.data)
        table["chi2_reduced"][row] = chi2 / freedom
        table["pareto_k"][row] = found.pareto_k[at]
        table["log_evidence"][row] = found.log_evidence[at]
        places = [found.names.index(column.name) for column in self.columns]
        values, sds = found.values[at, places], found.sd[at, places]
        flagged = found.pareto_k[at] > UNRELIABLE and self.asked.sample == "flagged"
        fit = None
        if flagged or self.asked.sample == "always":
            told(row, "sampled")
            fit = self._sampled(problem)
        if fit is not None:
            table["method"][row] = "nuts"
            verdict = rules.judge(self.model, (spectrum,), fit, self.judge.strategies)
            draws = [fit.draws[column.name] for column in self.columns]
            values = np.array([np.mean(d) for d in draws])
            sds = np.array([np.std(d) for d in draws])
        else:
            table["method"][row] = "laplace"
            verdict = self.judge.verdict(found, at, spectrum, problem.data)
        _say(table, row, verdict)
        if verdict.outcome != "not_converged":
            table["values"][row], table["sd"][row] = values, sds

    def _sampled(self, problem: Problem) -> Fit | None:
        """The draws of one spectrum; None where they cannot begin: it stops no other."""
        try:
            return inference.find(problem, self.settings, None)
        except inference.NonFiniteStart:
            return None

    # -------------------------------------------------------------------- data

    def _room(self, length: int) -> int:
        return length if length in self.lengths else -(-length // STEP) * STEP

    def _data(self, spectra: Sequence[Measurement]) -> Data:
        room = max(self._room(one.axis.size) for one in spectra)
        return density.many_data(self.model, spectra, room, self.problem.data)

    def _own(self, data: Data, row: int) -> Problem:
        """The problem of one spectrum."""
        import jax

        own = jax.tree.map(lambda x: x[row], data)
        return self.problem._replace(data=own)


def _say(table: Mapping[str, np.ndarray[Any, Any]], row: int, verdict: Verdict) -> None:
    warned = [f.rule for f in verdict.findings if f.outcome == "warned"]
    table["verdict"][row] = verdict.outcome
    table["reasons"][row] = "; ".join(verdict.reasons)
    table["remarks"][row] = ", ".join(dict.fromkeys(warned))


def _one_spectrum(checked: Checked) -> ir.Model[ir.Prior]:
    document = checked.require()
    span = Span(str(checked.path))
    if len(document.models) != 1:
        words = {"count": str(len(document.models))}
        raise SpecError([Diagnostic("one-model", span, words)], checked.texts)
    model = document.models[0]
    if len(model.spectra) != 1:
        words = {"count": str(len(model.spectra)), "model": model.name}
        raise SpecError([Diagnostic("batch-several", span, words)], checked.texts)
    return model


def pieces(files: Sequence[str], size: int = CHUNK) -> Iterator[Sequence[str]]:
    """The files in chunks."""
    for begin in range(0, len(files), size):
        yield files[begin : begin + size]
