"""EXAFS: χ(k) with its paths, and its transform over distances, data beside model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import FloatArray
from specfit.exafs import PathValues, again, between, over_distance, path_curves
from specfit.report.figures import style
from specfit.report.quantities import Findings
from specfit.scattering import Scattering

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DRAWS = 200
"""Of the posterior, of which the bands are made."""
POWER = 2.0
"""Of k by which χ is shown where the model names none."""
FARTHEST = 6.0
"""Å; distances shown, or half as far again as is compared."""
MODEL = "#b30000"


@dataclass(frozen=True)
class _Seen:
    """Everything drawn: χ(k) times k^power, and its transform.

    total: (n_draws, n_k) the sum of the paths; paths: (n_paths, n_k) their means.
    """

    scattering: Scattering
    names: list[str]
    power: float
    total: FloatArray
    paths: FloatArray
    values: FloatArray  # (n_values,), what is compared
    distances: FloatArray  # (n_values,), where each of them is
    pearson: FloatArray

    @property
    def scale(self) -> FloatArray:
        """What χ is multiplied by."""
        return np.asarray(self.scattering.k**self.power)


def draw(found: Findings, index: int) -> bytes:
    """The figure of one spectrum, as PNG."""
    seen = _seen(found, index)
    with style.dress():
        figure = style.new(8.6, 9.0)
        panels = figure.subplots(4, 1, height_ratios=(4.2, 2.2, 2.2, 1.0))
        _over_k(panels[0], seen)
        _over_R(panels[1], seen, "|χ(R)|", np.abs)
        _over_R(panels[2], seen, "Re χ(R)", np.real)
        panels[1].tick_params(labelbottom=False)
        panels[2].set_xlabel("R (Å), without correction of phases")
        _residuals(panels[3], seen)
        figure.align_ylabels(panels)
        figure.tight_layout(pad=0.5)
        return style.png(figure)


def _seen(found: Findings, index: int) -> _Seen:
    run = found.run
    measured, spectrum = run.measurements[index], run.model.spectra[index]
    scattering = measured.scattering
    assert scattering is not None
    values = {
        site.name: _values(found, spectrum.scalars["S02"], site.parameters)
        for site in spectrum.sites
    }
    each = path_curves(scattering, values)
    power = run.model.settings.get("k_weight", 0.0) or POWER
    return _Seen(
        scattering=scattering,
        names=[style.label(s.title, s.name, i) for i, s in enumerate(spectrum.sites)],
        power=float(power),
        total=each.sum(axis=1),
        paths=each.mean(axis=0),
        values=measured.values,
        distances=measured.axis,
        pearson=found.residuals[index].pearson,
    )


def _values(found: Findings, factor: str, parameters: dict[str, str]) -> PathValues:
    """The parameters of a path at `DRAWS` draws."""
    every = {s: found.quantity(name).draws for s, name in parameters.items()}
    every["strength"] = every["N"] * found.quantity(factor).draws
    longest = max(draws.size for draws in every.values())
    chosen = np.linspace(0, longest - 1, min(DRAWS, longest)).astype(int)
    return PathValues(
        *(
            np.broadcast_to(every[name], (longest,))[chosen]
            for name in PathValues._fields
        )
    )


def _band(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    low, high = np.quantile(values, [0.05, 0.95], axis=0)
    return values.mean(axis=0), low, high


def _over_k(axes: Axes, seen: _Seen) -> None:
    """Data and model as they are compared; below them each path."""
    one, k = seen.scattering, seen.scattering.k
    raw, filtered = one.chi * seen.scale, again(one, seen.values) * seen.scale
    mean, low, high = _band(between(one, seen.total) * seen.scale)
    axes.plot(k, raw, "o", ms=2.0, mfc=style.FAINT, mec="none", label="data")
    if one.distances is not None:
        words = f"data, {one.distances[0]:g} to {one.distances[1]:g} Å"
        axes.plot(k, filtered, color=style.DATA, lw=1.4, label=words)
    axes.fill_between(k, low, high, color=MODEL, alpha=0.25, lw=0)
    axes.plot(k, mean, color=MODEL, lw=1.1, label="model, 5–95 %")
    step = 1.05 * float(np.ptp(np.concatenate([raw, mean])))
    for place, (name, path) in enumerate(zip(seen.names, seen.paths, strict=True)):
        shift, tint = -step * (0.55 + 0.5 * place), style.colour(place)
        axes.axhline(shift, color=style.FAINT, lw=0.5)
        axes.plot(k, path * seen.scale + shift, color=tint, lw=1.1, label=name)
    axes.set_ylabel(f"k^{seen.power:g} χ(k)  (Å^-{seen.power:g})")
    axes.set_xlabel("k (1/Å)")
    axes.set_xlim(k[0], k[-1])
    columns = min(5, 3 + len(seen.names))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False)
    _ticks(axes)


def _over_R(
    axes: Axes, seen: _Seen, title: str, of: Callable[[FloatArray], FloatArray]
) -> None:
    one = seen.scattering
    end = FARTHEST if one.distances is None else max(FARTHEST, 1.5 * one.distances[1])
    R = np.linspace(0.0, end, 301)
    data, total = (
        of(over_distance(one.k, x, R, seen.power)) for x in (one.chi, seen.total)
    )
    mean, low, high = _band(total)
    if one.distances is not None:
        axes.axvspan(*one.distances, color="#000000", alpha=0.06, lw=0)
    axes.plot(R, data, color=style.DATA, lw=1.2)
    axes.fill_between(R, low, high, color=MODEL, alpha=0.25, lw=0)
    axes.plot(R, mean, color=MODEL, lw=1.1)
    for place, path in enumerate(seen.paths):
        curve = of(over_distance(one.k, path, R, seen.power))
        axes.plot(R, curve, color=style.colour(place), lw=0.8, alpha=0.8)
    axes.set_ylabel(f"{title}  (Å^-{seen.power + 1:g})")
    axes.set_xlim(0.0, end)
    _ticks(axes)


def _residuals(axes: Axes, seen: _Seen) -> None:
    top = max(4.2, 1.08 * float(np.abs(seen.pearson).max()))
    axes.axhspan(-1, 1, color="#000000", alpha=0.06, lw=0)
    for level in (-3, 3):
        axes.axhline(level, color=MODEL, lw=0.7, ls=(0, (4, 3)), alpha=0.7)
    axes.vlines(seen.distances, 0, seen.pearson, color=style.DATA, lw=0.7)
    axes.plot(seen.distances, seen.pearson, "o", ms=2.5, mfc=style.DATA, mec="none")
    axes.set_ylim(-top, top)
    axes.set_ylabel("residual (sd)")
    over_R = seen.scattering.distances is not None
    axes.set_xlabel("R (Å) of each independent number" if over_R else "k (1/Å)")
    _ticks(axes)


def _ticks(axes: Axes) -> None:
    axes.minorticks_on()
    axes.tick_params(which="both", top=True, right=True)
