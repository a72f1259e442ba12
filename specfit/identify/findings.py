"""What an identified set says of each of its phases: area, values, whether as recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from specfit.contracts import FloatArray
from specfit.identify.appearance import Spectrum
from specfit.identify.mixture import Mixture, curve
from specfit.identify.patterns import SYMBOLS, Density, PhasePattern
from specfit.identify.unknown import is_unknown

NEAR = 3.0
"""Spreads within which a value is like those recorded."""
SMALLER = 0.2
"""Share of a larger component below which another, all of its lines on lines of that
one, may be a deviation of its lines from their ideal heights and shapes."""
NAMED = 3
"""Phases at most that something unknown is said to be like."""


@dataclass(frozen=True)
class Value:
    """A value of a site with its error, and what the records say of it.

    unlike: whether it is more probably of a sample unlike all recorded.
    """

    site: str
    symbol: str
    value: float
    sd: float
    recorded: float
    spread: float
    unlike: bool


@dataclass(frozen=True)
class Component:
    """A phase that was found.

    share, share_sd: of the resonant area.  kind: of a site of no known phase, else "".
    alike: the phases that have such a site.  under: a much larger one on whose lines all
    of its own lie, None where there is none.
    """

    phase: PhasePattern
    share: float
    share_sd: float
    values: tuple[Value, ...]
    kind: str
    alike: tuple[str, ...]
    under: PhasePattern | None

    @property
    def unlike(self) -> tuple[Value, ...]:
        """The values that are unlike those recorded; none of what is not known."""
        return () if self.kind else tuple(v for v in self.values if v.unlike)


def components(
    found: Mixture, everything: Sequence[PhasePattern]
) -> tuple[Component, ...]:
    """Each phase of a set, the largest first."""
    shares, errors = fractions(found)
    made = []
    for index, phase in enumerate(found.phases):
        values = _values(found, index)
        kind = phase.sites[0].kind if is_unknown(phase) else ""
        alike = _alike(kind, [v.value for v in values], everything) if kind else ()
        share, error = float(shares[index]), float(errors[index])
        under = _under(found, index)
        made.append(Component(phase, share, error, values, kind, alike, under))
    return tuple(sorted(made, key=lambda one: -one.share))


def _under(found: Mixture, index: int) -> PhasePattern | None:
    """The largest phase that has a line, within its half width, at each of this one's."""
    layout, areas = found.layout, found.areas
    where = layout.moves @ found.theta
    reach = 0.5 * np.exp(found.theta[layout.width])
    own = where[layout.of_line == index]
    for other in sorted(range(len(areas)), key=lambda one: -float(areas[one])):
        if areas[index] > SMALLER * areas[other]:
            return None
        lines = where[layout.of_line == other]
        far = np.abs(own[:, None] - lines).min(axis=1)
        if bool((far < reach[other]).all()):
            return found.phases[other]
    return None


def fractions(found: Mixture) -> tuple[FloatArray, FloatArray]:
    """Each phase's share of the resonant area, and its standard deviation."""
    shares = found.areas / found.areas.sum()
    places = found.layout.area
    between = found.covariance[np.ix_(places, places)]
    slope = np.diag(shares) - np.outer(shares, shares)  # by the logarithms of the areas
    spread: FloatArray = np.sqrt(np.maximum(np.diag(slope @ between @ slope), 0.0))
    return shares, spread


def _values(found: Mixture, index: int) -> tuple[Value, ...]:
    sds = found.deviations
    made = []
    for site, places in zip(
        found.phases[index].sites, found.layout.sites_of(index), strict=True
    ):
        for symbol, density, value, sd in zip(
            SYMBOLS, site.priors, found.theta[places], sds[places], strict=False
        ):
            where, spread, unlike = _recorded(density, float(value))
            made.append(
                Value(site.key, symbol, float(value), float(sd), where, spread, unlike)
            )
    return tuple(made)


def _recorded(density: Density, value: float) -> tuple[float, float, bool]:
    """The records' part nearest to a value, and whether the last, vague part owns it."""
    far = (value - density.location) / density.scale
    freedom = density.freedom
    logs = np.log(density.weight / density.scale)
    logs -= 0.5 * (freedom + 1.0) * np.log1p(far**2 / freedom)
    records = slice(None, -1) if len(logs) > 1 else slice(None)
    nearest = int(np.argmin(np.abs(far[records])))
    unlike = len(logs) > 1 and bool(logs[-1] > np.logaddexp.reduce(logs[records]))
    spread = float(density.scale[nearest])
    return float(density.location[nearest]), spread, unlike


def _alike(
    kind: str, values: Sequence[float], everything: Sequence[PhasePattern]
) -> tuple[str, ...]:
    """Phases with a site like this, the nearest first."""
    near: dict[str, float] = {}
    for phase in everything:
        for site in phase.sites:
            if site.kind != kind or is_unknown(phase):
                continue
            far = [
                (v - _recorded(d, v)[0]) / _recorded(d, v)[1]
                for v, d in zip(values, site.priors, strict=True)
            ]
            if max(map(abs, far)) <= NEAR:
                total = float(np.sum(np.square(far)))
                near[phase.name] = min(total, near.get(phase.name, np.inf))
    return tuple(sorted(near, key=lambda name: near[name])[:NAMED])


def dips(spectrum: Spectrum, found: Mixture) -> FloatArray:
    """What each phase takes from the counts (n_phases, n_channels): all of it together."""
    layout, theta = found.layout, found.theta
    # d curve / d log area is proportional to the phase's dip
    alone = -curve(spectrum, layout, theta).change[layout.area]
    base = np.exp(theta[0]) * (1.0 + theta[layout.base] @ spectrum.powers)
    whole: FloatArray = alone * ((base - found.curve) / alone.sum(axis=0))
    return whole


def misfit(found: Mixture) -> tuple[float, int]:
    """χ² (the deviance) of a set, and its degrees of freedom."""
    return -2.0 * found.log_likelihood, found.curve.size - found.layout.size


def saturation(found: Mixture) -> tuple[float, float, float]:
    """κ, its standard deviation, and the share that is lost of the deepest dip."""
    place = found.layout.saturation
    kappa = float(found.theta[place])
    sd = float(found.deviations[place])
    deepest = 1.0 - float(found.curve.min() / np.exp(found.theta[0]))
    thin = (
        -np.log1p(-min(kappa * deepest, 0.99)) / kappa if abs(kappa) > 1e-3 else deepest
    )
    return kappa, sd, 1.0 - deepest / float(thin)
