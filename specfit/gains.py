"""What the data would gain without a rule that the posterior is pressed upon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specfit.contracts import Fit, Measurement, Verdict
from specfit.model import ir


def contradicted(
    model: ir.Model[ir.Prior],
    measurements: tuple[Measurement, ...],
    fit: Fit,
    verdict: Verdict,
    settings: Mapping[str, Any],
) -> tuple[Verdict, bool]:
    """Add what the data say against a `require` that the posterior is pressed upon.

    And whether the user interrupted that; the posterior stands, the rest is not judged.
    """
    from specfit.rules import pressed, with_findings

    if verdict.outcome == "not_converged":
        return verdict, False
    suspects = pressed.suspects(model, measurements, fit)
    gains: list[float | str] = []
    try:
        gains += _gains(model, measurements, settings, suspects) if suspects else []
    except KeyboardInterrupt:
        gains += ["interrupted"] * len(suspects)
    findings = [
        pressed.finding(model.rules[index], gain)
        for index, gain in zip(suspects, gains, strict=True)
    ]
    return with_findings(verdict, findings), "interrupted" in gains


def _gains(
    model: ir.Model[ir.Prior],
    measurements: tuple[Measurement, ...],
    settings: Mapping[str, Any],
    suspects: list[int],
) -> list[float | str]:
    """The fall of χ² without each rule, or why it cannot be told."""
    from specfit.inference import NonFiniteStart

    gains: list[float | str] = []
    try:
        kept = _best_fit(model, measurements, settings)
    except NonFiniteStart as error:
        return [str(error)] * len(suspects)
    for index in suspects:
        others = tuple(r for i, r in enumerate(model.rules) if i != index)
        freed = model.model_copy(update={"rules": others})
        try:
            gains.append(2.0 * (_best_fit(freed, measurements, settings) - kept))
        except NonFiniteStart as error:
            gains.append(str(error))
    return gains


def _best_fit(
    model: ir.Model[ir.Prior],
    measurements: tuple[Measurement, ...],
    settings: Mapping[str, Any],
) -> float:
    """Log-likelihood at the mode: with and without a rule, the same kind of point."""
    from specfit import density, inference

    problem = density.build(model, measurements)
    chosen = inference.Settings(**{**settings, "engine": "map"})
    return float(inference.find(problem, chosen, None).pointwise.sum())
