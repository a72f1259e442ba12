"""What decides the bits of a run, and the lock on its folder."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from specfit.commands import keeping
from specfit.commands.lock import alone
from specfit.contracts import Measurement
from specfit.diagnostics import Diagnostic, Exhausted

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
