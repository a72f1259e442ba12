"""The hyperfine field of a site along a series of temperatures: it never rises."""

from __future__ import annotations

from specfit.contracts import FloatArray
from specfit.model.ir import Model, Prior
from specfit.model.rule_library import limits
from specfit.rules.draws import shares
from specfit.rules.series import Law, Step

NAME = "field_falls"


def _rising(model: Model[Prior], step: Step, change: FloatArray) -> FloatArray:
    """Share of the draws in which the field, cold minus warm, rises with temperature."""
    return shares(change < -limits(model, NAME)["slack"])


def _says(model: Model[Prior], step: Step, mean: float) -> str:
    return f"the field of {step.where} rises with the temperature, by {-mean:.2f} T"


RULE = Law(
    name=NAME,
    symbol="Bint",
    holds="every field falls as the temperature rises",
    detail="two sextets may have changed names between the spectra, or their velocity "
    "scales differ",
    breach=_rising,
    says=_says,
).rule()
