"""The laws of temperature against mpmath and scipy, and their gradients."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest

from specfit.model import enclosure, ir, laws

DEBYE = (1.0, 200.0, 1500.0)
TEMPERATURE = (0.5, 77.0, 1000.0)

TABLE = {  # K: f at 295, 77, 4.2 K; shift at 77 and 4.2 K from that at 295 K, mm/s
    200: (0.361, 0.734, 0.843, 0.147, 0.166),
    300: (0.631, 0.852, 0.892, 0.134, 0.144),
    400: (0.768, 0.900, 0.918, 0.119, 0.125),
    500: (0.841, 0.924, 0.934, 0.105, 0.109),
    600: (0.883, 0.939, 0.945, 0.092, 0.094),
}


def _integral(power: int, debye: float, temperature: float) -> float:
    end = mpmath.mpf(debye) / temperature
    edges = [0, *(mpmath.mpf(x) for x in (5, 20, 60) if x < end), min(end, 300)]
    area = mpmath.quad(lambda x: x**power / mpmath.expm1(x), edges)
    return float(area / end ** (power + 1))


@pytest.mark.parametrize("debye", TABLE)
def test_tabulated_shifts_and_recoil_free_fractions(debye):
    f = [float(laws.debye_f(np, debye, t)) for t in (295.0, 77.0, 4.2)]
    room, *cold = (float(laws.sod(np, debye, t)) for t in (295.0, 77.0, 4.2))
    found = [*f, *(shift - room for shift in cold)]
    assert found == pytest.approx(TABLE[debye], abs=6e-4)


def test_debye_integrals_to_twelve_digits():
    for debye, temperature in itertools.product(DEBYE, TEMPERATURE):
        cubic = _integral(3, debye, temperature)
        shift = -4.5 * 4.871e-4 * debye * (0.125 + cubic)
        assert float(laws.sod(np, debye, temperature)) == pytest.approx(shift, 1e-12)
        linear = _integral(1, debye, temperature)
        f = np.exp(-6.0 * 22.727 / debye * (0.25 + linear))
        assert float(laws.debye_f(np, debye, temperature)) == pytest.approx(f, 1e-11)


def test_the_classical_slope_of_the_shift():
    change = laws.sod(np, 300.0, 2001.0) - laws.sod(np, 300.0, 2000.0)
    assert float(change) == pytest.approx(-7.307e-4, rel=2e-3)


def _mean_field(spin: float, ratio: float, near: float) -> float:
    """The fixed point of Weiss, by mpmath."""
    with mpmath.workdps(30):
        s, t = mpmath.mpf(spin), mpmath.mpf(ratio)
        large, small = (2 * s + 1) / (2 * s), 1 / (2 * s)

        def off(m: mpmath.mpf) -> mpmath.mpf:
            x = 3 * s / (s + 1) * m / t
            field = large * mpmath.coth(large * x) - small * mpmath.coth(small * x)
            return field - m

        return float(mpmath.findroot(off, (near, near * (1 + 1e-6))))


@pytest.mark.parametrize(("spin", "good"), [(0.5, 1e-10), (2.5, 1e-10), (7.5, 1e-8)])
def test_the_mean_field_is_its_own_cause(spin, good):
    for t in (0.02, 0.3, 0.6, 0.9, 0.99, 0.9999, 0.99999):
        m = float(laws.brillouin(np, spin, t * 400.0, 400.0))
        assert m == pytest.approx(_mean_field(spin, t * 400.0 / 400.0, m), rel=good)


def test_fields_end_at_the_ordering_temperature():
    for law in (
        lambda t: laws.brillouin(np, 2.5, t, 300.0),
        lambda t: laws.reduced_field(np, t, 300.0, 2.0, 0.36),
    ):
        assert float(law(0.0)) == pytest.approx(1.0, abs=1e-9)
        assert [float(law(t)) for t in (300.0, 400.0)] == [0.0, 0.0]
        values = np.array([float(law(t)) for t in np.linspace(1.0, 301.0, 400)])
        assert (np.diff(values) <= 1e-10).all()  # what the series ripples by
    assert float(laws.reduced_field(np, 150.0, 300.0, 2.0, 0.5)) == pytest.approx(
        np.sqrt(0.75)
    )


def test_two_levels_of_ferrous_iron():
    upper = np.exp(-700.0 / 295.0)
    for degeneracy, below, above in ((2.0, 1, 2), (0.5, 2, 1)):
        weights = np.array([below, above * upper])
        # the singlet has twice the field gradient of each of the doublet, of other sign
        gradient = np.array([1.0, -0.5]) if below == 1 else np.array([-0.5, 1.0])
        mean = (weights @ gradient) / weights.sum() / gradient[0]
        found = laws.ingalls(np, 700.0, 295.0, degeneracy)
        assert float(found) == pytest.approx(mean)
    assert float(laws.ingalls(np, 700.0, 0.0)) == 1.0


def _all_laws(x):
    """Every law of temperature: x is Θ or T_order or Δ, T, a or g, b."""
    import jax.numpy as jnp

    return jnp.stack(
        [
            laws.sod(jnp, x[0], x[1]),
            laws.debye_f(jnp, x[0], x[1]),
            laws.brillouin(jnp, 2.5, x[1], x[0]),
            laws.reduced_field(jnp, x[1], x[0], x[2], x[3]),
            laws.ingalls(jnp, x[0], x[1], x[2]),
        ]
    )


def test_values_and_gradients_are_finite_everywhere_and_gradients_are_slopes():
    import jax
    import jax.numpy as jnp

    step, usual = 1e-5, np.array([400.0, 350.0, 1.7, 0.4])
    ends = [usual + s * row for row in np.eye(4) for s in (step, -step)]
    edges = itertools.product(
        (-10.0, 0.0, 1.0, 300.0, 1e6),
        (0.0, 1e-6, 4.2, 299.9999, 300.0 - 1e-7, 300.0, 301.0, 1e6),
        (0.0, 0.5, 4.0),
        (0.0, 0.36, 2.0),
    )
    points = np.array([usual, *ends, *edges])

    def both(x):
        return _all_laws(x), jax.jacfwd(_all_laws)(x)

    with jax.enable_x64(True):
        values, gradients = jax.jit(jax.vmap(both))(jnp.asarray(points))
    values, gradients = np.asarray(values), np.asarray(gradients)
    assert np.isfinite(values).all()
    assert np.isfinite(gradients).all()
    for i in range(4):
        slope = (values[1 + 2 * i] - values[2 + 2 * i]) / (2 * step)
        np.testing.assert_allclose(gradients[0, :, i], slope, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("vacancies", [0.0, 0.05, 0.155, 1 / 3])
def test_vacancies_are_read_back_from_the_areas(vacancies):
    ratio = 0.94 * (2 - 6 * vacancies) / (1 + 5 * vacancies)
    assert float(laws.magnetite_vacancies(np, ratio, 0.94)) == pytest.approx(
        vacancies, abs=1e-12
    )
    ferrous, ferric = 1 - 3 * vacancies, 2 + 2 * vacancies  # oxide ions balance them
    assert 2 * ferrous + 3 * ferric == pytest.approx(8.0)
    assert float(laws.ferrous_share(np, vacancies)) == pytest.approx(ferrous / ferric)


@pytest.mark.parametrize(
    ("depth", "within"),
    [*((t, 1e-12) for t in (1e-4, 0.7, 8.4, 60.0, 399.0)), (400.0, 1e-6), (1e5, 1e-8)],
)
def test_a_saturated_line_has_the_area_of_the_closed_form(depth, within):
    half = mpmath.mpf(depth) / 2
    known = mpmath.exp(-half) * (mpmath.besseli(0, half) + mpmath.besseli(1, half))
    assert float(laws.saturated(np, depth)) == pytest.approx(float(known), rel=within)


@pytest.mark.parametrize(("x", "depth"), [(2.0, 8.9), (1.2, 2.0), (4.0, 30.0)])
def test_lines_of_a_thick_sextet_have_the_areas_of_their_integrals(x, depth):
    """∫ 1 − exp(−t / (1 + u²)) du of each line by itself."""

    def area(weight):
        each = depth * weight / (8.0 + 2.0 * x)
        ends = [0, 1, 4, 16, mpmath.inf]
        return mpmath.quad(lambda u: -mpmath.expm1(-each / (1 + u * u)), ends)

    many = laws.saturated_ratio(np, np.array([3.0, x, 1.0]), x, depth)
    known = [float(area(weight) / area(1.0)) for weight in (3.0, x, 1.0)]
    np.testing.assert_allclose(many, known, rtol=1e-9)
    low, high = enclosure.enclosure(
        ir.Apply(
            function="saturated_ratio",
            arguments=tuple(ir.Const(value=v) for v in (3.0, x, depth)),
        ),
        {},
    )
    assert low <= many[0] <= high


def test_saturation_has_a_finite_gradient_from_nothing_to_a_wall():
    import jax
    import jax.numpy as jnp

    weight, middle, depth = (
        np.array(part)
        for part in zip(*itertools.product((0.0, 3.0), (-1.0, 0.0, 4.0),
                                           (-1.0, 0.0, 9.0, 1e4)), strict=True)
    )  # fmt: skip
    with jax.enable_x64(True):

        def total(*given):
            return laws.saturated_ratio(jnp, *given).sum()

        found = jax.jit(jax.grad(total, (0, 1, 2)))(weight, middle, depth)
    assert np.isfinite(np.stack(found)).all()
