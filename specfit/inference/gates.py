"""The conditions under which draws may be called a posterior.

Each gate is (name, value, bound, passed).  R-hat, effective sizes, divergences and
E-BFMI are the usual ones (Vehtari et al. 2021, doi:10.1214/20-BA1221; Betancourt 2016,
arXiv:1604.00695).  The others guard what those cannot see:

- `other_modes`: this engine draws around one mode, so what the other modes weigh is
  missing from the answer.  Up to 0.01 that is below the Monte Carlo error of a 5 %
  quantile at 400 effective draws (0.011).  Two components that may be exchanged weigh
  0.5 and are refused here.
- `curvature`: the smallest eigenvalue of the Hessian at the mode, scaled to unit
  diagonal.  At rounding level some direction is not fixed by data or prior.
- `open_directions`: several unknowns of which only a combination was learned, the rest
  as wide as the prior.
- `likelihood_reached`: what another step towards the likeliest values promises, nats.
- `no_uncertainty`: the mode alone was asked for; a point is not a result.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from specfit.contracts import FloatArray
from specfit.inference.mixing import Mixing, energy_fraction, varies
from specfit.inference.newton import FLAT, Peak

Gate = tuple[str, float, float, bool]

RHAT = 1.01
ESS = 400.0
ENERGY = 0.3
OTHER_MODES = 0.01
PARETO = 0.7


def at_most(name: str, value: float, bound: float) -> Gate:
    """Passes where `value` is a number not above `bound`."""
    return name, float(value), float(bound), bool(value <= bound)


def at_least(name: str, value: float, bound: float) -> Gate:
    """Passes where `value` is a number not below `bound`."""
    return name, float(value), float(bound), bool(value >= bound)


def sampling_gates(
    unknowns: Mapping[str, FloatArray],
    mixed: Mixing,
    statistics: Mapping[str, FloatArray],
) -> tuple[Gate, ...]:
    """The gates that a longer or better tuned run may open.

    `unknowns`: draws of the sampled unknowns, which must vary in every chain.
    """
    still = sum(not varies(chain) for d in unknowns.values() for chain in d[:, None])
    return (
        at_most("rhat", np.max(_all(mixed.rhat, mixed)), RHAT),
        at_least("ess_bulk", np.min(_all(mixed.ess_bulk, mixed)), ESS),
        at_least("ess_tail", np.min(_all(mixed.ess_tail, mixed)), ESS),
        at_most("divergences", np.sum(statistics["diverging"]), 0.0),
        at_least("e_bfmi", np.min(energy_fraction(statistics["energy"])), ENERGY),
        at_most("non_finite", np.sum(statistics["non_finite"]), 0.0),
        at_most("constant_chains", float(still), 0.0),
    )


def _all(figures: Mapping[str, float], mixed: Mixing) -> FloatArray:
    """The figures of all that varies; one NaN among them spoils the worst."""
    return np.array([figures[name] for name in mixed.varying] or [np.nan])


def mode_gates(peak: Peak, other_weight: float) -> tuple[Gate, ...]:
    """The gates on the mode that was sampled and on what was left out."""
    return (
        at_most("mode_reached", peak.decrement, 1e-4),
        at_least("curvature", peak.stiffness, FLAT),
        at_most("other_modes", other_weight, OTHER_MODES),
    )


def of_chains(conditions: tuple[Gate, ...], whole: bool) -> tuple[Gate, ...]:
    """Those of `mode_gates` that chains need which go freely between modes, if `whole`.

    The top of a funnel is the place of no draw: whether a search reached it, and how
    the density bends there, says nothing.
    """
    asked = {"mode_reached", "curvature"} if whole else set()
    return tuple(gate for gate in conditions if gate[0] not in asked)
