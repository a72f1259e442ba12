"""A rule that only a barrier keeps holds in every draw that is left."""

import jax
import numpy as np

from specfit.inference.nuts import Chains
from specfit.inference.obedience import obedient


class Curved:
    """Stands for a problem whose rule is z0² + z1² < 1."""

    data: dict = {}  # noqa: RUF012

    @staticmethod
    def holds(position, data):
        return (position["z"] ** 2).sum() < 1.0


def test_only_obedient_draws_are_left():
    z = np.random.default_rng(1).normal(0, 0.6, (3, 200, 2))
    chains = Chains(z, {"lp": -(z**2).sum(axis=2)})
    with jax.enable_x64(True):
        found = obedient(Curved, chains)
    radius = (found.positions**2).sum(axis=2)
    assert radius.max() < 1.0
    assert found.positions.shape[:2] == found.statistics["lp"].shape
    np.testing.assert_allclose(found.statistics["lp"], -radius)
    inside = ((z**2).sum(axis=2) < 1).sum(axis=1).min()
    assert found.positions.shape[1] == inside
    assert "dropped" in found.notes[0]


def test_without_a_barrier_nothing_changes():
    class Plain:
        holds = None

    chains = Chains(np.zeros((2, 5, 1)), {"lp": np.zeros((2, 5))})
    assert obedient(Plain, chains) is chains
