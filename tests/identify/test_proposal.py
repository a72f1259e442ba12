"""The .spec that `identify` writes is the model that it fitted."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from specfit import pipeline
from specfit.commands.common import say
from specfit.identify import Spectrum, mixture, patterns, unknowns
from specfit.identify.layout import layout_of
from specfit.identify.order import labels, orders
from specfit.identify.proposal import spec_text

SLOPES = (5.3123 / 33.04, 3.0760 / 33.04, 0.8397 / 33.04)
VELOCITY = np.linspace(-10.0, 10.0, 200)
DATA = """data spectrum : transmission {
  file = "sample.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
  IS_zero = "alpha-Fe"
}"""
AREAS = {"magnetite": 0.2, "pyrite": 0.1, "?sextet": 0.03, "?sextet2": 0.05}
ELSEWHERE = {"?sextet": (0.3, 0.1, 20.0), "?sextet2": (0.5, 0.0, 40.0)}


def flat():
    return Spectrum(
        np.full(VELOCITY.size, 1e6), VELOCITY, 0.0, np.zeros((200, 0)), np.array(SLOPES)
    )


@pytest.fixture(scope="module")
def found():
    """Magnetite, pyrite and two unknown sextets on a bent baseline, fitted."""
    phases = patterns(295.0, ("magnetite", "pyrite"))[0]
    phases += tuple(one for one in unknowns() if one.name in ELSEWHERE)
    spectrum = flat()
    layout = layout_of(spectrum, phases)
    theta = layout.start(spectrum)
    theta[layout.base] = -0.004, 0.006
    theta[layout.texture], theta[layout.saturation] = 2.2, 0.0
    for index, phase in enumerate(phases):
        theta[layout.area[index]] = np.log(AREAS[phase.name])
        if phase.name in ELSEWHERE:
            theta[layout.sites_of(index)[0]] = ELSEWHERE[phase.name]
    expected = mixture.curve(spectrum, layout, theta).expected
    counts = np.random.default_rng(3).poisson(expected).astype(float)
    return mixture.fitted(
        Spectrum(counts, VELOCITY, 0.0, np.zeros((200, 0)), np.array(SLOPES)),
        phases,
        theta,
    )


@pytest.fixture(scope="module")
def checked(found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("proposal")
    rows = [f"{v:.9f},{n:.0f}" for v, n in zip(VELOCITY, found.curve, strict=True)]
    (folder / "sample.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    text = spec_text("test", DATA, "spectrum", found, found.phases, ["Test"], say)
    (folder / "sample.spec").write_text(text, encoding="utf-8")
    checked = pipeline.check_with_data(folder / "sample.spec")
    assert not checked.errors, checked.diagnostics
    return checked


def values_of(found):
    """What the unknowns of the .spec are at the mode of the mixture."""
    layout, theta = found.layout, found.theta
    values = {
        "N0": np.exp(theta[0]),
        "slope": theta[layout.base][0],
        "curvature": theta[layout.base][1],
        "second_lines": theta[layout.texture],
        "area": found.areas.sum(),
    }
    own = {"?sextet2": "sextet_1", "?sextet": "sextet_2"}
    logs = layout.shares + theta[layout.share]
    for index, phase in enumerate(found.phases):
        shares = np.exp(logs[layout.of_site == index])
        shares *= found.areas[index] / found.areas.sum() / shares.sum()
        names = [own.get(s.key, s.key.replace(".", "_")) for s in phase.sites]
        values[f"width_{names[0]}"] = np.exp(theta[layout.width[index]])
        places = layout.sites_of(index)
        for name, share, place in zip(names, shares, places, strict=True):
            values[f"{name}.I"] = share
            pairs = zip(("IS", "QS", "Bint"), theta[place], strict=False)
            values |= {f"{name}.{symbol}": value for symbol, value in pairs}
    return values


@pytest.fixture(scope="module")
def problem(checked):
    model = checked.require().models[0]
    with pipeline.float64():
        return pipeline.build(model, pipeline.measure(model, checked))


def position(problem, values):
    arrays = {name: np.array(value) for name, value in values.items()}
    return jax.jit(problem.unconstrain)(arrays, problem.data)


def test_its_curve_is_the_one_that_was_fitted(found, problem):
    """At the same values, but for the saturation, which no .spec has."""
    theta = found.theta.copy()
    theta[found.layout.saturation] = 0.0
    expected = mixture.curve(flat(), found.layout, theta).expected
    with pipeline.float64():
        where = position(problem, values_of(found))
        predicted = np.asarray(jax.jit(problem.predict)(where, problem.data))[0]
    dip = (expected.max() - expected.min()) / expected.max()
    assert dip > 0.03
    # the baseline multiplies the dip in the search alone
    np.testing.assert_allclose(predicted, expected, rtol=0.01 * dip)


def test_its_priors_are_those_of_the_search(found, problem):
    """A move of the unknowns costs the same in both; widths are logarithms in one."""
    layout = found.layout
    (index,) = (i for i, p in enumerate(found.phases) if p.name == "?sextet2")
    site = layout.sites_of(index)[0].start
    far = found.theta.copy()
    places = [layout.width[index], layout.texture, layout.base.start, site, site + 2]
    far[places] += 0.2, 0.1, 0.005, 0.2, 3.0
    wanted = [mixture.log_prior(layout, t, flat())[0] for t in (found.theta, far)]
    both = [values_of(found), values_of(replace(found, theta=far))]
    with pipeline.float64():
        of = jax.jit(problem.terms)
        terms = [of(position(problem, v), problem.data) for v in both]
    names = [name for name in terms[0] if name.startswith("prior of ")]
    assert "prior of width_sextet_1" in names
    cost = sum(float(terms[1][name] - terms[0][name]) for name in names)
    assert cost + 0.2 == pytest.approx(wanted[1] - wanted[0], abs=1e-6)


def test_sites_have_titles_of_their_own_and_one_order(checked, found):
    text = checked.text
    for title in (
        "magnetite A (tetrahedral 8a)",
        "unknown sextet 1",
        "unknown sextet 2",
    ):
        assert text.count(f'"{title}"') == 1
    assert "require sextet_1.Bint > sextet_2.Bint because" in text
    assert labels(found)["?sextet2"] == "sextet 1", "the larger field"
    assert [order.symbol for order in orders(found)] == ["Bint"]
    model = checked.require().models[0]
    assert model.spectra[0].baseline == "parabola"
