"""Components that may change places."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit import pipeline
from specfit.inference import Settings, evaluate, find, ground
from specfit.inference.exchange import exchangeable as may_change_places
from specfit.inference.owned import alike_pairs, by_name, owned
from specfit.inference.search import prior_sample

SITE = """
  site {0} : doublet {{
    IS ~ 0.4(3) mm/s
    QS ~ free in [0, 3] mm/s
    width = {1}
  }}
"""
OUTSIDE = """
specfit 1

data spectrum : transmission {{
  file = "doublets.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
}}

model two : mossbauer57Fe on spectrum {{
  N0 ~ 1.00e5 ± 2.0e3 counts
  area ~ free in [0.001, 5.0] mm/s
{0}
  (A.I, B.I) ~ dirichlet(1, 1)
  observe spectrum.counts ~ poisson
}}
"""


def widths_outside(folder, first, second, width_of_a, width_of_b):
    """A problem of two doublets, each with a width that stands outside."""
    lines = [
        f"  {name} ~ {prior} mm/s in [0.194, 0.60] mm/s\n"
        for name, prior in (("wide_A", first), ("wide_B", second))
        if name in width_of_a + width_of_b
    ]
    lines += [SITE.format("A", width_of_a), SITE.format("B", width_of_b)]
    velocity = np.linspace(-4.0, 4.0, 64)
    rows = "\n".join(f"{v:.4f},100000" for v in velocity)
    (folder / "doublets.csv").write_text(rows)
    file = folder / "two.spec"
    file.write_text(OUTSIDE.format("".join(lines)))
    checked = pipeline.check_with_data(file)
    model = checked.require().models[0]
    return pipeline.build(model, pipeline.measure(model, checked))


@pytest.mark.parametrize(
    ("first", "second", "widths", "groups"),
    [
        ("0.28(4)", "0.28(4)", ("wide_A", "wide_B"), 1),
        ("0.28(4)", "0.28(1)", ("wide_A", "wide_B"), 0),  # priors tell them apart
        ("0.28(4)", "0.28(1)", ("wide_A", "wide_A"), 1),
        ("0.28(4)", "0.28(4)", ("wide_A", "1.2 * wide_A"), 0),
    ],
)
def test_a_site_changes_places_with_the_width_that_only_it_has(
    tmp_path, first, second, widths, groups
):
    with pipeline.float64():
        problem = widths_outside(tmp_path, first, second, *widths)
        prior, positions = prior_sample(problem, jax.random.key(0), Settings())
        mine = [own["width"] for own in owned(problem, tuple(prior), positions)]
        found = may_change_places(problem, tuple(prior), positions)
    alone = widths == ("wide_A", "wide_B")
    assert mine == (["wide_A", "wide_B"] if alone else ["A.width", "B.width"])
    assert len(found) == groups


def test_levels_of_a_series_move_together():
    names = ("A.IS", "B.IS", "A.Bint[77]", "A.Bint[295]", "B.Bint[77]", "B.Bint[295]")
    pairs = alike_pairs(by_name(["A[77]", "B[77]", "A[295]", "B[295]"], names))
    assert pairs == [
        (
            {"IS": "A.IS", "Bint[77]": "A.Bint[77]", "Bint[295]": "A.Bint[295]"},
            {"IS": "B.IS", "Bint[77]": "B.Bint[77]", "Bint[295]": "B.Bint[295]"},
        )
    ]
    assert alike_pairs(by_name(["A", "B"], ("A.IS", "B.IS", "B.QS"))) == []


def halves(z, data):
    """x and y may be exchanged: one mode where they are equal, one where they differ.

    Over all of the plane the first weighs 1, the second 1, half of it on each side.
    """
    x, y = z

    def mode(u, v, height):
        away = ((x - u) ** 2 + (y - v) ** 2) / 0.04
        return jnp.log(height) - 0.5 * away - jnp.log(2.0 * jnp.pi * 0.04)

    both = jnp.logaddexp(mode(1.5, -1.5, 0.5), mode(-1.5, 1.5, 0.5))
    return jnp.logaddexp(both, mode(0.0, 0.0, 1.0))


def exchangeable(monkeypatch, problem):
    """The problem, its two unknowns taken for exchangeable components."""
    every = ground.search
    groups = (({"a": "X.a"}, {"a": "Y.a"}),)

    def search(*arguments):
        plain = every(problem._replace(separable=None), *arguments[1:])
        return type(plain)(
            plain.peaks, groups, plain.prior, plain.prior_positions, plain.notes
        )

    monkeypatch.setattr(ground, "search", search)
    return problem._replace(separable=SimpleNamespace(component_names=("X", "Y")))


@pytest.mark.parametrize("engine", ["nuts", "smc"])
def test_a_mode_between_two_labellings_is_not_counted_twice(toy, monkeypatch, engine):
    plain = toy.density_problem(["X.a", "Y.a"], halves)
    problem = exchangeable(monkeypatch, plain)
    settings = Settings(engine=engine, seed=4, prior_draws=300, replicates=4, thinned=8)
    fit = find(problem, settings)
    assert fit.converged, fit.gates
    assert np.all(fit.draws["X.a"] >= fit.draws["Y.a"])
    apart = (fit.draws["X.a"] - fit.draws["Y.a"] > 1.5).mean()
    assert apart == pytest.approx(0.5, abs=0.06)
    value, error = fit.log_evidence
    assert value == pytest.approx(np.log(2.0), abs=5 * error + 0.03)


def stretched(z, data):
    """Two standard normal values; the coordinate of the second is its sinh."""
    x, y = z[0], jnp.arcsinh(z[1])
    return -0.5 * (x**2 + y**2) - 0.5 * jnp.log(1.0 + z[1] ** 2)


@pytest.mark.parametrize("engine", ["nuts", "smc", "slice", "metropolis"])
def test_the_density_of_a_relabelled_draw_is_that_of_where_it_is(
    toy, monkeypatch, engine
):
    problem = toy.density_problem(["X.a", "Y.a"], stretched)

    def constrain(position, data):
        return {"X.a": position["z"][0], "Y.a": jnp.arcsinh(position["z"][1])}

    def unconstrain(values, data):
        return {"z": jnp.stack([values["X.a"], jnp.sinh(values["Y.a"])])}

    problem = problem._replace(constrain=constrain, unconstrain=unconstrain)
    problem = exchangeable(monkeypatch, problem)
    settings = Settings(engine=engine, prior_draws=300, replicates=4, thinned=8)
    fit = find(problem, settings)
    assert np.all(fit.draws["X.a"] >= fit.draws["Y.a"])
    there = evaluate.log_densities(problem, fit.positions.reshape(-1, 2))
    assert fit.statistics["lp"].ravel() == pytest.approx(there, abs=1e-9)
