"""Each kind of peak against formulas computed another way."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special

from specfit.constants import SIGMA_FWHM
from specfit.model.functions import FUNCTIONS
from specfit.peaks import PEAKS

AREAS = [name for name, kind in PEAKS.items() if kind.amount == "A"]
VALUES = {
    "xc": 40.0, "wG": 0.3, "wL": 0.2, "FWHM": 0.4, "eta": 0.35, "ratio": 0.5,
    "lambda_1": 1.540593, "lambda_2": 1.544427, "w_low": 0.3, "w_high": 0.7, "alpha": 0.15,
}  # fmt: skip


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def curve(name, x, **changed):
    values = {k: jnp.asarray(v) for k, v in {**VALUES, **changed}.items()}
    return np.asarray(PEAKS[name].profile(values, jnp.atleast_1d(jnp.asarray(x))))


@pytest.mark.parametrize("name", AREAS)
def test_a_peak_has_unit_area(name):
    """To what lies beyond ±2000 widths: Lorentzian tails hold 2/π × width / distance."""
    width = 0.5

    def at(u):
        return float(curve(name, 40.0 + width * np.sinh(u))[0]) * width * np.cosh(u)

    if name == "doublet_ka":
        far = np.linspace(-9, 9, 200_001)
        x = 40.0 + width * np.sinh(far)
        area = np.trapezoid(curve(name, x), x)
    else:
        area, _ = integrate.quad(at, -9, 9, limit=400)
    assert area == pytest.approx(1.0, abs=2e-3)


@given(st.floats(-3, 3), st.floats(1e-3, 2), st.floats(1e-3, 2))
def test_voigt_is_that_of_scipy(offset, gauss, lorentz):
    with jax.enable_x64(True):
        mine = curve("voigt", 40.0 + offset, wG=gauss, wL=lorentz)[0]
    at = (40.0 + offset) - 40.0
    theirs = special.voigt_profile(at, gauss / SIGMA_FWHM, lorentz / 2)
    assert mine == pytest.approx(theirs, rel=1e-9)


@given(st.floats(1e-9, 3), st.floats(1e-9, 3))
def test_the_height_of_a_voigt_peak(gauss, lorentz):
    """Also where one part vanishes; the same by NumPy and by JAX."""
    theirs = special.voigt_profile(0.0, gauss / SIGMA_FWHM, lorentz / 2)
    mine = FUNCTIONS["voigt_height"].meaning(np, np.float64(gauss), np.float64(lorentz))
    assert mine == pytest.approx(theirs, rel=1e-9)
    with jax.enable_x64(True):
        jaxed = FUNCTIONS["voigt_height"].meaning(
            jnp, jnp.asarray(gauss), jnp.asarray(lorentz)
        )
    assert float(jaxed) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("name", ["gaussian", "lorentzian", "voigt", "pseudo_voigt"])
def test_height_and_full_width_are_those_of_the_curve(name):
    """As the signature computes them, against the curve itself."""
    known = {**VALUES, "A": 7.0}
    for p in PEAKS[name].signature.parameters:
        if p.computed:
            known[p.symbol] = _evaluated(p.default.removeprefix("= "), known)
    top = 7.0 * curve(name, 40.0)[0]
    assert known["height"] == pytest.approx(top, rel=1e-9)
    half = 7.0 * curve(name, 40.0 + known["FWHM"] / 2)[0]
    assert half == pytest.approx(top / 2, rel=1e-3)  # Olivero and Longbothum: 0.02 %


def _evaluated(formula, known):
    """A formula of the language, as Python reads it: the two agree on these."""
    names = {
        "voigt_fwhm": lambda g, w: FUNCTIONS["voigt_fwhm"].meaning(np, g, w),
        "voigt_height": lambda g, w: FUNCTIONS["voigt_height"].meaning(np, g, w),
        "sigma_of": lambda w: w / SIGMA_FWHM,
    }
    return float(eval(formula, {"__builtins__": {}}, {**names, **known}))


def test_the_second_line_of_a_doublet_stands_by_braggs_law():
    theta = np.radians(20.0)
    second = 2 * np.degrees(np.arcsin(np.sin(theta) * 1.544427 / 1.540593))
    narrow = {"wG": 1e-3, "wL": 1e-3}
    at = curve("doublet_ka", [40.0, second, 0.5 * (40.0 + second)], **narrow)
    alone = curve("voigt", 40.0, **narrow)[0]
    assert at[:2] == pytest.approx([alone * 2 / 3, alone / 3], rel=1e-3)
    assert at[2] < 1e-2 * at[1]


def test_the_halves_of_a_split_peak_meet_and_have_their_own_widths():
    top = curve("split_pseudo_voigt", 40.0)[0]
    near = curve("split_pseudo_voigt", [40.0 - 1e-9, 40.0 + 1e-9])
    assert near == pytest.approx([top, top], rel=1e-6)
    halves = curve("split_pseudo_voigt", [40.0 - 0.15, 40.0 + 0.35])
    assert halves == pytest.approx([top / 2, top / 2], rel=1e-9)


def test_a_doniach_sunjic_line_is_a_lorentzian_without_asymmetry():
    x = np.linspace(38, 42, 9)
    plain = curve("doniach_sunjic", x, alpha=0.0)
    lorentz = curve("lorentzian", x)
    assert plain == pytest.approx(lorentz / curve("lorentzian", 40.0)[0], rel=1e-9)
    high, low = curve("doniach_sunjic", [42.0, 38.0])
    assert high > 2 * low  # the tail is at higher binding energy
    assert curve("doniach_sunjic", 40.0)[0] == pytest.approx(1.0)
    x = np.linspace(39.8, 40.3, 200_001)
    top = x[np.argmax(curve("doniach_sunjic", x))]
    assert top == pytest.approx(40.0 - 0.1 / np.tan(np.pi / (2 - 0.15)), abs=1e-5)


@pytest.mark.parametrize("name", PEAKS)
@pytest.mark.parametrize("tiny", [0.0, 1e-12, 1e-6])
def test_slopes_are_finite_to_the_edges(name, tiny):
    """As either width of a Voigt peak vanishes, in the centre and far away."""
    x = jnp.array([39.0, 40.0, 40.0 + 1e-7, 45.0])
    for changed in ({"wG": tiny}, {"wL": tiny}, {"alpha": tiny}, {"eta": tiny}):
        values = {k: jnp.asarray(v) for k, v in {**VALUES, **changed}.items()}

        def total(values):
            return jnp.sum(PEAKS[name].profile(values, x))

        if name in ("gaussian", "lorentzian") and tiny == 0.0:
            continue  # a single width that is nothing makes no curve
        value, slopes = jax.value_and_grad(total)(values)
        assert np.isfinite(float(value))
        assert all(np.isfinite(float(s)) for s in slopes.values())


def test_unused_names_are_not_needed():
    """A profile asks for its own parameters alone."""
    for kind in PEAKS.values():
        own = {p.symbol for p in kind.signature.parameters if not p.computed}
        values = {k: jnp.asarray(v) for k, v in VALUES.items() if k in own}
        assert np.isfinite(np.asarray(kind.profile(values, jnp.array([40.1])))).all()
