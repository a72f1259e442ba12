"""The picture of an identification: data, the best set, each phase, what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from specfit.contracts import FloatArray
from specfit.report.figures import style


@dataclass(frozen=True)
class Identified:
    """What is drawn; counts by velocity (mm/s).

    base: the counts without any phase.  dips: (n_phases, n_channels) what each takes.
    """

    velocity: FloatArray
    counts: FloatArray
    curve: FloatArray
    base: FloatArray
    dips: FloatArray
    names: Sequence[str]


def draw(shown: Identified) -> bytes:
    """The picture, as PNG."""
    with style.dress():
        head = 0.3 + 0.19 * -(-(len(shown.names) + 2) // 2)
        total = head + 5.0
        figure = style.new(8.6, total)
        figure.subplots_adjust(0.085, 0.46 / total, 0.975, 1 - head / total, hspace=0.0)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.6, 1.0))
        scale = 100.0 / float(shown.base.max())
        v = shown.velocity
        for number, (dip, name) in enumerate(zip(shown.dips, shown.names, strict=True)):
            part, tint = (shown.base - dip) * scale, style.colour(number)
            upper.fill_between(v, shown.base * scale, part, color=tint, alpha=0.2, lw=0)
            upper.plot(v, part, color=tint, lw=1.1, label=name)
        data = {"ms": 2.1, "mfc": style.DATA, "mec": "none", "label": "data"}
        upper.plot(v, shown.counts * scale, "o", zorder=3, **data)
        upper.plot(v, shown.curve * scale, color="#b30000", lw=1.2, label="best set")
        upper.set_ylabel("relative transmission (%)")
        figure.legend(
            *upper.get_legend_handles_labels(), loc="upper left", frameon=False,
            bbox_to_anchor=(0.075, 1.0), ncols=2,
        )  # fmt: skip
        left = (shown.counts - shown.curve) / np.sqrt(np.maximum(shown.curve, 1.0))
        lower.axhspan(-1, 1, color="#000000", alpha=0.06, lw=0)
        lower.axhline(0, color=style.FAINT, lw=0.8)
        lower.vlines(v, 0, left, color=style.DATA, lw=0.7)
        lower.plot(v, left, "o", ms=1.7, mfc=style.DATA, mec="none")
        top = max(4.2, 1.08 * float(np.abs(left).max()))
        lower.set_ylim(-top, top)
        lower.set_ylabel("residual (sd)")
        lower.set_xlabel("velocity (mm/s)")
        lower.set_xlim(float(v.min()), float(v.max()))
        for axes in (upper, lower):
            axes.minorticks_on()
            axes.tick_params(which="both", top=True, right=True)
        figure.align_ylabels([upper, lower])
        return style.png(figure)
