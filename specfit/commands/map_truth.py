"""`specfit simulate` of a factorisation: a particle with a core and a skin, and its truth.

The truth is a TOML file: `[particle]` with the entries of `synthetic_map.Scene`,
`[energy]` with `low`, `high` (eV) and `channels`, `seed`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from specfit import exits
from specfit.commands.common import writable
from specfit.commands.map_files import (
    layout_of,
    refuse_foreign,
    save,
    save_truth,
    stated,
)
from specfit.commands.truth_file import truth_in
from specfit.commands.truth_values import fault
from specfit.contracts import FloatArray
from specfit.model.factorising import Factorising
from specfit.model.faults import nearest
from specfit.readers.checks import MINIMUM_CHANNELS
from specfit.synthetic_map import LABEL, LINES, Scene, simulated

SIDE = (4, 4096)
"""Pixels along an axis of the image."""
_RANGES = {
    "radius": (0.05, 10.0),
    "skin": (0.0, 1.0),
    "exponent": (0.0, 20.0),
    "drift": (0.0, 20.0),
    "rough": (0.0, 10.0),
    "dose": (0.0, 1e9),
    "background": (0.0, 1e9),
}
"""What numbers of a scene may be; lengths are shares of half the image, or of the radius."""
_AXIS = ("low", "high", "channels")
_TABLES = ("particle", "energy", "seed")


def simulate_map(arguments: argparse.Namespace, asked: Factorising) -> int:
    """Write the cube that the file names, its truth, and what it was made from."""
    truth = truth_in(arguments.truth)
    for key in truth:
        if key not in _TABLES:
            words = {"key": key, "known": nearest(key, _TABLES)}
            raise fault("truth-map-key", arguments.truth, **words)
    scene = scene_of(truth.get("particle", {}), arguments.truth)
    energy = _energy(truth.get("energy", {}), stated(asked.source), arguments.truth)
    seed = arguments.seed if arguments.seed is not None else _seed(truth, arguments)
    layout = layout_of(asked.source, arguments.out, arguments.file)
    writable(arguments.out)
    beside = arguments.out / f"{arguments.file.stem}.truth.toml"
    maps = layout.path.with_suffix(".truth.npz")
    for path in (layout.path, maps):
        refuse_foreign(path)
    if layout.path.suffix == ".npy":
        refuse_foreign(layout.sidecar)
    arguments.out.mkdir(parents=True, exist_ok=True)
    made = simulated(scene, energy, seed)
    written = save(layout, made)
    save_truth(maps, made)
    beside.write_text(told(scene, energy, seed), encoding="utf-8")
    print(*written, maps, beside, sep="\n")
    return exits.ACCEPTED


def _seed(truth: Mapping[str, Any], arguments: argparse.Namespace) -> int:
    seed = truth.get("seed", 0)
    if type(seed) is int and seed >= 0:
        return seed
    raise fault("truth-map-seed", arguments.truth, value=json.dumps(seed))


def scene_of(said: object, path: Path) -> Scene:
    """The scene of a truth file."""
    usual, values = Scene(), {}
    known = [f.name for f in fields(Scene)]
    for key, value in (said if isinstance(said, dict) else {}).items():
        if key not in known:
            words = {"key": key, "known": nearest(key, known)}
            raise fault("truth-map-key", path, **words)
        values[key] = _value(key, value, getattr(usual, key), path)
    return Scene(**values)


def _value(key: str, value: object, usual: object, path: Path) -> Any:
    """A value of the sort that the scene has there, and not absurd."""
    match value:
        case bool() if isinstance(usual, bool):
            return value
        case str() if isinstance(usual, str) and value in LINES:
            return value
        case [int() as first, int() as second] if isinstance(usual, tuple):
            if all(SIDE[0] <= n <= SIDE[1] for n in (first, second)):
                return first, second
        case int() | float() if isinstance(usual, float):
            low, high = _RANGES[key]
            if low <= value <= high:
                return float(value)
            words = {"key": key, "value": json.dumps(value)}
            raise fault(
                "truth-map-range", path, **words, low=f"{low:g}", high=f"{high:g}"
            )
    raise fault("truth-map-value", path, key=key, value=json.dumps(value))


def _energy(
    said: Mapping[str, Any], own: tuple[float, float] | None, path: Path
) -> FloatArray:
    """The energies of the channels, eV; `own` start and step are what the .spec says."""
    grid = {"low": 600.0, "high": 666.5, "channels": 96, **said}
    low, high, channels = (grid[key] for key in ("low", "high", "channels"))
    numbers = all(type(x) in (int, float) for x in (low, high))
    if not numbers or type(channels) is not int or set(grid) > set(_AXIS):
        raise fault("truth-map-energy", path, least=str(MINIMUM_CHANNELS))
    if not 0 < low < high < 1e6 or not MINIMUM_CHANNELS <= channels <= 2**16:
        raise fault("truth-map-energy", path, least=str(MINIMUM_CHANNELS))
    if own is None:
        return np.linspace(low, high, channels)
    made: FloatArray = own[0] + own[1] * np.arange(channels, dtype=float)
    ends = {"low": float(made[0]), "high": float(made[-1])}
    if any(key in said and abs(said[key] - ends[key]) > 1e-6 for key in ends):
        words = {key: f"{end:.6g}" for key, end in ends.items()}
        raise fault("truth-map-axis", path, **words, channels=str(channels))
    return made


def told(scene: Scene, energy: FloatArray, seed: int) -> str:
    """The truth file that makes the same map again."""
    lines = [
        f"# {LABEL}: a particle made of formulas; the maps stand in .truth.npz",
        f"seed = {seed}",
        "\n[particle]",
        *(f"{f.name} = {_toml(getattr(scene, f.name))}" for f in fields(scene)),
        "\n[energy]",
        f"low = {float(energy[0])!r}",
        f"high = {float(energy[-1])!r}",
        f"channels = {energy.size}",
    ]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)
