"""A factorisation of the language with its cube → what was found, judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from specfit.checking import Checked
from specfit.contracts import FloatArray, Measurement, Progress
from specfit.cubes import Anything
from specfit.curves import Libraries, libraries, reaches, used_energy
from specfit.diagnostics import SpecError
from specfit.map_background import POWERS, exponents
from specfit.map_levels import levels_of
from specfit.mapped import MapDone, MapResult, Places
from specfit.model.factorising import Factorising
from specfit.model.map_unused import notes
from specfit.readers import memory
from specfit.record import Clock, sha256, versions

if TYPE_CHECKING:
    from specfit.maps.counting_components import Numbered
    from specfit.maps.found import Engine, Factorisation, Factorised

COMPONENTS = 6
"""Numbers of components that are always looked at."""
_SOFT = 0.005
"""Strength of soft orthogonality times the spread of the overlap: 0.05 for ± 0.1."""
_BYTES = {"poisson": 12, "gaussian": 12}
"""Memory that a number of the map takes while it is worked on; all else is small."""
_OTHERS = 24
"""The same of other engines, which hold the map and what is left of it in double."""
_ODD = 3.0
"""Times that noise may be what it was said to be: models are never exact."""
Telling = Callable[[str, int, float], None] | None
RELEVANT = 1e-3
_FAINT = 0.02
"""Share of all counts below which a component is switched off, and the same of one that
is more than the map holds."""


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
    grid = measured.cube.shape
    mean = float(total.sum()) / max(1, counts.size)
    request = request_of(factorising, np.array(rows), grid, powers, mean)
    has_room(counts.size, request)
    numbered = counted(counts, energy, request)
    request, told = in_counts(request, numbered.noise)
    powers = exponents(factorising, energy, total, counts, request.count)
    request = replace(request, background=powers)
    request = as_many(factorising, request, numbered.best)
    tell = _telling(progress, request.iterations)
    held = numbered.best - (factorising.background != "none")
    found, own = with_counts(counts, energy, request, tell, held)
    left = sorted(set(range(request.components)) - set(own.tolist()))
    told += tuple(f"Component {k + 1} has next to no counts: left out." for k in left)
    said = (*told, *notes(factorising), *reaches(curves, energy))
    found = replace(found, notes=(*found.notes, *said))
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


def with_counts(
    counts: Anything,
    energy: FloatArray,
    request: Factorisation,
    tell: Telling,
    held: int,
) -> tuple[Factorised, Places]:
    """What is found of the components that have counts, and which of those asked these are.

    One like a curve that the map does not hold would leave the others as unsure as
    itself. `held`: how many components the map has by itself.
    """
    from specfit.maps.factorising import factorise

    found = factorise(counts, energy, request, tell)
    total = found.maps.sum(axis=0)
    least = RELEVANT if total.size <= held else _FAINT
    own = np.flatnonzero(total > least * max(total.sum(), 1e-300))
    if request.library is None or own.size in (0, total.size):
        return found, np.arange(total.size)
    few = replace(
        request,
        components=int(own.size),
        library=request.library[own],
        smooth=tuple(np.array(request.smooth)[own]) if request.smooth else (),
    )
    return factorise(counts, energy, few, tell), own


def has_room(numbers: int, request: Factorisation) -> None:
    """Whether a map can be worked on in the memory that is free, however it is stored."""
    from specfit.maps import MapError

    needed, free = numbers * _BYTES.get(request.engine, _OTHERS), memory.free()
    if needed > free:
        raise MapError(
            f"work on it takes {memory.said(needed)} of memory and {memory.said(free)} "
            f"are free: narrow its `window`, or sum neighbouring pixels or channels"
        )


def counted(counts: Anything, energy: FloatArray, request: Factorisation) -> Numbered:
    """How many components the map holds, whatever was asked for."""
    from specfit.maps.counting_components import how_many

    most = max(request.components + 2, COMPONENTS)
    return how_many(
        counts, energy, request, max(1, min(most, *(n - 1 for n in counts.shape)))
    )


def in_counts(
    request: Factorisation, noise: float
) -> tuple[Factorisation, tuple[str, ...]]:
    """With how much one count is where the data are not counts, and what that is told by.

    Counts that were multiplied by something show by their noise what that was.
    """
    if request.engine == "gaussian":
        said = float(request.noise or 1.0)
        ratio = np.sqrt(noise) / said
        wrong = not 1.0 / _ODD < ratio**2 < _ODD
        told = (
            f"The noise of the data is {said * ratio:.3g}, not {said:g}: errors are "
            f"{ratio:.2g} times what is said."
        )
        return request, (told,) * wrong
    if 1.0 / _ODD < noise < _ODD:
        return request, ()
    told = (
        f"The noise of the data is that of counts worth {noise:.3g} each, and they were "
        f"taken so: a value of 1 is {1.0 / noise:.3g} counts."
    )
    return replace(request, count=noise), (told,)


def as_many(
    factorising: Factorising, request: Factorisation, best: int
) -> Factorisation:
    """Of components that may be switched off as many as the map holds.

    A background is one of those that the map holds; what is like a curve stays.
    """
    if factorising.relevance is None:
        return request
    held = best - (factorising.background != "none")
    like = [k for k, one in enumerate(factorising.spectra, start=1) if one.curve]
    count = min(factorising.components, max(1, held, *like))
    library = request.library
    if library is not None:
        library = library[:count]
    smooth = request.smooth[:count]
    return replace(request, components=count, library=library, smooth=smooth)


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
