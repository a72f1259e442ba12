"""Certified regressions sampled whole: answered where the data decide, refused elsewhere.

Certified standard deviations are those of least squares, their residual variance
estimated from n − p residuals.  Flat priors of the parameters and a prior of σ that is
flat in its logarithm (here log-normal, 3 wide: a factor of 20) make that the posterior of
the linearised problem, a Student-t of n − p degrees of freedom: its sd is larger by
√(ν / (ν − 2)), 0.4 % of the 242 here.
"""

import pytest

from specfit import pipeline

from .certified import certified, write

pytestmark = pytest.mark.slow


def sampled(name, folder, reach, seed=2):
    problem = certified(name)
    tail = f"run auto {{ chains = 4; warmup = 600; draws = 3000; seed = {seed} }}"
    path = write(problem, folder, tail, reach)
    return problem, pipeline.run(pipeline.check_with_data(path), pipeline.Options())


@pytest.mark.parametrize("name", ["Gauss1", "Gauss2"])
def test_means_and_sds_are_the_certified_ones(name, tmp_path):
    problem, run = sampled(name, tmp_path, 10.0)
    assert run.verdict.outcome == "accepted"
    for k, unknown in enumerate(problem.names):
        draws = run.fit.draws[unknown]
        off = (draws.mean() - problem.values[k]) / problem.sd[k]
        ratio = draws.std(ddof=1) / problem.sd[k]
        print(f"{name} {unknown}: mean off by {off:+.3f} sd, sd ratio {ratio:.3f}")
        assert abs(off) < 0.1
        assert abs(ratio - 1.0) < 0.05


@pytest.mark.parametrize("reach", [10.0, 100.0])
@pytest.mark.parametrize("name", ["BoxBOD", "MGH09", "Rat43"])
def test_a_posterior_that_the_bounds_decide_is_refused(name, reach, tmp_path):
    """Under flat priors the mass is on a plateau or a ridge that runs on for ever."""
    _, run = sampled(name, tmp_path, reach)
    told = [f.text for f in run.verdict.findings if f.rule == "cut_off"]
    print(f"{name}, {reach:g} times the start: {run.verdict.outcome}")
    print("  " + "\n  ".join((*run.verdict.reasons, *told)))
    assert run.verdict.outcome in ("rejected", "not_converged")
    if run.verdict.outcome == "rejected":
        assert any("do not decide" in text for text in told)
