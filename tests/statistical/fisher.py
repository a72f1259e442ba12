"""Standard deviations from the Fisher information, written without the package.

Plain NumPy: three sextets, 3:2:1, Lorentzians of one width, Poisson counts; derivatives
by central differences.  Gaussian priors of the .spec enter as their own information,
and the soft ratio of areas too, so that the figures compare with a posterior's.
"""

import numpy as np

SLOPES = np.array([5.3123, 3.0760, 0.8397]) / 33.04  # Violet & Pipkorn 1971
SIGNS = np.array([-1, -1, -1, 1, 1, 1])
ORDER = np.array([0, 1, 2, 2, 1, 0])
QUADRUPOLE = np.array([1, -1, -1, -1, -1, 1])
AREAS = np.array([3, 2, 1, 1, 2, 3]) / 12
SITES = ("B", "A", "Fe")


def curve(values, velocity):
    """Expected counts."""
    dip = np.zeros_like(velocity)
    for site in SITES:
        lines = values[f"{site}.IS"] + SIGNS * SLOPES[ORDER] * values[f"{site}.Bint"]
        lines = lines + QUADRUPOLE * values[f"{site}.QS"] / 2
        half = values["Γ"] / 2
        for line, area in zip(lines, AREAS, strict=True):
            shape = half / np.pi / ((velocity - line) ** 2 + half**2)
            dip += values["area"] * values[f"{site}.I"] * area * shape
    return values["N0"] * (1 - dip)


def fisher_sd(truth, model):
    """Posterior sd by name, to leading order; fractions through B and A alone."""
    velocity = np.linspace(-10, 10, 512)
    free = ["N0", "Γ", "area"]
    free += [f"{s}.{p}" for s in SITES for p in ("IS", "QS", "Bint")]
    free.remove("Fe.QS")
    free += ["B.I", "A.I"]

    def at(vector):
        values = {**truth, **dict(zip(free, vector, strict=True))}
        values["Fe.I"] = 1 - values["B.I"] - values["A.I"]
        return values

    centre = np.array([truth[name] for name in free])
    steps = np.maximum(np.abs(centre), 0.1) * 1e-5
    columns = []
    for index, step in enumerate(steps):
        up, down = centre.copy(), centre.copy()
        up[index] += step
        down[index] -= step
        difference = curve(at(up), velocity) - curve(at(down), velocity)
        columns.append(difference / (2 * step))
    jacobian = np.stack(columns, axis=1)
    expected = curve(at(centre), velocity)
    information = jacobian.T @ (jacobian / expected[:, None])
    information += ratio_information(free, truth)
    covariance = np.linalg.inv(information)
    for parameter in model.parameters:
        index = free.index(parameter.name)
        known = curvature(
            parameter.prior.dist, truth[parameter.name], covariance[index, index] ** 0.5
        )
        information[index, index] += known
    covariance = np.linalg.inv(information)
    sd = dict(zip(free, np.sqrt(np.diag(covariance)), strict=True))
    b, a = free.index("B.I"), free.index("A.I")
    rest = covariance[b, b] + covariance[a, a] + 2 * covariance[a, b]
    return {**sd, "Fe.I": np.sqrt(rest), "Fe.QS": np.inf}


def ratio_information(free, truth):
    """Information of the soft rule `B.I / A.I ~ 1.88 ± 0.10`."""
    ratio = np.zeros(len(free))
    b, a = free.index("B.I"), free.index("A.I")
    ratio[b] = 1 / truth["A.I"]
    ratio[a] = -truth["B.I"] / truth["A.I"] ** 2
    return np.outer(ratio, ratio) / 0.10**2


def curvature(dist, truth, sd):
    """Information that a prior adds to a measurement `truth ± sd`, noise averaged over.

    A heavy-tailed prior has no one curvature, so the variance of prior times Gaussian
    likelihood is integrated for measurements scattered about the truth.
    """
    from scipy import stats

    def logpdf(dist, x):
        numbers = [argument.value for argument in dist.arguments]
        if dist.family == "mixture":
            terms = [np.log(w) + logpdf(part, x) for w, part in dist.components]
            return np.logaddexp.reduce(terms)
        if dist.family == "normal":
            return stats.norm.logpdf(x, *numbers)
        if dist.family == "student_t":
            return stats.t.logpdf(x, numbers[0], numbers[1], numbers[2])
        if dist.family == "uniform":
            return 0.0
        raise ValueError(dist.family)

    x = truth + sd * np.linspace(-9, 9, 1801)
    log_prior = logpdf(dist, x) * np.ones_like(x)
    variances = []
    for quantile in (np.arange(20) + 0.5) / 20:
        measured = truth + sd * stats.norm.ppf(quantile)
        log_weight = log_prior + stats.norm.logpdf(x, measured, sd)
        weight = np.exp(log_weight - log_weight.max())
        weight /= weight.sum()
        mean = (weight * x).sum()
        variances.append((weight * (x - mean) ** 2).sum())
    mean_sd = np.mean(np.sqrt(variances))
    return max(1 / mean_sd**2 - 1 / sd**2, 0.0)
