"""The files of a synthetic map, laid out as the .spec that names them reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from specfit.commands.truth_values import fault
from specfit.contracts import FloatArray
from specfit.cubes import Anything
from specfit.model.ir import DataSource
from specfit.synthetic_map import LABEL, Made

MARK = "synthetic"
"""Array of an archive that says it was made by `simulate`."""
WRITTEN = (".npz", ".npy")
_UNITS = {"keV": 1e3, "meV": 1e-3}


@dataclass(frozen=True)
class Layout:
    """Where a file has what: as its data block says.

    path: of the cube.  axis: of the energies, from 1.  turned: whether the first axis of
    the image is x.  array, energy: names of arrays.  scale: eV of the unit of energies.
    """

    path: Path
    axis: int = 3
    turned: bool = False
    array: str = "counts"
    energy: str = "energy"
    scale: float = 1.0

    @property
    def sidecar(self) -> Path:
        """The text beside an .npy, which holds no energies."""
        return self.path.with_suffix(".toml")


def layout_of(source: DataSource, folder: Path, spec: Path) -> Layout:
    """How the file of a data block is laid out.

    Raises
    ------
    SpecError
        It is in a format that is not written.

    """
    path = folder / Path(source.file).name
    if path.suffix not in WRITTEN:
        words = {"name": source.file, "instead": path.with_suffix(".npz").name}
        raise fault("simulate-map-format", spec, **words)
    axis, unit = source.columns["energy"]
    return Layout(
        path,
        axis,
        str(source.options["pixel"]).startswith("x"),
        str(source.options.get("array", "counts")),
        str(source.options.get("energy_array", "energy")),
        _UNITS.get(unit, 1.0),
    )


def stated(source: DataSource) -> tuple[float, float] | None:
    """Start and step (eV) of the energies where the .spec itself says them."""
    if "energy_start" not in source.options:
        return None
    start, step = (source.options[f"energy_{key}"] for key in ("start", "step"))
    return float(str(start)), float(str(step))


def refuse_foreign(path: Path) -> None:
    """Only what `simulate` itself wrote is written over."""
    if path.exists() and not _own(path):
        raise fault("would-overwrite", path, path=str(path))


def _own(path: Path) -> bool:
    if path.suffix in (".npy", ".toml"):
        side = path.with_suffix(".toml")
        begin = f"# {LABEL}".encode()
        return side.is_file() and side.read_bytes().startswith(begin)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return MARK in archive.files
    except (ValueError, OSError):
        return False


def save(layout: Layout, made: Made) -> list[Path]:
    """The cube as a microscope would give it, whole counts and energies; what was written."""
    kind = np.uint16 if made.counts.max() < 2**16 else np.uint32
    counts = made.counts.astype(kind)
    counts = counts.transpose(1, 0, 2) if layout.turned else counts
    counts = np.ascontiguousarray(np.moveaxis(counts, 2, layout.axis - 1))
    energy = made.energy / layout.scale
    if layout.path.suffix == ".npz":
        arrays: Mapping[str, Anything] = {layout.array: counts, layout.energy: energy}
        mark = np.ones(1, dtype=np.uint8)
        np.savez_compressed(layout.path, **{**arrays, MARK: mark})  # type: ignore[arg-type]
        return [layout.path]
    np.save(layout.path, counts)
    layout.sidecar.write_text(_sidecar(layout, made.energy), encoding="utf-8")
    return [layout.path, layout.sidecar]


def _sidecar(layout: Layout, energy: FloatArray) -> str:
    start, step = float(energy[0]), float(energy[-1] - energy[0]) / (energy.size - 1)
    axis = f'axis = {layout.axis}, start = {start!r}, step = {step!r}, unit = "eV"'
    return f"# {LABEL}: the axis of {layout.path.name}\nenergy = {{ {axis} }}\n"


def save_truth(path: Path, made: Made) -> None:
    """Maps (2, n_y, n_x), spectra (2, n_channels) and drift behind a cube."""
    np.savez_compressed(
        path,
        maps=made.maps.astype(np.float32),
        fraction=made.fraction.astype(np.float32),
        spectra=made.spectra.astype(np.float32),
        drift=made.drift.astype(np.float32),
        synthetic=np.ones(1, dtype=np.uint8),
    )
