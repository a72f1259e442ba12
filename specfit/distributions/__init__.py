"""Prior families and noise laws: densities, probabilities, draws.

`FAMILIES` and `NOISES` are the tables; `log_density`, `mixture_log_density`, `sample`
and `sample_mixture` cut a family or a mixture off at bounds and renormalise it;
`dirichlet` is the one family of several variables.  Densities are in JAX, draws of
priors in NumPy; reading a signature or drawing imports no JAX.
"""

from __future__ import annotations

from specfit.distributions import dirichlet
from specfit.distributions.families import FAMILIES
from specfit.distributions.noise import NOISES, Noise
from specfit.distributions.sampling import sample, sample_mixture
from specfit.distributions.truncation import log_density, mixture_log_density

__all__ = [
    "FAMILIES",
    "NOISES",
    "Noise",
    "dirichlet",
    "log_density",
    "mixture_log_density",
    "sample",
    "sample_mixture",
]
