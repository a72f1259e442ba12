"""The folder of a factorisation: result, arrays, tables, figures, page."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from specfit.cubes import Anything
from specfit.mapped import MapDone
from specfit.report.figures import images, map_spectra
from specfit.report.maps.page import sections
from specfit.report.maps.result import MapRunResult, result_of
from specfit.report.page import rendered
from specfit.report.tables import safe
from specfit.report.writing import described, replacing, text_file

DRAWN: Mapping[str, Callable[[MapDone], bytes]] = {
    "map": images.maps,
    "uncertainty": images.uncertainty,
    "spectra": map_spectra.spectra,
    "relevance": map_spectra.relevance,
    "drift": images.drift,
    "residual_image": images.residual_image,
    "residual_spectrum": map_spectra.residual_spectrum,
    "overlay": images.overlay,
    "windows": map_spectra.windows,
}


def write_map(done: MapDone, folder: Path, beside: Path | None = None) -> None:
    """Write the run folder `folder`, replacing an older run there at the very end.

    Raises
    ------
    FileExistsError
        `folder` exists and is not a run folder.

    """
    with replacing(folder, beside) as temporary:
        fill_map(done, temporary)


def fill_map(done: MapDone, folder: Path) -> None:
    """Write every file of a factorisation into an empty folder."""
    result = result_of(done)
    described(folder, result, done.factorising.canonical(), done.text)
    (folder / "tables").mkdir()
    _tables(done, result, folder / "tables")
    _arrays(done, folder / "tables" / done.factorising.report.save)
    drawn = drawings(done)
    (folder / "figures").mkdir()
    for name, content in drawn.items():
        (folder / "figures" / f"{name}.png").write_bytes(content)
    page = rendered(
        done.title,
        done.verdict.outcome.replace("_", " "),
        f"{done.spec} · {done.factorising.kind} model · {done.started}",
        sections(done, result, drawn),
        drawn,
        f"specfit {done.versions.get('specfit', '')} · result.json holds every number, "
        "tables every map.",
    )
    text_file(folder / "report.html", page)


def drawings(done: MapDone) -> dict[str, bytes]:
    """The figures that the file asks for, else all; none of a map without components."""
    if not done.result.kept.size:
        return {}
    asked = done.factorising.report.plots or tuple(DRAWN)
    names = [name for name in DRAWN if name in asked]
    if done.result.found.drift is None:
        names = [name for name in names if name != "drift"]
    return {name: DRAWN[name](done) for name in names}


def arrays(done: MapDone) -> dict[str, Anything]:
    """Maps as images (n_kept, n_y, n_x), spectra (n_kept, n_channels), and the rest."""
    result, cube = done.result, done.measurement.cube
    assert cube is not None
    found, kept = result.found, result.kept

    def image(values: Anything) -> Anything:
        return np.stack([cube.image(column) for column in values.T])

    low, high = result.band
    made = {
        "energy": result.energy,
        "spectra": result.spectra,
        "spectra_q05": found.spectra_low[kept],
        "spectra_q95": found.spectra_high[kept],
        "number": np.array(result.numbers),
        "residual_chi2": cube.image(found.residual_chi),
        "residual_sum": found.residual_sum,
    }
    by_pixel = {
        "weight": result.maps,
        "fraction": result.fraction,
        "fraction_q05": low,
        "fraction_q95": high,
        "fraction_sd_counting": result.by_pixel(found.counting_sd),
        "fraction_sd_spectra": result.by_pixel(found.spectral_sd),
    }
    made |= {name: image(values) for name, values in by_pixel.items() if kept.size}
    if found.drift is not None and found.drift_sd is not None:
        made["drift"] = cube.image(found.drift)
        made["drift_sd"] = cube.image(found.drift_sd)
    if found.feasible is not None:
        made["feasible_low"] = cube.image(found.feasible.fraction_low)
        made["feasible_high"] = cube.image(found.feasible.fraction_high)
    return made


UNITS = {
    **{"energy": "eV", "drift": "eV", "drift_sd": "eV"},
    **{"weight": "counts", "residual_sum": "counts"},
}


def _arrays(done: MapDone, stem: Path) -> None:
    """The same numbers as .npz and as .h5, each array with its unit."""
    import h5py

    made = arrays(done)
    stem.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(stem.with_name(f"{stem.name}.npz"), **_plain(made))
    with h5py.File(stem.with_name(f"{stem.name}.h5"), "w") as file:
        file.attrs["title"] = done.title
        file.attrs["spec_sha256"] = done.text_sha256
        for name, values in made.items():
            stored = file.create_dataset(name, data=values, compression="gzip")
            unit = UNITS.get(name, "")
            own = unit == "counts" and done.factorising.likelihood == "normal"
            stored.attrs["unit"] = "" if own else unit


def _plain(made: Mapping[str, Anything]) -> dict[str, Any]:
    return dict(made)


def _tables(done: MapDone, result: MapRunResult, folder: Path) -> None:
    with (folder / "components.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["component", "peak_eV", "centroid_eV", "share", "mean_fraction",
                         "sd_counting", "sd_spectra", "library"])  # fmt: skip
        for one in result.components:
            writer.writerow([one.number, one.peak, one.centroid, one.share,
                             one.mean_fraction, one.fraction_sd_counting,
                             one.fraction_sd_spectra, safe(one.library)])  # fmt: skip
    with (folder / "spectra.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        found, kept = done.result.found, done.result.kept
        head = [
            f"{name}_{n}" for n in done.result.numbers for name in ("S", "q05", "q95")
        ]
        writer.writerow(["energy_eV", *head])
        columns = [
            one[k]
            for k in kept
            for one in (found.spectra, found.spectra_low, found.spectra_high)
        ]
        for place, energy in enumerate(done.result.energy):
            writer.writerow([energy, *(column[place] for column in columns)])
