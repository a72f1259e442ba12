"""Patterns and curves: densities against arithmetic of NumPy and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from specfit import pipeline
from specfit.density.expression_amounts import degree, linear_names
from specfit.inference.joined import _stacked
from specfit.model.levels_apart import apart

X = np.linspace(10.0, 50.0, 81)
Y = 1000.0 + 5.0 * X + 4000.0 * np.exp(-0.5 * ((X - 30.0) / 2.0) ** 2)
BASELINES = {
    "constant": ("baseline bg : constant", {"c0": 900.0}),
    "linear": ("baseline bg : linear", {"c0": 900.0, "c1": 80.0}),
    "chebyshev": (
        "baseline bg : chebyshev(order = 3)",
        {"c0": 900.0, "c1": 80.0, "c2": -30.0, "c3": 12.0},
    ),
    "exponential": ("baseline bg : exponential", {"b": 900.0, "decay": 25.0}),
    "powerlaw": ("baseline bg : powerlaw", {"b": 900.0, "r": 1.7}),
    "step": (
        "baseline bg : step { edge ~ 33 ± 3 deg }",
        {"c0": 500.0, "step": 300.0, "edge": 32.0, "edge_width": 1.5},
    ),
    "shirley": ("baseline bg : shirley", {"c0": 500.0, "loss": 0.01}),
}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def spec(baseline, noise="poisson", peak="voigt { xc ~ 30 ± 2 deg }"):
    return f"""specfit 1
data s : pattern {{
  file = "s.csv"; theta2 = column(1) deg; counts = column(2) counts
}}
model lines : peaks on s {{
  {baseline}
  peak P : {peak}
  observe s.counts ~ {noise}
}}
"""


def built(tmp_path, text, table=None):
    table = np.column_stack([X, np.round(Y)]) if table is None else table
    np.savetxt(tmp_path / "s.csv", table, delimiter=",")
    path = tmp_path / "m.spec"
    path.write_text(text, encoding="utf-8")
    checked = pipeline.check_with_data(path)
    assert not checked.errors, [(e.code, e.words) for e in checked.errors]
    model = checked.require().models[0]
    return model, pipeline.build(model, pipeline.measure(model, checked))


def position(problem, values):
    drawn = {n: jnp.asarray(float(values[n])) for n in problem.names}
    return problem.unconstrain(drawn, problem.data)


def background(name, v):
    u = 2 * (X - X[0]) / (X[-1] - X[0]) - 1
    if name in ("constant", "linear", "chebyshev"):
        return np.polynomial.chebyshev.chebval(u, [v[f"c{k}"] for k in range(len(v))])
    if name == "exponential":
        return v["b"] * np.exp(-(X - X[0]) / v["decay"])
    if name == "powerlaw":
        return v["b"] * (X / X[0]) ** -v["r"]
    if name == "step":
        sigma = v["edge_width"] / 2.3548200450309493
        return v["c0"] + v["step"] * stats.norm.cdf((X - v["edge"]) / sigma)
    return v["c0"] + np.zeros_like(X)


PEAK = {"P.xc": 30.2, "P.A": 15000.0, "P.wG": 3.0, "P.wL": 1.2}


def peak():
    sigma = PEAK["P.wG"] / 2.3548200450309493
    shape = special.voigt_profile(X - PEAK["P.xc"], sigma, PEAK["P.wL"] / 2)
    return PEAK["P.A"] * shape


@pytest.mark.parametrize("name", BASELINES)
def test_the_curve_of_every_baseline(tmp_path, name):
    statement, v = BASELINES[name]
    _, problem = built(tmp_path, spec(statement))
    at = position(problem, {**v, **PEAK})
    mine = np.asarray(problem.predict(at, problem.data))[0]
    theirs = background(name, v) + peak()
    if name == "shirley":
        steps = 0.5 * (peak()[1:] + peak()[:-1]) * np.diff(X)
        theirs = theirs + v["loss"] * np.concatenate([[0.0], np.cumsum(steps)])
    assert mine == pytest.approx(theirs, rel=1e-9)
    slope = jax.grad(lambda z: problem.logdensity({"z": z}, problem.data))(at["z"])
    assert np.isfinite(np.asarray(slope)).all()


@pytest.mark.parametrize("name", BASELINES)
def test_the_curve_is_the_sum_of_its_linear_parts(tmp_path, name):
    """Background less amounts times atoms, as search has it."""
    statement, v = BASELINES[name]
    _, problem = built(tmp_path, spec(statement))
    at = position(problem, {**v, **PEAK})
    rows, atoms = problem.separable.columns(at, problem.data)
    levels = [v[s] for s in ("c0", "c1", "c2", "c3", "b", "step") if s in v]
    whole = np.asarray(levels) @ np.asarray(rows) - PEAK["P.A"] * np.asarray(atoms)[0]
    mine = np.asarray(problem.predict(at, problem.data))[0]
    assert whole == pytest.approx(mine, rel=1e-9)
    found = problem.separable.assemble(
        problem.constrain(at, problem.data),
        jnp.asarray([12000.0]), jnp.asarray([float(x) for x in levels]), problem.data,
    )  # fmt: skip
    assert float(found["P.A"]) == pytest.approx(12000.0)


LAWS = {
    "gaussian(20 counts)": lambda y, m: stats.norm.logpdf(y, m, 20.0),
    "student_t(4, 20 counts)": lambda y, m: stats.t.logpdf(y, 4, m, 20.0),
    "poisson": lambda y, m: stats.poisson.logpmf(y, m),
}


@pytest.mark.parametrize("law", LAWS)
def test_every_noise_law(tmp_path, law):
    statement, v = BASELINES["linear"]
    _, problem = built(tmp_path, spec(statement, law))
    at = position(problem, {**v, **PEAK})
    theirs = LAWS[law](np.round(Y), background("linear", v) + peak()).sum()
    assert float(problem.loglikelihood(at, problem.data)) == pytest.approx(theirs)


def test_a_column_of_standard_deviations(tmp_path):
    sd = 10.0 + X
    text = spec("baseline bg : linear", "gaussian(s.sd)").replace(
        "counts = column(2) counts", "intensity = column(2); sd = column(3)"
    )
    text = text.replace("s.counts", "s.intensity")
    _, problem = built(tmp_path, text, np.column_stack([X, Y, sd]))
    _, v = BASELINES["linear"]
    at = position(problem, {**v, **PEAK})
    theirs = stats.norm.logpdf(Y, background("linear", v) + peak(), sd).sum()
    assert float(problem.loglikelihood(at, problem.data)) == pytest.approx(theirs)


def test_a_height_or_a_standard_deviation_may_be_stated_instead(tmp_path):
    stated = "gaussian { xc ~ 30 ± 2 deg; height ~ 4000 ± 900 counts; sigma ~ 2.0 ± 0.5 deg }"
    _, problem = built(tmp_path, spec("baseline bg : linear", peak=stated))
    assert {"P.height", "P.sigma"} < set(problem.names)
    values = {"c0": 900.0, "c1": 80.0, "P.xc": 30.0, "P.height": 4000.0, "P.sigma": 2.0}
    at = position(problem, values)
    found = {n: float(x) for n, x in problem.constrain(at, problem.data).items()}
    assert found["P.A"] == pytest.approx(4000.0 * 2.0 * np.sqrt(2 * np.pi))
    mine = np.asarray(problem.predict(at, problem.data))[0]
    bell = 4000.0 * np.exp(-0.5 * ((X - 30.0) / 2.0) ** 2)
    rows, atoms = problem.separable.columns(at, problem.data)
    whole = np.array([900.0, 80.0]) @ np.asarray(rows) - 4000.0 * np.asarray(atoms)[0]
    assert whole == pytest.approx(mine)
    u = 2 * (X - X[0]) / (X[-1] - X[0]) - 1
    assert mine == pytest.approx(900.0 + 80.0 * u + bell)


CURVE = """specfit 1
data d : table { file = "s.csv"; x = column(1); y = column(2) }
model fit : curve on d {
  a ~ free in [0, 9000]
  k ~ free in [0, 1]
  c ~ 0 ± 2000
  slow = k / 2
  observe d.y ~ normal(a * exp(-slow * d.x) + c, 30)
}
"""


def test_a_curve_is_its_expression(tmp_path):
    _, problem = built(tmp_path, CURVE)
    at = position(problem, {"a": 5000.0, "k": 0.1, "c": 700.0})
    mine = np.asarray(problem.predict(at, problem.data))[0]
    theirs = 5000.0 * np.exp(-0.05 * X) + 700.0
    assert mine == pytest.approx(theirs)
    likelihood = stats.norm.logpdf(np.round(Y), theirs, 30.0).sum()
    assert float(problem.loglikelihood(at, problem.data)) == pytest.approx(likelihood)
    assert problem.separable.component_names == ("a",)
    assert problem.separable.component_parameters == (("k",),)
    rows, atoms = problem.separable.columns(at, problem.data)
    whole = 700.0 * np.asarray(rows)[0] - 5000.0 * np.asarray(atoms)[0]
    assert whole == pytest.approx(theirs)


def test_what_is_linear_in_an_expression(tmp_path):
    model, _ = built(tmp_path, CURVE)
    mean = model.spectra[0].noise.mean
    assert linear_names([mean], ["a", "slow", "c"]) == ["a", "c"]
    assert degree(mean, frozenset({"a", "c"})) == 1
    assert degree(mean, frozenset({"slow"})) > 1


LEVELS = """specfit 1
data s[stage = [1, 2]] : pattern {
  file = "s.csv"; theta2 = column(1) deg; counts = column(2) counts
}
model lines : peaks on s per stage {
  baseline bg : linear
  peak P : gaussian { xc ~ 30 ± 2 deg }
  peak Q : gaussian { xc ~ 40 ± 2 deg }
  require P.xc < Q.xc because "order"
  observe s.counts ~ negative_binomial(excess = halfnormal(0.02))
}
"""


def test_levels_that_share_nothing_are_models_of_their_own(tmp_path):
    model, whole = built(tmp_path, LEVELS)
    parts = apart(model)
    assert list(parts) == ["1", "2"]
    assert parts["1"].canonical() == parts["2"].canonical()
    assert len(parts["1"].rules) == 1
    names = {p.name for p in parts["2"].parameters}
    assert names == {n.partition("[")[0] for n in whole.names}
    shared = LEVELS.replace("per stage {", "{").replace("2 deg }", "2 deg per stage }")
    assert apart(built(tmp_path, shared)[0]) == {}


def test_the_noise_of_a_level_is_its_own(tmp_path):
    """An argument that differs by level is that of the level, not of the first."""
    text = LEVELS.replace(
        "model lines : peaks on s per stage {",
        """model lines : peaks on s {
  e ~ halfnormal(0.02) per stage""",
    ).replace("halfnormal(0.02))", "e)")
    model, _ = built(tmp_path, text)
    used = [spectrum.noise.arguments[0].name for spectrum in model.spectra]
    assert used == ["e[1]", "e[2]"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "peak Q : gaussian { xc ~ 40 ± 2 deg }",
            "peak Q : gaussian { xc = P.xc[1] + 9 deg }",
        ),
        ('P.xc < Q.xc because "order"', 'P.xc < 40 deg + dd because "order"'),
    ],
)
def test_levels_that_rest_on_each_other_stay_together(tmp_path, before, after):
    """Whether by a parameter or through a definition."""
    text = LEVELS.replace(before, after)
    if "dd" in after:
        text = text.replace("  baseline bg", "  dd = P.xc[2] - P.xc[1]\n  baseline bg")
    model, problem = built(tmp_path, text)
    assert apart(model) == {}
    assert len(model.spectra) == 2
    assert problem.dimension == len(problem.names)


def test_a_weak_baseline_under_a_strong_peak_is_itself(tmp_path):
    """Counts are bent upwards near nothing, not near a thousandth of the highest."""
    strong = np.column_stack(
        [X, np.round(1e5 * np.exp(-0.5 * ((X - 30.0) / 2.0) ** 2))]
    )
    _, problem = built(tmp_path, spec("baseline bg : constant"), strong)
    at = position(problem, {"c0": 5.0, **PEAK, "P.wL": 1e-6})
    mine = np.asarray(problem.predict(at, problem.data))[0]
    assert mine[0] == pytest.approx(5.0, rel=1e-3)


@pytest.mark.parametrize(
    "law", ["poisson", "gaussian(20 counts)", "student_t(4, 20 counts)"]
)
def test_what_search_takes_for_the_variance(tmp_path, law):
    _, problem = built(tmp_path, spec("baseline bg : linear", law))
    expected = np.round(Y) if law == "poisson" else np.full_like(Y, 400.0)
    assert np.asarray(problem.data["spread"])[0] == pytest.approx(expected)


def test_levels_of_unequal_length_share_no_likelihood():
    """What fills up the shorter one adds nothing to any sum."""
    long, short = np.ones((2, 3, 1, 5)), np.ones((2, 3, 1, 4))
    both = _stacked([long, short], axis=2, nothing=True)
    assert both.shape == (2, 3, 2, 5)
    assert both.sum() == 2 * 3 * 9
    assert _stacked([long, short], axis=2).sum() == 2 * 3 * 10


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("theta2 = column(1) deg", "theta2 = column(1) eV"),
        ("theta2 = column(1) deg", "theta2 = column(1)"),
        ("counts = column(2) counts", "counts = column(2) deg"),
    ],
)
def test_a_column_of_a_wrong_unit_is_told(tmp_path, before, after):
    path = tmp_path / "m.spec"
    path.write_text(
        spec("baseline bg : linear").replace(before, after), encoding="utf-8"
    )
    np.savetxt(tmp_path / "s.csv", np.column_stack([X, Y]), delimiter=",")
    errors = pipeline.check_with_data(path).errors
    assert errors
    assert {e.code for e in errors} <= {"unit-mismatch", "unit-missing", "wrong-unit"}


def test_a_peak_whose_area_is_a_share_of_another_s_is_one_component_with_it(tmp_path):
    text = spec(
        "baseline bg : constant",
        peak="gaussian { xc ~ 28 ± 1 deg; wG ~ halfnormal(3) deg }\n"
        "  peak Q : gaussian { xc ~ 35 ± 1 deg; wG ~ halfnormal(3) deg; A = 0.5 * P.A }",
    )
    _, problem = built(tmp_path, text)
    parts = problem.separable
    assert parts is not None
    assert parts.component_names == ("P",)
    assert set(parts.component_parameters[0]) == {"P.xc", "P.wG", "Q.xc", "Q.wG"}
    known = {
        "P.xc": 28.2,
        "P.wG": 2.0,
        "P.A": 7.0,
        "Q.xc": 35.1,
        "Q.wG": 3.0,
        "c0": 900.0,
    }
    values = {name: jnp.asarray(known[name]) for name in problem.names}
    position = problem.unconstrain(values, problem.data)
    _, atoms = parts.columns(position, problem.data)

    def gauss(centre, fwhm):
        return stats.norm.pdf(X, centre, fwhm / (8 * np.log(2)) ** 0.5)

    expected = gauss(28.2, 2.0) + 0.5 * gauss(35.1, 3.0)
    np.testing.assert_allclose(-atoms[0], expected, rtol=1e-9, atol=1e-12)
    every = problem.constrain(position, problem.data)
    done = parts.assemble(every, jnp.array([20.0]), jnp.array([800.0]), problem.data)
    assert done["P.A"] == pytest.approx(20.0)
    assert done["Q.A"] == pytest.approx(10.0)


def test_an_area_that_is_no_share_of_another_s_has_no_component(tmp_path):
    text = spec(
        "baseline bg : constant",
        peak="gaussian { xc ~ 28 ± 1 deg }\n"
        "  peak Q : gaussian { xc ~ 35 ± 1 deg; A = P.A + 5 counts*deg }",
    )
    assert built(tmp_path, text)[1].separable is None
