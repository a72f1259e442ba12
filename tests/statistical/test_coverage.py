"""The report's case, twenty noises at two count levels: are its intervals honest?"""

import tomllib

import numpy as np
import pytest

from specfit import inference, pipeline

from .cases import MODELS, blank, model_of, simulated, with_counts
from .fisher import fisher_sd

pytestmark = pytest.mark.slow
NOISES = 20
TRUTHS = [f"{s}.{p}" for s in ("B", "A", "Fe") for p in ("IS", "QS", "Bint", "I")]


def truth_of(name):
    table = tomllib.loads((MODELS / "data" / f"{name}.truth.toml").read_text("utf-8"))
    flat = {}
    for key, value in table["values"].items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": v for inner, v in value.items()}
        else:
            flat[key] = value
    return flat


@pytest.mark.parametrize("name", ["magnetite_iron", "magnetite_iron_noisy"])
def test_intervals_cover_and_have_the_width_of_the_information(name):
    model = model_of(MODELS / f"{name}.spec")
    truth = truth_of(name)
    truth["Fe.QS"] = 0.0
    covered, ratios = [], []
    with pipeline.float64():
        problem = pipeline.build(model, (blank(truth["N0"]),))
        position = problem.unconstrain(truth, problem.data)
        values = problem.constrain(position, problem.data)
        expected = fisher_sd(truth, model)
        for noise in range(NOISES):
            counts = simulated(problem, 7000 + noise, values)
            fresh = problem._replace(data=with_counts(problem.data, counts))
            settings = inference.Settings(chains=4, draws=500, seed=noise)
            fit = inference.find(fresh, settings, None)
            assert fit.converged, fit.gates
            for parameter in TRUTHS:
                draws = fit.draws[parameter].reshape(-1)
                low, high = np.quantile(draws, [0.025, 0.975])
                if draws.std() > 0:
                    covered.append(low <= truth[parameter] <= high)
                    ratios.append((parameter, draws.std() / expected[parameter]))
    share = np.mean(covered)
    per = {p: np.mean([r for q, r in ratios if q == p]) for p in dict(ratios)}
    print(f"{name}: {100 * share:.1f} % of {len(covered)} truths covered")
    print("posterior sd / Fisher sd:", {p: round(r, 3) for p, r in per.items()})
    assert 0.90 <= share <= 0.99
    assert all(abs(r - 1) < 0.10 for r in per.values())
