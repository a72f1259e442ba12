"""A model made ready once, then given chunks of files.

What a chunk becomes depends on its files, the model and the pilots alone, so that chunks
may be done anywhere, in any order, and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from specfit import density, inference, pipeline
from specfit.batching.desk import Desk
from specfit.batching.judging import Judge
from specfit.batching.table import QUARANTINED, Row, blank, columns, plain, put
from specfit.checking import Checked
from specfit.contracts import Data, FloatArray, Measurement, Problem
from specfit.diagnostics import Diagnostic, Span, SpecError
from specfit.found import at_place
from specfit.inference.batch import BLOCK, Fitter, Many
from specfit.inference.journal import Arrays, Journal
from specfit.inference.pilots import PILOTS, Pilot, labelling, pilot, starts_of
from specfit.inference.rounds import Rounds
from specfit.inference.search import one_thread
from specfit.model import ir
from specfit.model.support import PlanError
from specfit.readers import ReaderError, read
from specfit.rendering import message

CHUNK = 4 * BLOCK
"""Files read, fitted and kept together."""
HANDS = 2
"""Pilots searched at once: what one does on the host goes on beside the other's fits."""
LOOKED = 20
"""Files looked at for each pilot, before it is given up."""
STEP = 64
"""Spectra are filled up to a multiple of it: few lengths, few compilations."""
Read = Measurement | str
"""A spectrum, or in words why there is none."""
Told = Callable[[int, str], None]
"""What is being done with a row that takes longer."""


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
        self.desk: Desk  # once the pilots are known
        self.model = _one_spectrum(checked)
        self.source = self.model.sources[0]
        self.root = checked.path.resolve().parent
        given = pipeline.settings_of(document.run, asked.options)
        self.settings = inference.Settings(**given)
        self.columns = columns(self.model)

    # ------------------------------------------------------------------ pilots

    def prepare(
        self, progress: Callable[[float, str], None], journal: Journal
    ) -> tuple[list[Pilot], float]:
        """Search the pilots, readable files spread over all of them; then be ready.

        Returns them and the misfit that is usual.  Raises SpecError where none can be
        read, NonFiniteStart where the density of none is finite anywhere.
        """
        spectra = self._spread()
        self._build(spectra[0])
        found = self._pilots(spectra, progress, journal)
        pilots = [one for one in found if isinstance(one, Pilot)]
        if not pilots:
            raise next(one for one in found if isinstance(one, Exception))
        fitted = [
            spectrum
            for spectrum, one in zip(spectra, found, strict=True)
            if isinstance(one, Pilot)
        ]
        self.pilot_contents = [f"{one.sha256} {_calibration(one)}" for one in fitted]
        self.ready(pilots, np.inf)
        self.desk = replace(self.desk, usual=self._usual_misfit(fitted))
        return pilots, self.desk.usual

    def _pilots(
        self,
        spectra: Sequence[Measurement],
        progress: Callable[[float, str], None],
        journal: Journal,
    ) -> list[Pilot | Exception]:
        """What the search of each spectrum found, or why it could not begin."""
        found: list[Pilot | Exception] = []
        hands, stop = ThreadPoolExecutor(HANDS), Event()
        with one_thread(), ExitStack() as end:
            end.callback(hands.shutdown, cancel_futures=True)
            end.callback(stop.set)  # first: a search under way ends with its round
            searches = [
                hands.submit(
                    journal.step, f"pilot {n}", partial(self._searched, one, stop)
                )
                for n, one in enumerate(spectra)
            ]
            for n, search in enumerate(searches):
                progress(n / len(spectra), f"{n + 1} of {len(spectra)}")
                try:
                    found.append(Pilot.of(search.result()))
                except (inference.NonFiniteStart, PlanError) as error:
                    found.append(error)
        return found

    def _searched(self, spectrum: Measurement, stop: Event) -> dict[str, Any]:
        def listen(stage: str, done: float, detail: str) -> None:
            if stop.is_set():
                raise KeyboardInterrupt

        with pipeline.float64():  # of this thread alone
            problem = self._own(self._data([spectrum]), 0)
            return vars(pilot(problem, self.settings, Rounds(say=listen)))

    def ready(self, pilots: Sequence[Pilot], usual: float) -> None:
        """Take over the pilots, found here or elsewhere."""
        if not hasattr(self, "problem"):
            self._build(self._spread()[0])
        change = labelling(self.problem, self.judge.prior, pilots)
        starts = starts_of(pilots, change)
        fitter = Fitter(self.names, starts, change, self.settings)
        self.desk = Desk(fitter, self.judge, self.columns, self.asked.sample, usual)

    def _usual_misfit(self, spectra: Sequence[Measurement]) -> float:
        """Median over the pilots of how far χ² is above its degrees of freedom, in sd.

        What the model leaves of every spectrum, no search of one will explain.
        """
        data, found = self._fit(spectra)
        fits = [
            self.judge.fit(found.only(row), one, self._own(data, row))
            for row, one in enumerate(spectra)
        ]
        left = [self.judge.residuals(*pair) for pair in zip(spectra, fits, strict=True)]
        return float(np.median([one.chi2_z for one in left]))

    def _build(self, first: Measurement) -> None:
        self.length = first.axis.size
        self.problem = pipeline.build(self.model, (first,))
        drawn = self._prior(self.problem)
        self.names = tuple(drawn)
        self.judge = Judge(self.model, first, drawn, self._prior)

    def _prior(self, problem: Problem) -> dict[str, FloatArray]:
        import jax

        key, count = jax.random.key(self.settings.seed), self.settings.prior_draws
        drawn = problem.sample_prior(key, count, problem.data)
        return {name: np.asarray(values) for name, values in drawn.items()}

    def _spread(self) -> list[Measurement]:
        files = self.asked.files
        places = np.linspace(0, len(files) - 1, min(PILOTS, len(files)))
        found = []
        for first in sorted({round(place) for place in places}):
            nearby = (self.read(file) for file in files[first : first + LOOKED])
            readable = (s for s in nearby if isinstance(s, Measurement))
            found += list(islice(readable, 1))
        if not found:
            words = {"count": str(len(files)), "reason": str(self.read(files[0]))}
            fault = at_place("batch-none", words, self.source.place)
            raise SpecError([fault], self.checked.texts)
        return found

    # ------------------------------------------------------------------ chunks

    def read(self, file: str) -> Read:
        """The spectrum of a file, or in words why there is none."""
        try:
            return read(self.source, self.root, self.checked.allow_outside, Path(file))
        except ReaderError as error:
            return message(error.code, error.words, "en") or error.code

    def chunk(
        self, files: Sequence[str], spectra: Sequence[Read], told: Told
    ) -> Arrays:
        """All that is kept of some files, an array for each column of the table."""
        table = blank(self.columns, files)
        groups: dict[int, list[int]] = {}
        for row, found in enumerate(spectra):
            found = self._sound(found)
            if isinstance(found, Measurement):
                groups.setdefault(self._room(found.axis.size), []).append(row)
            else:
                put(table, row, Row(QUARANTINED, found))
        blocks = [
            rows[begin : begin + BLOCK]
            for rows in groups.values()
            for begin in range(0, len(rows), BLOCK)
        ]
        ahead = ThreadPoolExecutor(1)  # one is judged while the next is fitted
        try:
            fits = [ahead.submit(self._fit, [spectra[r] for r in b]) for b in blocks]
            for rows, fit in zip(blocks, fits, strict=True):
                data, fitted = fit.result()
                mine: list[Any] = [spectra[row] for row in rows]
                say = partial(_told_of, told, rows)
                known = self.desk.rows(partial(self._own, data), fitted, mine, say)
                for row, one in zip(rows, known, strict=True):
                    put(table, row, one)
        finally:
            ahead.shutdown(cancel_futures=True)
        return plain(table)

    def _fit(self, spectra: Sequence[Any]) -> tuple[Data, Many]:
        with pipeline.float64():  # of this thread alone
            data = self._data(spectra)
            return data, self.desk.fitter.fit(self.problem, data)

    # -------------------------------------------------------------------- data

    def _sound(self, found: Read) -> Read:
        """Without a spectrum whose counts leave no prior to the rules."""
        if isinstance(found, str) or not self.judge.mass_moves:
            return found
        try:
            self._data([found])
        except PlanError as error:
            return message(error.code, error.words, "en") or error.code
        return found

    def _room(self, length: int) -> int:
        return length if length == self.length else -(-length // STEP) * STEP

    def _data(self, spectra: Sequence[Measurement]) -> Data:
        room = max(self._room(one.axis.size) for one in spectra)
        return density.many_data(self.model, spectra, room, self.problem.data)

    def _own(self, data: Data, row: int) -> Problem:
        """The problem of one spectrum."""
        import jax

        own = jax.tree.map(lambda x: x[row], data)
        return self.problem._replace(data=own)


def _told_of(told: Told, rows: Sequence[int], place: int, words: str) -> None:
    told(rows[place], words)


def _calibration(spectrum: Measurement) -> list[str]:
    """What the velocity scale of a spectrum rests on, by content."""
    return [text for label, text in spectrum.found if label.startswith("calibration")]


def _one_spectrum(checked: Checked) -> ir.Model[ir.Prior]:
    document = checked.require()
    span = Span(str(checked.path))
    if len(document.models) != 1:
        words = {"count": str(len(document.models))}
        code = "map-sampled" if document.maps else "one-model"
        raise SpecError([Diagnostic(code, span, words)], checked.texts)
    model = document.models[0]
    if len(model.spectra) != 1:
        words = {"count": str(len(model.spectra)), "model": model.name}
        raise SpecError([Diagnostic("batch-several", span, words)], checked.texts)
    return model


def pieces(files: Sequence[str], size: int = CHUNK) -> Iterator[Sequence[str]]:
    """The files in chunks."""
    for begin in range(0, len(files), size):
        yield files[begin : begin + size]
