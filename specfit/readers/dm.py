"""A map of DigitalMicrograph, .dm3 or .dm4, by the reader of nionswift-io.

That reader is licensed under Apache 2.0 and is an extra: `pip install specfit[eels]`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from specfit.cubes import Anything
from specfit.readers import memory
from specfit.readers.arrays import Container, Stored
from specfit.readers.errors import ReaderError
from specfit.readers.hspy import calibrated

_SHARE = 2
"""Memory that the reader takes, in sizes of the file."""


def digital_micrograph(path: Path, name: str) -> Container:
    """The last image of the file, with what its axes say."""
    try:
        from nionswift_plugin.DM_IO.dm3_image_utils import load_image
    except ImportError:
        raise ReaderError("data-cube-extra", {"file": name}) from None
    size, room = path.stat().st_size, memory.free()
    if _SHARE * size > room:
        words = {"file": name, "shape": "an image", "type": path.suffix}
        words |= {"size": memory.said(size), "needed": memory.said(_SHARE * size)}
        raise ReaderError("data-cube-memory", words | {"free": memory.said(room)})
    try:
        with path.open("rb") as stream:
            image = load_image(stream)
        data: Anything = image.data
        axes = [(c.offset, c.scale, c.units) for c in image.dimensional_calibrations]
    except MemoryError:
        raise
    except Exception as error:  # another's parser, of bytes of any sort
        why = "DigitalMicrograph's tags cannot be read"
        raise ReaderError("data-cube-broken", {"file": name, "why": why}) from error
    energy: dict[int, Callable[[], Anything]] = {}
    steps: dict[int, float] = {}
    for number, (length, axis) in enumerate(zip(data.shape, axes, strict=False), 1):
        calibrated(number, length, axis, energy, steps)
    stored = Stored(data.shape, data.dtype, lambda: data)
    return Container({"": stored}, "DigitalMicrograph", energy, steps)
