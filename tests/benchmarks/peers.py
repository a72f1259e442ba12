"""The three-sextet posterior written again, without specfit, for NumPy, JAX, PyTensor.

Nothing here is imported from the package: where the two densities agree, both are right.
Priors are those of `cases.VAGUE` and `cases.KINDS`; the density is of physical values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammaln, ndtri

SLOPES = np.array([-5.3123, -3.0760, -0.8397, 0.8397, 3.0760, 5.3123]) / 33.04
"""Line positions of α-Fe, mm/s/T (Violet and Pipkorn 1971)."""
QUADRUPOLE = np.array([0.5, -0.5, -0.5, -0.5, -0.5, 0.5])
INTENSITY = np.array([3.0, 2.0, 1.0, 1.0, 2.0, 3.0]) / 12.0
UNIFORM = {
    "width": (0.194, 1.0),
    "area": (0.001, 5.0),
    "IS": (-0.5, 1.5),
    "QS": (-2.0, 2.0),
}
SITED = ("IS", "QS")  # of each site its own
N0_SD = 0.1  # of log N0


@dataclass(frozen=True)
class Spectrum:
    """What is measured, and where each sextet's field may lie (n_sites, 2), T."""

    velocity: np.ndarray
    counts: np.ndarray
    level: float
    windows: np.ndarray

    @property
    def n_sites(self) -> int:
        return len(self.windows)

    @cached_property
    def constant(self) -> float:
        """Sum of the logarithms of the factorials of the counts."""
        return float(gammaln(self.counts + 1.0).sum())

    @property
    def floor(self) -> float:
        """Counts below which a rate is bent to stay positive."""
        return 1e-3 * self.level


def expected(spectrum, values, where):
    """Expected counts; `where` is that of the array library of the values.

    values: N0, width, area (…); IS, QS, Bint, I (…, n_sites).
    """
    site = (..., None, slice(None), None)
    centre = (
        values["IS"][site]
        + QUADRUPOLE * values["QS"][site]
        + SLOPES * values["Bint"][site]
    )
    half = values["width"][..., None, None, None] / 2.0
    offset = spectrum.velocity[:, None, None] - centre
    profile = (half / math.pi / (offset**2 + half**2) * INTENSITY).sum(axis=-1)
    dip = (profile * values["I"][..., None, :]).sum(axis=-1)
    rate = values["N0"][..., None] * (1.0 - values["area"][..., None] * dip)
    floor = spectrum.floor
    bent = floor**2 / (2.0 * floor - where(rate < floor, rate, floor))
    return where(rate > floor, rate, bent)


def log_likelihood(spectrum, values, xp):
    """Poisson, of all channels."""
    rate = expected(spectrum, values, xp.where)
    return (spectrum.counts * xp.log(rate) - rate).sum(axis=-1) - spectrum.constant


# -------------------------------------------- vectors of unknowns, NumPy and JAX


def unpacked(spectrum, theta, xp=np):
    """Values of vectors (…, 2 + 4 n): N0, width, area, IS, QS, Bint, I but the last."""
    n = spectrum.n_sites
    parts = [theta[..., 3 + n * i : 3 + n * (i + 1)] for i in range(4)]
    last = 1.0 - parts[3].sum(axis=-1, keepdims=True)
    values = {name: theta[..., i] for i, name in enumerate(("N0", "width", "area"))}
    shares = xp.concatenate([parts[3], last], axis=-1)
    return values | {"IS": parts[0], "QS": parts[1], "Bint": parts[2], "I": shares}


def packed(values):
    """The vector of one set of values."""
    scalars = [values["N0"], values["width"], values["area"]]
    rows = [values["IS"], values["QS"], values["Bint"], values["I"][:-1]]
    return np.concatenate([scalars, *rows])


def log_density(spectrum, theta, xp=np):
    """Log posterior at vectors (…, dimension), −inf outside the support."""
    v = unpacked(spectrum, theta, xp)
    low, high = spectrum.windows.T
    inside = (v["N0"] > 0.0) & (v["I"] > 0.0).all(-1)
    inside &= ((v["Bint"] > low) & (v["Bint"] < high)).all(-1)
    for name, (least, most) in UNIFORM.items():
        ok = (v[name] > least) & (v[name] < most)
        inside &= ok.all(-1) if name in SITED else ok
    with np.errstate(all="ignore"):
        total = log_likelihood(spectrum, v, xp) + log_prior(spectrum, v, xp)
    return xp.where(inside, total, -np.inf)


def log_prior(spectrum, v, xp):
    """Inside the support: flat but for N0; Dirichlet(1, …, 1) has density (n − 1)!."""
    z = (xp.log(v["N0"]) - math.log(spectrum.level)) / N0_SD
    n = spectrum.n_sites
    flat = math.lgamma(n) - np.log(np.diff(spectrum.windows)).sum()
    for name, (least, most) in UNIFORM.items():
        flat -= (n if name in SITED else 1) * math.log(most - least)
    return flat - 0.5 * z**2 - xp.log(v["N0"] * N0_SD * math.sqrt(2.0 * math.pi))


def limits(spectrum):
    """The bounds of each entry of a vector, for methods that want a box."""
    n = spectrum.n_sites
    rows = [
        UNIFORM["width"],
        UNIFORM["area"],
        *[UNIFORM["IS"]] * n,
        *[UNIFORM["QS"]] * n,
    ]
    level = (0.2 * spectrum.level, 5.0 * spectrum.level)
    return np.array([level, *rows, *spectrum.windows, *[(0.0, 1.0)] * (n - 1)]).T


def residuals(spectrum, theta):
    """Weighted differences of one vector, (counts − expected) / √counts."""
    rate = expected(spectrum, unpacked(spectrum, theta), np.where)
    return (spectrum.counts - rate) / np.sqrt(np.maximum(spectrum.counts, 1.0))


def prior_draw(spectrum, uniform, ordered=False):
    """The vector at a point of the unit cube (…, 3 + 3 n + n − 1); fields may be sorted.

    Sorting the fields keeps one of the n! labellings and makes its prior n! times as
    dense: the evidence is that of unordered sites.
    """
    n = spectrum.n_sites
    theta = np.empty_like(uniform)
    theta[..., 0] = spectrum.level * np.exp(N0_SD * ndtri(uniform[..., 0]))
    flat = slice(1, 3 + 3 * n)
    low, high = (end[flat] for end in limits(spectrum))
    theta[..., flat] = low + (high - low) * uniform[..., flat]
    if ordered:
        field = slice(3 + 2 * n, 3 + 3 * n)
        theta[..., field] = np.sort(theta[..., field], axis=-1)
    rest = 1.0
    for i in range(n - 1):  # stick breaking of the flat simplex
        share = rest * (1.0 - uniform[..., 3 + 3 * n + i] ** (1.0 / (n - 1 - i)))
        theta[..., 3 + 3 * n + i] = share
        rest = rest - share
    return theta


# ---------------------------------------------------------------- numpyro, PyMC


def numpyro_model(spectrum):
    """The model for numpyro."""
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    n = spectrum.n_sites

    def model():
        values = {
            "N0": numpyro.sample("N0", dist.LogNormal(math.log(spectrum.level), N0_SD))
        }
        for name, limits in UNIFORM.items():
            shape = (n,) if name in SITED else ()
            values[name] = numpyro.sample(
                name, dist.Uniform(*limits).expand(shape).to_event(len(shape))
            )
        field = dist.Uniform(spectrum.windows[:, 0], spectrum.windows[:, 1]).to_event(1)
        values["Bint"] = numpyro.sample("Bint", field)
        values["I"] = numpyro.sample("I", dist.Dirichlet(jnp.ones(n)))
        numpyro.factor("counts", log_likelihood(spectrum, values, jnp))

    return model


def pymc_model(spectrum):
    """The model for PyMC and nutpie."""
    import pymc as pm
    import pytensor.tensor as pt

    n = spectrum.n_sites
    with pm.Model() as model:
        values = {"N0": pm.LogNormal("N0", math.log(spectrum.level), N0_SD)}
        for name, limits in UNIFORM.items():
            shape = (n,) if name in SITED else ()
            values[name] = pm.Uniform(name, *limits, shape=shape)
        low, high = spectrum.windows.T
        values["Bint"] = pm.Uniform("Bint", low, high, shape=(n,))
        values["I"] = pm.Dirichlet("I", np.ones(n))
        pm.Potential("counts", log_likelihood(spectrum, values, pt))
    return model
