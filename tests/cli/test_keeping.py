"""What decides the bits of a run, and the lock on its folder."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from specfit.commands import common, keeping, run
from specfit.commands.lock import alone
from specfit.commands.truth_values import given_values
from specfit.contracts import Measurement
from specfit.diagnostics import Diagnostic, Exhausted, SpecError

SPECTRUM = Measurement(
    np.zeros(2), np.zeros(2), sha256="a", found=(("calibration", "c.adt, sha256 b"),)
)


def identity(*spectra):
    named = [
        (SimpleNamespace(data=f"d{i}", label=""), one) for i, one in enumerate(spectra)
    ]
    checked = SimpleNamespace(path=Path("a.spec"), texts={}, measured=named)
    return keeping.identity(checked, {})


def test_another_calibration_or_order_is_another_run():
    other = replace(SPECTRUM, found=(("calibration", "c.adt, sha256 z"),))
    second = replace(SPECTRUM, sha256="b")
    assert identity(SPECTRUM) == identity(SPECTRUM)
    assert identity(SPECTRUM) != identity(other)
    assert identity(SPECTRUM, second) != identity(second, SPECTRUM)


def test_a_lock_that_cannot_be_removed_hides_no_fault(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError("read-only now")

    def end():
        with alone(tmp_path / ".a.lock", tmp_path):
            monkeypatch.setattr(Path, "unlink", refuse)
            raise Exhausted(Diagnostic("full"))

    with pytest.raises(Exhausted, match="full"):
        end()
    monkeypatch.undo()
    with alone(tmp_path / ".a.lock", tmp_path):
        pass


def test_a_gpu_that_is_not_there_is_said(monkeypatch):
    def nothing():
        raise RuntimeError("no backend")

    monkeypatch.setattr(jax, "devices", nothing)
    with pytest.raises(SpecError) as error:
        run._require_gpu()
    assert error.value.diagnostics[0].code == "no-gpu"


def test_a_truth_is_a_plain_number(tmp_path):
    with pytest.raises(SpecError) as error:
        given_values({"values": {"B": {"Bint": "44.4 T"}}}, {"B.Bint": 1.0}, tmp_path)
    assert error.value.diagnostics[0].code == "truth-number"


def test_very_many_faults_are_not_all_printed(capsys):
    common.show_diagnostics([Diagnostic("no-gpu")] * 500, {})
    said = capsys.readouterr().err
    assert said.count("no GPU") == common.SHOWN
    assert "480" in said


def test_a_place_is_tried_before_the_work(tmp_path):
    common.writable(tmp_path / "new" / "folder")
    assert not list(tmp_path.iterdir())
    with pytest.raises(PermissionError):
        common.writable(Path("/proc/nothing"))  # not even root may
