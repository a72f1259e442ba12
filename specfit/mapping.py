"""A factorisation of the language with its cube → what was found, judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from specfit.checking import Checked
from specfit.contracts import FloatArray, Measurement, Progress
from specfit.cubes import Anything
from specfit.curves import Libraries, libraries, reaches, used_energy
from specfit.diagnostics import SpecError
from specfit.map_background import POWERS, exponents
from specfit.map_components import (
    RELEVANT,
    Telling,
    as_many,
    counted,
    in_counts,
    left_out,
    with_counts,
)
from specfit.map_levels import levels_of
from specfit.mapped import MapDone, MapResult, Places
from specfit.model.factorising import Factorising
from specfit.model.map_unused import notes
from specfit.readers import memory
from specfit.record import Clock, sha256, versions

if TYPE_CHECKING:
    from specfit.maps.found import Engine, Factorisation, Factorised

_SOFT = 0.005
"""Strength of soft orthogonality times the spread of the overlap: 0.05 for ± 0.1."""
_BYTES = {"poisson": 12, "gaussian": 12}
"""Memory that a number of the map takes while it is worked on; all else is small."""
_OTHERS = 24
"""The same of other engines, which hold the map and what is left of it in double."""


def run_map(
    checked: Checked, factorising: Factorising, progress: Progress | None = None
) -> MapDone:
    """Factorise the cube of a file and judge the answer; nothing is written.

    Raises
    ------
    SpecError
        A curve cannot be read, or the map cannot be factorised.

    """
    from specfit.rules.maps import judge_map

    clock = Clock(progress)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with clock("read curves"):
        measured = next(m for s, m in checked.measured if s == factorising.source)
        curves, faults = libraries(factorising, used_energy(measured), checked)
        if any(fault.severity == "error" for fault in faults):
            raise SpecError([*checked.diagnostics, *faults], checked.texts)
    with clock("factorise"):
        result = factorised(factorising, measured, curves, progress)
    with clock("judge"):
        verdict = judge_map(factorising, result, curves)
    return MapDone(
        title=checked.require().title or factorising.title or factorising.name,
        factorising=factorising,
        measurement=measured,
        result=result,
        verdict=verdict,
        spec=checked.path.name,
        text=checked.text,
        text_sha256=sha256(checked.text),
        versions=versions(),
        timings={**clock.seconds, "total": clock.total()},
        started=started,
    )


def factorised(
    factorising: Factorising,
    measured: Measurement,
    curves: Libraries,
    progress: Progress | None = None,
) -> MapResult:
    """What the numerics find, its components in the order of the file."""
    counts, energy = used(measured)
    assert measured.cube is not None
    nothing = np.full(energy.size, np.nan)
    rows = [curves[p.curve].values if p.curve else nothing for p in factorising.spectra]
    total = measured.values[~measured.cube.dead]
    powers = exponents(factorising, energy, total, counts)
    mean = float(total.sum()) / max(1, counts.size)
    request = request_of(factorising, np.array(rows), measured.cube.shape, powers, mean)
    has_room(counts.size, request)
    numbered = counted(counts, energy, request)
    request, told = in_counts(request, numbered.noise)
    if request.count != 1.0:
        powers = exponents(factorising, energy, total, counts, request.count)
        request = replace(request, background=powers)
    request = as_many(factorising, request, numbered.best)
    tell, grid = _telling(progress, request.iterations), measured.cube.shape
    held = numbered.best - (factorising.background != "none")
    found, own = with_counts(counts, energy, request, tell, held)
    said = [told, left_out(request, own), notes(factorising), reaches(curves, energy)]
    found = replace(found, notes=(*found.notes, *chain(*said)))
    kept = _kept(factorising, found, energy)
    priors = [factorising.spectra[k] for k in own[kept]]
    return MapResult(
        found=found,
        kept=kept,
        numbers=_numbers(factorising, own[kept]),
        energy=energy,
        library={at: curves[p.curve] for at, p in enumerate(priors) if p.curve},
        total=total,
        pixel_total=np.asarray(counts.sum(axis=1, dtype=float)),
        numbered=numbered,
        grid=grid,
    )


def has_room(numbers: int, request: Factorisation) -> None:
    """Whether a map can be worked on in the memory that is free, however it is stored."""
    from specfit.maps import MapError

    needed, free = numbers * _BYTES.get(request.engine, _OTHERS), memory.free()
    if needed > free:
        raise MapError(
            f"work on it takes {memory.said(needed)} of memory and {memory.said(free)} "
            f"are free: narrow its `window`, or sum neighbouring pixels or channels"
        )


def _telling(progress: Progress | None, most: int) -> Telling:
    """The numerics' cycles of three steps as progress of the run."""
    if progress is None:
        return None

    def tell(stage: str, cycle: int, height: float) -> None:
        progress("factorise", min(1.0, 3 * (cycle + 1) / most), f"step {3 * cycle + 3}")

    return tell


def used(measured: Measurement) -> tuple[Anything, FloatArray]:
    """Spectra one below another (n_pixels, n_channels) and their energies, eV.

    Channels that are dead in every pixel are left out; else a mapped file stays mapped.
    """
    cube = measured.cube
    assert cube is not None  # of every hyperspectral block
    flat = cube.counts.reshape(cube.pixels, -1)
    alive = ~cube.dead
    return flat if alive.all() else flat[:, alive], used_energy(measured)


def request_of(
    factorising: Factorising,
    library: FloatArray,
    grid: tuple[int, int],
    powers: tuple[float, ...] = POWERS,
    mean: float = 0.0,
) -> Factorisation:
    """What the file asks for, in the words of the numerics; `mean` is that of the data.

    What the engine does not use is left out here; `map_unused` tells of it.
    """
    from specfit.maps import Factorisation

    usual: Engine = "gaussian" if factorising.likelihood == "normal" else "poisson"
    engines: dict[str, Engine] = {"ard_so": "ard_so", "scikit_learn": "sklearn"}
    overlap, run = factorising.overlap, factorising.run
    soft = min(1.0, _SOFT / overlap.sd) if overlap is not None else 0.0
    ard, own = run.optimizer == "ard_so", run.optimizer == "multiplicative"
    return Factorisation(
        components=factorising.components,
        engine=engines.get(run.optimizer, usual),
        library=library if np.isfinite(library).any() else None,
        smooth=tuple(one.width for one in factorising.spectra),
        levels=levels_of(factorising, mean),
        roughness=factorising.roughness.sd if factorising.roughness else 0.0,
        shift_sd=factorising.shift,
        drift_sd=factorising.drift,
        noise=factorising.sd or None,
        relevance=ard and factorising.relevance is not None,
        overlap=soft if ard else 0.0,
        apart=(overlap.mean, overlap.sd) if overlap is not None and own else None,
        background=powers,
        alone=factorising.fit if powers else None,
        grid=grid,
        iterations=run.steps,
        restarts=run.restarts,
        seed=run.seed % 2**31,
    )


def _kept(factorising: Factorising, found: Factorised, energy: FloatArray) -> Places:
    """Components with counts: in the order asked for, unless curves say which is which."""
    total = found.maps.sum(axis=0)
    kept = np.flatnonzero(total > RELEVANT * max(total.sum(), 1e-300))
    named = any(one.curve for one in factorising.spectra)
    if factorising.order is None or named:
        return kept
    centroid = found.spectra[kept] @ energy / found.spectra[kept].sum(axis=1)
    places: Places = kept[np.argsort(centroid)]
    return places if factorising.order.rising else places[::-1]


def _numbers(factorising: Factorising, kept: Places) -> tuple[int, ...]:
    """What the file calls them: by their curves where it gives some, else in order."""
    named = any(one.curve for one in factorising.spectra)
    return tuple(int(k) + 1 for k in kept) if named else tuple(range(1, kept.size + 1))
