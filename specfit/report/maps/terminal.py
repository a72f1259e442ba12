"""What a factorisation found, as plain text."""

from __future__ import annotations

from math import hypot

from specfit.mapped import MapDone
from specfit.report.maps.result import MapRunResult
from specfit.report.numbers import decimals, fixed
from specfit.report.terminal import aligned, summary
from specfit.report.text import clean


def terminal(done: MapDone, result: MapRunResult) -> str:
    """Components, checks, and the verdict with its reasons."""
    return summary(result.title, _components(result), done.verdict)


def _components(result: MapRunResult) -> str:
    """Mean fraction with the error of one pixel; the parts of that."""
    rows = [
        ["", "fraction", "of spectra", "of counting", "peak eV", "centroid eV", "like"]
    ]
    for one in result.components:
        sd = hypot(one.fraction_sd_counting, one.fraction_sd_spectra)
        places = decimals(sd) if sd > 0.0 else 2
        rows.append(
            [
                str(one.number),
                f"{fixed(one.mean_fraction, places)} ± {fixed(sd, places)}",
                fixed(one.fraction_sd_spectra, places + 1),
                fixed(one.fraction_sd_counting, places + 1),
                f"{one.peak:.1f}",
                f"{one.centroid:.1f}",
                clean(one.library) or "–",
            ]
        )
    note = "fraction: mean over the pixels, ± of one pixel"
    return "\n".join([*aligned(rows), note])
