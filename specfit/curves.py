"""The curves that a factorisation names, on the axis of its map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from specfit.contracts import FloatArray, Measurement
from specfit.diagnostics import Diagnostic
from specfit.found import told
from specfit.mapped import LibraryCurve
from specfit.measuring import Checked
from specfit.model.factorising import Curve, Factorising
from specfit.model.peak_remarks import Remark
from specfit.model.white_lines import LABEL, white_lines
from specfit.readers import ReaderError
from specfit.readers.curves import on_axis, reach, read_curve

ALONE = 3
"""Channels that a background needs where it is alone."""
_OVER = 0.1
"""Share of a curve in the window of the background from which on that is told."""
Libraries = Mapping[Curve, LibraryCurve]


def libraries(
    factorising: Factorising, energy: FloatArray, checked: Checked
) -> tuple[dict[Curve, LibraryCurve], list[Diagnostic]]:
    """Every curve that priors and checks name, and what is wrong with their files."""
    root = checked.path.resolve().parent
    found: dict[Curve, LibraryCurve] = {}
    faults: list[Remark] = []
    for curve in dict.fromkeys(_named(factorising)):
        try:
            found[curve] = _curve(curve, energy, root, checked.allow_outside)
        except ReaderError as error:
            faults.append((error.code, error.words, curve.place, "error"))
            continue
        if note := "" if curve.record else found[curve].note:
            words = {"file": curve.file, "reach": note}
            words |= {"start": f"{energy[0]:.5g}", "end": f"{energy[-1]:.5g}"}
            faults.append(("curve-reach", words, curve.place, "note"))
    return found, told(faults)


def used_energy(measured: Measurement) -> FloatArray:
    """Energies (eV) of the channels that are not dead in every pixel."""
    assert measured.cube is not None  # of every hyperspectral block
    return measured.axis[~measured.cube.dead]


def curve_faults(checked: Checked) -> list[Diagnostic]:
    """What is wrong with curves and windows of a file whose maps could be read."""
    maps = checked.document.maps if checked.document is not None else ()
    found: list[Diagnostic] = []
    for one in maps:
        for source, measured in checked.measured:
            if source == one.source:
                energy = used_energy(measured)
                curves, faults = libraries(one, energy, checked)
                found += [*faults, *told(_alone(one, energy, curves))]
    return found


def _alone(
    asked: Factorising, energy: FloatArray, curves: Libraries
) -> Iterator[Remark]:
    """What is wrong with the window in which the background is said to be alone."""
    if asked.fit is None:
        return
    (low, high), place = asked.fit, dict(asked.places).get("baseline", asked.place)
    inside = (energy >= low) & (energy <= high)
    words = {"low": f"{low:g}", "high": f"{high:g}", "channels": str(int(inside.sum()))}
    words |= {"start": f"{energy[0]:.5g}", "end": f"{energy[-1]:.5g}"}
    if inside.sum() < ALONE:
        yield "fit-outside", words | {"needed": str(ALONE)}, place, "error"
        return
    for curve in (prior.curve for prior in asked.spectra):
        if curve is None or curve not in curves:
            continue
        share = float(curves[curve].values[inside].sum())
        if share > _OVER:
            more = {"curve": curve.text, "share": f"{100 * share:.0f}"}
            yield "fit-over-edge", words | more, place, "warning"


def reaches(curves: Libraries, energy: FloatArray) -> Iterator[str]:
    """What the curves of files do not reach of the map, a sentence each."""
    for curve, known in curves.items():
        if known.note and not curve.record:
            ends = f"the map goes from {energy[0]:.5g} to {energy[-1]:.5g} eV"
            yield f"The curve {known.label} is {known.note}; {ends}."


def _named(factorising: Factorising) -> Iterator[Curve]:
    curves = [one.curve for one in factorising.spectra]
    curves += [one.curve for one in factorising.checks]
    yield from (curve for curve in curves if curve is not None)


def _curve(
    curve: Curve, energy: FloatArray, root: Path, allow_outside: bool
) -> LibraryCurve:
    if curve.record:
        lines = white_lines(curve.record)
        return LibraryCurve(curve.text, lines.curve(energy), LABEL)
    own, values = read_curve(curve.file, root, allow_outside)
    made = on_axis(own, values, energy, curve.file)
    return LibraryCurve(curve.text, made, reach(own, values, energy))
