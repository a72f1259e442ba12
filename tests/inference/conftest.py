"""Problems with known answers, built directly on the contract."""

from __future__ import annotations

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit.contracts import Problem, Separable


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


def density_problem(names, logdensity, scale=1.0, data=None, terms=None):
    """A problem of `logdensity(z, data)`; search draws from a normal prior."""
    dimension = len(names)

    def of_position(position, data):
        return logdensity(position["z"], data)

    def constrain(position, data):
        return {name: position["z"][i] for i, name in enumerate(names)}

    def unconstrain(values, data):
        return {"z": jnp.stack([values[name] for name in names])}

    def sample_prior(key, n, data):
        draws = scale * jax.random.normal(key, (n, dimension))
        return {name: draws[:, i] for i, name in enumerate(names)}

    def nothing(position, data):
        return jnp.zeros((1, 1)) + 0.0 * position["z"][0]

    return Problem(
        names=tuple(names),
        dimension=dimension,
        data={} if data is None else data,
        logdensity=of_position,
        logprior=lambda position, data: 0.0 * position["z"][0],
        loglikelihood=of_position,
        constrain=constrain,
        unconstrain=unconstrain,
        predict=nothing,
        components=lambda position, data: nothing(position, data)[None],
        pointwise=nothing,
        noise=lambda expected, position, data: nothing(position, data),
        sample_prior=sample_prior,
        scatter=lambda generator, expected, values, data: expected,
        terms=terms
        or (lambda position, data: {"density": of_position(position, data)}),
    )


# ------------------------------------------------------- three six-line patterns

VELOCITY = np.linspace(-10.0, 10.0, 512)
LINES = np.array([-5.3123, -3.0760, -0.8397, 0.8397, 3.0760, 5.3123]) / 33.04
QUADRUPOLE = np.array([1.0, -1.0, -1.0, -1.0, -1.0, 1.0]) / 2.0
INTENSITY = np.array([3.0, 2.0, 1.0, 1.0, 2.0, 3.0]) / 12.0
TRUTH = {
    "A.IS": 0.67, "A.QS": 0.0, "A.B": 44.4, "B.IS": 0.29, "B.QS": -0.10, "B.B": 48.8,
    "C.IS": 0.0, "C.QS": 0.0, "C.B": 33.0, "width": 0.30, "area": 0.4,
    "A.I": 0.30, "B.I": 0.15, "C.I": 0.55,
}  # fmt: skip
SITES = ("A", "B", "C")
VAGUE = {"IS": (-0.5, 1.5), "QS": (-2.0, 2.0), "B": (0.0, 60.0)}


def counts_of(level, seed):
    """Poisson counts of the three patterns, the truth above, at one noise draw."""
    curve = level * (1.0 - TRUTH["area"] * sum(
        TRUTH[f"{s}.I"] * _curve(*(TRUTH[f"{s}.{p}"] for p in ("IS", "QS", "B")),
                                 TRUTH["width"], np) for s in SITES))  # fmt: skip
    return np.random.default_rng(seed).poisson(curve).astype(float)


def _curve(isomer_shift, quadrupole, field, fwhm, xp):
    centre = isomer_shift + QUADRUPOLE * quadrupole + LINES * field
    half = fwhm / 2.0
    offset = VELOCITY[:, None] - centre
    profile = half / np.pi / (offset**2 + half**2)
    return xp.sum(profile * INTENSITY, axis=1)


TRACES: list[int] = []
"""Grows by one whenever JAX traces the likelihood of the patterns."""
NAMES = (*(f"{s}.{p}" for s in SITES for p in VAGUE), "width", "area", "N0")


def sextets(counts, level, ranges=None):
    """Three sextets with a common linewidth, uniform priors, N0 and fractions free.

    ranges: name → (low, high) in place of the vague ones.  Counts, their level and the
    ranges are data, so that all tests share one compilation.
    """
    bounds = {f"{s}.{p}": VAGUE[p] for s in SITES for p in VAGUE}
    bounds |= {"width": (0.15, 1.0), "area": (0.0, 3.0), "N0": (0.5, 2.0)}
    low, high = np.array([*(bounds | (ranges or {})).values()]).T
    data = {"counts": counts, "level": level, "low": low, "high": high}
    return PATTERNS._replace(data={k: jnp.asarray(v) for k, v in data.items()})


def constrain(position, data):
    z, n = position["z"], len(NAMES)
    plain = data["low"] + (data["high"] - data["low"]) * jax.nn.sigmoid(z[:n])
    values = {name: plain[i] for i, name in enumerate(NAMES)}
    first = jax.nn.sigmoid(z[n] - jnp.log(2.0))
    second = (1.0 - first) * jax.nn.sigmoid(z[n + 1])
    return values | {"A.I": first, "B.I": second, "C.I": 1.0 - first - second}


def unconstrain(values, data):
    plain = jnp.stack([values[name] for name in NAMES])
    share = (plain - data["low"]) / (data["high"] - data["low"])
    first = values["A.I"]
    second = values["B.I"] / (1.0 - first)
    logit = jax.scipy.special.logit
    last = jnp.stack([logit(first) + jnp.log(2.0), logit(second)])
    return {"z": jnp.concatenate([logit(share), last])}


def logprior(position, data):
    z, n = position["z"], len(NAMES)
    log = jax.nn.log_sigmoid
    plain = jnp.sum(log(z[:n]) + log(-z[:n]))
    x, y = z[n] - jnp.log(2.0), z[n + 1]
    return plain + log(x) + 2.0 * log(-x) + log(y) + log(-y) + jnp.log(2.0)


def atom(values, data):
    fields = [jnp.stack([values[f"{s}.{p}"] for s in SITES]) for p in VAGUE]
    shape = jax.vmap(lambda i, q, b: _curve(i, q, b, values["width"], jnp))(*fields)
    return data["level"] * shape


def components(position, data):
    values = constrain(position, data)
    share = jnp.stack([values[f"{s}.I"] for s in SITES])
    return (values["N0"] * values["area"] * share[:, None] * atom(values, data))[None]


def predict(position, data):
    whole = data["level"] * constrain(position, data)["N0"]
    return jnp.maximum(whole - components(position, data).sum(axis=1), 1e-3)


def pointwise(position, data):
    mean, seen = predict(position, data), data["counts"]
    return seen * jnp.log(mean / seen) - (mean - seen)


def loglikelihood(position, data):
    TRACES.append(1)
    return jnp.sum(pointwise(position, data))


def logdensity(position, data):
    return logprior(position, data) + loglikelihood(position, data)


def sample_prior(key, size, data):
    seed = np.asarray(jax.random.key_data(key))
    generator = np.random.default_rng(seed)
    low, high = np.asarray(data["low"]), np.asarray(data["high"])
    plain = generator.uniform(low, high, (size, len(NAMES)))
    shares = generator.dirichlet(np.ones(3), size)
    draws = {name: plain[:, i] for i, name in enumerate(NAMES)}
    return draws | {f"{s}.I": shares[:, i] for i, s in enumerate(SITES)}


def columns(position, data):
    flat = data["level"] * jnp.ones((1, len(VELOCITY)))
    return flat, atom(constrain(position, data), data)


def assemble(values, amplitudes, background, data):
    total = jnp.sum(amplitudes)
    shares = {f"{s}.I": amplitudes[i] / total for i, s in enumerate(SITES)}
    plain = {
        "N0": jnp.clip(background[0], 0.51, 1.99),
        "area": jnp.clip(total / background[0], 1e-3, 2.99),
    }
    return values | shares | plain


def scatter(generator, expected, values, data):
    return generator.normal(expected, np.sqrt(expected))


PATTERNS = Problem(
    names=(*NAMES, "A.I", "B.I"),
    dimension=len(NAMES) + 2,
    data={},
    logdensity=logdensity,
    logprior=logprior,
    loglikelihood=loglikelihood,
    constrain=constrain,
    unconstrain=unconstrain,
    predict=predict,
    components=components,
    pointwise=pointwise,
    noise=lambda expected, position, data: pointwise(position, data),
    sample_prior=sample_prior,
    scatter=scatter,
    terms=lambda p, d: {"prior": logprior(p, d), "counts": loglikelihood(p, d)},
    separable=Separable(
        component_names=SITES,
        component_parameters=tuple(
            (*(f"{s}.{p}" for p in VAGUE), "width") for s in SITES
        ),
        atom=atom,
        columns=columns,
        assemble=assemble,
        target=lambda d: (d["counts"], 1.0 / jnp.maximum(d["counts"], 1.0)),
    ),
)

ORDERED = {"A.B": (41.0, 46.5), "B.B": (46.5, 52.0), "C.B": (28.0, 38.0)}


@pytest.fixture
def toy():
    """The builders above, for tests that cannot import this file."""
    return SimpleNamespace(
        density_problem=density_problem, sextets=sextets, counts_of=counts_of,
        truth=TRUTH, ordered=ORDERED, traces=TRACES,
    )  # fmt: skip
