"""Mössbauer spectra: a model of sites joined to measured counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from specfit.contracts import FloatArray, Measurement, Problem, Separable
from specfit.density.curve import Curve, curve_of
from specfit.density.parts import Parts
from specfit.density.problem import problem_of
from specfit.density.separable import separable_part
from specfit.model.ir import Model, Prior


def build(model: Model[Prior], measurements: Sequence[Measurement]) -> Problem:
    """The problem of a Mössbauer model; call it inside `jax.enable_x64(True)`."""
    return problem_of(model, measurements, curve_of, _split)


def _split(parts: Parts, draws: Mapping[str, FloatArray]) -> Separable | None:
    assert isinstance(parts.curve, Curve)
    return separable_part(
        parts.model,
        parts.plan,
        parts.curve,
        draws,
        parts.vector,
        parts.flat,
        parts.settled,
        parts.identity,
    )
