"""What must leave the density unchanged, and what its functions owe each other."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from density_models import (
    QUICK,
    TRUTH,
    definition,
    dist,
    expect,
    magnetite_iron,
    make_model,
    measurement,
    parameter,
    quick,
    require,
    site,
)

from specfit.density import build
from specfit.density.parts import positive
from specfit.density.problem import problem_data
from specfit.model.ir import Model

RULES = (
    require((">", "A.Bint", "B.Bint"), 30),
    require((">", "B.IS", "A.IS"), 31),
    expect(("/", "B.I", "A.I"), dist("normal", 1.88, 0.10), 32),
)


def spectrum(seed=0, n_channels=96):
    axis = np.linspace(-10.0, 10.0, n_channels)
    dip = sum(0.05 * np.exp(-((axis - v) ** 2) / 0.1) for v in (-7.0, -3.0, 1.0, 6.0))
    counts = np.random.default_rng(seed).poisson(1e6 * (1.0 - dip)).astype(float)
    return measurement(counts, n_channels)


@lru_cache
def plain():
    return build(magnetite_iron(rules=RULES), [spectrum()])


@lru_cache
def magnetite():
    return quick(plain())


def posterior(model, values):
    """Prior and likelihood at given values, free of coordinates."""
    problem = build(model, [spectrum()])
    data = problem.data

    def of(values):
        position = problem.unconstrain(values, data)
        moved = problem.terms(position, data)["change of variables"]
        return problem.logdensity(position, data) - moved

    density = jax.jit(jax.vmap(of), compiler_options=QUICK)(values)
    return np.asarray(density + data["log_prior_mass"])


@pytest.fixture(scope="module")
def draws():
    with jax.enable_x64(True):
        problem = magnetite()
        return problem.sample_prior(jax.random.key(8), 5, problem.data)


@pytest.fixture(scope="module")
def reference(draws):
    with jax.enable_x64(True):
        return posterior(magnetite_iron(rules=RULES), draws)


def test_order_of_statements_and_sites_is_nothing(draws, reference):
    model = magnetite_iron(rules=RULES[::-1])
    spectra = tuple(
        s.model_copy(update={"sites": s.sites[::-1]}) for s in model.spectra
    )
    joints = tuple(j.model_copy(update={"names": j.names[::-1]}) for j in model.joints)
    changed = model.model_copy(
        update={
            "parameters": model.parameters[::-1],
            "definitions": model.definitions[::-1],
            "spectra": spectra,
            "joints": joints,
        }
    )
    np.testing.assert_allclose(posterior(changed, draws), reference, rtol=1e-12)


def test_names_are_nothing(draws, reference):
    text = magnetite_iron(rules=RULES).model_dump_json()
    for old, new in (("A.", "zeta."), ("B.", "Ä1."), ('"width"', '"Γ"')):
        text = text.replace(old, new)
    values = {
        name.replace("A.", "zeta.").replace("B.", "Ä1.").replace("width", "Γ"): x
        for name, x in draws.items()
    }
    model = type(magnetite_iron()).model_validate_json(
        text.replace('"Γ":"Γ"', '"width":"Γ"')
    )
    assert isinstance(model, Model)
    np.testing.assert_allclose(posterior(model, values), reference, rtol=1e-12)


def test_a_tie_is_a_substitution(draws):
    tied = magnetite_iron(rules=[require(("==", "A.IS", ("-", "B.IS", 0.2)))])
    said = magnetite_iron()
    parameters = tuple(p for p in said.parameters if p.name != "A.IS")
    written = said.model_copy(
        update={
            "parameters": parameters,
            "definitions": (
                *said.definitions,
                definition("A.IS", ("-", "B.IS", 0.2)),
            ),
        }
    )
    values = {**draws, "B.IS": jnp.linspace(0.0, 1.0, 5)}
    values.pop("A.IS")
    own_prior = -np.log(2.0)  # of A.IS, which a tie keeps: uniform over 2 mm/s
    np.testing.assert_allclose(
        posterior(tied, values), posterior(written, values) + own_prior, rtol=1e-12
    )


def test_gradient_is_that_of_finite_differences():
    problem = plain()
    data = problem.data
    draws = problem.sample_prior(jax.random.key(11), 12, data)
    z = jax.vmap(lambda v: magnetite().unconstrain(v, data)["z"])(draws)
    density = jax.jit(
        jax.vmap(lambda z: problem.logdensity({"z": z}, data)), compiler_options=QUICK
    )
    slope = jax.jit(
        jax.vmap(jax.grad(lambda z: problem.logdensity({"z": z}, data))),
        compiler_options=QUICK,
    )(z)
    assert np.isfinite(slope).all()
    step = 1e-5 * np.eye(problem.dimension)
    terms = zip((1, -8, 8, -1), (-2, -1, 1, 2), strict=True)
    moved = sum(
        w * density((z[:, None] + k * step).reshape(-1, z.shape[1])) for w, k in terms
    )
    numeric = (moved / (12.0 * 1e-5)).reshape(z.shape)
    scale = np.abs(slope).max(axis=1, keepdims=True)
    assert (np.abs(numeric - slope) / scale).max() < 1e-6


def test_parts_add_up_and_are_named():
    problem = magnetite()
    data = problem.data
    position = problem.unconstrain(TRUTH, data)
    terms = problem.terms(position, data)
    parts = sum(v for name, v in terms.items() if not name.startswith("N(v)"))
    whole = problem.logdensity(position, data)
    assert float(parts) == pytest.approx(float(whole), rel=1e-13)
    halves = problem.logprior(position, data) + problem.loglikelihood(position, data)
    assert float(halves) == pytest.approx(float(whole), rel=1e-13)
    assert {"prior of B.IS", "expect line 32", "likelihood of spectrum"} < set(terms)


def test_components_and_baseline_make_the_curve():
    problem = magnetite()
    position = problem.unconstrain(TRUTH, problem.data)
    absorbed = problem.components(position, problem.data).sum(axis=1)
    curve = problem.predict(position, problem.data)
    np.testing.assert_allclose(TRUTH["N0"] - absorbed, curve, rtol=1e-13)


def test_new_data_do_not_retrace():
    problem = plain()
    other = problem_data(magnetite_iron(rules=RULES), [spectrum(seed=5)])
    traces = []

    @jax.jit
    def density(position, data):
        traces.append(1)
        return problem.logdensity(position, data)

    position = magnetite().unconstrain(TRUTH, problem.data)
    first = density(position, problem.data)
    second = density(position, other)
    assert first != second
    assert len(traces) == 1


def test_the_program_does_not_grow_with_sites():
    def size(n):
        names = [f"S{i}" for i in range(n)]
        problem = build(magnetite_iron(names), [spectrum()])
        position = {"z": jnp.zeros(problem.dimension)}
        gradient = jax.jit(jax.grad(problem.logdensity))
        return len(gradient.lower(position, problem.data).as_text().splitlines())

    assert size(40) == size(3)


def test_simulated_counts_scatter_as_they_should():
    problem = magnetite()
    position = problem.unconstrain(TRUTH, problem.data)
    mean = problem.predict(position, problem.data)
    generator, mean = np.random.default_rng(4), np.asarray(mean)
    counts = np.stack(
        [problem.scatter(generator, mean, TRUTH, problem.data) for _ in range(40)]
    )
    pulls = (counts - mean) / np.sqrt(mean)
    n = pulls.size
    assert abs(float(pulls.mean())) < 4.5 / np.sqrt(n)
    assert abs(float(pulls.var()) - 1.0) < 4.5 * np.sqrt(2.0 / n)


def test_prior_draws_can_be_used_as_they_come():
    problem = magnetite()
    draws = problem.sample_prior(jax.random.key(2), 300, problem.data)
    assert (draws["A.Bint"] > draws["B.Bint"]).all()
    assert (draws["B.IS"] > draws["A.IS"]).all()
    again = problem.sample_prior(jax.random.key(2), 300, problem.data)
    np.testing.assert_array_equal(draws["Fe.I"], again["Fe.I"])


def test_expected_counts_stay_positive_with_a_slope():
    floor = jnp.asarray(10.0)
    counts = jnp.array([1e6, 11.0, 9.999999, 0.0, -1e3, -1e9])
    bent = positive(counts, floor)
    np.testing.assert_array_equal(bent[:2], counts[:2])
    assert (bent > 0.0).all()
    assert (np.diff(bent) < 0.0).all()
    slope = jax.vmap(jax.grad(lambda x: jnp.log(positive(x, floor))))(counts)
    assert np.isfinite(slope).all()
    assert (slope > 0.0).all()


def test_an_impossible_depth_is_finite_and_named():
    problem = plain()
    deep = magnetite().unconstrain({**TRUTH, "area": 4.9}, problem.data)
    both = jax.jit(jax.value_and_grad(problem.logdensity), compiler_options=QUICK)
    value, slope = both(deep, problem.data)
    assert np.isfinite(value)
    assert np.isfinite(slope["z"]).all()
    terms = magnetite().terms(deep, problem.data)
    assert terms["N(v) of spectrum not positive"] == -np.inf


def test_the_separable_form_is_the_curve():
    problem = magnetite()
    data, parts = problem.data, problem.separable
    assert parts.component_names == ("B", "A", "Fe")
    assert parts.component_parameters[0] == ("width", "B.IS", "B.QS", "B.Bint")
    values = problem.constrain(problem.unconstrain(TRUTH, data), data)
    fractions = jnp.stack([values[f"{n}.I"] for n in parts.component_names])
    amplitudes = values["N0"] * values["area"] * fractions
    position = problem.unconstrain(TRUTH, data)
    background, atoms = parts.columns(position, data)
    np.testing.assert_allclose(atoms, parts.atom(values, data), rtol=1e-12)
    curve = values["N0"] * background[0] - amplitudes @ atoms
    expected = problem.predict(position, data)
    np.testing.assert_allclose(curve, expected.reshape(-1), rtol=1e-13)
    wrong = {**values, "N0": 9e5, "area": 0.1, "B.I": 0.8, "A.I": 0.1, "Fe.I": 0.1}
    back = parts.assemble(wrong, amplitudes, values["N0"][None], data)
    for name, x in values.items():
        assert float(back[name]) == pytest.approx(float(x), rel=1e-10, abs=1e-12)
    level = values["N0"][None]
    clipped = parts.assemble(values, amplitudes.at[0].set(-1.0), level, data)
    assert 0.0 < clipped["B.I"] < 1e-4
    observed, weight = parts.target(data)
    np.testing.assert_array_equal(observed, data["counts"].reshape(-1))
    np.testing.assert_allclose(weight, 1.0 / observed)


def test_a_sloped_baseline_is_linear_too():
    parameters = [
        parameter("N0", dist("normal", 1e6, 2e4)),
        parameter("area", dist("uniform", 0.001, 5.0)),
        parameter("w", dist("normal", 0.26, 0.03, low=0.194, high=0.60)),
        parameter("A.IS", dist("normal", 0.3, 0.1)),
        parameter("curvature", dist("normal", 0.0, 0.02)),
        parameter("half_slope", dist("normal", 0.0, 0.01)),
    ]
    names = ("N0", "area", "slope", "curvature", "geometry", "half_slope")
    model = make_model(
        [[site("A", "singlet", width="w", I="A.I")]],
        parameters,
        [
            definition("A.I", 1.0),
            definition("slope", 0.01),
            definition("geometry", 0.004),
        ],
        baseline="parabola",
        scalars=[{name: name for name in names}],
    )
    measured = spectrum()
    stands = np.sin(np.arange(measured.axis.size) + 0.5)
    problem = quick(build(model, [replace(measured, position=stands)]))
    data = problem.data
    truth = {"N0": 9.9e5, "area": 0.2, "w": 0.25, "A.IS": 0.31, "curvature": 0.03}
    truth["half_slope"] = 0.002
    position = problem.unconstrain(truth, data)
    values = problem.constrain(position, data)
    heights = 9.9e5 * jnp.array([1.0, 0.03, 0.002])
    rows, atoms = problem.separable.columns(position, data)
    curve = heights @ rows - 9.9e5 * 0.2 * atoms[0]
    expected = problem.predict(position, data)
    np.testing.assert_allclose(curve, expected.reshape(-1), rtol=1e-13)
    back = problem.separable.assemble(values, jnp.array([9.9e5 * 0.2]), heights, data)
    assert float(back["curvature"]) == pytest.approx(0.03, rel=1e-12)
    assert float(back["half_slope"]) == pytest.approx(0.002, rel=1e-12)


def test_amplitudes_that_also_move_lines_are_not_separable():
    parameters = [
        parameter("N0", dist("normal", 1e6, 2e4)),
        parameter("area", dist("uniform", 0.001, 5.0)),
        parameter("A.IS", dist("normal", 0.3, 0.1)),
    ]
    model = make_model(
        [site("A", "singlet", width="area")], parameters, [definition("A.I", 1.0)]
    )
    assert build(model, [spectrum()]).separable is None


def test_single_precision_is_refused():
    with jax.enable_x64(False), pytest.raises(ValueError, match="double precision"):
        build(magnetite_iron(), [spectrum()])
