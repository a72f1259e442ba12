"""A figure that several rules and the report ask of one fit, computed once.

Each thread has its own, because spectra of a batch are judged side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from threading import local
from typing import TypeVar

from specfit.contracts import Fit, Measurement
from specfit.model.ir import Model, Prior

Result = TypeVar("Result")
Question = Callable[[Model[Prior], Sequence[Measurement], Fit], Result]


def remembered(question: Question[Result]) -> Question[Result]:
    """The same question, its last answer kept for whoever asks it of the same fit."""
    kept = local()

    @wraps(question)
    def asked(
        model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
    ) -> Result:
        if getattr(kept, "fit", None) is not fit or kept.model is not model:
            answer = question(model, measurements, fit)
            kept.fit, kept.model, kept.answer = fit, model, answer
        known: Result = kept.answer
        return known

    return asked
