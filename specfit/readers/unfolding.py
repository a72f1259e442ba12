"""A raw spectrum that is not folded: every live channel at its own velocity.

The calibration is carried as the normal distribution that its own unfolded fit gives of
the drive's terms: velocity is linear in them, and 10⁵ counts a channel leave nothing in
their likelihood that is not normal.  A second spectrum in the density would say the
same with twenty more unknowns.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.linalg import norm

from specfit.contracts import FloatArray, Measurement
from specfit.readers.checks import check_enough
from specfit.readers.folding import Mirror, Spectrum
from specfit.readers.iron_halves import Halves
from specfit.readers.velocity import VelocityScale
from specfit.readers.waveform import (
    MIRROR,
    MIRROR_SD,
    NONLINEARITY_SD,
    SCALE,
    TERMS,
    ZERO,
    Waveform,
)
from specfit.readers.wording import Found, plus_minus

APART = 2.0  # channels between two mirror points that one drive does not explain


def unfolded(
    name: str,
    spectrum: Spectrum,
    scale: VelocityScale,
    found: Found,
    outer: float,
    halves: Halves | None,
) -> Measurement:
    """Every live channel at its velocity, with all that stays open of the drive.

    outer: mm/s, of the lines that the drive's departures are stated at.  halves: what
    the calibration says of the drive; without it only what drives are like is known.
    """
    channel = np.arange(1.0, len(spectrum.counts) + 1)[~spectrum.dead]
    check_enough(len(channel), name)
    found = [*found, ("folded", f"no: {len(channel)} raw channels, each its velocity")]
    if halves is None:
        waveform = _unseen(scale, spectrum.mirror)
        found.append(_begun(spectrum.mirror.point, "by the symmetry of the spectrum"))
    else:
        waveform, told = _drifted(halves.waveform, spectrum.mirror, scale.direction)
        found += [*_describe(halves, outer), told]
    axis = waveform.velocity(channel)
    order = np.argsort(axis, kind="stable")
    channel = channel[order]
    return Measurement(
        axis[order],
        spectrum.counts[~spectrum.dead][order],
        axis_jacobian=waveform.jacobian(channel),
        nuisance_names=TERMS,
        position=waveform.position(channel),
        readings=waveform.readings(outer),
        found=tuple(found),
    )


def _drifted(
    waveform: Waveform, own: Mirror, direction: int
) -> tuple[Waveform, tuple[str, str]]:
    """The calibration's waveform, its mirror point free to drift until the sample."""
    covariance = waveform.covariance.copy()
    maximum = float(waveform.coefficients[SCALE])
    covariance[MIRROR, MIRROR] += (MIRROR_SD * maximum) ** 2
    mirror, whose = waveform.mirror, "the calibration's"
    if own.known and abs(own.point - mirror) > APART:
        mirror, whose = own.point, "the sample's own: the calibration's is far off"
    moved = replace(waveform, mirror=mirror, direction=direction, covariance=covariance)
    return moved, _begun(mirror, whose)


def _unseen(scale: VelocityScale, mirror: Mirror) -> Waveform:
    """The waveform of a stated maximum velocity: straight, as far as drives are."""
    found = np.zeros(len(TERMS))
    found[[ZERO, SCALE]] = -scale.maximum * scale.centre, scale.maximum
    spread = np.full(len(TERMS), NONLINEARITY_SD * scale.maximum)
    spread[MIRROR] = float(np.hypot(MIRROR_SD, mirror.sd)) * scale.maximum
    covariance = np.diag(spread**2)
    both = np.ix_([SCALE, ZERO], [SCALE, ZERO])
    covariance[both] = _of_terms(scale)
    return Waveform(scale.drive, mirror.point, scale.direction, found, covariance)


def _of_terms(scale: VelocityScale) -> FloatArray:
    """(2, 2) covariance of the scale and of the constant term, mm/s.

    v = (1 + s) · v₀ + z with v₀ = direction · maximum · (u − centre): the terms move by
    s · maximum and direction · z − s · maximum · centre.
    """
    move = np.array(
        [[scale.maximum, 0.0], [-scale.maximum * scale.centre, scale.direction]]
    )
    least = np.diag([1e-12 * scale.maximum**2, 1e-12])  # a stated ± 0 has a root too
    return np.asarray(move @ scale.covariance @ move.T + least)


def _begun(mirror: float, whose: str) -> tuple[str, str]:
    text = f"channel {mirror:.3f} ± {MIRROR_SD:g} before the fit ({whose})"
    return "mirror point of the fit", text


def _describe(halves: Halves, outer: float) -> Found:
    residuals = ", ".join(f"{r:+.2f}" for r in halves.residuals)
    chi2 = f"χ² {halves.chi2:.1f} on {halves.degrees:.1f} degrees of freedom"
    verdict = f"cubics of both halves reach them ({chi2})"
    if halves.widened > 1.0:
        verdict = (
            f"they scatter more about cubics of both halves than their errors ({chi2}): "
            f"the errors of the drive widened by {halves.widened:.1f}"
        )
    figures = [
        (f"calibration: {r.label}", plus_minus(r.value, float(norm(r.weights)), r.unit))
        for r in halves.waveform.readings(outer)
    ]
    return [
        ("α-Fe lines, unfolded", f"{verdict}; fit χ² {halves.fit_chi2:.2f}"),
        ("α-Fe lines off the cubics", f"{residuals} channels, half by half"),
        *figures,
    ]
