"""The transmission integral against closed forms, quadrature and the thin limit."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from density_models import (
    definition,
    dist,
    make_model,
    measurement,
    parameter,
    quick,
    site,
)
from scipy.integrate import quad
from scipy.special import ive, voigt_profile

from specfit.constants import NATURAL_FWHM
from specfit.density import build, many_lines, thick
from specfit.density.grid import energies
from specfit.density.many_lines import many_lines as summed
from specfit.density.thick import absorbed, smeared

WIDTH = NATURAL_FWHM
GRID = energies(10.0, thick.STEP)


def one_line(thickness, place=0.0, fwhm=WIDTH):
    offset = GRID.values - place
    depth = thickness * 0.25 * fwhm**2 / (offset**2 + 0.25 * fwhm**2)
    return -np.expm1(-depth)


def dip(taken, at, fwhm=WIDTH):
    return np.asarray(
        smeared(jnp.asarray(taken), GRID, jnp.asarray(fwhm), jnp.asarray(at))
    )


@pytest.mark.parametrize("thickness", [0.1, 10.0])
def test_one_line_has_depth_and_width_of_the_closed_forms(thickness):
    """Depth 1 − e^(−t/2) I0(t/2); FWHM/Γ 2.025 and 4.412."""
    place = 1.2345
    at = place + np.linspace(-1.0, 1.0, 4001)
    seen = dip(one_line(thickness, place), at)
    half = 0.5 * thickness
    assert seen.max() == pytest.approx(1.0 - ive(0, half), abs=2e-6)
    inside = at[seen > 0.5 * seen.max()]
    known = {0.1: 2.025, 10.0: 4.412}[thickness]
    assert np.ptp(inside) / WIDTH == pytest.approx(known, abs=0.011)


@pytest.mark.parametrize("thickness", [0.5, 8.0])
def test_the_area_saturates_as_known(thickness):
    """(π/2) Γ t e^(−t/2) [I0(t/2) + I1(t/2)], of the absorption itself."""
    half = 0.5 * thickness
    known = 0.5 * np.pi * WIDTH * thickness * (ive(0, half) + ive(1, half))
    tail = thickness * WIDTH**2 / GRID.length  # beyond the grid, both sides
    found = one_line(thickness).sum() * (GRID.values[1] - GRID.values[0])
    assert found + tail == pytest.approx(known, rel=1e-5)


def test_six_lines_agree_with_quadrature():
    lines = np.array([-5.3123, -3.0760, -0.8397, 0.8397, 3.0760, 5.3123])
    share = 8.5 * np.array([3, 2, 1, 1, 2, 3]) / 12.0

    def taken(energy):
        offset = np.subtract.outer(energy, lines)
        return -np.expm1(-(share * 0.0025 / (offset**2 + 0.0025)).sum(axis=-1))

    at = np.array([-9.9, -5.29, -4.2, 0.0, 0.86, 3.0761])
    found = dip(taken(GRID.values), at, 0.11)
    edges = np.unique(
        [-3000.0, -100.0, -20.0, *np.arange(-8.0, 8.1, 0.5), 20.0, 100.0, 3000.0]
    )
    for velocity, value in zip(at, found, strict=True):

        def integrand(energy, velocity=velocity):
            line = 0.11 / (2.0 * np.pi) / ((energy - velocity) ** 2 + 0.055**2)
            return line * taken(energy)

        places = np.unique([*edges, velocity])
        parts = [quad(integrand, a, b, limit=100)[0] for a, b in pairwise(places)]
        assert value == pytest.approx(sum(parts), abs=5e-6)


# ------------------------------------------------------------------------- models


def foil(thickness, absorber="thick", **values):
    """A model of one sextet and one doublet, and values for all that is open."""
    given = {
        "N0": 1e6, "thickness": thickness, "source_width": 0.11, "f_source": 0.75,
        "background": 0.3, "A.IS": 0.1, "A.QS": 0.05, "A.Bint": 33.0, "A.width": 0.23,
        "A.I": 0.7, "B.IS": 0.35, "B.QS": 0.8, "B.width": 0.27, "B.I": 0.3,
    } | values  # fmt: skip
    amounts = ("thickness", "source_width", "f_source", "background")
    if absorber == "thin":
        area = 0.75 * 0.7 * thickness * 0.5 * np.pi * WIDTH
        given = {k: v for k, v in given.items() if k not in amounts} | {"area": area}
        amounts = ("area",)
    free = [parameter(n, dist("normal", v, abs(v) + 0.1)) for n, v in given.items()]
    model = make_model(
        [site("A", "sextet"), site("B", "doublet")],
        free,
        [definition("A.x", 2.0), definition("B.ratio", 1.0)],
        scalars=[{name: name for name in ("N0", *amounts)}],
    )
    model = model.model_copy(update={"settings": {"absorber": absorber}})
    problem = build(model, [measurement(n_channels=128)])
    return problem, problem.unconstrain(given, problem.data)


def test_a_thin_foil_is_the_thin_model():
    thick, z = foil(1e-3)
    thin, u = foil(1e-3, "thin")
    deep = 1e6 - np.asarray(jax.jit(thick.predict)(z, thick.data))
    flat = 1e6 - np.asarray(jax.jit(thin.predict)(u, thin.data))
    np.testing.assert_allclose(deep, flat, rtol=2e-4, atol=2e-4 * flat.max())


def test_what_the_sites_take_adds_up_and_gradients_are_those_of_differences():
    problem, z = foil(9.0)
    parts = np.asarray(jax.jit(problem.components)(z, problem.data))
    whole = 1e6 - np.asarray(jax.jit(problem.predict)(z, problem.data))
    np.testing.assert_allclose(parts.sum(axis=1), whole, atol=1e-6 * 1e6)
    slope = np.asarray(jax.jit(jax.grad(problem.logdensity))(z, problem.data)["z"])
    value = quick(problem).logdensity
    for i in range(problem.dimension):
        step = 1e-5 * (np.arange(problem.dimension) == i)
        up, down = (value({"z": z["z"] + s * step}, problem.data) for s in (1.0, -1.0))
        assert slope[i] == pytest.approx(
            float(up - down) / 2e-5, rel=1e-4, abs=1e-3 * abs(slope).max()
        )


def test_lines_of_an_iron_foil_have_the_areas_of_its_thickness():
    """2.34 : 1.75 : 1 for natural α-Fe of total thickness 8.4."""
    areas = [one_line(8.4 * share / 12.0).sum() for share in (3, 2, 1)]
    np.testing.assert_allclose(np.array(areas) / areas[2], [2.34, 1.75, 1.0], atol=6e-3)


def test_what_is_absorbed_of_nothing_is_all():
    depth = jnp.array([0.0, 1e-7, 1e-5, 2.0])
    known = [1.0, 1.0 - 5e-8, 1.0 - 5e-6, (1.0 - np.exp(-2.0)) / 2.0]
    np.testing.assert_allclose(absorbed(depth), known, rtol=1e-10)
    assert np.isfinite(jax.grad(lambda d: absorbed(d).sum())(depth)).all()


def test_very_many_lines_are_their_sum():
    generator = np.random.default_rng(4)
    position, weight = (
        generator.uniform(-9.5, 9.5, 240),
        generator.uniform(0.0, 1.0, 240),
    )
    at, grid = np.linspace(-10.0, 10.0, 512), energies(10.0, many_lines.STEP)
    for fwhm, sigma in ((0.194, 0.0), (0.35, 0.0), (0.2, 0.17), (0.25, 0.7)):
        found = jax.jit(summed, static_argnums=5)(
            at, position, weight, fwhm, sigma, grid
        )
        each = voigt_profile(at[:, None] - position, sigma, 0.5 * fwhm)
        highest = 2.0 / (np.pi * fwhm)
        np.testing.assert_allclose(found, each @ weight, atol=5e-5 * highest)
        alone = jax.jit(summed, static_argnums=5)(
            at, position[:1], np.ones(1), fwhm, sigma, grid
        )
        np.testing.assert_allclose(alone, each[:, 0], atol=2e-5 * highest)


def test_thickness_of_tin_counts_in_its_own_natural_width():
    """Depth and area of one line as wide as nature has it, in its closed forms."""
    natural, thickness = 0.3176821, 5.0  # ħ ln 2 / 18.03 ns at 23.8794 keV
    given = {
        "N0": 1e6, "thickness": thickness, "source_width": natural, "f_source": 1.0,
        "background": 0.4, "A.IS": 1.0, "A.width": 2.0 * natural, "A.I": 1.0,
        "A.sigma_IS": 0.0,
    }  # fmt: skip
    model = make_model(
        [site("A", "singlet 119Sn")],
        [parameter("N0", dist("normal", 1e6, 1e3))],
        [definition(name, value) for name, value in given.items() if name != "N0"],
        scalars=[{name: name for name in given if "." not in name}],
    )
    settings = {"absorber": "thick"}
    model = model.model_copy(update={"settings": settings, "kind": "mossbauer119Sn"})
    problem = build(model, [measurement(n_channels=401, limit=20.0)])
    z = problem.unconstrain({"N0": 1e6}, problem.data)
    seen = 1.0 - np.asarray(jax.jit(problem.predict)(z, problem.data))[0] / 1e6
    half = 0.5 * thickness
    depth = 0.6 * (1.0 - ive(0, half))
    assert seen[210] == pytest.approx(depth, rel=1e-4)  # at 1 mm/s
    area = 0.6 * np.pi * natural * half * (ive(0, half) + ive(1, half))
    # beyond 20 mm/s the absorber's line and the source's fall with the square
    tails = 0.6 * thickness * 0.5 * natural**2 / 20.0 + area * natural / np.pi / 20.0
    assert seen.sum() * 0.1 + tails == pytest.approx(area, rel=3e-4)


def test_a_filter_by_half_transforms_is_that_of_whole_ones():
    """Value and both derivatives, of points and factors without any symmetry."""
    generator, grid = np.random.default_rng(2), energies(1.3, 0.5)
    points, other = generator.normal(size=(2, grid.n))
    factor = generator.normal(size=grid.n // 2 + 1)

    def whole(points, factor):
        return np.fft.irfft(np.fft.rfft(points) * factor, grid.n)

    @jax.jit
    def all_of(points, factor, other):
        found, pull = jax.vjp(grid.filtered, points, factor)
        return found, *pull(other)

    found, by_points, by_factor = all_of(points, factor, other)
    np.testing.assert_allclose(found, whole(points, factor), atol=1e-14)
    np.testing.assert_allclose(by_points, whole(other, factor), atol=1e-14)
    each = [whole(points, row) @ other for row in np.eye(len(factor))]
    np.testing.assert_allclose(by_factor, each, atol=1e-13)
