"""A raw spectrum by channel → a Measurement on the α-Fe velocity axis."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES, FieldScale
from specfit.contracts import FloatArray, Measurement
from specfit.readers.alpha_iron import Calibration, calibrate
from specfit.readers.checks import check_counts, check_enough
from specfit.readers.drive import Drive, DriveName, period_of
from specfit.readers.errors import ReaderError, concerning
from specfit.readers.files import FileContent
from specfit.readers.folding import (
    Folded,
    Mirror,
    Spectrum,
    dead_channels,
    fold,
    mirror_point,
)
from specfit.readers.iron_halves import Halves, calibrate_halves
from specfit.readers.tables import Table
from specfit.readers.unfolding import unfolded
from specfit.readers.velocity import (
    NUISANCE_NAMES,
    VelocityScale,
    from_calibration,
    from_maximum,
)
from specfit.readers.wording import Found, channels, plus_minus

if TYPE_CHECKING:
    from specfit.model.ir import DataSource

IronKey = tuple[str, bytes, Drive, str]
"""File, counts as float64, drive and field scale: what a calibration depends on."""

Opener = Callable[[str], tuple[FileContent, Table]]


def raw_measurement(source: DataSource, table: Table, opened: Opener) -> Measurement:
    """Fold (or not), give every channel its velocity, and say all that was found.

    `opened(name)` reads the calibration file.
    """
    folding = _choice(source, "fold", "auto", ("auto", "none"))
    spectrum = _spectrum(source.file, _counts(source, table))
    scale, mirror, found, iron = _scale(source, spectrum, opened)
    found = _describe(spectrum) + found
    if folding == "auto":
        spectrum = Spectrum(spectrum.counts, spectrum.dead, mirror)
        return _folded(source.file, spectrum, scale, found)
    halves = None if iron is None else _halved(*iron)
    outer = field_scale(source)[1].outer
    return unfolded(source.file, spectrum, scale, found, outer, halves)


def _choice(
    source: DataSource, option: str, default: str, known: tuple[str, ...]
) -> str:
    value = str(source.options.get(option, default))
    if value not in known:
        shown = ", ".join(f"`{name}`" for name in known)
        words = {"option": option, "value": value, "known": shown}
        raise ReaderError("data-option", words)
    return value


def field_scale(source: DataSource) -> tuple[str, FieldScale]:
    """The field-scale convention of a data block, and its name."""
    known = tuple(FIELD_SCALES)
    name = _choice(source, "field_scale", DEFAULT_FIELD_SCALE, known)
    return name, FIELD_SCALES[name]


def _counts(source: DataSource, table: Table) -> FloatArray:
    """The counts: the declared column, the only one, or the one beside 1, 2, 3."""
    n_columns = table.values.shape[1]
    column = n_columns if n_columns == 1 else 0
    if "counts" in source.columns:
        column = source.columns["counts"][0]
    elif n_columns == 2 and np.all(np.diff(table.values[:, 0]) == 1):
        column = 2
    if column == 0:
        words = {"file": source.file, "found": str(n_columns)}
        raise ReaderError("raw-columns", words)
    if column > n_columns:
        words = {"file": source.file, "column": str(column), "found": str(n_columns)}
        raise ReaderError("data-column", words | {"name": "counts"})
    check_counts(table, column, source.file)
    return table.values[:, column - 1]


def _spectrum(name: str, counts: FloatArray) -> Spectrum:
    if len(counts) < 64:
        words = {"file": name, "found": str(len(counts)), "needed": "64"}
        raise ReaderError("raw-too-few", words)
    dead = dead_channels(counts)
    return Spectrum(counts, dead, mirror_point(counts, dead))


def _describe(spectrum: Spectrum) -> Found:
    dead = np.flatnonzero(spectrum.dead) + 1
    mirror = spectrum.mirror
    point = f"channel {plus_minus(mirror.point, mirror.sd)}"
    unknown = "not found: the two halves agree no more than chance allows"
    return [
        ("raw channels", str(len(spectrum.counts))),
        ("dead channels", channels(dead) if len(dead) else "none"),
        ("mirror point", point if mirror.known else unknown),
    ]


def _scale(
    source: DataSource, spectrum: Spectrum, opened: Opener
) -> tuple[VelocityScale, Mirror, Found, IronKey | None]:
    """The velocity scale, the mirror point to fold at, what was found, and by what."""
    name: DriveName = "triangular"
    if _choice(source, "drive", name, ("triangular", "sinusoidal")) == "sinusoidal":
        name = "sinusoidal"
    drive = Drive(name, period_of(len(spectrum.counts)))
    calibration_file = source.options.get("calibration")
    if calibration_file is None:
        if "velocity_max" not in source.options:
            raise ReaderError("velocity-unknown", {"data": source.data})
        if not spectrum.mirror.known:
            raise ReaderError("fold-no-mirror", {"file": source.file})
        scale, found = from_maximum(drive, source)
        return scale, spectrum.mirror, found, None
    convention, _ = field_scale(source)
    with concerning("calibration"):
        content, table = opened(str(calibration_file))
        counts = _calibration_counts(content.name, table).astype(float).tobytes()
        reference = _reference(content.name, counts)
        _same_drive(source, spectrum, reference, content.name)
        iron = (content.name, counts, drive, convention)
        calibration = _calibrated(*iron)
    scale, said = from_calibration(calibration, drive, source)
    found = [("calibration", f"{content.name}, sha256 {content.sha256}")]
    found += [(f"calibration: {label}", text) for label, text in _describe(reference)]
    found += _describe_lines(calibration, convention)
    mirror = spectrum.mirror
    if not mirror.known:
        mirror = reference.mirror
        found.append(
            ("folded at", "the calibration's mirror point: own lines too weak")
        )
    elif abs(mirror.point - reference.mirror.point) > 2:
        apart = f"{mirror.point - reference.mirror.point:+.2f} channels"
        found.append(("mirror points differ", f"{apart}; is it the same drive?"))
    return scale, mirror, found + said, iron


@lru_cache(maxsize=8)
def _reference(name: str, counts: bytes) -> Spectrum:
    """The spectrum of the calibration foil, from its raw counts as float64."""
    return _spectrum(name, np.frombuffer(counts))


@lru_cache(maxsize=8)
def _calibrated(name: str, counts: bytes, drive: Drive, convention: str) -> Calibration:
    """The calibration from its raw counts: one serves all files of a batch."""
    reference = _reference(name, counts)
    folded = fold(reference.counts, reference.dead, reference.mirror)
    check_enough(len(folded.counts), name)
    return calibrate(folded, drive, FIELD_SCALES[convention], name)


@lru_cache(maxsize=8)
def _halved(name: str, counts: bytes, drive: Drive, convention: str) -> Halves:
    """The drive in both halves, from the same."""
    reference = _reference(name, counts)
    folded = _calibrated(name, counts, drive, convention)
    return calibrate_halves(reference, folded, drive, FIELD_SCALES[convention], name)


def _calibration_counts(name: str, table: Table) -> FloatArray:
    n_columns = table.values.shape[1]
    numbered = n_columns == 2 and bool(np.all(np.diff(table.values[:, 0]) == 1))
    if n_columns != 1 and not numbered:
        raise ReaderError(
            "calibration-columns", {"file": name, "found": str(n_columns)}
        )
    check_counts(table, n_columns, name)
    return table.values[:, -1]


def _same_drive(
    source: DataSource, spectrum: Spectrum, reference: Spectrum, name: str
) -> None:
    own, theirs = len(spectrum.counts), len(reference.counts)
    if own != theirs:
        words = {"file": source.file, "found": str(own), "calibration": name}
        raise ReaderError("calibration-channels", words | {"expected": str(theirs)})
    if not reference.mirror.known:
        raise ReaderError("calibration-lines", {"file": name})


def _describe_lines(calibration: Calibration, convention: str) -> Found:
    residuals = ", ".join(f"{r:+.2f}" for r in calibration.residuals)
    fwhm = ", ".join(f"{w:.3f}" for w in calibration.fwhm)
    chi2 = f"χ² {calibration.chi2:.1f} on {calibration.degrees} degrees of freedom"
    verdict = (
        f"the lines scatter more than their errors ({chi2}): errors of scale and zero "
        f"widened by {np.sqrt(calibration.chi2 / calibration.degrees):.1f}"
        if calibration.nonlinear
        else f"none seen ({chi2})"
    )
    return [
        ("field scale", convention),
        (
            "α-Fe lines",
            f"FWHM {fwhm} mm/s, outer to inner; fit χ² {calibration.fit_chi2:.2f}",
        ),
        ("α-Fe lines off their places", f"{residuals} channels, in order of channel"),
        ("drive non-linearity", verdict),
    ]


def _folded(
    name: str, spectrum: Spectrum, scale: VelocityScale, found: Found
) -> Measurement:
    folded = fold(spectrum.counts, spectrum.dead, spectrum.mirror)
    axis = scale.velocity(folded.distance)
    check_enough(len(axis), name)
    offset = _half_offset(folded, scale)
    total = folded.mirror.nearest
    found = [
        *found,
        ("folded", f"channel i with {total} − i, {len(axis)} pairs summed"),
    ]
    found.append(("left out", f"{folded.dropped} pairs with a dead channel"))
    apart = 2 * folded.mirror.point - total
    text = f"2c − m = {apart:+.3f} channels, ±{offset:.5f} mm/s about each velocity"
    if scale.drive.name == "sinusoidal":
        text += ' (root mean square; fold = "none" is exact for a sinusoidal drive)'
    found.append(("half offset", text))
    return _measurement(axis, folded.counts, scale, offset, found)


def _half_offset(folded: Folded, scale: VelocityScale) -> float:
    steps = scale.per_channel(folded.distance)
    return float(folded.mirror.offset * np.sqrt(np.mean(steps**2)))


def _measurement(
    axis: FloatArray,
    counts: FloatArray,
    scale: VelocityScale,
    offset: float,
    found: Found,
) -> Measurement:
    order = np.argsort(axis, kind="stable")
    return Measurement(
        axis[order],
        counts[order],
        half_offset=offset,
        axis_jacobian=scale.jacobian(axis[order]),
        nuisance_names=NUISANCE_NAMES,
        found=tuple(found),
    )
