"""The drift of every pixel's axis with the spectra that it blurs, by turns.

Monotone: a step of Newton's in weights and drift of every pixel, then one of
expectation-maximisation in the spectra. A drift that follows the composition is
nearly undone by spectra moved against each other, and by turns alone would be forgotten
over hundreds of rounds; that move is therefore tried by itself. Only the prior, by which
drift knows nothing of the composition, tells the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from specfit.maps import drifting
from specfit.maps.blurring import SHARP, Blur, blur
from specfit.maps.drifting import Pixels, Table
from specfit.maps.fitting import Chunked, Progress, State, leap, length, turned
from specfit.maps.found import Array, Factorisation
from specfit.maps.intervals import share
from specfit.maps.knots import PARTS, Knots, knots
from specfit.maps.space import alone

LONGEST = 32.0
"""Steps that are leapt over at most."""
WORTH = 0.5
"""Of the objective, that a move of the spectra against each other must promise."""
STILL = 0.02
"""Standard deviations of the drift by which pixels still move, on average, at rest."""


@dataclass(frozen=True)
class Aligned:
    """Weights and drifts of the pixels, in chunks, and coefficients (K, J) of spectra.

    Coefficients of a smooth spectrum are those that it is blurred from. `laws` (B, M) do
    not drift. Spectra have nothing at the knots `held` (J,), where the background is
    alone.
    """

    of: Pixels
    coefficients: Array
    laws: Array
    knots: Knots
    held: NDArray[np.bool_]
    sd: float
    blur: Blur = SHARP
    objective: tuple[float, ...] = ()
    converged: bool = False

    def table(self, coefficients: Array | None = None) -> Table:
        """The spectra of every drift."""
        given = self.coefficients if coefficients is None else coefficients
        spectra, slopes = self.knots.read(self.blur.made(given))
        return Table(
            spectra=jnp.asarray(spectra),
            slopes=jnp.asarray(slopes),
            laws=jnp.asarray(self.laws),
            drifts=jnp.asarray(self.knots.drifts),
            area=jnp.asarray(spectra.sum(axis=2)),
            level=jnp.asarray(self.laws.sum(axis=1)),
            sd=jnp.asarray(self.sd),
        )

    @property
    def spectra(self) -> Array:
        """All spectra (K + B, M) without drift."""
        made = self.blur.made(self.coefficients)
        own = self.knots.read(made)[0][self.knots.none]
        return np.concatenate([own, self.laws])


def begun(
    data: Chunked, state: State, energy: Array, request: Factorisation
) -> Aligned:
    """No drift, and the spectra that were found without any."""
    k, sd = request.components, request.drift_sd
    of, laws = knots(energy, sd), state.s[k:]
    shape = data.x.shape[:2]
    g, wide = jnp.full(shape, of.none), jnp.full(shape, PARTS // 8)
    c = state.c.astype(jnp.float64)
    first = Pixels(c, g, wide, jnp.zeros_like(c))
    window = alone(request, energy) * float(len(laws) > 0)
    held = np.interp(of.places, energy, window) > 0.5
    rows = np.where(held, 0.0, of.written(state.s[:k], energy))
    return Aligned(first, rows, laws, of, held, sd, blur(request.smooth, of.places))


def aligned(
    data: Chunked, start: Aligned, request: Factorisation, progress: Progress | None
) -> Aligned:
    """Weights, drifts and spectra of greatest objective near a start.

    Converged: in two cycles running the pixels moved by less than `STILL` and the space
    of the spectra turned by less than the tolerance of a step.
    """
    now, heights, quiet, looked = start, list(start.objective), 0, False
    for turn in range(max(1, request.iterations // 3)):
        before = now
        one, low = _turned(data, now)
        two, high = _turned(data, one)
        now, height = _leapt(data, (now, one, two))
        now, last = _parted(data, now, height)
        heights += [low, high, height, last]
        if progress is not None:
            progress("aligning", turn, last)
        moved = np.mean(np.abs(np.asarray(now.of.g - before.of.g)))
        still = moved * now.knots.step < STILL * now.sd
        still &= turned(before.spectra, now.spectra) < 3.0 * request.tolerance
        quiet = quiet + 1 if still else 0
        if turn == 2 or (quiet >= 2 and not looked):
            looked, quiet = quiet >= 2, 0
            now, each = elsewhere(data, now)
            heights.append(float(jnp.sum(each)))
        if quiet >= 2:
            break
    return replace(now, objective=tuple(heights), converged=quiet >= 2)


def _turned(data: Chunked, now: Aligned) -> tuple[Aligned, float]:
    """Better pixels, then better spectra; the objective between the two."""
    now, each = pixels(data, now)
    return _sharper(data, now), float(jnp.sum(each))


def _leapt(
    data: Chunked, of: tuple[Aligned, Aligned, Aligned]
) -> tuple[Aligned, float]:
    """Spectra far along the last two steps, or else the last; as in `fitting`."""
    a, b, c = (one.coefficients for one in of)
    last, each = pixels(data, of[2])
    far = leap(a, b, c, min(length((a, b, c)), LONGEST))
    tried, higher = pixels(data, _unit(replace(last, coefficients=far)))
    reached, height = float(jnp.sum(higher)), float(jnp.sum(each))
    return (tried, reached) if reached > height else (last, height)


def pixels(data: Chunked, now: Aligned) -> tuple[Aligned, jax.Array]:
    """Better weights and drifts, and the objective (chunks, n) there."""
    found, heights = drifting.stepped(data.x, now.of, now.table())
    return replace(now, of=found), heights


def elsewhere(data: Chunked, now: Aligned) -> tuple[Aligned, jax.Array]:
    """As `pixels`, wherever their drifts might be."""
    found, heights = drifting.elsewhere(data.x, now.of, now.table())
    return replace(now, of=found), heights


def _sharper(data: Chunked, now: Aligned) -> Aligned:
    """A step of expectation-maximisation of the spectra, at no drift of unit area."""
    ratio, weight = drifting.expected(data.x, now.of, now.table())
    of = now.knots
    seen = now.blur.back(of.returned(np.asarray(ratio)))
    even = np.asarray(weight)[:, :, None] * np.ones(of.first.shape[1])
    area = now.blur.back(of.returned(even))
    found = now.coefficients * seen / np.maximum(area, 1e-300)
    # what no pixel reaches is told by nothing
    return _unit(
        replace(now, coefficients=np.where(area > 1e-9 * area.max(), found, 0.0))
    )


def _unit(now: Aligned) -> Aligned:
    k = len(now.coefficients)
    size = now.spectra[:k].sum(axis=1)
    scale = jnp.asarray(np.concatenate([size, np.ones(len(now.laws))]))
    of = now.of._replace(c=now.of.c * scale, tilt=now.of.tilt * scale)
    return replace(now, coefficients=now.coefficients / size[:, None], of=of)


def _parted(data: Chunked, now: Aligned, height: float) -> tuple[Aligned, float]:
    """Spectra moved by what the drift has of the composition, if that is the better."""
    k = len(now.coefficients)
    own = share(np.asarray(now.of.c[..., :k]))
    drift = now.knots.drifts[np.asarray(now.of.g)]
    seen = np.isfinite(own[..., 0])
    by = np.linalg.lstsq(own[seen], drift[seen], rcond=None)[0]
    left = np.where(seen, drift - np.nan_to_num(own) @ by, 0.0)
    if np.sum(drift[seen] ** 2 - left[seen] ** 2) < 2.0 * WORTH * now.sd**2:
        return now, height
    g = np.rint(left / now.knots.step).astype(int) + now.knots.none
    g = np.clip(g, 0, now.knots.drifts.size - 1)
    moved = replace(
        now,
        coefficients=np.where(now.held, 0.0, now.knots.moved(now.coefficients, by)),
        of=now.of._replace(g=jnp.asarray(g, now.of.g.dtype)),
    )
    # spectra between knots are not quite those at knots: one step mends that
    tried, each = pixels(data, _turned(data, _unit(moved))[0])
    higher = float(jnp.sum(each))
    return (tried, higher) if higher > height else (now, height)
