"""The Voigt profile: a Lorentzian whose centre has a Gaussian distribution.

With z = (offset + i fwhm/2) / (√2 sigma) the profile is Re w(z) / (√(2π) sigma), w the
Faddeeva function.  It is computed by the trapezoidal or the midpoint rule in
w(z) = (i/π) ∫ exp(−t²) / (z − t) dt, whichever has its nodes further from the pole,
plus the residue of that pole where it is not negligible.  Written in the unscaled
variables the rule is a finite sum of shifted Lorentzians with positive weights.  That
is why this method was taken and not a rational approximation with a continued fraction:
nothing is divided by sigma, so the profile and all its derivatives pass to the
Lorentzian at sigma = 0; no term cancels another, so the far wing and a vanishing `fwhm`
keep their relative accuracy; and automatic differentiation of any order needs no rule
of its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from specfit.contracts import Array, ParameterSignature, Shape, Signature
from specfit.lazy import LazyModule

if TYPE_CHECKING:
    import jax.numpy as jnp
else:
    jnp = LazyModule("jax.numpy")

_N_NODES = 12  # per side; the error of the rule is about exp(−π n), here 4e-17
_STEP = math.sqrt(math.pi / _N_NODES)
_HEIGHT = math.pi / _STEP  # Im z from which the residue is below rounding
_REACH = 27.2  # |Re z| from which exp(−(Re z)²) underflows
_ROOT2 = math.sqrt(2.0)

_INDEX = np.arange(_N_NODES)
_MIDPOINT = (_INDEX + 0.5) * _STEP
_TRAPEZOID = _INDEX * _STEP
_MIDPOINT_WEIGHT = np.exp(-(_MIDPOINT**2)) * _STEP / math.sqrt(math.pi)
_TRAPEZOID_WEIGHT = np.exp(-(_TRAPEZOID**2)) * _STEP / math.sqrt(math.pi)
_TRAPEZOID_WEIGHT[0] *= 0.5  # counted on both sides


def profile(offset: Array, fwhm: Array, sigma: Array) -> Array:
    """The Voigt profile of unit area.

    Arguments: offset from the centre, Lorentzian full width, Gaussian standard
    deviation; one unit, mutually broadcast.

    Valid for: fwhm > 0 or sigma > 0; sigma = 0 is the Lorentzian, fwhm = 0 the
    Gaussian, both with finite derivatives.  The relative error is below 1e-13.

    Source: M. Al Azah, S. N. Chandler-Wilde, SIAM J. Numer. Anal. 59, 2346 (2021),
    doi:10.1137/20M1373037, equations for w_N with N = 11.
    """
    hwhm = 0.5 * fwhm
    reach = _ROOT2 * sigma
    near_pole = (hwhm < _HEIGHT * reach) & (jnp.abs(offset) < _REACH * reach)
    scale = jnp.where(near_pole, reach, 1.0)
    real = jnp.where(near_pole, offset, 0.0) / scale
    imaginary = jnp.where(near_pole, hwhm, 0.0) / scale
    phase = real / _STEP
    trapezoid = jnp.abs(phase - jnp.floor(phase) - 0.5) <= 0.25
    residue = _residue(real, imaginary, jnp.where(trapezoid, phase, phase - 0.5))
    residue = residue / (math.sqrt(math.pi) * scale)
    return _rule(offset, hwhm, reach, trapezoid) + jnp.where(near_pole, residue, 0.0)


def _rule(offset: Array, hwhm: Array, reach: Array, trapezoid: Array) -> Array:
    """The weighted sum of Lorentzians at ± node·reach, paired to save divisions."""
    total = jnp.zeros_like(offset * hwhm * reach)
    square = hwhm * hwhm
    for k in range(_N_NODES):
        shift = reach * jnp.where(trapezoid, _TRAPEZOID[k], _MIDPOINT[k])
        weight = jnp.where(trapezoid, _TRAPEZOID_WEIGHT[k], _MIDPOINT_WEIGHT[k])
        left = (offset - shift) ** 2 + square
        right = (offset + shift) ** 2 + square
        total = total + weight * (left + right) / (left * right)
    return total * hwhm / math.pi


def _residue(real: Array, imaginary: Array, phase: Array) -> Array:
    """Re 2 exp(−z²) / (1 − exp(−2πi (z/h − s))), with `phase` = Re z/h − s."""
    decay = jnp.exp(-2.0 * math.pi / _STEP * imaginary)
    angle = 2.0 * math.pi * phase
    twist = 2.0 * real * imaginary
    cosine = jnp.cos(angle)
    numerator = jnp.cos(twist) * (decay - cosine) - jnp.sin(twist) * jnp.sin(angle)
    denominator = 1.0 + decay * (decay - 2.0 * cosine)
    envelope = jnp.exp((imaginary - real) * (imaginary + real))
    return 2.0 * envelope * decay * numerator / denominator


SHAPE = Shape(
    signature=Signature(
        name="voigt",
        title="Voigt profile",
        parameters=(
            ParameterSignature(
                symbol="fwhm",
                dimension="axis",
                unit="",
                meaning="full width at half maximum of the Lorentzian part",
                low=0.0,
            ),
            ParameterSignature(
                symbol="sigma",
                dimension="axis",
                unit="",
                meaning="standard deviation of the Gaussian part",
                low=0.0,
            ),
        ),
        source="M. Al Azah, S. N. Chandler-Wilde, SIAM J. Numer. Anal. 59, 2346 "
        "(2021), doi:10.1137/20M1373037",
    ),
    profile=profile,
)
