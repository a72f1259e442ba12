"""Steps are kept whole or not at all, and damage is seen."""

import errno
import os

import numpy as np
import pytest

from specfit.inference import Journal, Settings, find


def one(value=1.0):
    return {"x": np.array([value, np.nan, -0.0]), "word": np.array("é")}


def same(left, right):
    return left.keys() == right.keys() and all(
        left[name].tobytes() == right[name].tobytes() for name in left
    )


def test_a_step_is_computed_once(tmp_path):
    calls = []
    journal = Journal(tmp_path)
    first = journal.step("a", lambda: calls.append(1) or one())
    again = Journal(tmp_path).step("a", lambda: calls.append(1) or one(2.0))
    assert len(calls) == 1
    assert same(first, again)
    assert same(one(), first)
    other = journal.part("mode").step("a", lambda: one(3.0))
    assert other["x"][0] == 3.0
    assert Journal().step("a", lambda: one(4.0))["x"][0] == 4.0


@pytest.mark.parametrize("part", [0, 5, 63, 64, 70, -1])
def test_a_torn_or_altered_step_counts_as_absent(tmp_path, part):
    Journal(tmp_path).step("a", one)
    (path,) = tmp_path.glob("*.step")
    content = bytearray(path.read_bytes())
    path.write_bytes(content[:part])
    assert same(Journal(tmp_path).step("a", one), one())
    content[part] ^= 1
    path.write_bytes(content)
    assert Journal(tmp_path).step("a", lambda: one(5.0))["x"][0] == 5.0


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_step_that_cannot_be_written_leaves_the_others(
    tmp_path, monkeypatch, code, where
):
    journal = Journal(tmp_path)
    journal.step("a", one)

    def fail(*arguments):
        raise OSError(code, os.strerror(code), str(tmp_path))

    monkeypatch.setattr(os, where, fail)
    with pytest.raises(OSError, match=os.strerror(code)):
        journal.step("b", one)
    monkeypatch.undo()
    assert [path.name[:2] for path in tmp_path.iterdir()] == ["a-"]


class Killed(BaseException):
    """The process is gone: nothing catches it."""


@pytest.mark.parametrize("engine", ["auto", "nuts", "smc", "slice", "metropolis"])
def test_a_run_killed_after_any_step_ends_with_the_same_bits(toy, tmp_path, engine):
    problem = toy.density_problem(
        "abc", lambda z, data: -0.5 * ((z**2).sum() + 3.0 * (z[0] - z[1]) ** 2)
    )
    settings = Settings(
        engine=engine, prior_draws=100, draws=300, replicates=4, thinned=8, chunk=120
    )
    whole = find(problem, settings)
    reached, original = 0, Journal.step
    for last in range(100):
        steps = [0]

        def step(self, name, compute, last=last, steps=steps):
            if steps[0] == last:
                raise Killed
            steps[0] += 1
            return original(self, name, compute)

        Journal.step = step
        try:
            resumed = find(problem, settings, None, Journal(tmp_path))
            break
        except Killed:
            reached += 1
        finally:
            Journal.step = original
    assert reached >= 3
    taken = {"auto": "independence"}.get(engine, engine)
    assert whole.settings["sampler"] == taken
    assert resumed.positions.tobytes() == whole.positions.tobytes()
    assert resumed.curve.tobytes() == whole.curve.tobytes()
    assert resumed.log_evidence == whole.log_evidence
