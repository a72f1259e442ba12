"""What a factorisation found, as plain text."""

from __future__ import annotations

from math import hypot

from specfit.mapped import MapDone
from specfit.report.maps.result import MapRunResult
from specfit.report.numbers import decimals, fixed
from specfit.report.terminal import aligned, summary
from specfit.report.text import clean
from specfit.text import pad, width


def terminal(done: MapDone, result: MapRunResult) -> str:
    """Components, checks, and the verdict with its reasons."""
    return summary(result.title, _components(result), done.verdict)


def _components(result: MapRunResult) -> str:
    """Mean fraction with its error; the error of one pixel and the parts of that."""
    head = ["", "mean fraction", "one pixel", "of spectra", "of counting"]
    rows = [[*head, "peak eV", "centroid eV", "like"]]
    pixel = [
        hypot(one.fraction_sd_counting, one.fraction_sd_spectra)
        for one in result.components
    ]
    means = [result.derived[f"fraction[{one.number}]"] for one in result.components]
    errors = [sd for sd in (*pixel, *(m.sd for m in means)) if sd]
    places = max((decimals(sd) for sd in errors), default=2)
    likes = [clean(one.library) or "–" for one in result.components]
    widest = max((width(text) for text in likes), default=0)
    for one, sd, mean, like in zip(result.components, pixel, means, likes, strict=True):
        own = f" ± {fixed(mean.sd, places)}" if mean.sd is not None else ""
        rows.append(
            [
                str(one.number),
                f"{fixed(mean.mean, places)}{own}",
                f"± {fixed(sd, places)}",
                fixed(one.fraction_sd_spectra, places),
                fixed(one.fraction_sd_counting, places),
                f"{one.peak:.1f}",
                f"{one.centroid:.1f}",
                pad(like, widest),
            ]
        )
    note = (
        "mean fraction: over the pixels, ± its standard deviation; that of one pixel and "
        "its parts beside it"
    )
    return "\n".join([*aligned(rows), note, *_offsets(result)])


def _offsets(result: MapRunResult) -> list[str]:
    """Shift and drift in one line, where there are any."""
    said = []
    if (shift := result.parameters.get("shift")) is not None:
        error = f" ± {shift.sd:.2f}" if shift.sd else ""
        said.append(f"shift of the curves {shift.mean:+.2f}{error} eV")
    if (drift := result.parameters.get("drift")) is not None:
        said.append(f"drift {drift.mean:.2f} eV root mean square")
    return ["; ".join(said)] if said else []
