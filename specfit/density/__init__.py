"""Model kind → problem: the functions that a sampler needs, on stacked arrays.

Equal components are rows of one array, never code written out: forty sites compile as
fast as three.  What changes when the spectrum changes is an argument (`Problem.data`),
never a constant of the compiled function.  This table is the only place that knows
every kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from specfit.contracts import Measurement, Problem
from specfit.density import exafs, expression_curve, peaks, regression, spectrum
from specfit.density.many import many_data, mass_moves
from specfit.isotopes import isotopes
from specfit.model.ir import Model, Prior

__all__ = ["BUILDERS", "build", "many_data", "mass_moves"]

Builder = Callable[[Model[Prior], Sequence[Measurement]], Problem]

BUILDERS: dict[str, Builder] = {
    **{f"mossbauer{name}": spectrum.build for name in isotopes()},
    "peaks": peaks.build,
    "curve": expression_curve.build,
    "exafs": exafs.build,
    "regression": regression.build,
    "linear_combination": expression_curve.build,
}
"""The builder of each model kind by its name in the language."""


def build(model: Model[Prior], measurements: Sequence[Measurement]) -> Problem:
    """The problem of a model joined to its measurements, one for each spectrum.

    Call it, and every function of the problem, inside `jax.enable_x64(True)`.

    Raises
    ------
    PlanError
        The model's rules contradict each other or its priors.

    """
    return BUILDERS[model.kind](model, measurements)
