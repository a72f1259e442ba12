"""Scores of the shipped table and of tables with a shuffled potential: what is found.

Run as a script with the number of shuffled tables, or with `horseshoe`, that number and
the draws of a chain; every figure is printed.  Beside the
figures of the industrial report, which tuned on the folds that it reported: LASSO 0.993,
elastic net 0.970, random forest 0.895.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from specfit import inference, pipeline
from specfit.analysing import analyse
from specfit.checking import check_with_data
from specfit.contracts import Measurement
from specfit.features import AnalysisResult, MethodResult
from specfit.holding_out import left_out_rows
from specfit.model.known import data_constants
from specfit.rules.inclusion import inclusion

SPEC = Path(__file__).parents[2] / "models" / "redox_regression.spec"
REPORT = {"lasso": 0.993, "elastic_net": 0.970, "random_forest": 0.895}


def tables(count: int) -> list[tuple[str, Measurement]]:
    """The shipped table, and the same with its potential shuffled."""
    ((_, measured),) = check_with_data(SPEC).measured
    generator = np.random.default_rng(6)
    shuffled = [
        replace(measured, values=generator.permutation(measured.values))
        for _ in range(count)
    ]
    named = [(f"null {k}", one) for k, one in enumerate(shuffled, start=1)]
    return [("shipped", measured), *named]


def chance(one: MethodResult) -> str:
    """What the shuffled targets of the same procedure have, which is what p counts."""
    scores = one.shuffled_scores
    if not scores.size:
        return ""
    middle, high = np.quantile(scores, (0.5, 0.95))
    return (
        f"  shuffled: median {middle:+.3f}, 95 % {high:+.3f}, most {scores.max():+.3f}, "
        f"above 0 in {np.mean(scores > 0.0):.0%}"
    )


def lines(name: str, result: AnalysisResult) -> list[str]:
    """A line for each method."""
    found = []
    for one in result.methods:
        most = int(np.argmax(one.selection))
        found.append(
            f"{name:9} {one.name:14} nested R2 {one.r2:+.3f} Q2 {one.q2:+.3f} "
            f"same folds R2 {one.same_folds_r2:+.3f} report {REPORT.get(one.name, '—')} "
            f"p {one.p_value:.3f} ({one.shuffles} shuffles) "
            f"selected most: {result.features.label(most)} {one.selection[most]:.2f}"
            f"{chance(one)}"
        )
    return found


def horseshoe(name: str, measured: Measurement, draws: int) -> str:
    """The line of the Bayesian model: exact leave-one-out, and what it includes."""
    checked = check_with_data(SPEC)
    (model,) = checked.require().models
    given = {"seed": 11, "chains": 4, "warmup": 1000, "draws": draws}
    settings = inference.Settings(engine="nuts", target_accept=0.95, **given)
    with pipeline.float64():
        fit = inference.find(pipeline.build(model, (measured,)), settings)
        held = left_out_rows(model, measured, fit, None)
    known = data_constants(model, (measured,))
    found = inclusion(model, measured, fit.draws, fit.prior, known)
    assert found is not None
    assert measured.features is not None
    most = int(np.argmax(found.features))
    group, (after, before) = max(found.groups.items(), key=lambda g: g[1][0] - g[1][1])
    return (
        f"{name:9} horseshoe      LOO R2 {held.r2:+.3f} Q2 {held.q2:+.3f} inside 90 % "
        f"{held.coverage:.2f} converged {fit.converged} divergences "
        f"{int(fit.statistics['diverging'].sum()) + held.divergences} included most: "
        f"{measured.features.label(most)} {found.features[most]:.2f}, prior "
        f"{found.features_prior[most]:.2f}; {group} {after:.2f}, prior {before:.2f}"
    )


def main(count: int) -> None:
    """Print the figures of every table as they come."""
    (analysis,) = check_with_data(SPEC).require().analyses
    for name, measured in tables(count):
        few = {"permutations": 100 if name == "shipped" else 0}
        print(
            *lines(name, analyse(analysis.model_copy(update=few), measured, 1)),
            sep="\n",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1] == "horseshoe":
        inference.use_cores()
        for label, table in tables(int(sys.argv[2])):
            print(horseshoe(label, table, int(sys.argv[3])), flush=True)
    else:
        main(int(sys.argv[1]))
