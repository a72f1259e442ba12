"""A horseshoe with its coefficients integrated out, against arithmetic done otherwise."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from specfit import checking, density
from specfit.contracts import FloatArray, Measurement, Problem
from specfit.density.regression import without
from specfit.features import Features
from specfit.model import ir

TEXT = """specfit 1
data d : table {
  file = "t.csv"
  target = column(4) V
  feature = columns(1..3)
}
model m : regression on d {
  a ~ normal(mean(d.target), 0.7) V
  σ ~ halfnormal(0.2) V
  τ ~ halfcauchy(0.5 * σ)
  slab ~ inverse_gamma(2, 2)
  β[d.feature] ~ regularized_horseshoe(τ, slab) V
  observe d.target ~ normal(a + sum(β[feature] * standardized(d.feature) over feature), σ)
}
"""
N, P = 7, 3


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ir.Model[ir.Prior]:
    path = tmp_path_factory.mktemp("regression") / "m.spec"
    path.write_text(TEXT, encoding="utf-8")
    (found,) = checking.check(path).require().models
    return found


def measured(errors: str = "none") -> Measurement:
    generator = np.random.default_rng(5)
    x = generator.normal(size=(N, P)) * np.array([1.0, 10.0, 0.1])
    y = 3.8 + 0.3 * (x[:, 0] - x[:, 0].mean()) + 0.05 * generator.normal(size=N)
    sd = np.abs(generator.normal(size=(N, P))) * 0.2 * x.std(axis=0)
    axis = np.arange(1.0, N + 1)
    if errors == "none":
        features = Features(x)
    elif errors == "apart":
        features = Features(x, sd=sd)
    else:
        factor = generator.normal(size=(N, P, P)) * 0.2 * x.std(axis=0)[:, None]
        covariance = factor @ factor.transpose(0, 2, 1)
        sd = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        features = Features(x, sd=sd, covariance=covariance)
    return Measurement(axis, y, "", "V", features=features, columns={"target": y})


def values_at(problem: Problem, z: FloatArray) -> dict[str, float]:
    found = problem.constrain({"z": jnp.asarray(z)}, problem.data)
    return {name: float(value) for name, value in found.items()}


def scales(values: dict[str, float]) -> FloatArray:
    """The prior sd of each coefficient, by the formula of the paper."""
    found = []
    for j in range(1, P + 1):
        local, tau, slab = values[f"β_local[{j}]"], values["τ"], values["slab"]
        squared = slab * local**2 / (slab + tau**2 * local**2)
        found.append(tau * np.sqrt(squared))
    return np.array(found)


def standard(one: Measurement) -> FloatArray:
    assert one.features is not None
    x = one.features.values
    return (x - x.mean(axis=0)) / x.std(axis=0)


def stretched(problem: Problem, z: FloatArray, names: tuple[str, ...]) -> float:
    """log |det| of the derivative of some values by their own coordinates."""

    @jax.jit
    def chosen(v: jax.Array) -> jax.Array:
        values = problem.constrain({"z": v}, problem.data)
        return jnp.stack([values[name] for name in names])

    rows = [problem.names.index(name) for name in names]
    derivative = np.asarray(jax.jacfwd(chosen)(jnp.asarray(z)))[:, rows]
    return float(np.linalg.slogdet(derivative)[1])


def outer(values: dict[str, float], problem: Problem, z: FloatArray) -> float:
    """Log prior of the scales and of σ in the coordinates of z."""
    total = stats.halfnorm.logpdf(values["σ"], scale=0.2) + np.log(values["σ"])
    total += stats.halfcauchy.logpdf(values["τ"], scale=0.5 * values["σ"])
    total += stats.invgamma.logpdf(values["slab"], 2, scale=2)
    total += sum(
        stats.halfcauchy.logpdf(values[f"β_local[{j}]"]) for j in range(1, P + 1)
    )
    return float(total - np.log(values["σ"]) + stretched(problem, z, SCALES))


SCALES = ("σ", "τ", "slab", *(f"β_local[{j}]" for j in range(1, P + 1)))


def test_the_density_is_the_marginal_one_times_a_standard_normal(
    model: ir.Model[ir.Prior],
) -> None:
    one = measured()
    with jax.enable_x64(True):
        problem = density.build(model, (one,))
        x = standard(one)
        generator = np.random.default_rng(1)
        for _ in range(2):
            z = generator.normal(size=problem.dimension)
            values = values_at(problem, z)
            s = np.concatenate([[0.7], scales(values)])
            design = np.column_stack([np.ones(N), x])
            covariance = design @ np.diag(s**2) @ design.T + values["σ"] ** 2 * np.eye(
                N
            )
            mean = np.full(N, one.values.mean())
            marginal = stats.multivariate_normal.logpdf(one.values, mean, covariance)
            rows = [i for i, name in enumerate(problem.names) if name not in SCALES]
            normal = stats.norm.logpdf(z[rows]).sum()
            expected = marginal + normal + outer(values, problem, z)
            found = float(problem.logdensity({"z": jnp.asarray(z)}, problem.data))
            mass = float(problem.data["log_prior_mass"])
            assert found + mass == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("errors", ["none", "apart", "together"])
def test_the_density_is_the_joint_one_times_the_jacobian(
    model: ir.Model[ir.Prior], errors: str
) -> None:
    """Also where entries have errors, and the coefficients are Gaussian only about."""
    one = measured(errors)
    assert one.features is not None
    with jax.enable_x64(True):
        problem = density.build(model, (one,))
        x, unit = standard(one), one.features.values.std(axis=0)
        drawn = ("a", *(f"β_unit[{j}]" for j in range(1, P + 1)))
        z = np.random.default_rng(2).normal(size=problem.dimension)
        values = values_at(problem, z)
        u = np.array([values[f"β_unit[{j}]"] for j in range(1, P + 1)])
        beta = u * scales(values)
        np.testing.assert_allclose(
            [values[f"β[{j}]"] for j in range(1, P + 1)], beta, rtol=1e-12
        )
        off = np.zeros(N)
        if one.features.covariance is not None:
            scaled = beta / unit
            off = np.array([scaled @ c @ scaled for c in one.features.covariance])
        elif one.features.sd is not None:
            off = (one.features.sd / unit) ** 2 @ beta**2
        noise = np.sqrt(values["σ"] ** 2 + off)
        joint = stats.norm.logpdf(one.values, values["a"] + x @ beta, noise).sum()
        joint += stats.norm.logpdf(values["a"], one.values.mean(), 0.7)
        joint += stats.norm.logpdf(u).sum()
        change = stretched(problem, z, drawn)
        found = float(problem.logdensity({"z": jnp.asarray(z)}, problem.data))
        expected = joint + change + outer(values, problem, z)
        mass = float(problem.data["log_prior_mass"])
        assert found + mass == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("over feature), σ)", "over feature), 0.05 * a + σ)"),
        ("halfcauchy(0.5 * σ)", "halfcauchy(0.1 * a)"),
        ("over feature), σ)", "over feature), sqrt(σ^2 + d.err^2))"),
        ("normal(a + sum", "normal(a + 0.3 * d.err + sum"),
        ("over feature), σ)", "over feature), σ + 0.01 * mean(d.target))"),
    ],
)
def test_the_jacobian_is_whole_whatever_rests_on_what(
    old: str, new: str, tmp_path: Path
) -> None:
    """Noise or scales that know the intercept, a column or a statistic of the table."""
    path = tmp_path / "m.spec"
    column = "feature = columns(1..3)\n  err = column(5) V"
    text = TEXT.replace(old, new).replace("feature = columns(1..3)", column)
    assert new in text
    path.write_text(text, encoding="utf-8")
    (own,) = checking.check(path).require().models
    one = measured("apart")
    one = replace(one, columns={**one.columns, "err": np.linspace(0.01, 0.2, N)})
    with jax.enable_x64(True):
        problem = density.build(own, (one,))
        z = jnp.asarray(np.random.default_rng(2).normal(size=problem.dimension))
        change = stretched(problem, np.asarray(z), problem.names)
        terms = problem.terms({"z": z}, problem.data)
        found = problem.logdensity({"z": z}, problem.data)
    assert float(terms["change of variables"]) == pytest.approx(change, abs=1e-9)
    assert float(sum(terms.values())) == pytest.approx(float(found), abs=1e-9)


def test_positions_and_values_go_back_and_forth(model: ir.Model[ir.Prior]) -> None:
    with jax.enable_x64(True):
        problem = density.build(model, (measured(errors="together"),))
        z = jnp.asarray(np.random.default_rng(3).normal(size=problem.dimension))
        values = problem.constrain({"z": z}, problem.data)
        back = problem.unconstrain(values, problem.data)["z"]
        np.testing.assert_allclose(back, z, atol=1e-10)


def test_the_gradient_is_finite_far_out(model: ir.Model[ir.Prior]) -> None:
    with jax.enable_x64(True):
        problem = density.build(model, (measured(errors="together"),))
        slope = jax.jit(jax.grad(lambda z: problem.logdensity({"z": z}, problem.data)))
        generator = np.random.default_rng(4)
        for reach in (1.0, 5.0, 15.0):
            z = reach * generator.normal(size=problem.dimension)
            assert np.isfinite(np.asarray(slope(jnp.asarray(z)))).all()


def test_a_row_left_out_is_not_known_at_all(model: ir.Model[ir.Prior]) -> None:
    """Its features and target may be anything: density and values stay bit for bit."""
    one = measured()
    assert one.features is not None
    x, y = one.features.values.copy(), one.values.copy()
    x[2] += 100.0
    y[2] -= 3.0
    other = Measurement(
        one.axis, y, "", "V", features=Features(x), columns={"target": y}
    )
    with jax.enable_x64(True):
        z = {"z": jnp.asarray(np.random.default_rng(6).normal(size=10))}
        found = []
        for each in (one, other):
            problem = density.build(model, (each,))
            learn, _ = without(model, each, problem.data, (2,))
            value = problem.logdensity(z, learn) + problem.data["log_prior_mass"]
            found.append((float(value), float(problem.constrain(z, learn)["β[1]"])))
        assert found[0][1] == found[1][1]
        assert found[0][0] == pytest.approx(found[1][0], abs=1e-9)


def test_errors_of_features_do_not_narrow_a_coefficient_whose_scale_is_free(
    model: ir.Model[ir.Prior],
) -> None:
    """As the errors alone hold it, to far less than its prior has it."""
    with jax.enable_x64(True):
        problem = density.build(model, (measured(errors="apart"),))
        at = np.zeros(problem.dimension)
        at[problem.names.index("β_local[2]")] = 6.0
        at[problem.names.index("σ")] = -4.0
        rows = [problem.names.index(f"β_unit[{j}]") for j in range(1, P + 1)]

        @jax.jit
        def bent(z: jax.Array) -> jax.Array:
            return jax.hessian(lambda q: problem.logdensity({"z": q}, problem.data))(z)

        curvature = -np.asarray(bent(jnp.asarray(at)))[np.ix_(rows, rows)]
    assert np.linalg.eigvalsh(curvature).max() < 4.0


@pytest.mark.parametrize("errors", ["apart", "together"])
def test_slopes_are_those_of_differences_where_some_rows_are_exact(
    model: ir.Model[ir.Prior], errors: str
) -> None:
    one = measured(errors=errors)
    assert one.features is not None
    assert one.features.sd is not None
    some = np.arange(N) % 2 == 0
    sd = one.features.sd * some[:, None]
    covariance = one.features.covariance
    if covariance is not None:
        covariance = covariance * some[:, None, None]
    features = replace(one.features, sd=sd, covariance=covariance)
    with jax.enable_x64(True):
        problem = density.build(model, (replace(one, features=features),))
        value = jax.jit(lambda z: problem.logdensity({"z": z}, problem.data))
        slope = jax.jit(jax.grad(value))
        generator = np.random.default_rng(8)
        for z in generator.normal(size=(5, problem.dimension)):
            steps = 1e-5 * np.eye(problem.dimension)
            differences = [(value(z + h) - value(z - h)) / 2e-5 for h in steps]
            np.testing.assert_allclose(slope(z), differences, rtol=1e-5, atol=1e-5)


def test_exact_rows_beside_wide_scales_keep_a_density(
    model: ir.Model[ir.Prior],
) -> None:
    """What the exact rows leave of a coefficient is small and never below nothing."""
    one = measured(errors="apart")
    assert one.features is not None
    assert one.features.sd is not None
    sd = one.features.sd * (np.arange(N) % 2 == 0)[:, None]
    with jax.enable_x64(True):
        exact = replace(one, features=replace(one.features, sd=sd))
        problem = density.build(model, (exact,))
        value = jax.jit(lambda z: problem.logdensity({"z": z}, problem.data))
        at = np.zeros(problem.dimension)
        at[[problem.names.index(f"β_local[{j}]") for j in range(1, P + 1)]] = 14.0
        at[problem.names.index("slab")] = 20.0
        at[problem.names.index("σ")] = -8.0
        assert np.isfinite(value(at))
        assert np.isfinite(jax.grad(value)(at)).all()
