"""What a run of a regression model has to show beyond its parameters."""

from __future__ import annotations

from typing import NamedTuple

from specfit.contracts import Run
from specfit.features import Features, HeldOut
from specfit.model.known import data_constants
from specfit.report.figures.regression import Map, heat_map, predicted
from specfit.report.result import HeldOutResult, InclusionResult
from specfit.rules.inclusion import Inclusion, inclusion
from specfit.standardised import standardised


class Regression(NamedTuple):
    """What a run of a regression has to show beyond its parameters."""

    features: Features
    found: Inclusion


def regression_of(run: Run) -> Regression | None:
    """The features of a run and their inclusion; None of any other model."""
    features = run.measurements[0].features if run.measurements else None
    if run.model.kind != "regression" or features is None or not run.fit.draws:
        return None
    known = data_constants(run.model, run.measurements)
    found = inclusion(
        run.model, run.measurements[0], run.fit.draws, run.fit.prior, known
    )
    return None if found is None else Regression(features, found)


def heat(run: Run) -> bytes | None:
    """The heat map of the posterior means."""
    shown = regression_of(run)
    if shown is None:
        return None
    x = shown.features.values
    scaled, _ = standardised(x)
    unit = run.measurements[0].value_unit
    own = Map(
        shown.features,
        scaled * shown.found.means,
        shown.found.features,
        "inclusion",
        unit,
    )
    return heat_map(own)


def against(run: Run) -> bytes | None:
    """Rows predicted while they were left out, with 90 % intervals."""
    if run.held_out is None:
        return None
    held, measured = run.held_out, run.measurements[0]
    series = [(run.model.name, held.predicted, held.band)]
    return predicted(measured.values, series, measured.value_unit)


def held_out_result(held: HeldOut | None) -> HeldOutResult | None:
    """Scores of rows left out, for `result.json`."""
    if held is None:
        return None
    return HeldOutResult(
        r2=held.r2,
        q2=held.q2,
        coverage=held.coverage,
        elpd=float(held.log_density.sum()),
        psis_elpd=held.psis_elpd,
        psis_worst_k=held.psis_worst,
        divergences=held.divergences,
        unsettled_refits=held.unsettled,
        predicted=held.predicted.tolist(),
        q05=held.band[0].tolist(),
        q95=held.band[1].tolist(),
    )


def inclusion_result(shown: Regression | None) -> InclusionResult | None:
    """Inclusion after and before the data, for `result.json`."""
    if shown is None:
        return None
    found = shown.found
    pairs = zip(found.features.tolist(), found.features_prior.tolist(), strict=True)
    return InclusionResult(
        features=dict(zip(found.names, pairs, strict=True)), groups=dict(found.groups)
    )
