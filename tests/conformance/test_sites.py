"""Every registered site kind keeps the promises of a `SiteKind`."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.sites import SITES

SLOPES = np.array(FIELD_SCALES[DEFAULT_FIELD_SCALE].slopes)
TYPICAL = {
    "IS": 0.37,
    "QS": 0.6,
    "ratio": 1.2,
    "Bint": 49.0,
    "x": 2.1,
    "width": 0.28,
    "I": 0.4,
    "sigma_IS": 0.02,
    "sigma_QS": 0.05,
    "sigma_Bint": 0.7,
    "eQVzz": 1.4,
    "eta": 0.3,
    "theta": 40.0,
    "phi": 20.0,
    "sigma_eQVzz": 0.1,
    "IS_slope": 0.02,
    "QS_slope": 0.01,
    "QS_random": 0.6,
    "log_rate": 8.5,
    "polarisation": 0.3,
    "low": 0.2,
    "high": 45.0,
    "roughness": 6.0,
    "sigma": 0.4,
    "d": 5.0,
    **{f"c{m}": 0.5 / m for m in range(1, 17)},
    "B_applied": 5.0,
    "B_induced": -0.5,
    "beam_angle": 30.0,
    "beam_theta": 70.0,
    "beam_phi": 100.0,
    "texture": 0.8,
    "f_anisotropy": -0.4,
    "sign_eQVzz": -1.0,
}
EDGES = {"QS": 0.0, "Bint": 0.0, "x": 0.0, "sigma_IS": 0.0, "sigma_QS": 0.0}
EDGES |= {"sigma_Bint": 0.0, "sigma_eQVzz": 0.0, "eQVzz": 0.0, "eta": 0.0}
EDGES |= {"theta": 0.0, "phi": 0.0, "polarisation": 0.0, "roughness": 0.0}
EDGES |= {
    "IS_slope": 0.0,
    "QS_slope": 0.0,
    "QS_random": 0.0,
    "B_applied": 0.0,
    "B_induced": 0.0,
}
EDGES |= {"texture": 0.0, "f_anisotropy": 0.0}
EDGES |= {"beam_angle": 0.0, "beam_theta": 0.0, "beam_phi": 0.0}
RISING = ("singlet", "doublet", "sextet")
"""Kinds whose lines have an order; levels of a whole Hamiltonian may cross."""
sites = pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if " " in n else []) for n in SITES],
)
"""Those of other isotopes, up to 48 lines of which all derivatives are compiled, when
there is time: they share the code of iron's."""


HEAVY = ("sextet_distribution", "doublet_distribution", "czjzek", "hamiltonian_applied")
derivable = pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=[pytest.mark.slow] if " " in n or n in HEAVY else [])
        for n in SITES
    ],
)
"""Of hundreds of lines every derivative takes long to compile: when there is time."""


@pytest.fixture(autouse=True, scope="module")
def _strict_float64():
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("strict"),
        jax.numpy_rank_promotion("raise"),
    ):
        yield


def values(name, **changes):
    symbols = [p.symbol for p in SITES[name].signature.parameters]
    chosen = TYPICAL | changes
    return {symbol: jnp.asarray(chosen[symbol]) for symbol in symbols}


@cache
def lines_of(name):
    """A kind's lines, compiled once for all places."""
    return jax.jit(SITES[name].lines)


@sites
def test_lines_have_the_promised_shape_and_areas_sum_to_one(name):
    kind = SITES[name]
    lines = lines_of(name)(values(name), SLOPES)
    for part in lines:
        assert part.shape == (kind.n_lines,)
        assert part.dtype == np.float64
    assert float(lines.area.sum()) == pytest.approx(1.0, abs=2e-14)
    assert (np.asarray(lines.area) >= -1e-15).all()
    if name.split()[0] in RISING:
        assert (np.diff(np.asarray(lines.position)) > 0).all()


@sites
def test_without_distributions_every_line_is_lorentzian(name):
    lines = lines_of(name)(values(name, **EDGES), SLOPES)
    np.testing.assert_array_equal(lines.gauss_sigma, 0.0)


@sites
def test_isomer_shift_moves_every_line_by_itself(name):
    before = lines_of(name)(values(name), SLOPES)
    after = lines_of(name)(values(name, IS=1.37), SLOPES)
    np.testing.assert_allclose(after.position - before.position, 1.0, rtol=1e-14)
    np.testing.assert_array_equal(after.area, before.area)


@derivable
@pytest.mark.parametrize("changes", [{}, EDGES], ids=["typical", "edges"])
def test_derivatives_are_finite(name, changes):
    at = values(name, **changes)
    for tree in (derivative(at) for derivative in derivatives(name)):
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))


@cache
def derivatives(name):
    """Compiled once for all places."""

    def flat(given):
        return jnp.concatenate(SITES[name].lines(given, SLOPES))

    return jax.jit(jax.jacfwd(flat)), jax.jit(jax.jacrev(flat))


@sites
def test_vmap_equals_a_loop(name):
    many = [values(name, IS=shift, QS=0.1 + shift) for shift in (0.1, 0.2, 0.9)]
    stacked = {symbol: jnp.stack([one[symbol] for one in many]) for symbol in many[0]}
    mapped = jax.jit(jax.vmap(SITES[name].lines, (0, None)))(stacked, SLOPES)
    for index, one in enumerate(many):
        alone = lines_of(name)(one, SLOPES)
        for part, whole in zip(alone, mapped, strict=True):
            np.testing.assert_allclose(part, whole[index], rtol=1e-14, atol=1e-15)


@sites
def test_signature_is_complete(name):
    signature = SITES[name].signature
    symbols = [p.symbol for p in signature.parameters]
    assert signature.name == name
    assert len(set(symbols)) == len(symbols)
    assert {"IS", "width", "I"} <= set(symbols)
    assert signature.source
    for parameter in signature.parameters:
        assert parameter.meaning
        assert parameter.default is None or parameter.default[:2] in ("~ ", "= ")
        if parameter.dimension == "velocity":
            assert parameter.unit == "mm/s"
    fraction = signature.parameter("I")
    assert (fraction.low, fraction.high, fraction.default) == (0.0, 1.0, None)
