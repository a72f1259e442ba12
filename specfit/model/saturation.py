"""A thick absorber: its own parameters, and what it makes of the lines of a sextet.

A strong line is saturated more than a weak one, so that a thick powder shows less than
3 : 2 : 1.  What a site's lines would show by themselves follows from its share of the
thickness and from the width of the absorber's lines; where several Gaussians widen the
lines no closed form says it, and nothing is added.
"""

from __future__ import annotations

from specfit.contracts import ParameterSignature

NARROWEST = 0.02
"""Width (mm/s) that is left to an absorber however broad the source."""


_THICKNESS = ParameterSignature(
    "thickness",
    "number",
    "",
    "effective thickness n a f σ0 of the absorber, all lines of all sites together",
    low=0.0,
    default="~ lognormal(log(3.0), 1.0) in [0.001, 200]",
)
_BACKGROUND = ParameterSignature(
    "background",
    "fraction",
    "",
    "fraction of the counts that no absorber can take: other radiation and detector",
    low=0.0,
    high=1.0,
    default="~ beta(1, 1)",
)


def amounts(source_width: str, f_source: str) -> tuple[ParameterSignature, ...]:
    """What says how much is absorbed; the defaults of two of them differ by isotope.

    Only f_source · (1 − background) is observed, so the first is held and the second
    found.
    """
    apart = " (1: counted into `background`)" if f_source == "1" else ""
    source = ParameterSignature(
        "source_width",
        "velocity",
        "mm/s",
        "of the width of every line, what is the source's; the rest is the absorber's",
        low=0.0,
        default=source_width,
    )
    recoilless = ParameterSignature(
        "f_source",
        "fraction",
        "",
        f"recoil-free fraction of the source{apart}",
        low=0.0,
        high=1.0,
        default=f"= {f_source}",
    )
    return _THICKNESS, source, recoilless, _BACKGROUND


def widths(natural: float) -> tuple[str, str]:
    """Priors of the source's width, and of source and absorber together, of an isotope.

    The same multiples of the natural width (mm/s) as iron's, for want of measured ones.
    Neither is stopped at the natural widths (of iron, the rules judge that): where what
    the data say is a narrow ridge, a wall near it would bend it.
    """
    return _scaled(natural, 1.19, 0.155, 0.52, 1.75), _scaled(
        natural, 2.47, 0.52, 1.03, 10.3
    )


def _scaled(natural: float, *multiples: float) -> str:
    mean, sd, low, high = (f"{natural * one:.3g}" for one in multiples)
    return f"~ {mean} ± {sd} mm/s in [{low}, {high}] mm/s"


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
