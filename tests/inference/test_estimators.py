"""Estimators against arithmetic by hand, and against leaks between folds."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from specfit.contracts import FloatArray, Measurement
from specfit.features import Features
from specfit.inference.estimators import Asked, MethodAsked, analyse, path
from specfit.inference.estimators.folds import (
    leave_block_out,
    leave_group_out,
    leave_one_out,
    q2_pooled,
    r2_pooled,
)
from specfit.inference.estimators.methods import Linear, forest
from specfit.inference.estimators.nested import held_out
from specfit.inference.estimators.permuted import permuted
from specfit.inference.estimators.stability import first_count, selection

ALPHAS = np.geomspace(1.0, 1e-3, 12)


def table(n: int = 10, p: int = 6, seed: int = 3) -> tuple[FloatArray, FloatArray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, p)) * 10.0 ** np.arange(p)
    return x, 2.0 * x[:, 0] + 0.1 * generator.normal(size=n)


def measurement(x: FloatArray, y: FloatArray, **more: object) -> Measurement:
    axis = np.arange(1.0, len(y) + 1)
    features = Features(x, **more)  # type: ignore[arg-type]
    return Measurement(axis, y, "", "V", features=features, columns={"cell": axis % 3})


def lasso(alphas: FloatArray = ALPHAS) -> MethodAsked:
    return MethodAsked("lasso", "", "lasso", {"alpha": alphas})


# ------------------------------------------------------------------------- scores


def test_pooled_scores_by_hand() -> None:
    y, predicted = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0])
    # SSE = 0.25 + 0 + 1; SST about 7/3 = 16/9 + 1/9 + 25/9 = 42/9
    assert r2_pooled(y, predicted) == pytest.approx(1 - 1.25 / (42 / 9))
    # means without each row: 3, 2.5, 1.5; SST = 4 + 0.25 + 6.25
    folds = leave_one_out(3)
    assert q2_pooled(y, predicted, folds) == pytest.approx(1 - 1.25 / 10.5)
    without = np.array([3.0, 2.5, 1.5])
    assert q2_pooled(y, without, folds) == pytest.approx(0.0)


def test_folds_hold_out_neighbours_and_groups() -> None:
    assert leave_block_out(5, 2) == ((0, 1), (2, 3), (4,))
    assert leave_group_out(np.array([7.0, 1.0, 7.0])) == ((1,), (0, 2))


# ----------------------------------------------------------------------- no leakage


@pytest.mark.parametrize("function", ["lasso", "elastic_net", "extra_trees"])
def test_a_held_out_row_cannot_move_its_own_prediction(function: str) -> None:
    """Whatever its target is: neither fit, scale nor tuning of its fold has seen it."""
    x, y = table()
    learner = {
        "lasso": Linear(ALPHAS, np.ones(1), False),
        "elastic_net": Linear(ALPHAS, np.array([0.2, 0.9]), True),
        "extra_trees": forest("extra_trees", 5, 0),
    }[function]
    folds = leave_block_out(len(y), 2)
    before = held_out(learner, x, y, folds).predicted
    changed = y.copy()
    changed[3] += 50.0
    after = held_out(learner, x, changed, folds).predicted
    assert after[[2, 3]].tobytes() == before[[2, 3]].tobytes()
    assert not np.array_equal(after[[0, 1, 4]], before[[0, 1, 4]])


def test_a_held_out_row_says_nothing_of_the_scale_of_the_features() -> None:
    """Its features move its own prediction only, along the coefficients of its fold."""
    x, y = table()
    learner = Linear(np.array([0.05]), np.ones(1), False)
    folds = leave_one_out(len(y))
    moved = x.copy()
    moved[4, 0] += 1.0
    before, after = (held_out(learner, a, y, folds).predicted for a in (x, moved))
    rows = [i for i in range(len(y)) if i != 4]
    coefficients, _ = learner.paths(x[rows], y[rows])
    slope = coefficients[0, 0] / x[rows, 0].std()
    assert after[4] - before[4] == pytest.approx(slope, rel=1e-9)


def test_tuning_on_the_same_folds_is_never_worse_on_them() -> None:
    generator = np.random.default_rng(8)
    for _ in range(4):
        x, y = generator.normal(size=(9, 5)), generator.normal(size=9)
        found = held_out(Linear(ALPHAS, np.ones(1), False), x, y, leave_one_out(9))
        assert r2_pooled(y, found.same) >= r2_pooled(y, found.predicted) - 1e-12


# ------------------------------------------------------------------------- methods


def test_a_path_meets_the_conditions_of_the_lasso() -> None:
    """At the optimum |xᵀ(y − Xw)|/n is α on the active set and no more elsewhere."""
    x, y = table()
    learner = Linear(ALPHAS, np.ones(1), False)
    coefficients, offset = learner.paths(x, y)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    for alpha, w, b in zip(ALPHAS, coefficients, offset, strict=True):
        slope = scaled.T @ (y - b - scaled @ w) / len(y)
        active = w != 0.0
        np.testing.assert_allclose(slope[active], alpha * np.sign(w[active]), rtol=1e-6)
        assert np.all(np.abs(slope[~active]) <= alpha * (1.0 + 1e-6))


def test_the_ridge_part_of_the_elastic_net() -> None:
    """Two equal columns share a coefficient, where the LASSO takes one of them."""
    x, y = table(p=1)
    twice = np.repeat(x, 2, axis=1)
    learner = Linear(np.array([0.05]), np.array([0.3]), True)
    first, second = learner.weights(twice, y, 0)
    assert first == pytest.approx(second, rel=5e-3)
    assert first > 0.0


def test_a_column_that_does_not_vary_is_no_feature() -> None:
    x, y = table(p=2)
    x[:, 1] = 3.0
    weights = Linear(ALPHAS, np.ones(1), False).weights(x, y, len(ALPHAS) - 1)
    assert weights[1] == 0.0
    assert np.isfinite(weights).all()


# ------------------------------------------------------- permutations and stability


def test_the_p_value_counts_what_chance_does_as_well() -> None:
    scores = iter([0.1, 0.9, 0.2, 0.3])
    y, generator = np.arange(4.0), np.random.default_rng(0)
    folds = leave_one_out(4)
    found = permuted(
        lambda _: next(scores), y, folds, 0.5, 4, generator, lambda _: None
    )
    assert found.p_value == pytest.approx(2 / 5)
    y, folds = np.arange(20.0), leave_one_out(20)
    ended = permuted(lambda _: 1.0, y, folds, 0.5, 100, generator, lambda _: None)
    assert (ended.p_value, len(ended.scores)) == (1.0, 10)


def test_rows_that_are_held_out_together_are_shuffled_together() -> None:
    seen: list[FloatArray] = []
    folds = ((0, 3), (1,), (2, 4, 5))
    generator = np.random.default_rng(0)
    permuted(
        lambda y: float(seen.append(y) or 0.0),
        np.arange(6.0), folds, 1.0, 20, generator, lambda _: None,
    )  # fmt: skip
    for y in seen:
        rows = y[[0, 3, 1, 2, 4, 5]]
        pieces = [[0.0, 3.0], [1.0], [2.0, 4.0, 5.0]]
        orders = [
            np.concatenate([pieces[i] for i in o]) for o in permutations(range(3))
        ]
        assert any(np.array_equal(rows, order) for order in orders)
    assert len({tuple(y) for y in seen}) == len(seen) == 5  # every other order once


@pytest.mark.parametrize("count", [3, 23, 500])
def test_the_order_in_which_folds_stand_is_no_shuffle_of_them(count: int) -> None:
    y = np.arange(8.0)
    found = permuted(
        lambda shuffled: float(np.array_equal(shuffled, y)),
        y,
        leave_block_out(8, 2),
        1.0,
        count,
        np.random.default_rng(3),
        lambda _: None,
    )
    assert found.p_value == 1.0 / (min(count, 23) + 1)


def test_the_driver_is_selected_and_noise_is_not() -> None:
    x, y = table(n=16, p=20, seed=5)
    learner = Linear(np.geomspace(30.0, 1e-2, 30), np.ones(1), False)
    share = selection(learner, x, y, 60, np.random.default_rng(1))
    assert share[0] == 1.0
    assert share[1:].max() < 0.9
    assert share.sum() <= first_count(20) + 1e-9


# -------------------------------------------------------------------------- analyse


def asked(**more: object) -> Asked:
    settings = {"permutations": 20, "resamples": 10, **more}
    return Asked("redox", (lasso(np.geomspace(1e-3, 10.0, 12)),), **settings)  # type: ignore[arg-type]


def test_an_analysis_finds_what_drives_and_the_same_again() -> None:
    x, y = table()
    first, second = (analyse(asked(), measurement(x, y), 4) for _ in range(2))
    (one,), (again,) = first.methods, second.methods
    assert one.r2 > 0.9
    assert one.p_value < 0.1
    assert np.argmax(np.abs(one.coefficients)) == 0
    assert one.predicted.tobytes() == again.predicted.tobytes()
    assert one.shuffled_scores.tobytes() == again.shuffled_scores.tobytes()
    assert one.path.shape == (6, 12)
    assert not first.optimistic


def test_groups_and_blocks_are_folds() -> None:
    x, y = table()
    by_group = analyse(asked(folds="leave_group_out", by="cell"), measurement(x, y), 1)
    assert [len(fold) for fold in by_group.folds] == [3, 4, 3]
    with pytest.raises(ValueError, match="2 folds"):
        analyse(asked(folds="leave_block_out", block=5), measurement(x, y), 1)


@pytest.mark.parametrize("constant", [0.1, 3.7, 0.0])
def test_a_target_that_does_not_vary_has_no_score(constant: float) -> None:
    x, _ = table()
    (one,) = analyse(asked(), measurement(x, np.full(10, constant)), 4).methods
    assert np.isnan([one.r2, one.q2, one.same_folds_r2, one.p_value]).all()


def test_imputations_spread_the_score() -> None:
    x, y = table()
    generator = np.random.default_rng(2)
    noise = generator.normal(size=(5, *x.shape)) * 0.3 * x.std(axis=0)
    found = analyse(asked(permutations=0), measurement(x, y, imputations=x + noise), 1)
    (one,) = found.methods
    assert one.imputed_r2.shape == (5,)
    assert one.imputed_r2.std() > 0.0
    assert (one.imputed_q2 > one.imputed_r2).all()  # another mean, farther away
    assert np.isnan(one.p_value)


def test_shuffled_targets_are_compared_by_the_score_asked_for() -> None:
    x, y = table()
    by = {
        score: analyse(asked(score=score), measurement(x, y), 4).methods[0]
        for score in ("R2", "Q2")
    }
    assert by["R2"].p_score == by["R2"].r2
    assert by["Q2"].p_score == by["Q2"].q2
    assert (by["Q2"].shuffled_scores != by["R2"].shuffled_scores).all()


def test_a_fit_that_ran_out_of_steps_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(3).normal(size=(12, 30))
    y = x[:, :5].sum(axis=1)
    weak = replace(asked(permutations=0), methods=(lasso(np.array([1e-6])),))
    monkeypatch.setattr(path, "STEPS", 0)
    assert analyse(weak, measurement(x, y), 4).methods[0].unsettled == 12
    monkeypatch.undo()
    strong = replace(weak, methods=(lasso(np.array([1.0])),))
    assert analyse(strong, measurement(x, y), 4).methods[0].unsettled == 0


def test_features_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="labels"):
        Features(np.zeros((3, 2)), labels=("one",))
    with pytest.raises(ValueError, match="sd"):
        Features(np.zeros((3, 2)), sd=np.zeros((2, 3)))
