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
from specfit.readers.curves import on_axis, read_curve

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
    return found, told(faults)


def used_energy(measured: Measurement) -> FloatArray:
    """Energies (eV) of the channels that are not dead in every pixel."""
    assert measured.cube is not None  # of every hyperspectral block
    return measured.axis[~measured.cube.dead]


def curve_faults(checked: Checked) -> list[Diagnostic]:
    """What is wrong with the curves of a file whose maps could be read."""
    maps = checked.document.maps if checked.document is not None else ()
    return [
        fault
        for one in maps
        for source, measured in checked.measured
        if source == one.source
        for fault in libraries(one, used_energy(measured), checked)[1]
    ]


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
    return LibraryCurve(curve.text, on_axis(own, values, energy, curve.file))
