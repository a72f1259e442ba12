"""The whole Hamiltonian against tabulated spectra, slow arithmetic and the resolvent."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.sites import SITES, first_order_error
from specfit.sites.transitions import axes, gradient_along, iron, iron_slopes

DEFAULT = np.array(FIELD_SCALES[DEFAULT_FIELD_SCALE].slopes)
CODATA = np.array(FIELD_SCALES["CODATA"].slopes)
NAMES = ("IS", "Bint", "eQVzz", "eta", "theta", "phi")
SIGMAS = ("sigma_IS", "sigma_Bint", "sigma_eQVzz", "f_anisotropy")


def lines(slopes=DEFAULT, **given):
    values = dict.fromkeys((*NAMES, *SIGMAS), 0.0) | given
    values = {k: jnp.asarray(v) for k, v in values.items()}
    return compiled(values, slopes)


@jax.jit
def compiled(values, slopes):
    return SITES["hamiltonian"].lines(values, slopes)


def sorted_lines(slopes=DEFAULT, **given):
    """(8, 2): positions, rising, and areas that sum to four."""
    found = lines(slopes, **given)
    order = np.argsort(found.position)
    return np.column_stack([found.position, 4.0 * found.area])[order]


# ------------------------------------------------------------- slow arithmetic


def spins(spin):
    m = np.arange(spin, -spin - 1.0, -1.0)
    ladder = np.sqrt(spin * (spin + 1.0) - m[1:] * (m[1:] + 1.0))
    raising = np.diag(ladder, 1).astype(complex)
    return (
        (raising + raising.T) / 2.0, (raising - raising.T) / 2.0j, np.diag(m + 0j)
    )  # fmt: skip


CLEBSCH = {  # ⟨½ m_g; 1 q | 3/2 m_e⟩
    (0.5, 1.5): 1.0, (0.5, 0.5): np.sqrt(2 / 3), (0.5, -0.5): np.sqrt(1 / 3),
    (-0.5, 0.5): np.sqrt(1 / 3), (-0.5, -0.5): np.sqrt(2 / 3), (-0.5, -1.5): 1.0,
}  # fmt: skip


def slow(slopes, **of):
    """Both states in the principal axes of the field gradient, squared amplitudes."""
    theta, phi = np.deg2rad([of["theta"], of["phi"]])
    axis = [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
    ground, excited = slopes[1] + slopes[2], (slopes[0] - slopes[2]) / 2.0
    x, y, z = spins(1.5)
    high = (
        excited * of["Bint"] * sum(a * s for a, s in zip(axis, (x, y, z), strict=True))
    )
    high = high + of["eQVzz"] / 12.0 * (
        3.0 * z @ z - 3.75 * np.eye(4) + of["eta"] * (x @ x - y @ y)
    )
    low = (
        -ground * of["Bint"] * sum(a * s for a, s in zip(axis, spins(0.5), strict=True))
    )
    (e_high, u), (e_low, v) = np.linalg.eigh(high), np.linalg.eigh(low)
    rows = []
    for i in range(4):
        for g in range(2):
            amplitude = dict.fromkeys((1.0, 0.0, -1.0), 0j)
            for a, m_g in enumerate((0.5, -0.5)):
                for b, m_e in enumerate((1.5, 0.5, -0.5, -1.5)):
                    if (m_g, m_e) in CLEBSCH:
                        part = CLEBSCH[m_g, m_e] * np.conj(u[b, i]) * v[a, g]
                        amplitude[m_e - m_g] += part
            area = sum(abs(part) ** 2 for part in amplitude.values())
            rows.append((of["IS"] + e_high[i] - e_low[g], area))
    return np.array(sorted(rows))


def profile(rows, at, fwhm=0.2):
    """Lorentzians of unit area, weighted: what is seen, however lines are told apart."""
    position, area = rows[:, 0], rows[:, 1]
    half = fwhm / 2.0
    shape = half / np.pi / ((at[:, None] - position) ** 2 + half**2)
    return shape @ area


VELOCITY = np.linspace(-12.0, 12.0, 481)
nuclei = st.fixed_dictionaries(
    {
        "IS": st.floats(-0.2, 1.4),
        "Bint": st.floats(0.0, 60.0),
        "eQVzz": st.floats(-8.0, 8.0),
        "eta": st.floats(0.0, 1.0),
        "theta": st.floats(0.0, 90.0),
        "phi": st.floats(0.0, 90.0),
    }
)


# ------------------------------------------------------------------------ tests


def test_tabulated_spectra():
    """Positions and areas diagonalised elsewhere; the slopes here have six digits."""
    across = sorted_lines(CODATA, Bint=51.7, eQVzz=0.84, theta=90.0)
    np.testing.assert_allclose(
        across,
        [
            (-8.44578, 0.99958), (-4.72631, 0.66619), (-2.30263, 0.00042),
            (-1.20712, 0.33375), (1.41684, 0.33381), (2.09292, 0.00047),
            (4.93603, 0.66625), (8.23607, 0.99953),
        ],
        atol=6e-5,
    )  # fmt: skip
    oblique = sorted_lines(CODATA, Bint=20.0, eQVzz=4.0, eta=0.4, theta=50.0, phi=30.0)
    np.testing.assert_allclose(
        oblique,
        [
            (-3.59956, 0.90747), (-1.87858, 0.61676), (-1.22310, 0.09253),
            (-0.71659, 0.41707), (0.49788, 0.38324), (1.44181, 0.05870),
            (1.65987, 0.58293), (3.81827, 0.94130),
        ],
        atol=6e-5,
    )  # fmt: skip


@given(nuclei)
@settings(max_examples=150, deadline=None)
def test_any_site_is_what_slow_arithmetic_says(of):
    found, exact = sorted_lines(**of), slow(DEFAULT, **of)
    np.testing.assert_allclose(found[:, 0], exact[:, 0], atol=1e-11)
    np.testing.assert_allclose(
        profile(found, VELOCITY), profile(exact, VELOCITY), atol=1e-9
    )
    # all of the area, its centre at the isomer shift
    assert found[:, 1].sum() == pytest.approx(4.0, abs=1e-12)
    assert found[:, 0] @ found[:, 1] / 4.0 == pytest.approx(of["IS"], abs=1e-11)


def test_without_a_field_it_is_a_doublet():
    eta = 0.6
    rows = sorted_lines(IS=0.3, eQVzz=2.0, eta=eta, theta=33.0, phi=71.0)
    half = 0.5 * np.sqrt(1.0 + eta**2 / 3.0)
    assert 2.0 * half == pytest.approx(1.05830, abs=5e-6)
    np.testing.assert_allclose(rows[:4, 0], 0.3 - half, atol=1e-12)
    np.testing.assert_allclose(rows[4:, 0], 0.3 + half, atol=1e-12)
    assert rows[:4, 1].sum() == pytest.approx(2.0, abs=1e-12)


def test_without_a_gradient_it_is_the_sextet():
    rows = sorted_lines(Bint=33.04, theta=40.0)
    seen = rows[rows[:, 1] > 1e-9]
    iron = [-5.3123, -3.0760, -0.8397, 0.8397, 3.0760, 5.3123]
    np.testing.assert_allclose(seen[:, 0], iron, atol=1e-12)
    np.testing.assert_allclose(3.0 * seen[:, 1], [3, 2, 1, 1, 2, 3], atol=1e-12)
    # the two that first order forbids: Δm = 2
    rows = sorted_lines(CODATA, Bint=33.0, theta=40.0)
    dark = rows[rows[:, 1] <= 1e-9, 0]
    np.testing.assert_allclose(dark, [-1.39983, 1.39983], atol=5e-5)


def resolvent(x, velocity, half=0.1):
    """The spectrum (n_velocities,) without levels: smooth wherever they cross.

    S(v) = −(1/π) Im Σ_g Tr [W_g (v − IS + E_g + i Γ/2 − H)⁻¹] / 4 with W_g the squared
    Clebsch–Gordan coefficients of ground level g.
    """
    isomer, field, coupling, eta, theta, phi = x
    low, high = iron_slopes(jnp.asarray(DEFAULT))
    turned = axes(jnp.deg2rad(theta), jnp.deg2rad(phi))
    tensor = gradient_along(eta, turned)
    state = iron().excited
    gradient = jnp.einsum("ij,ijab->ab", tensor, state.products)
    matrix = jnp.diag(high * field * state.m) + coupling * gradient
    total = 0.0
    for m, weight in zip(iron().ground.m, iron().squared, strict=True):
        z = velocity - isomer + low * field * m + 1j * half
        inverse = jnp.linalg.inv(z * jnp.eye(4) - matrix)
        total = total - jnp.imag(weight @ jnp.diagonal(inverse)) / jnp.pi
    return total / 4.0


def by_lines(x, velocity, half=0.1):
    found = lines(**dict(zip(NAMES, x, strict=True)))
    shape = half / jnp.pi / ((velocity - found.position) ** 2 + half**2)
    return jnp.sum(found.area * shape)


SLOPE = jax.jit(jax.value_and_grad(by_lines))
SMOOTH = jax.jit(jax.value_and_grad(resolvent))
BEND = jax.jit(jax.hessian(by_lines))

AWKWARD = {
    "an ordinary site": (0.3, 31.0, 1.4, 0.3, 40.0, 20.0),
    "next to no field": (0.3, 1e-6, 2.0, 0.4, 50.0, 30.0),
    "no field at all": (0.3, 0.0, 2.0, 0.4, 50.0, 30.0),
    "no asymmetry": (0.3, 20.0, 3.0, 0.0, 35.0, 0.0),
    "full asymmetry": (0.3, 20.0, -3.0, 1.0, 35.0, 60.0),
    "no gradient": (0.3, 20.0, 0.0, 0.5, 35.0, 60.0),
    "field along the axis": (0.3, 20.0, 3.0, 0.0, 0.0, 0.0),
    "nothing": (0.3, 0.0, 0.0, 0.0, 0.0, 0.0),
    # where |3/2⟩ and |1/2⟩, |−3/2⟩ … meet: eQVzz / 2 is one or two Zeeman splittings
    "levels that cross": (0.3, 20.0, 2 * 20.0 * 2.2363 / 33.04, 0.0, 0.0, 0.0),
    "levels that cross twice": (0.3, 20.0, 20.0 * 2.2363 / 33.04 * 4, 0.0, 0.0, 0.0),
    "levels that nearly cross": (0.3, 20.0, 2 * 20 * 2.2363 / 33.04, 1e-6, 1e-5, 0.0),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_gradients_are_those_of_the_resolvent_wherever_levels_meet(name):
    x = jnp.asarray(AWKWARD[name])
    with jax.numpy_dtype_promotion("standard"):
        for velocity in (-3.1, -0.4, 0.35, 1.7, 4.2):
            value, slope = SLOPE(x, velocity)
            exact, steep = SMOOTH(x, velocity)
            assert float(value) == pytest.approx(float(exact), abs=1e-12)
            np.testing.assert_allclose(slope, steep, atol=3e-7, err_msg=str(velocity))


@given(nuclei)
@settings(max_examples=60, deadline=None)
def test_first_and_second_derivatives_are_finite_and_right(of):
    x = jnp.asarray([of[name] for name in NAMES])
    with jax.numpy_dtype_promotion("standard"):
        slope = SLOPE(x, 0.7)[1]
        np.testing.assert_allclose(slope, SMOOTH(x, 0.7)[1], atol=1e-6)
        bend = BEND(x, 0.7)
    assert np.isfinite(bend).all()


@pytest.mark.parametrize(
    ("field", "splitting", "low", "high"),
    [
        (51.7, -0.21, 0.004, 0.006),  # hematite: 0.005 mm/s
        (38.1, -0.26, 0.009, 0.013),  # goethite: 0.01 mm/s
        (33.04, 0.0, 0.0, 1e-12),
        (18.0, -0.6, 0.05, 0.3),
    ],
)
def test_the_error_of_first_order(field, splitting, low, high):
    """Against the lines of the whole Hamiltonian, the field across the axis."""
    rows = sorted_lines(Bint=field, eQVzz=-4.0 * splitting, theta=90.0)
    strong = np.sort(rows[np.argsort(-rows[:, 1])[:6], 0])
    given = {"IS": 0.0, "QS": splitting, "Bint": field, "x": 2.0}
    given |= {"sigma_IS": 0.0, "sigma_QS": 0.0, "sigma_Bint": 0.0}
    given |= {"IS_slope": 0.0, "QS_slope": 0.0, "QS_random": 0.0}
    values = {name: jnp.asarray(value) for name, value in given.items()}
    first = np.asarray(SITES["sextet"].lines(values, DEFAULT).position)
    away = np.abs(strong - first).max()
    one = (np.array([x]) for x in (field, splitting, DEFAULT))
    assert first_order_error(*one) == pytest.approx(away, abs=1e-12)
    assert low <= away <= high


def test_narrow_distributions_widen_each_line_by_its_derivative():
    of = {"IS": 0.3, "Bint": 31.0, "eQVzz": 1.4, "eta": 0.3, "theta": 40.0, "phi": 20.0}
    spread = {"IS": 0.02, "Bint": 0.3, "eQVzz": 0.05}
    found = lines(**of, **{f"sigma_{name}": sd for name, sd in spread.items()})
    expected = np.zeros(8)
    for name, sd in spread.items():
        ends = [
            np.asarray(lines(**of | {name: of[name] + s}).position)
            for s in (1e-5, -1e-5)
        ]
        expected += ((ends[0] - ends[1]) / 2e-5 * sd) ** 2
    np.testing.assert_allclose(found.gauss_sigma, np.sqrt(expected), rtol=1e-6)
