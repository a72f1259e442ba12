"""EXAFS: densities against arithmetic of NumPy and SciPy, and the linear part."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.interpolate import CubicSpline

from specfit import pipeline
from specfit.exafs.synthetic import write_paths
from specfit.inference import projection
from specfit.readers import load
from specfit.readers.distances import independent
from specfit.readers.feff import scattering_path

K = np.arange(2.5, 12.01, 0.05)
WAVE = 0.26246842396
TRUTH = {
    "O.R": 1.98,
    "O.sigma2": 0.007,
    "O.N": 5.5,
    "M.R": 2.85,
    "M.sigma2": 0.0052,
    "M.C3": 1e-4,
    "S02": 0.86,
    "dE0": 2.3,
    "M.dE0": -1.1,
    "s.sd": 0.004,
}
OWN = """  path O : feff { file = "ni_o1.dat"; N ~ 6 ± 1 }
  path M : feff { file = "ni_m1.dat"; C3 ~ 0 ± 0.0002 Å^3; dE0 ~ 0 ± 3 eV }"""
PLAIN = """  path O : feff { file = "ni_o1.dat" }
  path M : feff { file = "ni_m1.dat" }"""
SETTINGS = {
    "all of k": ("", 0, None),
    "weighted": ("k_weight = 2", 2, None),
    "between": ("R_range = [1.1, 3.2] Å", 0, (1.1, 3.2)),
    "weighted between": ("k_weight = 3; R_range = [1.1, 3.2] Å", 3, (1.1, 3.2)),
}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def written(folder, settings, paths=OWN, noise="gaussian(sd = halfnormal(0.01))"):
    write_paths(folder)
    (folder / "m.spec").write_text(
        f"""specfit 1
data s : absorption {{
  file = "s.chi"; k = column(1) Å^-1; chi = column(2)
}}
model m : exafs on s {{
  {settings}
{paths}
  observe s.chi ~ {noise}
}}
""",
        encoding="utf-8",
    )


def built(folder):
    checked = pipeline.check_with_data(folder / "m.spec")
    assert not checked.errors, [(e.code, e.words) for e in checked.errors]
    model = checked.require().models[0]
    return model, pipeline.build(model, pipeline.measure(model, checked))


def chi_of(folder, name, strength, R, sigma2, dE0, c3):
    path = scattering_path(load(name, folder))
    q = np.sqrt(K**2 - WAVE * dE0)
    curves = (path.amplitude, path.phase, path.wave, path.mean_free_path)
    f, phase, wave, free = (CubicSpline(path.k, curve)(q) for curve in curves)
    p, reff = wave + 1j / free, path.half_length
    shift = R - reff - 2 * sigma2 / reff - 2 * p**2 * c3 / 3
    exponent = -2 * reff * p.imag - 2 * p**2 * sigma2
    exponent = exponent + 1j * (2 * q * reff + phase + 2 * p * shift)
    return strength * f / (q * R**2) * np.imag(np.exp(exponent))


def expected(folder, t):
    one = chi_of(
        folder, "ni_o1.dat", t["O.N"] * t["S02"], t["O.R"], t["O.sigma2"], t["dE0"], 0.0
    )
    other = chi_of(
        folder, "ni_m1.dat", 6.0 * t["S02"], t["M.R"], t["M.sigma2"], t["M.dE0"],
        t["M.C3"],
    )  # fmt: skip
    return one, other


@pytest.fixture
def data(tmp_path):
    write_paths(tmp_path)
    one, other = expected(tmp_path, TRUTH)
    noise = np.random.default_rng(3).normal(0.0, 0.004, K.size)
    chi = one + other + 0.05 * np.exp(-K) + noise
    np.savetxt(tmp_path / "s.chi", np.column_stack([K, chi]))
    return chi


@pytest.mark.parametrize("name", SETTINGS)
def test_the_likelihood_is_that_of_independent_numbers(tmp_path, data, name):
    settings, power, distances = SETTINGS[name]
    written(tmp_path, settings)
    _, problem = built(tmp_path)
    values = {n: jnp.asarray(TRUTH[n]) for n in problem.names}
    position = problem.unconstrain(values, problem.data)
    weight = K**power / np.sqrt(np.mean(K ** (2 * power)))
    rows = np.eye(K.size) if distances is None else independent(K, *distances)[0]
    seen = rows @ (weight * data)
    parts = [rows @ (weight * part) for part in expected(tmp_path, TRUTH)]
    wanted = stats.norm.logpdf(seen, sum(parts), 0.004)
    found = problem.pointwise(position, problem.data)[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)
    found = problem.components(position, problem.data)[0]
    np.testing.assert_allclose(found, np.array(parts), atol=1e-8)


def test_the_noise_of_each_k_may_be_a_column_or_an_expression(tmp_path, data):
    written(tmp_path, "", noise="gaussian(sd = halfnormal(0.01) )")
    text = (tmp_path / "m.spec").read_text("utf-8")
    text = text.replace("halfnormal(0.01) )", "σ * (s.k / 5 Å^-1)^2)")
    text = text.replace("  observe", "  σ ~ halfnormal(0.01)\n  observe")
    (tmp_path / "m.spec").write_text(text, encoding="utf-8")
    _, problem = built(tmp_path)
    values = {n: jnp.asarray({**TRUTH, "σ": 0.004}[n]) for n in problem.names}
    position = problem.unconstrain(values, problem.data)
    mean = sum(expected(tmp_path, TRUTH))
    wanted = stats.norm.logpdf(data, mean, 0.004 * (K / 5.0) ** 2)
    found = problem.pointwise(position, problem.data)[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


def test_numbers_and_lengths_come_from_the_files(tmp_path, data):
    written(tmp_path, "", PLAIN)
    _, problem = built(tmp_path)
    z = {"z": jnp.zeros(problem.dimension)}
    values = problem.constrain(z, problem.data)
    assert float(values["O.N"]) == 6.0
    assert float(values["O.reff"]) == pytest.approx(2.03)
    assert float(values["M.dE0"]) == float(values["dE0"])
    drawn = problem.sample_prior(jax.random.key(2), 4000, problem.data)
    # 0.1 Å about 2.03 Å: 4000 draws give the mean to 0.0016, the spread to 0.0011
    assert np.mean(drawn["O.R"]) == pytest.approx(2.03, abs=0.006)
    assert np.std(drawn["O.R"]) == pytest.approx(0.1, abs=0.004)


@pytest.mark.parametrize("name", SETTINGS)
def test_gradients_are_finite_all_over_the_prior(tmp_path, data, name):
    written(tmp_path, SETTINGS[name][0])
    _, problem = built(tmp_path)
    draws = problem.sample_prior(jax.random.key(5), 200, problem.data)
    unknown = {n: draws[n] for n in problem.names}

    @jax.jit
    def at(unknown, scale, data):
        z = scale * problem.unconstrain(unknown, data)["z"]
        return jax.value_and_grad(lambda x: problem.logdensity({"z": x}, data))(z)

    many = jax.vmap(at, (0, None, None))
    for scale in (1.0, 3.0):  # as far out as the prior goes, and beyond
        values, slopes = many(unknown, scale, problem.data)
        assert np.isfinite(values).all()
        assert np.isfinite(slopes).all()


@pytest.mark.parametrize("paths", [OWN, PLAIN], ids=["own numbers", "known numbers"])
def test_the_strengths_are_the_linear_part(tmp_path, data, paths):
    """From the true distances least squares finds the true strengths at once."""
    written(tmp_path, "R_range = [1.1, 3.2] Å", paths)
    _, problem = built(tmp_path)
    truth = dict(TRUTH)
    if paths == PLAIN:
        truth |= {"O.N": 6.0, "M.dE0": truth["dE0"], "M.C3": 0.0}
    chi = sum(expected(tmp_path, truth))
    np.savetxt(tmp_path / "s.chi", np.column_stack([K, chi]))
    _, problem = built(tmp_path)
    parts = problem.separable
    assert parts is not None
    assert parts.component_names == ("O", "M")
    assert "S02" not in parts.component_parameters[0]
    start = {n: jnp.asarray(truth[n]) for n in problem.names}
    start |= {n: jnp.asarray(v) for n, v in (("S02", 0.75), ("O.N", 3.0)) if n in start}
    z = problem.unconstrain(start, problem.data)["z"]
    full = projection.assemble(problem, np.asarray(z), np.ones(2))
    found = problem.constrain({"z": jnp.asarray(full)}, problem.data)
    assert float(found["S02"]) == pytest.approx(0.86, rel=1e-4)
    if paths == OWN:
        assert float(found["O.N"]) == pytest.approx(5.5, rel=1e-4)


def test_known_strengths_leave_nothing_linear(tmp_path, data):
    written(tmp_path, "S02 = 0.9", PLAIN)
    _, problem = built(tmp_path)
    assert problem.separable is None


def test_longer_data_or_tables_are_only_arguments(tmp_path, data):
    """The functions of one spectrum serve another of as many numbers."""
    written(tmp_path, "R_range = [1.1, 3.2] Å", PLAIN)
    model, problem = built(tmp_path)
    checked = pipeline.check_with_data(tmp_path / "m.spec")
    (one,) = pipeline.measure(model, checked)
    from specfit.density.exafs_layout import exafs_data

    other = exafs_data(model, [one], room=one.values.size + 5)
    z = {"z": jnp.zeros(problem.dimension)}
    padded = {**problem.data, **jax.tree.map(jnp.asarray, other)}
    found = problem.loglikelihood(z, padded)
    assert float(found) == pytest.approx(float(problem.loglikelihood(z, problem.data)))
