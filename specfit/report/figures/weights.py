"""What each spectrum of a series is made of: weights against the level, with bands."""

from __future__ import annotations

from typing import Any

import numpy as np

from specfit.contracts import FloatArray, Run
from specfit.indices import at_level
from specfit.report.figures import style

BAND = (0.05, 0.95)


def draw(run: Run) -> bytes | None:
    """The picture as PNG; None where there is no series or no simplex of weights."""
    labels = [spectrum.label for spectrum in run.model.spectra]
    families = _families(run, labels)
    if len(labels) < 2 or not families:
        return None
    place, ticks = _places(labels)
    with style.dress():
        figure = style.new(8.6, 4.2)
        axes: Any = figure.add_subplot()
        for number, (name, draws) in enumerate(families.items()):
            middle, low, high = _summary(draws)
            tint = style.colour(number)
            axes.fill_between(place, low, high, color=tint, alpha=0.22, lw=0)
            axes.plot(place, middle, "o-", ms=3.5, lw=1.2, color=tint, label=name)
        axes.set_ylim(-0.03, 1.03)
        axes.set_ylabel("weight")
        axes.set_xlabel(f"level of {run.model.spectra[0].data}")
        if ticks:
            axes.set_xticks(place, labels)
        axes.legend(loc="upper center", ncols=min(6, len(families)), frameon=False)
        style.open_axes(axes)
        figure.tight_layout(pad=0.6)
        return style.png(figure)


def _families(run: Run, labels: list[str]) -> dict[str, list[FloatArray]]:
    """Name of each weight → its draws at every level."""
    found: dict[str, list[FloatArray]] = {}
    for name in (n for joint in run.model.joints for n in joint.names):
        short = _short(name, labels[0])
        every = [at_level(short, label) for label in labels] if short else []
        if every and all(one in run.fit.draws for one in every):
            found[short] = [np.ravel(run.fit.draws[one]) for one in every]
    return found


def _short(name: str, label: str) -> str:
    """The name without its level, "" where it is of another."""
    for short in (name[: -len(label) - 2], f"{name[: -len(label) - 2]}]"):
        if at_level(short, label) == name:
            return short
    return ""


def _summary(draws: list[FloatArray]) -> tuple[FloatArray, FloatArray, FloatArray]:
    middle = np.array([one.mean() for one in draws])
    low, high = np.array([np.quantile(one, BAND) for one in draws]).T
    return middle, low, high


def _places(labels: list[str]) -> tuple[FloatArray, bool]:
    """Where levels lie: at their numbers, or one after another with their names."""
    try:
        return np.array([float(label) for label in labels]), False
    except ValueError:
        return np.arange(float(len(labels))), True
