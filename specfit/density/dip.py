"""The thickness of an absorber, drawn as the dip that the data show.

How much of the beam is missing is what a spectrum says best, and a thick absorber says it
of no parameter: R t / √(1 + c t), with the resonant share R of the counts and a saturation
c that follows from widths and shares of the sites.  Where background or widths are open,
the thickness goes along with them on a strongly curved ridge; the dip stays where it is.
So the coordinate of the thickness t is z = log(R t / √(1 + c t)), whose inverse is closed:
with a = exp(z) / R, log t = log a + asinh(a c / 2).

The formula is right for thin lines to the first order in t, and falls off as the true
area does, like √t, for thick ones.  What it leaves out costs a little straightness and no
correctness: the density is that of the thickness, with the Jacobian of this map.

Source of the first order: S. Margulies, J. R. Ehrman, Nucl. Instrum. Methods 12, 131
(1961), doi:10.1016/0029-554X(61)90122-5: a line of thickness t has the area of a thin one
times exp(−t/2) [I0(t/2) + I1(t/2)] = 1 − t/4 + …
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array
from specfit.density.bend import bent, unbent
from specfit.density.scope import Scope
from specfit.model.ir import Model, Prior, Spectrum
from specfit.model.kinds import MODEL_KINDS
from specfit.model.saturation import NARROWEST
from specfit.model.support import Plan, Unknown
from specfit.sites import SITES

_ROUNDING = 1e-15
_LEAST = 1e-9  # resonant share, of which the coordinate is still a number
_LINES = 6  # most that are told apart: of very many the neighbours overlap


@dataclass(frozen=True)
class Dip:
    """The thickness of one spectrum, or of several that share it: the first one's dip.

    sites: names of share and width of each, and the share of one line in its area.
    natural: FWHM of the transition, mm/s.
    """

    name: str
    row: int  # index into z
    low: float | None
    high: float | None
    resonant: tuple[str, str]
    source_width: str
    sites: tuple[tuple[str, str, float], ...]
    natural: float

    def forward(self, z: Array, scope: Scope) -> tuple[Array, Array]:
        """The thickness and log |dt/dz|."""
        log_resonant, c = self._law(scope)
        y, log_slope = bent(z[self.row], *self._ends(log_resonant, c))
        log_a = y - log_resonant
        half = 0.5 * c * jnp.exp(log_a)
        log_t = log_a + jnp.arcsinh(half)
        steep = jnp.log1p(half / jnp.sqrt(1.0 + half * half))
        return self._within(jnp.exp(log_t)), log_t + steep + log_slope

    def inverse(self, x: Array, scope: Scope, margin: float) -> Array:
        """The coordinate of a thickness, which is first moved inside the bounds."""
        log_resonant, c = self._law(scope)
        t = self._within(x, margin)
        low, high = self._ends(log_resonant, c)
        y = log_resonant + _log_dip(t, c)
        above = None if low is None else jnp.maximum(y - low, _ROUNDING)
        below = None if high is None else jnp.maximum(high - y, _ROUNDING)
        return unbent(y, (low, high), (above, below))

    def _law(self, scope: Scope) -> tuple[Array, Array]:
        """Logarithm of the resonant share, and how fast the dip saturates."""
        f_source, background = (scope[name] for name in self.resonant)
        source, c = scope[self.source_width], jnp.zeros(())
        for share, width, line in self.sites:
            own = jnp.maximum(scope[width] - source, NARROWEST)
            c = c + 0.5 * self.natural * line * scope[share] ** 2 / own
        resonant = f_source * (1.0 - background)
        return jnp.log(jnp.maximum(resonant, _LEAST)), c

    def _ends(self, log_resonant: Array, c: Array) -> tuple[Array | None, Array | None]:
        low, high = (
            None if end is None else log_resonant + _log_dip(jnp.asarray(end), c)
            for end in (self.low, self.high)
        )
        return low, high

    def _within(self, t: Array, margin: float = 0.0) -> Array:
        """`t` no nearer to a bound than the next number, or than `margin`."""
        low = 0.0 if self.low is None else self.low
        width = 1.0 if self.high is None else self.high - low
        t = jnp.maximum(t, np.nextafter(low, np.inf) + margin * width)
        if self.high is not None:
            t = jnp.minimum(t, np.nextafter(self.high, -np.inf) - margin * width)
        return t


def _log_dip(t: Array, c: Array) -> Array:
    return jnp.log(t) - 0.5 * jnp.log1p(c * t)


def dips(
    model: Model[Prior], plan: Plan, taken: Collection[str], known: Collection[str]
) -> tuple[Dip, ...]:
    """The thicknesses of a model that are drawn by their dip.

    Those that are drawn with constant bounds, and rest on nothing but what is there
    before: `known` names; `taken` are those with a map of another kind.
    """
    if model.settings.get("absorber") != "thick":
        return ()
    static = {
        u.name: u
        for u in plan.unknowns
        if not u.dynamic and u.low is not None and u.low >= 0.0
    }
    found: dict[str, Dip] = {}
    for spectrum in model.spectra:
        unknown = static.get(spectrum.scalars["thickness"])
        if unknown is None or unknown.name in taken or unknown.name in found:
            continue
        one = _dip(model, spectrum, unknown, plan.names.index(unknown.name))
        if set(_rests_on(one)) <= set(known) - {unknown.name}:
            found[unknown.name] = one
    return tuple(one for one in found.values() if not set(_rests_on(one)) & set(found))


def _dip(model: Model[Prior], spectrum: Spectrum, unknown: Unknown, row: int) -> Dip:
    of = spectrum.scalars
    return Dip(
        name=unknown.name,
        row=row,
        low=unknown.low or None,  # of 0 its logarithm is none
        high=unknown.high,
        resonant=(of["f_source"], of["background"]),
        source_width=of["source_width"],
        sites=tuple(
            (
                site.parameters["I"],
                site.parameters["width"],
                1.0 / min(SITES[site.kind].n_lines, _LINES),
            )
            for site in spectrum.sites
        ),
        natural=MODEL_KINDS[model.kind].natural_fwhm,
    )


def _rests_on(one: Dip) -> Iterator[str]:
    yield from one.resonant
    yield one.source_width
    for share, width, _ in one.sites:
        yield share
        yield width
