"""Physical laws that expressions can name: of temperature, of ordering, of valence.

Each is written once for any array module `xp`, NumPy or jax.numpy, and has a finite
value and a finite gradient wherever its arguments are finite: outside its domain (a
Debye temperature that is not positive, a spin below one half) the nearest value inside
takes the place of an argument.  Temperatures are in kelvin, shifts in mm/s.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from specfit.constants import BOLTZMANN_OVER_MC, RECOIL_TEMPERATURE
from specfit.contracts import FloatArray

LEAST_DEBYE = 1.0
LEAST_TEMPERATURE = 1e-3
"""K: what a Debye temperature, and a temperature, are not below."""

_COLD = 50.0
"""x beyond which 1/(eˣ − 1) is nothing: 2e-22."""

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(40)
_POINTS, _WEIGHTS = 0.5 * (_POINTS + 1.0), 0.5 * _WEIGHTS

_CIRCLE = np.cos(np.pi * (np.arange(64) + 0.5) / 64)
_VERY_THICK = 400.0

_NEAR = 1e-6
"""How near to the ordering temperature a field becomes linear in it, relatively."""

_TERMS = 64


def _debye(xp: Any, power: int, debye: Any, temperature: Any) -> tuple[Any, Any]:
    """Θ and ∫₀^{Θ/T} xⁿ/(eˣ − 1) dx / (Θ/T)ⁿ⁺¹, both temperatures kept positive.

    Gauss–Legendre with 40 points up to x = 50; relative error below 1e-13.
    """
    debye = xp.maximum(xp.asarray(debye, dtype=float), LEAST_DEBYE)
    temperature = xp.maximum(xp.asarray(temperature, dtype=float), LEAST_TEMPERATURE)
    end = debye / temperature
    reached = xp.minimum(end, _COLD)
    points = _POINTS.reshape((1,) * end.ndim + _POINTS.shape)
    heights = points**power / xp.expm1(reached[..., None] * points)
    integral = (heights * _WEIGHTS.reshape(points.shape)).sum(axis=-1)
    return debye, integral * (reached / end) ** (power + 1)


def sod(xp: Any, debye: Any, temperature: Any) -> Any:
    """Second-order Doppler shift of 57Fe in a Debye solid, mm/s: negative.

    δ = −(9 k_B / 2 M c) [Θ/8 + T (T/Θ)³ ∫₀^{Θ/T} x³/(eˣ − 1) dx]; −7.307e-4 mm/s/K
    where T is far above Θ.

    Source: R. V. Pound, G. A. Rebka, Phys. Rev. Lett. 4, 274 (1960), Debye model.
    """
    debye, integral = _debye(xp, 3, debye, temperature)
    return -4.5 * BOLTZMANN_OVER_MC * debye * (0.125 + integral)


def debye_f(xp: Any, debye: Any, temperature: Any) -> Any:
    """Recoil-free fraction of the 14.4 keV line of 57Fe in a Debye solid.

    f = exp{−(6 E_R / k_B Θ) [1/4 + (T/Θ)² ∫₀^{Θ/T} x/(eˣ − 1) dx]}.

    Source: N. N. Greenwood, T. C. Gibb, Mössbauer Spectroscopy (1971), section 1.4.
    """
    debye, integral = _debye(xp, 1, debye, temperature)
    return xp.exp(-6.0 * RECOIL_TEMPERATURE / debye * (0.25 + integral))


def ingalls(xp: Any, splitting: Any, temperature: Any, degeneracy: Any = 2.0) -> Any:
    """QS(T)/QS(0) of high-spin Fe2+ whose lowest orbital levels lie `splitting` apart.

    (1 − e)/(1 + g e), e = exp(−Δ/T), Δ in kelvin (1 K = 0.695 cm⁻¹), g the number of
    upper levels for each lower one: 2 for the orbital singlet below the doublet, 1/2
    for the doublet below, 1 for two singlets of opposite field gradient.

    Valid for: no spin–orbit coupling; above some 50 K.
    Source: R. Ingalls, Phys. Rev. 133, A787 (1964).
    """
    temperature = xp.maximum(xp.asarray(temperature, dtype=float), LEAST_TEMPERATURE)
    upper = xp.exp(-xp.maximum(splitting, 0.0) / temperature)
    return (1.0 - upper) / (1.0 + xp.maximum(degeneracy, 0.0) * upper)


def reduced_field(
    xp: Any, temperature: Any, ordering: Any, inner: Any, outer: Any
) -> Any:
    """B(T)/B(0) = (1 − (T/T_order)ᵃ)ᵇ; 0 at and above T_order.

    An empirical law: b near T_order is the critical exponent (0.33–0.37 in three
    dimensions), a = 3/2 at low temperature is Bloch's.  Linear in 1 − (T/T_order)ᵃ below
    1e-6 of it, so that the gradient stays finite.
    """
    ratio = xp.clip(_ratio(xp, temperature, ordering), 1e-9, 1.0)
    left = 1.0 - ratio ** xp.maximum(inner, 0.0)
    outer = xp.maximum(outer, 0.0)
    far = xp.maximum(left, _NEAR)
    return xp.minimum(left / _NEAR, 1.0) * far**outer


def brillouin(xp: Any, spin: float, temperature: Any, ordering: Any) -> Any:
    """B(T)/B(0) in the molecular field of spins S; 0 at and above T_order.

    The m of m = B_S(3S/(S + 1) · m T_order/T), good to 1e-9.  Within 1e-6 of T_order
    it is linear in the temperature, so that the gradient stays finite.  S is a number:
    m²/(1 − T/T_order) is smooth and is kept as a Chebyshev series for each S, since an
    iteration would have to be differentiated, and compiled, at each temperature.

    Source: P. Weiss, J. Phys. Radium 6, 661 (1907); C. Kittel, Introduction to Solid
    State Physics, the chapter on ferromagnetism.
    """
    series = _mean_field(float(spin))
    ratio = _ratio(xp, temperature, ordering)
    left = xp.clip(1.0 - ratio, 0.0, 1.0)
    inside = xp.clip(ratio, _NEAR, 1.0 - _NEAR)
    orders = np.arange(series.size).reshape((1,) * inside.ndim + series.shape)
    waves = xp.cos(orders * xp.arccos(2.0 * inside - 1.0)[..., None])
    smooth = (waves * series.reshape(orders.shape)).sum(axis=-1)
    return xp.sqrt((1.0 - inside) * smooth) * xp.minimum(left / _NEAR, 1.0)


def _ratio(xp: Any, temperature: Any, ordering: Any) -> Any:
    ordering = xp.maximum(xp.asarray(ordering, dtype=float), LEAST_TEMPERATURE)
    return xp.maximum(temperature, 0.0) / ordering


@lru_cache(maxsize=32)
def _mean_field(spin: float) -> FloatArray:
    """The Chebyshev series of m²/(1 − t) over t = T/T_order in [0, 1].

    With h(x) = 3S/(S + 1) · B_S(x)/x, which falls from 1 and must be t, 1/h² is nearly
    linear in x²: Newton's steps from the tangent at 0 meet it at once.
    """
    nodes = np.cos(np.pi * (np.arange(_TERMS) + 0.5) / _TERMS)
    t = np.maximum(0.5 * (nodes + 1.0), 0.01)  # m is 1 to the last digit below
    slope = ((spin + 1.0) ** 2 + spin**2) / (15.0 * spin**2)
    square = (t**-2 - 1.0) / slope
    for _ in range(8):
        x = np.sqrt(square)
        height, rise = _brillouin(spin, x)
        now = square / (3.0 * spin / (spin + 1.0) * height) ** 2
        square -= (now - t**-2) / (now / square * (1.0 - x * rise / height))
    height, _ = _brillouin(spin, np.sqrt(square))
    series = np.polynomial.chebyshev.chebfit(
        nodes, height**2 / (0.5 - 0.5 * nodes), _TERMS - 1
    )
    return np.asarray(series)


def _brillouin(spin: float, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """B_S(x) and its slope: A L(Ax) − b L(bx), A = 1 + 1/2S, b = 1/2S, L Langevin's."""
    small = 0.5 / spin
    large = 1.0 + small
    (value, slope), (less, flatter) = (_langevin(k * x) for k in (large, small))
    return large * value - small * less, large**2 * slope - small**2 * flatter


def _langevin(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Langevin's coth z − 1/z and its slope; their series below 0.1."""
    near = z < 0.1
    far, low = np.where(near, 0.1, z), np.where(near, z, 0.1)
    q = low**2
    series = low * (
        1 / 3 - q * (1 / 45 - q * (2 / 945 - q * (1 / 4725 - q * 2 / 93555)))
    )
    rise = 1 / 3 - q * (1 / 15 - q * (2 / 189 - q * (1 / 675 - q * 2 / 10395)))
    value = np.where(near, series, 1.0 / np.tanh(far) - 1.0 / far)
    return value, np.where(near, rise, far**-2 - np.sinh(far) ** -2)


def saturated(xp: Any, depth: Any) -> Any:
    """Area of a Lorentzian line of optical depth `depth` over that of a thin one.

    exp(−t/2) [I0(t/2) + I1(t/2)], as the mean of (1 + cos φ) exp(−t/2 (1 − cos φ)) over
    a circle, which evenly spaced angles give to 1e-14 up to t = 500; beyond 400 it is
    2 / √(π t) · (1 − 1 / 4t), there right to 1e-6.

    Source: J. M. Williams, J. S. Brooks, Nucl. Instrum. Methods 128, 363 (1975); the
    integral: M. Abramowitz, I. Stegun, Handbook of Mathematical Functions, 9.6.19.
    """
    depth = xp.maximum(xp.asarray(depth, dtype=float), 0.0)
    half = 0.5 * xp.minimum(depth, _VERY_THICK)[..., None]
    circle = (xp.exp(-half * (1.0 - _CIRCLE)) * (1.0 + _CIRCLE)).mean(axis=-1)
    far = xp.maximum(depth, _VERY_THICK)
    beyond = 2.0 / xp.sqrt(np.pi * far) * (1.0 - 0.25 / far)
    return xp.where(depth < _VERY_THICK, circle, beyond)


def saturated_ratio(xp: Any, weight: Any, middle: Any, depth: Any) -> Any:
    """Area of a line of a thick sextet over that of line 3, as a spectrum shows them.

    The lines share `depth`, their optical depths together, as 3 : x : 1 : 1 : x : 3;
    weight: 3 or x, of the line; middle: x.  From the weight of a thin absorber the ratio
    goes to its square root.
    """
    each = depth / (8.0 + 2.0 * xp.maximum(middle, 0.0))
    return weight * saturated(xp, weight * each) / saturated(xp, each)


def magnetite_vacancies(xp: Any, ratio: Any, recoil_free: Any) -> Any:
    """δ of Fe₃₋δO₄ from the areas of its sites, above the Verwey transition.

    ratio: area of Fe2.5+ / area of Fe3+; recoil_free: f'_B/f'_A, 0.94(2) at 295 K.  Of
    Fe3+[Fe2.5+₂₋₆δ Fe3+₅δ □δ]O₄ the ratio is f'(2 − 6δ)/(1 + 5δ), hence
    δ = (2f' − ratio)/(6f' + 5 ratio): 0 for magnetite, 1/3 for maghemite, and below 0
    where no magnetite has such areas.  A mixture of both has the same areas.

    Source: J. M. Daniels, A. Rosencwaig, J. Phys. Chem. Solids 30, 1561 (1969);
    f': G. A. Sawatzky, F. van der Woude, A. H. Morrish, Phys. Rev. 183, 383 (1969).
    """
    whole = 6.0 * recoil_free + 5.0 * xp.maximum(ratio, 0.0)
    return (2.0 * recoil_free - ratio) / xp.maximum(whole, 1e-9)


def ferrous_share(xp: Any, vacancies: Any) -> Any:
    """Fe2+/Fe3+ of Fe₃₋δO₄: (1 − 3δ)/(2 + 2δ); 0.5 for magnetite, 0 for maghemite.

    Source: charge balance; C. A. Gorski, M. M. Scherer, Am. Mineral. 95, 1017 (2010).
    """
    return (1.0 - 3.0 * vacancies) / xp.maximum(2.0 + 2.0 * vacancies, 1e-9)
