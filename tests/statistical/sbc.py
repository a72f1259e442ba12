"""Simulation-based calibration: ranks of the truth among posterior draws, judged.

Truth from the prior, data from the truth, posterior from the data: the rank of the truth
is uniform if the code samples the posterior of the model it simulates (S. Talts et al.,
arXiv:1804.06788).  Chi-square on ranks is a weak gate, so the ranks are turned into
normal scores, whose pooled variance sees an sd that is 5 % off and whose means see a
bias of 0.1 sd.  The scores of one simulation are correlated between parameters, so the
spread of the pooled variance is taken from the simulations themselves.  The last quantity
is the log-likelihood: its rank sums up all parameters at once and has a gate of its own
(M. Modrák et al., Bayesian Anal. 20, 461 (2025), doi:10.1214/23-BA1404).
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

LEVELS = 99
LIKELIHOOD = "log-likelihood"


@dataclass(frozen=True)
class Calibration:
    """Ranks (n_simulations, n_quantities) in 0…LEVELS, and what they say.

    The last quantity is the log-likelihood.  told: how many runs ended with which
    sampler, and how many were refused by which gate.
    """

    names: tuple[str, ...]
    ranks: np.ndarray
    refused: int  # runs that gave no result, and so no rank
    told: Counter = field(default_factory=Counter)

    @property
    def scores(self):
        jitter = np.random.default_rng(0).uniform(size=self.ranks.shape)
        return stats.norm.ppf((self.ranks + jitter) / (LEVELS + 1))

    @property
    def pooled_variance(self):
        """Mean square score of the parameters and its z against 1."""
        per_simulation = (self.scores[:, :-1] ** 2).mean(axis=1)
        mean = per_simulation.mean()
        error = per_simulation.std(ddof=1) / np.sqrt(len(per_simulation))
        return mean, (mean - 1.0) / error

    @property
    def mean_z(self):
        """z of the mean score of each quantity."""
        return self.scores.mean(axis=0) * np.sqrt(len(self.ranks))

    @property
    def chi2_p(self):
        bins = np.stack(
            [np.bincount(r * 20 // (LEVELS + 1), minlength=20) for r in self.ranks.T]
        )
        return stats.chisquare(bins, axis=1).pvalue

    @property
    def ks_p(self):
        uniform = stats.norm.cdf(self.scores)
        return np.array([stats.kstest(u, "uniform").pvalue for u in uniform.T])

    def passes(self):
        """False alarms below 1e-3 for each of the five gates."""
        quantities = len(self.names)
        alpha = 1e-3
        _, z = self.pooled_variance
        return bool(
            2 * stats.norm.sf(abs(z)) > alpha
            and 2 * stats.norm.sf(abs(self.mean_z[-1])) > alpha
            and (2 * stats.norm.sf(abs(self.mean_z))).min() > alpha / quantities
            and self.ks_p.min() > alpha / quantities
            and self.chi2_p.min() > alpha / quantities
        )

    def table(self):
        mean, z = self.pooled_variance
        lines = [
            f"{len(self.ranks)} simulations, {self.refused} refused; "
            f"pooled variance {mean:.3f} (z {z:+.2f})",
            ", ".join(f"{what} {count}" for what, count in self.told.most_common()),
            f"{'quantity':<14}{'mean z':>8}{'variance':>10}{'chi2 p':>8}{'KS p':>8}",
        ]
        variance = self.scores.var(axis=0)
        rows = zip(
            self.names, self.mean_z, variance, self.chi2_p, self.ks_p, strict=True
        )
        lines += [f"{n:<14}{m:8.2f}{v:10.3f}{c:8.3f}{k:8.3f}" for n, m, v, c, k in rows]
        return "\n".join(lines)


def thinned(rows):
    """LEVELS of the rows, evenly spaced."""
    return rows[np.linspace(0, len(rows) - 1, LEVELS).astype(int)]


def thinned_rank(draws, truth):
    """Rank of the truth among LEVELS draws, evenly spaced over all chains."""
    return int((thinned(np.asarray(draws).reshape(-1)) < truth).sum())
