"""How figures are written in what a reader found."""

from __future__ import annotations

import math

import numpy as np

from specfit.contracts import FloatArray

Found = list[tuple[str, str]]


def plus_minus(value: float, sd: float, unit: str = "") -> str:
    """`value ± sd unit` with two digits of the standard deviation."""
    tail = f" {unit}" if unit else ""
    if not (0 < sd < math.inf):
        return f"{value:.6g}{tail}"
    decimals = max(0, 1 - math.floor(math.log10(sd)))
    return f"{value:.{decimals}f} ± {sd:.{decimals}f}{tail}"


def channels(numbers: FloatArray | np.ndarray[tuple[int], np.dtype[np.int_]]) -> str:
    """Channel numbers, from 1, as a list for people."""
    shown = ", ".join(str(int(n)) for n in numbers[:12])
    return shown + (" …" if len(numbers) > 12 else "")
