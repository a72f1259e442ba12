"""The isomer shift on cooling: it rises as the second-order Doppler shift of a solid."""

from __future__ import annotations

from specfit.contracts import FloatArray
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits
from specfit.model.thermal import doppler_shift
from specfit.rules.draws import shares
from specfit.rules.series import Law, Step, crosses

NAME = "shift_rises"


def _window(model: Model[Prior], step: Step) -> tuple[float, float]:
    """What the shift may rise by, mm/s."""
    known = limits(model, NAME)
    rises = [
        doppler_shift(step.low, known[debye]) - doppler_shift(step.high, known[debye])
        for debye in ("debye_low", "debye_high")
    ]
    return min(rises) - known["slack"], max(rises) + known["slack"]


def _outside(model: Model[Prior], step: Step, change: FloatArray) -> FloatArray:
    low, high = _window(model, step)
    return shares((change < low) | (change > high))


def _says(model: Model[Prior], step: Step, mean: float) -> str:
    low, high = _window(model, step)
    return (
        f"the isomer shift of {step.where} changes by {mean:+.3f} mm/s on cooling; a "
        f"solid's rises by {low:.3f} to {high:.3f} mm/s"
    )


RULE = Law(
    name=NAME,
    symbol="IS",
    holds="every isomer shift rises on cooling as it should",
    detail="the lines of two sites may have changed places between the spectra, or "
    "their velocity zeros differ",
    breach=_outside,
    says=_says,
    concerns=lambda step: not crosses(step),
).rule()
