"""Plane spacings, Bragg's law and a misplaced sample, against other arithmetic."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specfit.model import diffraction as law
from specfit.model.enclosure import enclosure
from specfit.model.expressions import evaluate, to_text
from specfit.model.functions import FUNCTIONS
from specfit.model.ir import Apply, Const, Ref
from specfit.model.lattices import lattices, wavelengths

CELLS = {
    "F": ("d_cubic", "a"),
    "I": ("d_cubic", "a"),
    "P": ("d_orthorhombic", "abc"),
    "R": ("d_hexagonal", "ac"),
}
CUBIC = ("Fm-3m", "Fd-3m", "Pm-3m", "Ia-3d", "Im-3m")
LISTED = [
    (record, each)
    for record, lattice in lattices().items()
    for each in lattice.reflections
]


def spacing_of(lattice, hkl):
    name, symbols = CELLS[lattice.space_group[0]]
    if lattice.space_group in CUBIC:
        name, symbols = "d_cubic", "a"
    lengths = [lattice.lattice_A[symbol] for symbol in symbols]
    return float(FUNCTIONS[name].meaning(np, *hkl, *lengths))


@pytest.mark.parametrize(("record", "listed"), LISTED)
def test_listed_reflections_lie_where_the_constants_put_them(record, listed):
    """The list was computed from the same constants by others: to its last digit."""
    spacing = spacing_of(lattices()[record], listed.hkl)
    assert spacing == pytest.approx(listed.d_A, abs=6e-6)
    for name, angle in listed.two_theta.items():
        assert law.two_theta(np, spacing, wavelengths()[name]) == pytest.approx(
            angle, abs=6e-4
        )


def test_the_certified_positions_of_silicon():
    """2θ of SRM 640 at Cu Kα1 as powder diffraction texts print them: 28.44°, 47.30°."""
    silicon = lattices()["Si_640f"].lattice_A["a"]
    for hkl, angle in (((1, 1, 1), 28.441), ((2, 2, 0), 47.302), ((3, 1, 1), 56.121)):
        spacing = law.d_cubic(np, *hkl, silicon)
        assert law.two_theta(np, spacing, 1.540593) == pytest.approx(angle, abs=2e-3)


def metric(name, lengths):
    """The matrix of scalar products of the cell's edges."""
    a, *rest = lengths
    b, c = (rest[0], rest[1]) if name == "d_orthorhombic" else (a, (rest or [a])[0])
    cosine = -0.5 if name == "d_hexagonal" else 0.0
    return np.array(
        [[a * a, a * b * cosine, 0], [a * b * cosine, b * b, 0], [0, 0, c * c]]
    )


LENGTH = st.floats(2.0, 15.0)
INDEX = st.integers(-6, 6)


@given(
    st.sampled_from(law.SPACINGS),
    st.lists(LENGTH, min_size=3, max_size=3),
    st.tuples(INDEX, INDEX, INDEX).filter(any),
)
def test_spacings_are_those_of_the_reciprocal_metric(name, lengths, hkl):
    count = FUNCTIONS[name].least - 3
    over = hkl @ np.linalg.inv(metric(name, lengths[:count])) @ hkl
    spacing = FUNCTIONS[name].meaning(np, *hkl, *lengths[:count])
    assert spacing == pytest.approx(1.0 / np.sqrt(over), rel=1e-10)


@given(
    st.floats(0.8, 10.0),
    st.floats(0.3, 1.5),
    st.floats(-0.1, 0.1),
    st.floats(-3e6, 3e6),
    st.floats(1e9, 3e9),
)
def test_bragg_and_the_geometry_of_a_displaced_sample(d, wavelength, zero, s, radius):
    """sin θ gives λ back; the image of a point s off the circle moves by s sin 2θ / sin θ."""
    plain = law.two_theta(np, d, wavelength)
    assert 2.0 * d * np.sin(np.radians(plain / 2.0)) == pytest.approx(wavelength)
    seen = law.two_theta(np, d, wavelength, zero, s, radius)
    theta = np.radians(plain / 2.0)
    moved = s * np.sin(2.0 * theta) / np.sin(theta) / radius
    assert seen - plain - zero == pytest.approx(-np.degrees(moved), abs=1e-9)


def test_momentum_and_wavelength():
    assert law.momentum_transfer(np, 2.0) == pytest.approx(np.pi)
    for name in ("15.0keV", "12.4keV", "24.8keV"):
        energy = 1e3 * float(name.removesuffix("keV"))
        assert law.wavelength_of(np, energy) == pytest.approx(
            wavelengths()[name], abs=1e-6
        )
    energy = law.HC / wavelengths()["CuKa1"]
    assert energy == pytest.approx(8047.8, abs=0.1)  # of the Kα1 line of copper, eV


def test_the_two_modules_agree_and_gradients_are_finite_everywhere():
    """Also where no reflection exists, and at a cell of no size."""
    lengths = np.array([-3.0, 0.0, 1e-9, 0.5, 0.7702965, 0.78, 2.86, 14.2, 1e6])

    def position(x):
        spacing = law.d_hexagonal(jnp, 1.0, 0.0, 4.0, x[0], x[1])
        return law.two_theta(jnp, spacing, x[2], x[3], x[4], x[5])

    rest = [1.540593, 0.02, 5e5, 1.73e9]
    points = np.array([[a, c, *rest] for a in lengths for c in lengths])
    with jax.enable_x64(True):
        value, slope = jax.vmap(jax.value_and_grad(position))(points)
    value, slope = np.asarray(value), np.asarray(slope)
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()
    here = [
        law.two_theta(
            np, law.d_hexagonal(np, 1.0, 0.0, 4.0, a, c), *rest[:2], *rest[2:]
        )
        for a, c, *_ in points
    ]
    assert value == pytest.approx(np.array(here), rel=1e-12)


def test_the_slopes_are_those_of_differences():
    def position(x):
        spacing = law.d_orthorhombic(jnp, 2.0, 1.0, 1.0, x[0], x[1], x[2])
        return law.two_theta(jnp, spacing, x[3], x[4], x[5], 1.73e9)

    at = np.array([10.33, 6.01, 4.69, 1.540593, 0.01, 4e5])
    with jax.enable_x64(True):
        slope = np.asarray(jax.grad(position)(at))
        for i, step in enumerate((1e-5, 1e-5, 1e-5, 1e-6, 1e-4, 1e2)):
            move = np.zeros(6)
            move[i] = step
            rise = (position(at + move) - position(at - move)) / (2.0 * step)
            assert slope[i] == pytest.approx(float(rise), rel=1e-5)


def test_a_cell_that_is_none_has_no_spacing():
    """So that one condition, 2 d > λ, leaves it out."""
    assert law.d_cubic(np, 1, 1, 1, -5.43) < 0.0
    assert law.d_hexagonal(np, 1, 1, 0, 2.86, -14.2) < 0.0
    assert law.two_theta(np, 0.7, 1.54) == pytest.approx(180.0, abs=1e-3)


BOXES = st.tuples(LENGTH, st.floats(0.0, 0.5)).map(lambda p: (p[0], p[0] + p[1]))


@given(BOXES, BOXES, st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_an_enclosure_holds_every_value(a, c, u, v, w):
    hkl = (Const(value=float(i)) for i in (1, 0, 4))
    spacing = Apply(
        function="d_hexagonal", arguments=(*hkl, Ref(name="a"), Ref(name="c"))
    )
    shifts = (Ref(name="z"), Ref(name="s"), Const(value=1.73e9))
    whole = Apply(
        function="two_theta", arguments=(spacing, Const(value=0.826561), *shifts)
    )
    boxes = {"a": a, "c": c, "z": (-0.1, 0.1), "s": (-2e6, 1e6)}
    inside = zip(boxes.items(), (u, v, w, u), strict=True)
    known = {
        n: np.float64(low + share * (high - low)) for (n, (low, high)), share in inside
    }
    low, high = enclosure(whole, boxes)
    assert low - 1e-9 <= evaluate(whole, known, np) <= high + 1e-9
    assert high - low < 60.0
    assert np.isnan(enclosure(whole, {**boxes, "a": (-1.0, 3.0)})[0])
    assert to_text(whole) == (
        "two_theta(d_hexagonal(1, 0, 4, a, c), 0.826561, z, s, 1730000000)"
    )
