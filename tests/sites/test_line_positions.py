"""Line positions and areas against published spectra and exact diagonalisation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.sites import SITES

DEFAULT = np.array(FIELD_SCALES[DEFAULT_FIELD_SCALE].slopes)
CODATA = np.array(FIELD_SCALES["CODATA"].slopes)


def lines(name, slopes=DEFAULT, **given):
    zero = {"IS": 0.0, "QS": 0.0, "Bint": 0.0, "x": 2.0, "ratio": 1.0}
    zero |= {"sigma_IS": 0.0, "sigma_QS": 0.0, "sigma_Bint": 0.0}
    zero |= {"IS_slope": 0.0, "QS_slope": 0.0, "QS_random": 0.0}
    zero |= {"texture": 0.0, "f_anisotropy": 0.0, "sign_eQVzz": 1.0}
    values = {k: jnp.asarray(v) for k, v in (zero | given).items()}
    return [np.asarray(part) for part in SITES[name].lines(values, slopes)]


def test_alpha_iron_of_violet_and_pipkorn():
    position, area, _ = lines("sextet", Bint=33.04)
    expected = [-5.3123, -3.0760, -0.8397, 0.8397, 3.0760, 5.3123]
    np.testing.assert_allclose(position, expected, atol=1e-12)
    np.testing.assert_allclose(area * 12.0, [3, 2, 1, 1, 2, 3], rtol=1e-15)


def test_hematite_above_the_morin_transition():
    # eQVzz = 0.84 mm/s with the field across its axis: 2ε = −0.21 mm/s.  The numbers
    # are from diagonalising the whole Hamiltonian; first order is within 0.006 mm/s.
    exact = [-8.44578, -4.72631, -1.20712, 1.41684, 4.93603, 8.23607]
    position, _, _ = lines("sextet", CODATA, Bint=51.7, QS=-0.21)
    assert np.abs(position - exact).max() < 0.006


@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi / 2])
def test_first_order_is_the_limit_of_the_hamiltonian(angle):
    field, coupling = 45.0, 1e-4
    shift = coupling / 8.0 * (3.0 * np.cos(angle) ** 2 - 1.0)
    exact = diagonalised(field, coupling, angle)
    position, _, _ = lines("sextet", nuclear_slopes(), Bint=field, QS=2.0 * shift)
    np.testing.assert_allclose(position, exact, atol=2e-8)
    assert np.abs(position - lines("sextet", nuclear_slopes(), Bint=field)[0]).max() > (
        0.9 * abs(shift)
    )


@pytest.mark.parametrize(
    ("splitting", "within"), [(0.4, 1e-4), (0.8, 5e-4), (1.6, 5e-3)]
)
def test_a_field_gradient_at_random_shifts_the_lines_as_its_mean_does(
    splitting, within
):
    """The mean over all directions and both signs of the exact lines, at 50 T."""
    exact = mean_of_directions(50.0, splitting)
    shifted, _, _ = lines("sextet", nuclear_slopes(), Bint=50.0, QS_random=splitting)
    plain, _, _ = lines("sextet", nuclear_slopes(), Bint=50.0)
    np.testing.assert_allclose(shifted, exact, atol=within)
    assert np.abs(plain - exact).max() > 10.0 * within


@pytest.mark.parametrize(("ratio", "within"), [(0.5, 0.002), (1.0, 0.002), (1.5, 0.01)])
def test_that_shift_is_as_right_as_it_says(ratio, within):
    """In units of Q²/ω, up to fields as weak as the quadrupole interaction and beyond."""
    field = 20.0
    splitting = ratio * EXCITED * field
    shifted, _, _ = lines("sextet", nuclear_slopes(), Bint=field, QS_random=splitting)
    off = np.abs(shifted - mean_of_directions(field, splitting)).max()
    assert off < within * ratio * splitting


@pytest.mark.parametrize("field", [0.0, 1e-6, 3.0])
def test_that_shift_is_finite_and_small_without_a_field(field):
    def outer(at):
        return SITES["sextet"].lines(given | {"Bint": at}, DEFAULT).position[5]

    names = (p.symbol for p in SITES["sextet"].signature.parameters)
    given = {name: jnp.asarray(0.0) for name in names}
    given |= {"x": jnp.asarray(2.0), "QS_random": jnp.asarray(0.8)}
    shift, slope = jax.value_and_grad(outer)(jnp.asarray(field))
    assert np.isfinite(slope)
    assert abs(shift - DEFAULT[0] * field) <= 0.07 * field


def mean_of_directions(field, splitting):
    """The exact lines, mean over all directions and both signs of an axial gradient."""
    cosine, weight = np.polynomial.legendre.leggauss(24)
    return sum(
        0.25 * part * diagonalised(field, sign * 2.0 * splitting, np.arccos(at))
        for at, part in zip(cosine, weight, strict=True)
        for sign in (1.0, -1.0)
    )


GROUND, EXCITED = 0.118823, 0.067887  # mm/s/T, splitting of neighbouring levels


def nuclear_slopes():
    """The slopes that follow from the two level splittings."""
    return np.array([3 * EXCITED + GROUND, EXCITED + GROUND, GROUND - EXCITED]) / 2.0


def diagonalised(field, coupling, angle):
    """The six allowed lines from the 4 × 4 matrix of the excited state."""
    m = np.array([1.5, 0.5, -0.5, -1.5])
    raising = np.diag(np.sqrt([3.0, 4.0, 3.0]), 1)
    spin_x = (raising + raising.T) / 2.0
    axial = np.diag(m) * np.cos(angle) + spin_x * np.sin(angle)
    hamiltonian = EXCITED * field * axial
    hamiltonian = hamiltonian + coupling / 12.0 * np.diag(3.0 * m**2 - 3.75)
    upper = np.linalg.eigvalsh(hamiltonian)
    lower = np.array([-0.5, 0.5]) * GROUND * field
    # the moments of the two states have opposite sign: Δm = 0, ±1 pairs these levels
    pairs = [(0, 1), (1, 1), (2, 1), (1, 0), (2, 0), (3, 0)]
    return np.array([upper[high] - lower[low] for high, low in pairs])


def test_tabulated_splitting_of_a_sextet():
    v, _, _ = lines("sextet", IS=0.37, QS=-0.2, Bint=51.75)
    assert ((v[5] - v[4]) - (v[1] - v[0])) / 2.0 == pytest.approx(-0.2)
    assert v[[0, 1, 4, 5]].mean() == pytest.approx(0.37)


@pytest.mark.parametrize(
    ("x", "areas"), [(0.0, [3, 0, 1]), (4.0, [3, 4, 1]), (2.0, [3, 2, 1])]
)
def test_textures_of_a_sextet(x, areas):
    _, area, _ = lines("sextet", Bint=33.0, x=x)
    np.testing.assert_allclose(area[:3] / area[2], areas, rtol=1e-15)
    np.testing.assert_allclose(area[::-1], area, rtol=1e-15)


def test_doublet():
    position, area, _ = lines("doublet", IS=1.1, QS=2.4, ratio=1.5)
    np.testing.assert_allclose(position, [-0.1, 2.3], rtol=1e-14)
    np.testing.assert_allclose(area, [0.4, 0.6], rtol=1e-15)


def test_a_field_distribution_broadens_the_outer_lines_most():
    _, _, sigma = lines("sextet", CODATA, Bint=45.0, sigma_Bint=1.0)
    np.testing.assert_allclose(sigma, CODATA[[0, 1, 2, 2, 1, 0]], rtol=1e-14)
    assert sigma[0] / sigma[2] == pytest.approx(6.33, abs=0.005)


@pytest.mark.parametrize("name", ["doublet", "sextet"])
def test_distributions_add_in_quadrature_as_the_lines_move(name):
    spread = {"IS": 0.03, "QS": 0.08, "Bint": 0.6}
    given = {"IS": 0.4, "QS": 0.5, "Bint": 40.0}
    _, _, sigma = lines(name, **given, **{f"sigma_{k}": s for k, s in spread.items()})
    generator = np.random.default_rng(11)
    unit = generator.standard_normal((3, 4000))
    unit = np.linalg.solve(np.linalg.cholesky(np.cov(unit)), unit)  # covariance 1
    unit -= unit.mean(axis=1, keepdims=True)
    drawn = {k: given[k] + spread[k] * u for k, u in zip(given, unit, strict=True)}
    kind = SITES[name]
    fixed = {"x": 2.0, "ratio": 1.0}
    fixed |= {"sigma_IS": 0.0, "sigma_QS": 0.0, "sigma_Bint": 0.0}
    fixed |= {"QS_random": 0.0}
    fixed |= {"IS_slope": 0.0, "QS_slope": 0.0}
    fixed |= {"texture": 0.0, "f_anisotropy": 0.0, "sign_eQVzz": 1.0}

    def position(shift, splitting, field):
        varied = {"IS": shift, "QS": splitting, "Bint": field}
        rest = {k: jnp.asarray(v) for k, v in fixed.items()}
        return kind.lines(varied | rest, jnp.asarray(DEFAULT)).position

    positions = jax.vmap(position)(*(jnp.asarray(drawn[k]) for k in given))
    np.testing.assert_allclose(np.std(positions, axis=0, ddof=1), sigma, rtol=1e-10)
