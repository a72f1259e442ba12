"""Slips that a reader must not let pass in silence."""

import numpy as np
import pytest

from specfit.model import ir
from specfit.readers import ReaderError, read
from specfit.readers.drive import Drive


def test_a_source_without_a_zero_is_refused(tmp_path):
    rows = "\n".join(f"{v:.3f},{1000}" for v in np.linspace(-4, 4, 64))
    (tmp_path / "a.csv").write_text(rows, encoding="utf-8")
    source = ir.DataSource(
        data="spectrum",
        kind="transmission",
        file="a.csv",
        columns={"velocity": (1, "mm/s"), "counts": (2, "counts")},
        options={"source": "57Co(Rh)"},
    )
    with pytest.raises(ReaderError) as caught:
        read(source, tmp_path)
    assert caught.value.code == "velocity-zero-unknown"


def test_a_triangular_drive_turns_back_past_half_a_period():
    drive = Drive("triangular", 1024)
    distance = np.array([0.0, 256.0, 512.0, 524.0, 768.0])
    np.testing.assert_allclose(drive.sweep(distance), [1, 0, -1, -0.953125, 0])
