"""What thickness makes of the lines of a sextet: areas as they are seen, computed.

A strong line is saturated more than a weak one, so that a thick powder shows less than
3 : 2 : 1.  What a site's lines would show by themselves follows from its share of the
thickness and from the width of the absorber's lines; where several Gaussians widen the
lines no closed form says it, and nothing is added.
"""

from __future__ import annotations

from specfit.contracts import ParameterSignature

NARROWEST = 0.02
"""Width (mm/s) that is left to an absorber however broad the source."""


def line_ratios(natural: float) -> dict[str, tuple[ParameterSignature, ...]]:
    """Computed parameters by kind of site; natural: FWHM of the transition, mm/s."""
    line = f"max(width - source_width, {NARROWEST} mm/s)"
    depth = f"thickness * I * {natural:.4g} mm/s / {line}"
    return {
        "sextet": tuple(
            ParameterSignature(
                symbol=symbol,
                dimension="number",
                unit="",
                meaning=f"area of lines {lines} over lines 3 and 4 as they are seen, "
                "saturated by the thickness; computed",
                default=f"= saturated_ratio({weight}, x, {depth})",
                computed=True,
            )
            for symbol, lines, weight in (
                ("A13", "1 and 6", 3),
                ("A23", "2 and 5", "x"),
            )
        )
    }
