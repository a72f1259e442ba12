"""What the data leave open is asked of unknowns that stand for themselves."""

from types import SimpleNamespace

import numpy as np

from specfit.inference.opening import open_gates


def ground(smooth):
    """Two unknowns of which the data know the sum alone, and one that they know."""
    rng = np.random.default_rng(5)
    names = ("a", "b", "c")
    problem = SimpleNamespace(names=names, dimension=3, smooth=smooth)
    return SimpleNamespace(problem=problem, prior_positions=rng.normal(size=(500, 3)))


def posterior():
    rng = np.random.default_rng(6)
    difference = rng.normal(size=400)
    sums, known = 1e-3 * rng.normal(size=(2, 400))
    return np.stack([sums + difference, sums - difference, known], axis=1)[None]


def test_a_sum_alone_is_a_direction_left_open():
    ((_, value, bound, passed),) = open_gates(ground(()), [posterior()])
    assert (value, bound, bool(passed)) == (1.0, 0.0, False)


def test_what_is_smooth_may_be_known_in_combinations_alone():
    ((_, value, _, passed),) = open_gates(ground(("a", "b")), [posterior()])
    assert value == 0.0
    assert passed
