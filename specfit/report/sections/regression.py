"""A regression: which features, how well rows are predicted that were left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specfit.features import HeldOut
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
from specfit.report.regression.found import Regression, regression_of
from specfit.rules.inclusion import Inclusion

TOP = 12


def _build(page: Page) -> Sequence[Block]:
    run = page.found.run
    shown = regression_of(run)
    if shown is None:
        return []
    blocks: list[Block] = []
    if run.held_out is not None:
        blocks += _held(run.held_out)
    caption = (
        "What each feature contributes in each row, standardised value × posterior mean "
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
        (
            "refits that did not settle (R-hat > 1.05, or fewer than 100 effective draws)",
            f"{held.unsettled} of {len(held.predicted)}"
            + (": their rows are not to be relied on" if held.unsettled else ""),
        ),
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
