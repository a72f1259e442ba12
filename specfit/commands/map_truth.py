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
from specfit.commands.truth_file import truth_in
from specfit.commands.truth_values import fault
from specfit.contracts import FloatArray
from specfit.model.factorising import Factorising
from specfit.model.faults import nearest
from specfit.readers.checks import MINIMUM_CHANNELS
from specfit.synthetic_map import LABEL, LINES, Made, Scene, simulated

MARK = "synthetic"
"""Array of an archive that says it was made by `simulate`."""
SIDE = (4, 4096)
"""Pixels along an axis of the image."""
_TABLES = ("particle", "energy", "seed")


def simulate_map(arguments: argparse.Namespace, asked: Factorising) -> int:
    """Write the cube that the file names, its truth, and what it was made from."""
    truth = truth_in(arguments.truth)
    for key in truth:
        if key not in _TABLES:
            words = {"key": key, "known": nearest(key, _TABLES)}
            raise fault("truth-map-key", arguments.truth, **words)
    scene = scene_of(truth.get("particle", {}), arguments.truth)
    energy = _energy(truth.get("energy", {}), arguments.truth)
    seed = arguments.seed if arguments.seed is not None else int(truth.get("seed", 0))
    writable(arguments.out)
    cube = arguments.out / Path(asked.source.file).with_suffix(".npz").name
    beside = arguments.out / f"{arguments.file.stem}.truth.toml"
    maps = cube.with_suffix(".truth.npz")
    for path in (cube, maps):
        _refuse_foreign(path)
    arguments.out.mkdir(parents=True, exist_ok=True)
    made = simulated(scene, energy, seed)
    save(cube, made)
    save_truth(maps, made)
    beside.write_text(told(scene, energy, seed), encoding="utf-8")
    print(cube, maps, beside, sep="\n")
    return exits.ACCEPTED


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
        case int() | float() if isinstance(usual, float) and 0 <= value < 1e12:
            return float(value)
    raise fault("truth-map-value", path, key=key, value=json.dumps(value))


def _energy(said: Mapping[str, Any], path: Path) -> FloatArray:
    grid = {"low": 600.0, "high": 666.5, "channels": 96, **said}
    low, high, channels = (grid[key] for key in ("low", "high", "channels"))
    numbers = all(isinstance(x, int | float) for x in (low, high, channels))
    if not numbers or low >= high or not MINIMUM_CHANNELS <= channels <= 2**14:
        raise fault("truth-map-energy", path, least=str(MINIMUM_CHANNELS))
    return np.linspace(low, high, int(channels))


def _refuse_foreign(path: Path) -> None:
    """Only what `simulate` itself wrote is written over."""
    if not path.exists():
        return
    try:
        with np.load(path, allow_pickle=False) as archive:
            if MARK in archive.files:
                return
    except (ValueError, OSError):
        pass
    raise fault("would-overwrite", path, path=str(path))


def save(path: Path, made: Made) -> None:
    """The cube as a microscope would give it: whole counts and energies."""
    most = made.counts.max()
    kind = np.uint16 if most < 2**16 else np.uint32
    np.savez_compressed(
        path,
        counts=made.counts.astype(kind),
        energy=made.energy,
        synthetic=np.ones(1, dtype=np.uint8),
    )


def save_truth(path: Path, made: Made) -> None:
    """Maps (2, n_first, n_second), spectra (2, n_channels) and drift behind a cube."""
    np.savez_compressed(
        path,
        maps=made.maps.astype(np.float32),
        fraction=made.fraction.astype(np.float32),
        spectra=made.spectra.astype(np.float32),
        drift=made.drift.astype(np.float32),
        synthetic=np.ones(1, dtype=np.uint8),
    )


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
