"""What a file beside an .npy says of its axes: `map.json` or `map.toml` of `map.npy`.

energy = { axis = 3, start = 600.0, step = 0.1, unit = "eV" }
pixel = { step = 0.5, unit = "nm" }
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from specfit.readers.arrays import Container, ruled
from specfit.readers.errors import ReaderError
from specfit.units import DIMENSIONS, UnitError, parse_unit

_KEYS = ("energy", "pixel")
_LIMIT = 1 << 20


def beside(path: Path, name: str, held: Container) -> Container:
    """The container with what its sidecar says; as it was where there is none."""
    if len(held.arrays) != 1 or held.energy:
        return held
    for ending in (".toml", ".json"):
        side = path.with_suffix(ending)
        if side.is_file() and side.stat().st_size <= _LIMIT:
            return _told(_parsed(side), side.name, held)
    return held


def _parsed(side: Path) -> Mapping[str, Any]:
    try:
        text = side.read_text(encoding="utf-8")
        found = tomllib.loads(text) if side.suffix == ".toml" else json.loads(text)
    except (ValueError, OSError, RecursionError) as error:
        raise _fault(side.name, "it is no TOML or JSON") from error
    if not isinstance(found, dict):
        raise _fault(side.name, "it is no table")
    return found


def _told(said: Mapping[str, Any], name: str, held: Container) -> Container:
    (stored,) = held.arrays.values()
    for key in said:
        near = get_close_matches(key.casefold(), _KEYS, n=1, cutoff=0.7)
        if near and key not in _KEYS:
            raise _fault(name, f"it has `{key}`, and the word is `{near[0]}`")
    energy, steps = said.get("energy"), said.get("pixel")
    if isinstance(energy, dict):
        axis = energy.get("axis", len(stored.shape))
        if type(axis) is not int or not 1 <= axis <= len(stored.shape):
            raise _fault(name, "`energy.axis` is no axis of the array")
        n, scale = stored.shape[axis - 1], _unit(energy, "eV", "energy", name)
        start = _number(energy, "energy", "start", name)
        step = _number(energy, "energy", "step", name)
        if step == 0.0:
            raise _fault(name, "`energy.step` is zero")
        held = replace(held, energy={axis: ruled(scale * start, scale * step, n)})
    if isinstance(steps, dict):
        scale = _unit(steps, "nm", "length", name)
        step = scale * _number(steps, "pixel", "step", name)
        if step <= 0.0:
            raise _fault(name, "`pixel.step` is no length")
        axes = range(1, len(stored.shape) + 1)
        held = replace(held, steps=dict.fromkeys(axes, step))
    return held


def _number(table: Mapping[str, Any], of: str, key: str, name: str) -> float:
    value = table.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            made = float(value)
        except OverflowError:
            made = math.inf
        if math.isfinite(made):
            return made
    raise _fault(name, f"`{of}.{key}` is no number")


def _unit(table: Mapping[str, Any], usual: str, dimension: str, name: str) -> float:
    try:
        unit = parse_unit(str(table.get("unit", usual)))
    except UnitError as error:
        raise _fault(name, f"`{error.symbol}` is no unit") from error
    if unit.dimension != DIMENSIONS[dimension]:
        raise _fault(name, f"`{unit.text}` is no unit of {dimension}")
    return unit.scale


def _fault(name: str, why: str) -> ReaderError:
    return ReaderError("data-cube-sidecar", {"file": name, "why": why})
