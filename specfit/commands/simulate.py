"""`specfit simulate`: synthetic data of a model, with the truth beside them.

The truth is a TOML file: `[values]` gives parameters by name, `[axis]` the velocity grid
(`low`, `high` in mm/s, `channels`), `[drive]` the drive of raw channels (`raw_truth`),
`seed` the noise.  Unknowns that are not named are
drawn from the prior, and all values used are written into `truth.toml` beside the data.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from specfit import exits, pipeline
from specfit.commands.common import say, show_diagnostics, writable
from specfit.commands.map_truth import simulate_map
from specfit.commands.pattern_truth import blank_pattern, write_pattern
from specfit.commands.raw_truth import (
    blank,
    drive_of,
    iron_counts,
    iron_places,
    is_raw,
    waveform_of,
)
from specfit.commands.run import prepare_device
from specfit.commands.truth_file import (
    refuse_bent,
    refuse_outside,
    truth_in,
    truth_of,
)
from specfit.commands.truth_values import by_level, fault, flat, given_values
from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.contracts import FloatArray, Measurement
from specfit.diagnostics import SpecError
from specfit.model import ir
from specfit.readers import ReaderError
from specfit.readers.checks import MINIMUM_CHANNELS
from specfit.readers.writing import write_columns, write_counts
from specfit.study import parts_of

OWN = b"# SYNTHETIC", b"# the values behind the synthetic data of the same name"
"""How a file of data, and one of their truth, begins that `simulate` wrote."""


def simulate(arguments: argparse.Namespace) -> int:
    """Write one synthetic data file for each source of the models, and the truth."""
    checked = pipeline.check(arguments.file, arguments.allow_outside)
    show_diagnostics(checked.diagnostics, checked.texts)
    if checked.errors:
        return exits.FAULT
    document = checked.require()
    if document.maps:
        return simulate_map(arguments, document.maps[0])
    measured = {part.name for part in parts_of(document) if not part.rests_on}
    models = [model for model in document.models if model.name in measured]
    if not models:
        raise fault("simulate-nothing", arguments.file)
    truth = truth_in(arguments.truth)
    of = {
        model.name: truth_of(model, models, truth, arguments.truth) for model in models
    }
    writable(arguments.out)
    paths = [p for model in models for p in _paths(model, arguments.out)]
    _refuse_foreign([*paths, _beside(arguments)], arguments.out)
    seed = arguments.seed if arguments.seed is not None else int(truth.get("seed", 0))
    prepare_device("cpu")
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = [OWN[1].decode(), f"seed = {seed}"]
    for number, model in enumerate(models):
        prefix = "" if len(models) == 1 else f"{model.name}."
        lines += _made(model, of[model.name], seed + number, prefix, arguments, checked)
    _beside(arguments).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(*paths, _beside(arguments), sep="\n")
    return exits.ACCEPTED


def _paths(model: ir.Model[ir.Prior], folder: Path) -> list[Path]:
    return [*_places(model, folder), *iron_places(model, folder)]


def _made(
    model: ir.Model[ir.Prior],
    truth: Mapping[str, Any],
    seed: int,
    prefix: str,
    arguments: argparse.Namespace,
    checked: pipeline.Checked,
) -> list[str]:
    """Write the data of one model; the lines that say what they were made with."""
    grid = _grid(model, truth, arguments.truth, checked)
    grid = pipeline.with_bases(model, grid, checked)
    values, counts = _draw(model, grid, truth, seed, arguments.truth)
    header = _header(arguments, checked.require(), seed)
    places = _places(model, arguments.out)
    for place, source, row in zip(places, model.sources, counts, strict=True):
        if source.kind == "transmission":
            _write(place, row, header, None if is_raw(source) else grid.axis)
        else:
            write_pattern(place, source, grid, row, header)
    for number, place in enumerate(iron_places(model, arguments.out)):
        generator = np.random.default_rng([seed, 1 + number])
        _write(
            place, iron_counts(grid, drive_of(truth, place), generator), header, None
        )
    _tell_drawn(model, truth, values)
    stated = _stated(model, truth, grid, prefix)
    numbers = [f'"{name}" = {value!r}' for name, value in sorted(values.items())]
    return ["", *stated, f"\n[{prefix}values]", *numbers]


def _places(model: ir.Model[ir.Prior], folder: Path) -> list[Path]:
    """Where the data of each source go; two of one name are told apart by their level."""
    places: list[Path] = []
    for source in model.sources:
        path = folder / Path(source.file).name
        if path in places:
            path = path.with_stem(f"{path.stem}_{source.label}")
        places.append(path)
    return places


def _beside(arguments: argparse.Namespace) -> Path:
    return Path(arguments.out) / f"{arguments.file.stem}.truth.toml"


def _refuse_foreign(paths: list[Path], folder: Path) -> None:
    """Only what `simulate` itself wrote is written over, and that is said."""
    there = [path for path in paths if path.exists()]
    for path in there:
        if not path.is_file() or not path.read_bytes().startswith(OWN):
            raise fault("would-overwrite", path, path=str(path))
    if there:
        names = ", ".join(path.name for path in there)
        print(say("simulated-again", folder=str(folder), files=names), file=sys.stderr)


def _tell_drawn(
    model: ir.Model[ir.Prior], truth: Mapping[str, Any], values: Mapping[str, float]
) -> None:
    """Say which values the truth left to the prior."""
    said = flat(truth.get("values", {}))
    given = {n for name, v in said for n, _ in by_level(name, v, values, Path())}
    unknown = [p.name for p in model.parameters if p.name in values]
    unknown += [name for joint in model.joints for name in joint.names]
    drawn = [f"{n} = {values[n]:.4g}" for n in unknown if n not in given]
    if drawn:
        print(say("truth-drawn", values=", ".join(drawn)), file=sys.stderr)


def _grid(
    model: ir.Model[ir.Prior],
    truth: Mapping[str, Any],
    path: Path,
    checked: pipeline.Checked,
) -> Measurement:
    """The channels that are measured, before anything is."""
    source = model.sources[0]
    scale = str(source.options.get("field_scale", DEFAULT_FIELD_SCALE))
    if is_raw(source):
        drive = drive_of(truth, path)
        waveform = waveform_of(drive, source)
        return blank(waveform, int(drive["channels"]), _level(truth), scale)
    axis = _axis(truth, path)
    if source.kind != "transmission":
        return _blank(source, axis, _level(truth), checked)
    return Measurement(
        axis=axis,
        values=np.full(axis.shape, _level(truth)),
        field_slopes=FIELD_SCALES[scale].slopes,
        field_scale=scale,
        axis_jacobian=np.zeros((axis.size, 0)),
    )


def _blank(
    source: ir.DataSource, axis: FloatArray, level: float, checked: pipeline.Checked
) -> Measurement:
    """A pattern, with what files tell of its model."""
    root = checked.path.resolve().parent
    try:
        return blank_pattern(source, axis, level, root, checked.allow_outside)
    except ReaderError as error:
        place = source.places.get(error.key, source.place)
        fault_there = pipeline.at_place(error.code, error.words, place)
        raise SpecError([fault_there], checked.texts) from error


def _write(
    path: Path, counts: FloatArray, header: list[str], axis: FloatArray | None
) -> None:
    """Counts beside their velocities, or by channel where there is no axis."""
    if axis is None:
        write_counts(path, counts, [*header, "counts by channel"])
    else:
        write_columns(path, axis, counts, [*header, "velocity (mm/s), counts"])


def _axis(truth: Mapping[str, Any], path: Path) -> FloatArray:
    grid = {"low": -10.0, "high": 10.0, "channels": 512, **truth.get("axis", {})}
    low, high, channels = (grid[key] for key in ("low", "high", "channels"))
    numbers = all(isinstance(x, int | float) for x in (low, high, channels))
    if not numbers or low >= high or not MINIMUM_CHANNELS <= channels <= 2**20:
        raise fault("truth-axis", path, least=str(MINIMUM_CHANNELS))
    return np.linspace(low, high, int(channels))


def _draw(
    model: ir.Model[ir.Prior],
    grid: Measurement,
    truth: Mapping[str, Any],
    seed: int,
    path: Path,
) -> tuple[dict[str, float], Any]:
    """Values (truth over prior draw) and counts."""
    with pipeline.float64():
        import jax
        import jax.numpy as jnp

        problem = pipeline.build(model, (grid,) * len(model.spectra))
        drawn = problem.sample_prior(jax.random.key(seed), 1, problem.data)
        values = {name: float(np.asarray(value)[0]) for name, value in drawn.items()}
        given = given_values(truth, _unopened(model, values), path)
        refuse_outside(model, given, path)
        values |= given
        position = problem.unconstrain(
            {name: jnp.asarray(value) for name, value in values.items()}, problem.data
        )
        exact = problem.constrain(position, problem.data)
        values = {name: float(np.asarray(value)) for name, value in exact.items()}
        refuse_bent(given, values, path)
        expected = np.asarray(problem.predict(position, problem.data))
        noise = jax.random.fold_in(jax.random.key(seed), 1)
        generator = np.random.default_rng(np.asarray(jax.random.key_data(noise)))
        counts = problem.scatter(generator, expected, values, problem.data)
    return _unopened(model, values), counts


def _level(truth: Mapping[str, Any]) -> float:
    """Counts of the blank that the prior is drawn for; what cannot be is told later."""
    said = truth.get("values", {}).get("N0")
    return float(said) if isinstance(said, int | float) and 0 < said < 1e300 else 1e5


def _header(
    arguments: argparse.Namespace, document: ir.Document[ir.Prior], seed: int
) -> list[str]:
    title = f" ({document.title})" if document.title else ""
    return [
        f"SYNTHETIC: made by specfit simulate from {arguments.file.name}{title}",
        f"seed {seed}; the true values stand in {arguments.file.stem}.truth.toml",
    ]


def _unopened(
    model: ir.Model[ir.Prior], values: Mapping[str, float]
) -> dict[str, float]:
    """Values without what a calibration leaves open: the truth is the drive itself."""
    open_ = {p.name for p in model.parameters if p.origin == "calibration"}
    return {name: value for name, value in values.items() if name not in open_}


def _stated(
    model: ir.Model[ir.Prior], truth: Mapping[str, Any], grid: Measurement, prefix: str
) -> list[str]:
    """The table of the truth that says where the channels lie."""
    if is_raw(model.sources[0]):
        drive = drive_of(truth, Path())
        return [
            f"[{prefix}drive]",
            *(f"{k} = {json.dumps(v)}" for k, v in drive.items()),
        ]
    low, high = float(grid.axis[0]), float(grid.axis[-1])
    size = grid.axis.size
    return [
        f"[{prefix}axis]",
        f"low = {low!r}",
        f"high = {high!r}",
        f"channels = {size}",
    ]
