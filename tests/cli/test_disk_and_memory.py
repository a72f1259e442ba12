"""Disk or memory gives out: what was done is kept, the message says where, exit code 4."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from specfit.cli import main
from specfit.commands import keeping
from specfit.diagnostics import Diagnostic, Exhausted, SpecError

pytest.importorskip("xarray")


class OutOfMemory(RuntimeError):
    """As JAX says it: a RuntimeError with this text."""

    def __init__(self):
        super().__init__("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes.")


def failing(number, path):
    return OSError(number, os.strerror(number), path and str(path))


GIVEN_OUT = [
    ("disk-full", lambda folder: failing(errno.ENOSPC, None)),
    ("disk-full", lambda folder: failing(errno.EDQUOT, folder / "run" / "x")),
    ("disk-full", lambda folder: failing(errno.EFBIG, None)),
    ("folder-shut", lambda folder: failing(errno.EROFS, folder / ".run.partial" / "x")),
    ("folder-shut", lambda folder: failing(errno.EACCES, folder / "run")),
    ("folder-shut", lambda folder: failing(errno.EIO, None)),
    ("memory-exhausted", lambda folder: MemoryError()),
    ("memory-exhausted", lambda folder: OutOfMemory()),
]


@pytest.mark.parametrize(("code", "made"), GIVEN_OUT)
def test_what_gave_out_is_said_with_where_the_rest_is_kept(tmp_path, code, made):
    folder, who = tmp_path / "run", {"texts": "a"}

    def work():
        with keeping.journal(folder, who, False, tmp_path / "a.spec") as journal:
            journal.step("one", lambda: {"x": 1.0})
            raise made(tmp_path)

    with pytest.raises(Exhausted) as raised:
        work()
    fault = raised.value.diagnostic
    assert fault.code == code
    assert str(tmp_path / ".run.partial") in fault.words["state"]
    assert "--resume" in fault.words["again"]
    with keeping.journal(folder, who, True, tmp_path / "a.spec") as journal:
        assert journal.find("one")["x"] == 1.0


@pytest.mark.parametrize(
    "error",
    [
        failing(errno.EACCES, "/elsewhere/data.csv"),
        failing(errno.EEXIST, "run"),
        ValueError("ours"),
        SpecError([Diagnostic("batch-empty")]),
    ],
)
def test_a_fault_of_another_kind_stays_what_it_is(tmp_path, error):
    with (
        pytest.raises(type(error)) as raised,
        keeping.journal(tmp_path / "run", {}, False, tmp_path / "a.spec"),
    ):
        raise error
    assert raised.value is error
    assert not list(tmp_path.glob(".run.partial*")), "nothing was kept, nothing is left"


def test_what_is_unfinished_lies_beside_the_folder_itself(tmp_path, monkeypatch):
    real = tmp_path / "disk" / "run"
    real.mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    assert keeping.place(tmp_path / "link") == tmp_path / "disk" / ".run.partial"
    monkeypatch.chdir(real)
    assert keeping.place(Path(".")) == tmp_path / "disk" / ".run.partial"
    monkeypatch.chdir(tmp_path)
    assert keeping.place(Path("runs/new")) == tmp_path / "runs" / ".new.partial"


def test_before_the_first_step_nothing_is_said_to_be_kept(tmp_path):
    def work():
        with keeping.journal(tmp_path / "run", {}, False, tmp_path / "a.spec"):
            raise MemoryError

    with pytest.raises(Exhausted) as raised:
        work()
    words = raised.value.diagnostic.words
    assert ".partial" not in words["state"]
    assert "--resume" not in words["again"]
    assert not (tmp_path / ".run.partial").exists()


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("code", ["disk-full", "folder-shut", "memory-exhausted"])
def test_the_message_names_folder_and_remedy(
    monkeypatch, capsys, tmp_path, language, code
):
    monkeypatch.setenv("SPECFIT_LANG", language)
    made = next(made for known, made in GIVEN_OUT if known == code)

    def stop(arguments):
        folder = tmp_path / "run"
        with keeping.journal(folder, {}, False, tmp_path / "a.spec") as journal:
            journal.step("one", lambda: {"x": 1.0})
            raise made(tmp_path)

    monkeypatch.setattr("specfit.commands.common.version", stop)
    assert main(["--version"]) == 4
    said = capsys.readouterr().err
    assert f"[{code}]" in said
    assert ".run.partial" in said
    assert "--resume" in said
    assert ("メモリ" in said or "書き込" in said) == (language == "ja")


LIMITED = """
import os, resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
os.execv(sys.argv[2], sys.argv[2:])
"""


def stopped_at(place, name, limit):
    """A run in which no file may become larger than `limit` bytes."""
    before = (sys.executable, "-c", LIMITED, str(limit))
    code, said = place.ended(name, "--quiet", before=before)
    assert code == 4, said
    assert "error[disk-full]" in said
    something = place.steps(name) > 0
    assert (f"{place.kept(name)}" in said) == something
    assert ("--resume" in said) == something
    return said


def goes_on(place, name):
    code, said = place.ended(name, "--quiet", "--resume")
    assert code == 0, said
    assert place.digest(name) == place.digest("whole")
    assert not place.kept(name).exists()


def sizes(place, name):
    return [path.stat().st_size for path in place.kept(name).glob("*.step")]


@pytest.mark.slow
def test_no_room_for_a_step(place):
    stopped_at(place, "roomless", 2_000)
    assert place.steps("roomless") == 0
    goes_on(place, "roomless")


def test_no_room_for_the_report(place):
    """Every step is kept; the older run in the folder stays as it was."""
    shutil.copytree(place.folder / "whole", place.folder / "unreported")
    before = (place.folder / "unreported" / "result.json").read_bytes()
    largest = (place.folder / "whole" / "posterior.nc").stat().st_size
    stopped_at(place, "unreported", largest - 1)
    assert place.steps("unreported") > 3
    assert max(sizes(place, "unreported")) < largest
    assert (place.folder / "unreported" / "result.json").read_bytes() == before
    goes_on(place, "unreported")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, which only root can make."""
    target = tmp_path / "disk"
    target.mkdir()
    asked = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(target)]
    if os.geteuid() != 0 or subprocess.run(asked, check=False).returncode:
        pytest.skip("only root may mount a disk; RLIMIT_FSIZE is tested without")
    yield target
    subprocess.run(["umount", "--lazy", str(target)], check=True)


def test_a_full_disk(place, small_disk):
    room = small_disk / "room"
    code, said = place.ended(room, "--quiet")
    assert code == 4, said
    assert "error[disk-full]" in said
    assert str(small_disk) in said
    kept = list((small_disk / ".room.partial").glob("*.step"))
    assert kept
    assert not room.exists()
    remount(small_disk, "size=64m")
    code, said = place.ended(room, "--quiet", "--resume")
    assert code == 0, said
    assert "finished steps" in said
    assert place.digest(room) == place.digest("whole")


def test_a_disk_that_may_only_be_read(place, small_disk):
    remount(small_disk, "size=64m")
    room = small_disk / "room"
    process = place.begin(room)
    place.wait_for(room, "nuts*.step")
    process.kill()
    process.communicate()
    remount(small_disk, "ro")
    # nothing is begun that could not be kept
    code, said = place.ended(room, "--quiet", "--resume")
    assert code == 2
    assert "cannot write" in said
    assert str(small_disk) in said
    remount(small_disk, "rw")
    code, said = place.ended(room, "--quiet", "--resume")
    assert code == 0
    assert "finished steps" in said
    assert place.digest(room) == place.digest("whole")


def remount(disk, option):
    subprocess.run(["mount", "-o", f"remount,{option}", str(disk)], check=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_said_before_the_work(place, capsys):
    locked = place.folder / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    asked = ["run", str(place.spec), "--out", str(locked / "run")]
    assert main([*asked, "--quiet"]) == 2
    assert "cannot write" in capsys.readouterr().err


@pytest.mark.parametrize("error", [MemoryError(), OutOfMemory()])
def test_out_of_memory_keeps_what_was_done(place, capsys, monkeypatch, error):
    from specfit.inference import nuts

    every, calls = nuts.advance, []

    def advance(*arguments):
        calls.append(1)
        if len(calls) > 3:
            raise error
        return every(*arguments)

    monkeypatch.setattr(nuts, "advance", advance)
    name = f"memory-{type(error).__name__}"
    asked = ["run", str(place.spec), "--out", str(place.folder / name), "--quiet"]
    assert main(asked) == 4
    said = capsys.readouterr().err
    assert "error[memory-exhausted]" in said
    assert str(place.kept(name)) in said
    assert len(list(place.kept(name).glob("nuts*.step"))) == 3
