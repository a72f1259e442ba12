"""A regression: which features, how well rows are predicted that were left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from specfit.contracts import Run
from specfit.features import Features, HeldOut
from specfit.model.known import data_constants
from specfit.report.blocks import (
    Block,
    Cell,
    Facts,
    Figure,
    Page,
    Paragraph,
    Section,
    Table,
)
from specfit.report.figures.regression import Map, heat_map, predicted
from specfit.rules.inclusion import Inclusion, inclusion

TOP = 12


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
    sd = x.std(axis=0)
    scaled = (x - x.mean(axis=0)) / np.where(sd > 0.0, sd, 1.0)
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


def _build(page: Page) -> Sequence[Block]:
    run = page.found.run
    shown = regression_of(run)
    if shown is None:
        return []
    blocks: list[Block] = []
    if run.held_out is not None:
        blocks += _held(run.held_out)
    caption = (
        "What each feature contributes at each stage, standardised value × posterior mean "
        "of its coefficient. Below, its inclusion probability."
    )
    text = (
        "A feature is included in a draw where n s² > σ², s the sd that its coefficient "
        "has a priori in that draw: the data would keep more than half of it. Of features "
        "that go together one stands for the other; a group is included where any of its "
        "features is. Before the data they have the probabilities in the last column."
    )
    blocks += [
        Figure("heatmap", "contributions of the features", caption),
        Paragraph(text),
        _features(shown),
    ]
    if shown.features.groups:
        blocks.append(_groups(shown.found))
    return blocks


def _held(held: HeldOut) -> list[Block]:
    pairs = [
        ("R² of rows left out, pooled", f"{held.r2:.3f}"),
        ("Q² (mean of the rows learned from)", f"{held.q2:.3f}"),
        ("rows inside their 90 % interval", f"{held.coverage:.0%}"),
        ("log predictive density, refits", f"{held.log_density.sum():.1f}"),
        (
            "the same by PSIS",
            f"{held.psis_elpd:.1f}, largest Pareto k̂ {held.psis_worst:.2f}"
            + (" (not to be trusted)" if held.psis_worst > 0.7 else ""),
        ),
        ("divergences of all refits", str(held.divergences)),
    ]
    caption = "Each row predicted by a fit without it; bars: 90 % of new measurements."
    figure = Figure("predicted_vs_measured", "predicted against measured", caption)
    return [Facts(pairs), figure]


def _features(shown: Regression) -> Table:
    found, features = shown.found, shown.features
    order = np.argsort(-found.features, kind="stable")[:TOP]
    rows = [
        [
            Cell(str(k + 1), numeric=True),
            Cell(features.label(int(k)), features.group(int(k))),
            Cell(f"{found.features[k]:.2f}", numeric=True),
            Cell(f"{found.means[k]:.4g}", numeric=True),
            Cell(f"{found.features_prior[k]:.2f}", tone="quiet", numeric=True),
        ]
        for k in order
    ]
    return Table(["no.", "feature", "inclusion", "mean coefficient", "prior"], rows)


def _groups(found: Inclusion) -> Table:
    ranked = sorted(found.groups.items(), key=lambda item: -item[1][0])
    rows = [
        [
            Cell(group or "–"),
            Cell(f"{after:.2f}", numeric=True),
            Cell(f"{before:.2f}", tone="quiet", numeric=True),
        ]
        for group, (after, before) in ranked
    ]
    return Table(["group", "inclusion", "prior"], rows)


SECTION = Section("regression", "Features", _build)
