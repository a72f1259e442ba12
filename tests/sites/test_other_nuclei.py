"""Any nucleus, crystals and applied fields against arithmetic in another frame."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sympy import Rational
from sympy.physics.wigner import clebsch_gordan

from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.isotopes import IRON, isotopes
from specfit.sites import OTHERS, SITES
from specfit.sites.nucleus import nucleus_of
from specfit.sites.transitions import iron_slopes

SLOPES = np.array(FIELD_SCALES[DEFAULT_FIELD_SCALE].slopes)
COMPILED = {}
VELOCITY = np.linspace(-4, 4, 161)


def lines(kind, **given):
    """Lines of a site kind as NumPy; what is not given is zero."""
    names = [p.symbol for p in SITES[kind].signature.parameters]
    values = {name: np.float64(given.get(name, 0.0)) for name in names}
    call = COMPILED.setdefault(kind, jax.jit(SITES[kind].lines))
    return [np.asarray(part) for part in call(values, SLOPES)]


def profile(position, area, at, fwhm):
    half = fwhm / 2.0
    return (area * half / np.pi / ((at[:, None] - position) ** 2 + half**2)).sum(1)


# -------------------------------------------------- arithmetic in the crystal's frame


def spins(spin):
    m = np.arange(spin, -spin - 0.5, -1.0)
    raising = np.diag(np.sqrt(spin * (spin + 1) - m[1:] * (m[1:] + 1)), 1)
    return (raising + raising.T) / 2, (raising - raising.T) / 2j, np.diag(m + 0j)


def unit(theta, phi):
    t, p = np.deg2rad([theta, phi])
    return np.array([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)])


def hamiltonian(spin, slope, quadrupole, of):
    i = spins(spin)
    axis = unit(of["theta"], of["phi"])
    zeeman = slope * of["Bint"] * sum(a * s for a, s in zip(axis, i, strict=True))
    if spin < 1:
        return zeeman
    x2, y2, z2 = (s @ s for s in i)
    whole = 3 * z2 - spin * (spin + 1) * np.eye(len(z2)) + of["eta"] * (x2 - y2)
    scale = quadrupole * of["eQVzz"] / (4 * spin * (2 * spin - 1))
    return zeeman + scale * whole


@cache
def dipole(low, high):
    """Cartesian dipole operators (3, n_high, n_low) by the commutator with the spin.

    A vector operator obeys [I_z, T_q] = q T_q and [I±, T_q] = c T_{q±1}: T₊₁ has one
    chain of elements, from the highest state down; its lowering gives the others.
    """
    up, down = spins(high), spins(low)
    rows, columns = int(2 * high + 1), int(2 * low + 1)
    lower_high, lower_low = up[0] - 1j * up[1], down[0] - 1j * down[1]
    raise_high, raise_low = up[0] + 1j * up[1], down[0] + 1j * down[1]
    # the highest component: [I₊, T₊₁] = 0 determines it up to a factor
    places = [(r, c) for r in range(rows) for c in range(columns)
              if (high - r) - (low - c) == 1]  # fmt: skip
    basis = [np.zeros((rows, columns), complex) for _ in places]
    for each, (r, c) in zip(basis, places, strict=True):
        each[r, c] = 1.0
    commuted = np.stack([(raise_high @ b - b @ raise_low).ravel() for b in basis])
    plus = np.einsum("k,kab->ab", np.linalg.svd(commuted.T)[2][-1].conj(), basis)
    zero = (lower_high @ plus - plus @ lower_low) / np.sqrt(2)
    minus = (lower_high @ zero - zero @ lower_low) / np.sqrt(2)
    return np.stack(
        [(minus - plus) / np.sqrt(2), 1j * (minus + plus) / np.sqrt(2), zero]
    )


def slow(name, beam=None, slopes=None, **of):
    """Positions and areas (sum one), a powder or seen along a direction."""
    one = isotopes()[name]
    low, high = one.spin_ground, one.spin_excited
    g, e = slopes or one.slopes
    e_low, v = np.linalg.eigh(hamiltonian(low, g, one.quadrupoles[0], of))
    e_high, u = np.linalg.eigh(hamiltonian(high, e, one.quadrupoles[1], of))
    amplitude = np.einsum("ai,kab,bj->kij", u.conj(), dipole(low, high), v)
    area = (abs(amplitude) ** 2).sum(0)
    if beam is not None:
        area = area - abs(np.einsum("k,kij->ij", beam, amplitude)) ** 2
    area = area / (abs(amplitude) ** 2).sum() * (1.0 if beam is None else 1.5)
    return (e_high[:, None] - e_low[None, :]).ravel(), area.ravel()


def draws(n, seed, isotope, **more):
    generator = np.random.default_rng(seed)
    one = isotopes()[isotope]
    for _ in range(n):
        yield {
            "Bint": generator.uniform(*one.fields),
            "eQVzz": generator.uniform(-one.coupling, one.coupling),
            "eta": generator.uniform(),
            "theta": generator.uniform(0, 90),
            "phi": generator.uniform(0, 90),
        } | {key: generator.uniform(0, top) for key, top in more.items()}


# ------------------------------------------------------------------------- nuclei


def test_records_agree_with_what_was_derived_from_them():
    import tomllib

    from specfit.assets import folder

    path = folder("priors_db") / "moessbauer" / "isotopes.toml"
    for record in tomllib.loads(path.read_text(encoding="utf-8"))["isotopes"]:
        one, derived = isotopes()[record["isotope"]], record["derived"]
        width, ground, excited = (
            derived[key]
            for key in ("Gamma_nat_mm_s", "ground_split_mm_s_per_T",
                        "excited_split_mm_s_per_T")
        )  # fmt: skip
        assert one.natural_fwhm == pytest.approx(width, rel=1e-4)
        assert abs(one.slopes[0]) == pytest.approx(ground, rel=2e-3)
        assert abs(one.slopes[1]) == pytest.approx(excited, rel=2e-3)


@pytest.mark.parametrize("isotope", ["151Eu", "61Ni"])
@pytest.mark.parametrize("crystal", [False, True])
def test_any_nucleus_is_what_arithmetic_in_the_crystal_says(isotope, crystal):
    at = np.linspace(-40, 40, 161)
    kind = f"hamiltonian_crystal {isotope}" if crystal else f"hamiltonian {isotope}"
    more = {"beam_theta": 180, "beam_phi": 180} if crystal else {}
    for of in draws(12, 5, isotope, **more):
        position, area, _ = lines(kind, **of)
        beam = unit(of["beam_theta"], of["beam_phi"]) if crystal else None
        exact = slow(isotope, beam, **of)
        np.testing.assert_allclose(np.sort(position), np.sort(exact[0]), atol=1e-10)
        np.testing.assert_allclose(
            profile(position, area, at, 1.0), profile(*exact, at, 1.0), atol=1e-10
        )
        assert area.sum() == pytest.approx(1.0, abs=1e-13)


def test_europium_without_a_field_has_the_lines_of_the_textbook():
    """E(m) = eQVzz [3 m² − I (I + 1)] / [4 I (2 I − 1)]; eight of twelve are allowed."""
    one = isotopes()["151Eu"]
    position, area, _ = lines("hamiltonian 151Eu", eQVzz=10.0)
    expected = {}
    for m in (2.5, 1.5, 0.5):
        for n in (3.5, 2.5, 1.5, 0.5):
            low = 10.0 * (3 * m * m - 8.75) / 40.0
            high = 10.0 * one.quadrupoles[1] * (3 * n * n - 15.75) / 84.0
            expected[m, n] = high - low
    # 21 : 6 : 1 from ±5/2, 15 : 10 + … from the others, over 84
    shares = {(2.5, 3.5): 21, (2.5, 2.5): 6, (2.5, 1.5): 1, (1.5, 2.5): 15,
              (1.5, 1.5): 10, (1.5, 0.5): 3, (0.5, 1.5): 10, (0.5, 0.5): 18}  # fmt: skip
    assert sum(shares.values()) == 84
    for key, where in expected.items():
        found = area[np.abs(position - where) < 1e-9].sum()
        assert found == pytest.approx(shares.get(key, 0) / 84.0, abs=1e-12), key


def test_nickel_in_a_field_has_twelve_lines():
    position, area, _ = lines("hamiltonian 61Ni", Bint=50.0)
    order = np.argsort(position)
    seen = [(position[i], 60 * area[i]) for i in order if area[i] > 1e-9]
    # 10 6 3 1 · 4 6 6 4 · 1 3 6 10, with m_e − m_g = 1, 0, −1
    low, high = (50.0 * slope for slope in isotopes()["61Ni"].slopes)
    expected = []
    for m in (1.5, 0.5, -0.5, -1.5):
        for q, parts in ((1, (10, 6, 3, 1)), (0, (4, 6, 6, 4)), (-1, (1, 3, 6, 10))):
            share = parts[int(1.5 - m)]
            expected.append((high * (m + q) - low * m, share))
    np.testing.assert_allclose(seen, sorted(expected), atol=1e-9)
    assert len(seen) == 12


def test_gold_has_a_doublet_and_its_field_lines_mix_two_multipoles():
    position, area, _ = lines("hamiltonian 197Au", eQVzz=-6.0, eta=0.5)
    half = 3.0 / 2 * np.sqrt(1 + 0.25 / 3)
    np.testing.assert_allclose(
        np.sort(position), np.repeat([-half, half], 4), atol=1e-9
    )
    assert area[position > 0].sum() == pytest.approx(0.5, abs=1e-12)
    # |⟨3/2 3/2; L −1 or −2 | ½ ±½⟩|²: M1 gives ½ : 0, E2 1/10 : 4/10 (δ² = 0.11)
    nucleus = nucleus_of(isotopes()["197Au"])
    share = 0.11 / 1.11
    expected = [0.5 * (1 - share) + 0.1 * share, 0.4 * share]
    np.testing.assert_allclose(nucleus.squared[0], expected, atol=1e-12)


def test_tin_is_iron_with_other_moments():
    given = {"IS": 2.0, "Bint": 30.0}
    position, area, _ = lines("hamiltonian 119Sn", **given)
    seen = area > 1e-9
    six = lines("sextet 119Sn", x=2.0, **given)
    order = np.argsort(position[seen])
    np.testing.assert_allclose(position[seen][order], six[0], atol=1e-12)
    np.testing.assert_allclose(area[seen][order], six[1], atol=1e-12)
    # μN = 3.1525e-8 eV/T on 23.8794 keV, g = −2.0946 and 0.422
    unit_g = 3.15245e-8 / 23879.4 * 2.99792458e11
    outer = 30.0 * unit_g * (0.422 * 1.5 + 2.09456 * 0.5)
    assert six[0][-1] - 2.0 == pytest.approx(outer, rel=1e-5)


@cache
def coefficient(low, order, high, ground, excited):
    """The square of ⟨low ground; order q | high excited⟩, an exact fraction."""
    spins = (Rational(round(2 * x), 2) for x in (low, order, high))
    m, n = (Rational(round(2 * x), 2) for x in (ground, excited))
    return clebsch_gordan(*spins, m, n - m, n) ** 2


def textbook(name, energy):
    """Positions and areas from exact coefficients; energy(state, I, m) in mm/s."""
    one = isotopes()[name]
    low, high = one.spin_ground, one.spin_excited
    found = {}
    for g in np.arange(low, -low - 0.5, -1.0):
        for e in np.arange(high, -high - 0.5, -1.0):
            area = sum(
                share * float(coefficient(low, order, high, g, e))
                for order, share in one.multipoles
            )
            place = round(energy(1, high, e) - energy(0, low, g), 9)
            found[place] = found.get(place, 0.0) + area / (2 * high + 1)
    return {place: area for place, area in sorted(found.items()) if area > 0}


def merged(position, area):
    found = {}
    for place, part in sorted(zip(position, area, strict=True)):
        near = next((p for p in found if abs(p - place) < 1e-6), place)
        found[near] = found.get(near, 0.0) + part
    return [(place, part) for place, part in found.items() if part > 1e-12]


LINES = {
    "119Sn": (2, 6),
    "151Eu": (8, 18),
    "121Sb": (8, 18),
    "61Ni": (5, 12),
    "197Au": (2, 8),
}
"""How many lines an axial gradient, and a field, give: G. K. Shenoy, B. D. Dunlap, Nucl.
Instrum. Methods 71, 285 (1969), for 5/2 → 7/2; of gold M1 and E2 together."""


@pytest.mark.parametrize("name", LINES)
def test_lines_of_every_isotope_are_those_of_exact_coefficients(name):
    """Without a field: eQVzz Q' [3 m² − I (I + 1)] / [4 I (2 I − 1)]; with one: −g μN B m."""
    one = isotopes()[name]

    def quadrupole(state, spin, m):
        if spin < 1:
            return 0.0
        whole = 3 * m * m - spin * (spin + 1)
        return -7.0 * one.quadrupoles[state] * whole / (4 * spin * (2 * spin - 1))

    cases = (
        ({"eQVzz": -7.0}, quadrupole),
        ({"Bint": 25.0}, lambda state, spin, m: 25.0 * one.slopes[state] * m),
    )
    for (given, energy), count in zip(cases, LINES[name], strict=True):
        position, area, _ = lines(f"hamiltonian {name}", **given)
        known = list(textbook(name, energy).items())
        np.testing.assert_allclose(merged(position, area), known, atol=1e-8)
        assert len(known) == count


def test_exact_intensities_are_the_tabulated_ones():
    """5/2 → 7/2, from each m of the ground state: 21 6 1, 15 10 3 and 10 12 6."""
    for ground, row in ((2.5, [21, 6, 1]), (1.5, [15, 10, 3]), (0.5, [10, 12, 6])):
        ends = (ground + q for q in (1, 0, -1))
        assert [21 * coefficient(2.5, 1, 3.5, ground, end) for end in ends] == row


def test_every_default_lies_above_twice_the_natural_width():
    for isotope, kinds in OTHERS.items():
        least = 2.0 * isotopes()[isotope].natural_fwhm
        for kind in kinds.values():
            low = kind.signature.parameter("width").default.split("[")[1].split(",")[0]
            assert float(low) == pytest.approx(least, abs=5e-4)


# ------------------------------------------------------------------------ crystal


@pytest.mark.parametrize("angle", [0.0, 35.0, 90.0])
def test_a_crystal_without_a_field_has_the_known_ratio(angle):
    position, area, _ = lines("hamiltonian_crystal", eQVzz=2.0, beam_theta=angle)
    square = np.cos(np.deg2rad(angle)) ** 2
    above = area[position > 0].sum()  # ±3/2, as eQVzz > 0
    assert above / (1 - above) == pytest.approx((1 + square) / (5 / 3 - square))


@pytest.mark.parametrize(("angle", "ratio"), [(0.0, 0.0), (90.0, 4.0), (50.0, None)])
def test_a_crystal_in_a_field_has_the_known_intensities(angle, ratio):
    position, area, _ = lines("hamiltonian_crystal", Bint=33.0, beam_theta=angle)
    six = area[np.argsort(position)][[0, 1, 3, 4, 6, 7]] if ratio is None else None
    cosine = np.cos(np.deg2rad(angle))
    parts = np.array([3 * (1 + cosine**2), 4 * (1 - cosine**2), 1 + cosine**2])
    expected = np.sort(np.concatenate([parts, parts, [0, 0]])) / (2 * parts.sum())
    np.testing.assert_allclose(np.sort(area), expected, atol=1e-12)
    assert ratio is None or parts[1] / parts[2] == pytest.approx(ratio)
    assert six is None or six.sum() > 0.5


RANGES = {
    "IS": (0.0, 1.4), "Bint": (0.0, 60.0), "eQVzz": (-8.6, 8.6), "eta": (0.0, 1.0),
    "theta": (0.0, 90.0), "phi": (0.0, 90.0), "beam_theta": (0.0, 180.0),
    "beam_phi": (0.0, 180.0), "x": (0.0, 4.0), "QS": (0.0, 4.3), "ratio": (0.33, 3.0),
    "texture": (-20.0, 20.0), "f_anisotropy": (-20.0, 20.0), "sign_eQVzz": (-1.0, 1.0),
    "sigma_IS": (0.0, 0.2), "sigma_QS": (0.0, 0.4), "sigma_Bint": (0.0, 3.0),
    "IS_slope": (-0.02, 0.02), "QS_slope": (-0.02, 0.02), "QS_random": (0.0, 0.9),
    "sigma_eQVzz": (0.0, 0.0),
}  # fmt: skip
STATIC = ("hamiltonian", "hamiltonian_crystal")
"""Their lines cross, where the width of one by a distribution has no derivative."""


@pytest.mark.parametrize("kind", [*STATIC, "sextet", "doublet"])
def test_ten_thousand_sites_keep_the_sums_and_their_derivatives_are_right(kind):
    """Areas, centre, traces and, by central differences, slopes of every single one."""
    generator = np.random.default_rng(11)
    symbols = [p.symbol for p in SITES[kind].signature.parameters]
    names = [name for name in RANGES if name in symbols]
    low, high = np.array([RANGES[name] for name in names]).T
    if kind in STATIC:
        high = np.where([name.startswith("sigma_") for name in names], 0.0, high)
    part = generator.uniform(size=(10_000, len(names)))
    ends = part[:1000]  # of these half of the values lie at an end of their range
    part[:1000] = np.where(ends < 0.5, np.rint(2 * ends), ends)
    even = np.arange(10_000) % 2 == 0  # half of all are held as firmly everywhere
    if kind == "hamiltonian":
        part[even, names.index("f_anisotropy")] = 0.5
    way = generator.normal(size=part.shape)  # a direction for each

    def spectrum(part):
        values = dict(zip(names, low + (high - low) * part, strict=True))
        found = SITES[kind].lines(values, SLOPES)
        square = 0.01 + found.gauss_sigma**2
        seen = found.area * square**0.5 / ((found.position - 0.7) ** 2 + square)
        return jnp.sum(seen), found

    many = jax.jit(jax.vmap(jax.value_and_grad(spectrum, has_aux=True)))
    (_, found), slope = many(part)
    area, position = np.asarray(found.area), np.asarray(found.position)
    assert area.min() > -1e-14
    np.testing.assert_allclose(area.sum(1), 1.0, atol=1e-12)
    shift = low[0] + (high - low)[0] * part[:, 0]
    if kind != "sextet":  # of its six lines four go one way with QS
        np.testing.assert_allclose(position.mean(1), shift, atol=1e-11)
    if kind == "hamiltonian":
        centre = (position * area).sum(1)
        np.testing.assert_allclose(centre[even], shift[even], atol=1e-11)
    slope = np.asarray(slope)
    assert np.isfinite(slope).all()
    step = 3e-7
    above, below = (np.asarray(many(part + s * way)[0][0]) for s in (step, -step))
    away = np.abs((above - below) / (2 * step) - (slope * way).sum(1))
    assert away.max() < 2e-5


# ---------------------------------------------------------------- applied field


@cache
def exact_powder(field, eta):
    """Seen along the field, 0.25 mm/s: 24 × 12 crystals, each by slow arithmetic."""
    low, high = iron_slopes(SLOPES)
    cosine, weight = np.polynomial.legendre.leggauss(48)
    total = 0.0
    for c, w in zip(cosine[24:], weight[24:], strict=True):
        for phi in (np.arange(12) + 0.5) * 7.5:
            of = {"theta": np.rad2deg(np.arccos(c)), "phi": phi}
            beam = unit(of["theta"], phi)
            of |= {"Bint": field, "eQVzz": 3.0, "eta": eta}
            rows = slow(IRON, beam, (float(low), float(high)), **of)
            total = total + w / 12 * profile(*rows, VELOCITY, 0.25)
    return total


@pytest.mark.parametrize(("field", "error"), [(3.0, 3e-5), (5.0, 5e-4), (8.0, 6e-3)])
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_thirty_directions_are_as_good_as_is_said(field, error, eta):
    fine = exact_powder(field, eta)
    position, area, _ = lines(
        "hamiltonian_applied", eQVzz=3.0, eta=eta, B_applied=field
    )
    few = profile(position, area, VELOCITY, 0.25)
    assert error / 100 < np.abs(few - fine).max() / fine.max() < error


def test_a_powder_in_an_applied_field_is_the_mean_of_crystals():
    """All directions of field and ray at a fixed angle, drawn from the whole sphere."""
    generator = np.random.default_rng(3)
    n, angle = 4000, 30.0
    at, total, square = np.linspace(-3, 3, 25), 0.0, 0.0
    frame = np.linalg.qr(generator.normal(size=(n, 3, 3)))[0]
    frame *= np.sign(np.linalg.det(frame))[:, None, None]
    tilt = np.deg2rad(angle)
    field, ray = frame[:, :, 2], frame @ [np.sin(tilt), 0.0, np.cos(tilt)]
    degrees = [
        np.rad2deg(f(v))
        for v in (field, ray)
        for f in (lambda v: np.arccos(v[:, 2]), lambda v: np.arctan2(v[:, 1], v[:, 0]))
    ]
    names = ("theta", "phi", "beam_theta", "beam_phi")
    given = dict(zip(names, degrees, strict=True))
    rest = {"IS": 0.0, "Bint": 5.0, "eQVzz": -2.4, "eta": 0.3}
    rest |= {"sigma_IS": 0.0, "sigma_Bint": 0.0, "sigma_eQVzz": 0.0}
    given |= {key: np.full(n, value) for key, value in rest.items()}
    many = jax.jit(jax.vmap(SITES["hamiltonian_crystal"].lines, (0, None)))(
        given, SLOPES
    )
    half = 0.15
    for position, area in zip(
        np.asarray(many.position), np.asarray(many.area), strict=True
    ):
        one = (area * half / np.pi / ((at[:, None] - position) ** 2 + half**2)).sum(1)
        total, square = total + one / n, square + one**2 / n
    error = np.sqrt((square - total**2) / n)
    position, area, _ = lines(
        "hamiltonian_applied", B_applied=7.0, B_induced=-2.0, beam_angle=angle,
        eQVzz=-2.4, eta=0.3,
    )  # fmt: skip
    away = (profile(position, area, at, 2 * half) - total) / error
    assert np.abs(away).max() < 4.5  # 25 places, false alarm 2e-4
    assert area.sum() == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize(("angle", "middle"), [(0.0, 0.0), (90.0, 4.0)])
def test_without_a_gradient_an_applied_field_aligns(angle, middle):
    position, area, _ = lines("hamiltonian_applied", B_applied=10.0, beam_angle=angle)
    slopes = [area[np.abs(np.abs(position) - 10.0 * k) < 1e-9].sum() for k in SLOPES]
    parts = np.array([3.0, middle, 1.0])
    np.testing.assert_allclose(slopes, parts / parts.sum(), atol=1e-12)


def test_iron_is_the_first_and_has_no_second_name():
    assert next(iter(isotopes())) == IRON
    assert IRON not in OTHERS
