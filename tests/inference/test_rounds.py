"""A search that is stopped between its rounds goes on where it was."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from specfit.inference import Journal, Settings
from specfit.inference.rounds import Rounds
from specfit.inference.search import search


@pytest.fixture
def looked_for(toy):
    problem = toy.sextets(toy.counts_of(2e4, 5), 2e4)

    def find(rounds=None):
        return search(problem, jax.random.key(5), Settings(), rounds).peaks

    return find


def same(one, other):
    pairs = zip(one, other, strict=True)
    return all(np.array_equal(a.position, b.position) for a, b in pairs)


def stop_after(count):
    """Progress that asks for an end once `count` rounds are done."""
    left = [count]

    def tell(stage, done, detail):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    return tell


def test_what_is_kept_is_not_done_again_and_changes_nothing(looked_for, tmp_path):
    whole = looked_for()
    with pytest.raises(KeyboardInterrupt):
        looked_for(Rounds(Journal(tmp_path), stop_after(2)))
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(kept) == 2
    assert same(looked_for(Rounds(Journal(tmp_path))), whole)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(tmp_path.iterdir())) > 2


def test_it_says_how_good_the_best_fit_is(looked_for):
    said = []
    looked_for(Rounds(say=lambda *what: said.append(what)))
    assert all(stage == "search" and 0.0 <= done < 1.0 for stage, done, _ in said)
    assert said[-1][2].startswith("best so far: χ² ")
    assert said[-1][2].endswith("for 512 channels")
