"""Spectra written as columns, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from specfit.contracts import FloatArray


def write_columns(
    path: Path,
    velocity: FloatArray,
    counts: FloatArray,
    header_lines: Sequence[str] = (),
) -> None:
    """Velocity (mm/s) and counts as comma-separated columns under `#` lines.

    Written to a temporary file beside `path` and moved into place, so that a reader
    never meets half a spectrum.  Velocities are written so that they read back exactly;
    whole counts without a decimal point.
    """
    if velocity.shape != counts.shape or velocity.ndim != 1:
        message = f"shapes {velocity.shape} and {counts.shape} are not one spectrum"
        raise ValueError(message)
    body = [
        f"{float(v)!r},{_number(float(n))}"
        for v, n in zip(velocity, counts, strict=True)
    ]
    _write(path, header_lines, body)


def write_table(
    path: Path, table: FloatArray, header_lines: Sequence[str] = ()
) -> None:
    """Columns (n_rows, n_columns), comma-separated, in the same way."""
    body = [",".join(_number(float(n)) for n in row) for row in table]
    _write(path, header_lines, body)


def write_counts(
    path: Path, counts: FloatArray, header_lines: Sequence[str] = ()
) -> None:
    """Counts of raw channels, one a line under `#` lines, in the same way."""
    _write(path, header_lines, [_number(float(n)) for n in counts])


def _write(path: Path, header_lines: Sequence[str], body: Sequence[str]) -> None:
    head = [f"# {part}" for line in header_lines for part in line.splitlines() or [""]]
    text = "\n".join([*head, *body]) + "\n"
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _number(value: float) -> str:
    return (
        str(int(value)) if np.isfinite(value) and value == int(value) else repr(value)
    )


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
