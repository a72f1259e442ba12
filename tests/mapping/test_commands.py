"""What the command line says of a map: options of other models, resuming, stopping."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import specfit.maps.factorising
from specfit.cli import main

Project = Callable[..., Path]


@pytest.mark.usefixtures("fake")
def test_options_of_sampling_are_refused(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project()
    out = str(path.parent / "out")
    said = ["run", str(path), "--out", out, "--draws", "10", "--chains", "2"]
    assert main(said) == 2
    assert "error[map-options]: --chains, --draws" in capsys.readouterr().err
    assert not (path.parent / "out").exists()


@pytest.mark.usefixtures("fake")
def test_resuming_a_map_says_that_it_begins_anew(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project()
    out = str(path.parent / "out")
    assert main(["run", str(path), "--out", out, "--resume", "--quiet"]) == 0
    assert "it is computed anew" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_stop_a_map_in_the_same_way(
    number: signal.Signals,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def killed(*_: object, **__: object) -> None:
        os.kill(os.getpid(), number)
        threading.Event().wait(60.0)

    monkeypatch.setattr(specfit.maps.factorising, "factorise", killed)
    # of a process in the background the shell has Ctrl-C ignored
    outside = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        before = signal.getsignal(number)
        path = project()
        code = main(["run", str(path), "--out", str(path.parent / "out"), "--quiet"])
        assert code == 130
        assert "nothing was written: run it again" in capsys.readouterr().err
        assert not (path.parent / "out").exists()
        assert signal.getsignal(number) == before
    finally:
        signal.signal(signal.SIGINT, outside)
