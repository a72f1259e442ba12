"""Where the text and a file of maps say different things of its axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import FloatArray
from specfit.readers.arrays import Container

if TYPE_CHECKING:
    from specfit.model.ir import DataSource

_SAME = 1e-6
"""Share by which two steps may differ and be called the same."""


def at_odds(
    source: DataSource, held: Container, energy: FloatArray, axis: int
) -> list[tuple[str, str]]:
    """Where the text and the file say different things of the axes; the text counts."""
    found = [*_steps(source, held, axis), *_energies(source, held, energy, axis)]
    return list(dict.fromkeys(found))


def _steps(source: DataSource, held: Container, axis: int) -> Iterator[tuple[str, str]]:
    said = source.options.get("step")
    first, second = (n for n in (1, 2, 3) if n != axis)
    steps = (said[0], said[-1]) if isinstance(said, tuple) else ()
    for place, step in zip((first, second), steps, strict=False):
        own = held.steps.get(place)
        if own is not None and abs(own - step) > _SAME * step:
            text = f"{step / 10.0:g} nm in the text, {own / 10.0:g} nm in the file"
            yield "pixel step", f"{text}: the text counts"


def _energies(
    source: DataSource, held: Container, energy: FloatArray, axis: int
) -> Iterator[tuple[str, str]]:
    if "energy_start" in source.options:
        own_energy = _own_energy(source, held, energy.size, axis)
        apart = (
            0.0 if own_energy is None else np.abs(np.sort(own_energy) - energy).max()
        )
        if own_energy is not None and apart > 0.5 * (energy[1] - energy[0]):
            ends = f"{own_energy.min():.5g} to {own_energy.max():.5g} eV in the file"
            text = f"{energy[0]:.5g} to {energy[-1]:.5g} eV in the text"
            yield "energies", f"{text}, {ends}: the text counts"


def _own_energy(
    source: DataSource, held: Container, n: int, axis: int
) -> FloatArray | None:
    """The energies (eV) that a file has where the text says others."""
    if axis in held.energy:
        return np.array(held.energy[axis](), dtype=float)
    one = held.arrays.get("energy")
    if one is None or one.shape != (n,):
        return None
    scale = {"keV": 1e3, "meV": 1e-3}.get(source.columns["energy"][1], 1.0)
    return scale * np.array(one.load(), dtype=float)
