"""Weights of spectra: densities against arithmetic of NumPy and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import interpolate, stats

from specfit import pipeline
from specfit.density import framed
from specfit.density.splines import Shifted, natural
from specfit.model.levels_apart import apart

LABELS = ("0", "40", "130")


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def built(path, level=0):
    checked = pipeline.check_with_data(path)
    assert not checked.errors, [(e.code, e.words) for e in checked.errors]
    model = checked.require().models[0]
    measured = pipeline.measure(model, checked)
    part = list(apart(model).values())[level]
    return part, measured[level], pipeline.build(part, (measured[level],))


def position(problem, values):
    drawn = {n: jnp.asarray(float(v)) for n, v in values.items()}
    return problem.unconstrain(drawn, problem.data)


TRUTH = {"dE": 0.07, "s": 0.004, "w[0]": 0.55, "w[40]": 0.3, "w[130]": 0.15}
EDGE = {"level": 0.01, "slope": 1e-4, "step": 1.02, "post": -2e-4}


def mixture(measured, values):
    shares = [values[f"w[{label}]"] for label in LABELS]
    total = 0.0
    for share, basis in zip(shares, measured.bases.values(), strict=True):
        spline = interpolate.CubicSpline(basis.axis, basis.values, bc_type="natural")
        total = total + share * spline(measured.axis - values["dE"])
    return total


def test_likelihood_and_prior_are_those_of_scipy(series):
    _, measured, problem = built(series())
    at = position(problem, TRUTH)
    curve = mixture(measured, TRUTH)
    np.testing.assert_allclose(problem.predict(at, problem.data)[0], curve, atol=1e-12)
    law = stats.t(4, curve, TRUTH["s"])
    wanted = law.logpdf(measured.values)
    np.testing.assert_allclose(
        problem.pointwise(at, problem.data)[0], wanted, rtol=1e-9
    )
    terms = problem.terms(at, problem.data)
    shares = [TRUTH[f"w[{label}]"] for label in LABELS]
    prior = stats.dirichlet([0.5] * 3).logpdf(shares) + stats.norm(0, 0.1).logpdf(0.07)
    prior += stats.halfnorm(0, 0.01).logpdf(0.004)
    soc = 0.3 * 0.4 + 0.15 * 1.3
    prior += stats.norm(0.25, 0.05).logpdf(soc)
    skip = ("likelihood", "change of", "prior mass")
    own = sum(float(v) for n, v in terms.items() if not n.startswith(skip))
    assert own == pytest.approx(prior, abs=1e-9)


def test_an_edge_baseline_is_fitted_with_the_weights(series):
    _, measured, problem = built(series(baseline="baseline bg : edge"))
    at = position(problem, TRUTH | EDGE)
    beyond = measured.axis - 0.5 * (measured.axis[0] + measured.axis[-1])
    scale = EDGE["step"] + EDGE["post"] * beyond
    wanted = EDGE["level"] + EDGE["slope"] * beyond + scale * mixture(measured, TRUTH)
    np.testing.assert_allclose(problem.predict(at, problem.data)[0], wanted, atol=1e-12)


def test_each_of_the_baseline_can_be_off(series):
    text = "baseline bg : edge { level = 0; slope = 0 eV^-1; step = 1; post = 0 eV^-1 }"
    _, _, plain = built(series())
    _, _, off = built(series(baseline=text))
    assert plain.names == off.names
    one, other = (p.predict(position(p, TRUTH), p.data) for p in (plain, off))
    np.testing.assert_allclose(one, other, atol=1e-12)


def test_components_and_what_lies_under_them_make_the_curve(series):
    _, _, problem = built(series(baseline="baseline bg : edge"))
    at = position(problem, TRUTH | EDGE)
    parts = np.asarray(problem.components(at, problem.data))[0]
    assert parts.shape[0] == 3
    none = TRUTH | EDGE | {"step": 1e-12, "post": 0.0}
    under = problem.predict(position(problem, none), problem.data)[0]
    whole = problem.predict(at, problem.data)[0]
    np.testing.assert_allclose(parts.sum(axis=0) + under, whole, atol=1e-9)


def test_change_of_variables_and_gradients_where_the_prior_reaches(series):
    _, _, problem = built(series(baseline="baseline bg : edge"))
    generator = np.random.default_rng(5)
    free = [n for n in problem.names]

    def values(z):
        known = problem.constrain({"z": z}, problem.data)
        return jnp.stack([known[n] for n in free])

    for scale in (0.5, 2.0, 5.0):
        z = jnp.asarray(generator.normal(0.0, scale, len(free)))
        sign, wanted = np.linalg.slogdet(np.asarray(jax.jacfwd(values)(z)))
        said = problem.terms({"z": z}, problem.data)["change of variables"]
        assert abs(sign) == 1  # parts may come in another order
        assert float(said) == pytest.approx(wanted, abs=1e-6)
        back = problem.unconstrain(
            problem.constrain({"z": z}, problem.data), problem.data
        )["z"]
        np.testing.assert_allclose(back, z, rtol=1e-6, atol=1e-6)
    gradient = jax.grad(lambda z: problem.logdensity({"z": z}, problem.data))
    drawn = problem.sample_prior(jax.random.key(2), 40, problem.data)
    for i in range(40):
        one = {n: v[i] for n, v in drawn.items()}
        there = problem.unconstrain(one, problem.data)
        assert np.isfinite(problem.logdensity(there, problem.data))
        assert np.isfinite(np.asarray(gradient(there["z"]))).all()


def test_parts_stay_in_a_simplex_however_far_out():
    frame = {
        "order": jnp.array([2, 0, 1]),
        "mean": jnp.array([-0.02, 0.4]),
        "scale": jnp.array([0.01, 0.002]),
        "outside": jnp.zeros((2, 1)),
        "inside": jnp.array([[0.0, 0.0], [-2.0, 0.0]]),
    }
    others = jnp.zeros(1)
    for size in (1.0, 30.0, 700.0):
        for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            z = size * jnp.array(signs, float)
            parts, jacobian = framed.forward(z, others, frame, 1.0)
            assert (np.asarray(parts) > 0).all()
            assert float(parts.sum()) == pytest.approx(1.0)
            assert np.isfinite(float(jacobian))
            slope = jax.jacfwd(lambda z: framed.forward(z, others, frame, 1.0)[1])(z)
            assert np.isfinite(np.asarray(slope)).all()


def test_splines_are_those_of_scipy_and_straight_beyond():
    generator = np.random.default_rng(3)
    x = np.sort(generator.uniform(0.0, 10.0, 25))
    y = generator.normal(size=25)
    inside = np.linspace(x[0], x[-1], 200)
    spline = interpolate.CubicSpline(x, y, bc_type="natural")
    made = natural(x, y)
    np.testing.assert_allclose(
        Shifted(made, inside).at(np, 0.0), spline(inside), atol=1e-9
    )
    by = jax.grad(
        lambda d: jnp.sum(Shifted(made, jnp.asarray(inside[5:50])).at(jnp, d))
    )
    wanted = -spline(inside[5:50] - 0.01, 1).sum()
    assert float(by(0.01)) == pytest.approx(wanted, rel=1e-6)
    beyond = Shifted(made, np.array([x[-1] + 1.0, x[-1] + 2.0])).at(np, 0.0)
    assert beyond[1] - beyond[0] == pytest.approx(float(spline(x[-1], 1)))


def test_stages_share_one_program(series):
    problems = [built(series(), level)[2] for level in (0, 1)]
    assert problems[0].logdensity.__self__.identity
    identities = {p.logdensity.__self__.identity for p in problems}
    assert len(identities) == 1
    shapes = [jax.tree.map(jnp.shape, p.data) for p in problems]
    assert shapes[0] == shapes[1]
    assert float(problems[1].data["constants"]["xanes.soc"]) == pytest.approx(0.92)


def test_components_are_in_the_order_of_the_text_also_when_compiled(series):
    """130 stands after 40 in the file and before it in a sorted dictionary."""
    _, _, problem = built(series())
    compiled = jax.jit(problem.components)
    for k, label in enumerate(LABELS):
        weights = {f"w[{other}]": 1e-9 for other in LABELS} | {f"w[{label}]": 1.0}
        at = position(problem, TRUTH | weights)
        heights = np.abs(np.asarray(compiled(at, problem.data))[0]).max(axis=-1)
        assert int(heights.argmax()) == k
