"""`specfit simulate` of raw channels: the drive that measured them, and its α-Fe.

`[drive]` of the truth says what the drive is like: `channels`, `mirror` (channel from 1),
`velocity_max` (mm/s), `direction`, its departures from a straight one by the names of
`readers.waveform.TERMS` in units of the maximum velocity, and `iron`, the counts a
channel of the α-Fe spectrum that is made beside the sample's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from specfit.constants import FIELD_SCALES
from specfit.contracts import FloatArray, Measurement
from specfit.diagnostics import Diagnostic, Span, SpecError
from specfit.model import ir
from specfit.readers.drive import Drive, DriveName
from specfit.readers.reference import DEFAULT_SOURCE, reference
from specfit.readers.waveform import SCALE, SHAPES, TERMS, ZERO, Waveform

_DEFAULTS: Mapping[str, Any] = {
    "channels": 512,
    "mirror": 256.5,
    "velocity_max": 12.0,
    "direction": "falling",
    "iron": 1e6,
    **dict.fromkeys(SHAPES, 0.0),
}
_LEAST = 64  # channels of a raw spectrum
_FOIL_FWHM = 0.26
"""mm/s, and the depths of lines 1, 2, 3: those of an α-Fe foil measured with 57Co(Rh)
(0.25-0.27 mm/s; 0.097, 0.076, 0.039)."""
_FOIL_DEPTHS = (0.097, 0.076, 0.039)


def is_raw(source: ir.DataSource) -> bool:
    """Whether the file of a data block is counts by channel."""
    return source.kind == "transmission" and "velocity" not in source.columns


def drive_of(truth: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The drive as the truth states it, the rest as usual."""
    stated = truth.get("drive", {})
    known = {**_DEFAULTS, **stated}
    numbers = [value for key, value in known.items() if key != "direction"]
    sound = (
        set(known) == set(_DEFAULTS)
        and known["direction"] in ("rising", "falling")
        and all(isinstance(n, int | float) and np.isfinite(n) for n in numbers)
        and _LEAST <= known["channels"] <= 2**20
        and known["velocity_max"] > 0
        and known["iron"] > 0
        and 1 < known["mirror"] < known["channels"]
    )
    if not sound:
        words = {"known": ", ".join(f"`{name}`" for name in _DEFAULTS)}
        raise SpecError([Diagnostic("truth-drive", Span(str(path)), words)])
    return known


def waveform_of(known: Mapping[str, Any], source: ir.DataSource) -> Waveform:
    """The waveform of a stated drive; its zero is that of the source."""
    name: DriveName = "triangular"
    if source.options.get("drive") == "sinusoidal":
        name = "sinusoidal"
    direction = 1 if known["direction"] == "rising" else -1
    _, shift, _ = reference(str(source.options.get("source", DEFAULT_SOURCE)))
    found = np.zeros(len(TERMS))
    for term in SHAPES:
        found[TERMS.index(term)] = known[term] * known["velocity_max"]
    found[[ZERO, SCALE]] = -direction * shift, known["velocity_max"]
    nothing = np.zeros((len(TERMS), len(TERMS)))
    drive = Drive(name, float(known["channels"]))
    return Waveform(drive, float(known["mirror"]), direction, found, nothing)


def blank(waveform: Waveform, channels: int, level: float, scale: str) -> Measurement:
    """Raw channels in their order, with the velocities that the drive gives them."""
    channel = np.arange(1.0, channels + 1)
    return Measurement(
        axis=waveform.velocity(channel),
        values=np.full(channels, level),
        axis_jacobian=np.zeros((channels, 0)),
        position=waveform.position(channel),
        field_slopes=FIELD_SCALES[scale].slopes,
        field_scale=scale,
    )


def iron_places(model: ir.Model[ir.Prior], folder: Path) -> list[Path]:
    """Where the α-Fe spectra that raw sources name go."""
    named = [
        Path(str(source.options["calibration"])).name
        for source in model.sources
        if is_raw(source) and "calibration" in source.options
    ]
    return [folder / name for name in dict.fromkeys(named)]


def iron_counts(
    measured: Measurement, known: Mapping[str, Any], generator: np.random.Generator
) -> FloatArray:
    """Counts by channel of an α-Fe foil at the lines of the convention."""
    scale = FIELD_SCALES[measured.field_scale]
    places = (scale.outer, scale.middle, scale.inner)
    expected = np.ones_like(measured.axis)
    for place, depth in zip(places, _FOIL_DEPTHS, strict=True):
        for line in (-place, place):
            offset = (measured.axis - line) / (_FOIL_FWHM / 2)
            expected -= depth / (1 + offset**2)
    return np.asarray(generator.poisson(known["iron"] * expected), dtype=float)
