"""Programs: the same numbers compiled, waited for, and taken from the shelf."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit.inference import room, shelf
from specfit.inference.compiled import Program, ahead, identity

TRACED = []


class Owner:
    """A density that says who it is."""

    def __init__(self, name, power=2):
        self.identity, self.power = name, power

    def density(self, x):
        TRACED.append(self.identity)
        return jnp.sum(x**self.power)


def both(density, x, data):
    return {"value": density(x), "rest": (x + 1.0, {"twice": 2.0 * data["y"]})}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    TRACED.clear()
    monkeypatch.setenv(shelf.PLACE, str(tmp_path / "programs"))
    return tmp_path / "programs"


def run(owner, size=3):
    x = np.arange(float(size))
    found = Program(both)(owner.density, x, {"y": np.ones(2)})
    assert found["value"] == np.sum(x**owner.power)
    assert np.array_equal(found["rest"][0], x + 1.0)
    assert np.array_equal(found["rest"][1]["twice"], [2.0, 2.0])


def test_a_second_process_does_not_trace(folder):
    run(Owner("one"))
    run(Owner("one"))  # another Program and owner, as another process would have
    assert TRACED == ["one"]


def test_problems_that_are_traced_alike_share_what_is_in_memory(folder):
    program, x = Program(both), np.arange(3.0)
    first = program(Owner("one").density, x, {"y": np.ones(2)})
    for path in folder.glob("*"):
        path.unlink()
    again = program(Owner("one").density, x, {"y": np.ones(2)})
    assert TRACED == ["one"]
    assert np.array_equal(first["value"], again["value"])
    program.forget()
    program(Owner("one").density, x, {"y": np.ones(2)})
    assert TRACED == ["one", "one"]


@pytest.mark.usefixtures("jax_cache")
def test_a_program_that_jax_has_cached_is_kept_whole(folder):
    run(Owner("one"))
    for path in folder.glob("*.xla"):
        path.unlink()
    jax.clear_caches()
    run(Owner("one"))  # compiled again, not fetched from JAX's cache
    jax.clear_caches()
    run(Owner("one"))
    assert TRACED == ["one", "one"]


@pytest.mark.parametrize("other", [Owner("two", power=3), Owner("")])
def test_another_function_is_never_taken(folder, other):
    run(Owner("one"))
    run(other)
    run(Owner("one"), size=4)
    wanted = ["one", other.identity, "one"]
    assert wanted == TRACED


def test_what_has_no_identity_is_not_kept(folder):
    run(Owner(""))
    assert not list(folder.glob("*"))
    assert identity(lambda x: x) == ""
    assert identity(run) == ""  # not one of specfit's own functions


@pytest.mark.parametrize("damage", ["torn", "altered", "empty"])
def test_a_damaged_file_is_compiled_anew(folder, damage):
    run(Owner("one"))
    (path,) = folder.glob("*.xla")
    content = path.read_bytes()
    altered = content[:-1] + bytes([content[-1] ^ 1])
    spoilt = {"torn": content[: len(content) // 2], "altered": altered, "empty": b""}
    path.write_bytes(spoilt[damage])
    run(Owner("one"))
    run(Owner("one"))
    assert TRACED == ["one", "one"]


def test_what_xla_refuses_is_compiled_anew(folder, monkeypatch, caplog):
    refused = ((False, {"value": 0}), b"no machine code")
    monkeypatch.setattr(shelf, "take", lambda name: refused)
    run(Owner("one"))
    assert TRACED == ["one"]
    assert "compiled anew" in caplog.text


EIGH = """
import sys, jax, numpy as np
jax.config.update("jax_enable_x64", True)
sys.path.insert(0, sys.argv[1])
import test_compiled as here
from specfit.inference.compiled import Program
def values(owner, x):
    here.TRACED.append(owner.identity)
    return jax.numpy.linalg.eigh(x)[0]
print(Program(values)(here.Owner("one"), np.diag([2.0, 1.0])), len(here.TRACED))
"""


def test_a_program_that_calls_lapack_is_taken_by_another_process(folder):
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", EIGH, here]
    first, second = (
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    )
    assert first.split("]") == ["[1. 2.", " 1\n"]
    assert second.split("]") == ["[1. 2.", " 0\n"]


def test_a_folder_that_cannot_be_written_to_costs_only_time(folder, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "read-only")

    run(Owner("one"))
    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(os, "utime", refuse)
    run(Owner("one"))
    run(Owner("two"))
    assert TRACED == ["one", "two"]


def test_a_folder_that_others_may_write_to_is_not_used(folder):
    folder.mkdir()
    os.chmod(folder, 0o777)
    run(Owner("one"))
    assert not list(folder.glob("*"))


def test_the_oldest_goes_when_the_folder_is_full(folder, monkeypatch):
    run(Owner("one"))
    (first,) = folder.glob("*.xla")
    os.utime(first, (1, 1))
    monkeypatch.setattr(shelf, "LIMIT", 3 * first.stat().st_size // 2)
    run(Owner("two"))
    assert first not in list(folder.glob("*.xla"))
    assert len(list(folder.glob("*.xla"))) == 1


def test_a_program_made_ahead_is_not_made_again(folder):
    program, owner = Program(both), Owner("one")
    arguments = (owner.density, np.zeros(5), {"y": np.zeros(2)})
    ahead([(program, *arguments)])
    for _ in range(3):
        program(*arguments)
    assert TRACED == ["one"]


def test_a_fault_ahead_is_told_where_it_is_called():
    def faulty(x):
        raise ValueError("not today")

    program = Program(both)
    ahead([(program, faulty, np.zeros(2), {"y": np.zeros(2)})])
    with pytest.raises(ValueError, match="not today"):
        program(faulty, np.zeros(2), {"y": np.zeros(2)})


def test_programs_are_dropped_before_the_system_refuses_their_memory(
    folder, tmp_path, monkeypatch
):
    program, owner = Program(both), Owner("")
    arguments = (owner.density, np.zeros(5), {"y": np.zeros(2)})
    few, many = tmp_path / "few", tmp_path / "many"
    few.write_text("100\n")
    many.write_text("1000000\n")
    for limit, traced in ((many, 1), (few, 2)):
        monkeypatch.setattr(room, "LIMIT", limit)
        room.make_room()
        program(*arguments)
        assert len(TRACED) == traced
    monkeypatch.setattr(room, "LIMIT", tmp_path / "none")
    room.make_room()  # not a system that tells
