"""The recipe of `db(…)`: predictive, mixture, bounds, provenance."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from specfit.diagnostics import SpecError
from specfit.model import records
from specfit.model.evidence import gather, normalised
from specfit.model.ir import (
    Citation,
    Const,
    Dist,
    Model,
    Noise,
    Parameter,
    Place,
    Prior,
    Spectrum,
)
from specfit.model.lookup import record_for
from specfit.model.predictive import (
    _T_POINTS,
    clusters,
    density,
    predictive,
    quantile,
)
from specfit.model.priors import describe, resolve, resolve_model
from specfit.model.records import Observation, RecordError


def cite(record, parameter, temperature=295.0, **more) -> Prior:
    return resolve(
        Citation(record=record, parameter=parameter, temperature=temperature, **more)
    )


def exact_cdf(values, errors, scatter, x):
    """The predictive's distribution function by adaptive quadrature over τ."""
    y, u = np.asarray(values), np.asarray(errors)

    def weight(tau):
        w = 1 / (u**2 + tau**2)
        mean = (w @ y) / w.sum()
        like = np.prod(np.sqrt(w)) / np.sqrt(w.sum())
        like *= np.exp(-0.5 * (w @ (y - mean) ** 2))
        return like * stats.halfnorm.pdf(tau, scale=scatter), mean, w.sum()

    def part(tau):
        p, mean, total = weight(tau)
        return p * stats.norm.cdf(x, mean, np.sqrt(1 / total + tau**2))

    top = 12 * scatter
    norm = integrate.quad(lambda t: weight(t)[0], 0, top, limit=200)[0]
    return integrate.quad(part, 0, top, limit=200)[0] / norm


@pytest.mark.parametrize(
    ("values", "errors", "scatter"),
    [
        ([0.67, 0.674, 0.65], [0.01, 0.01, 0.01], 0.02),
        ([49.0, 49.075, 49.3], [0.1, 0.1, 0.1], 0.5),
        ([2.9], [0.35], 0.05),
        ([38.0, 38.4, 37.1, 38.2, 37.9], [0.1, 0.1, 0.5, 0.1, 0.1], 1.5),
    ],
)
def test_the_student_t_has_the_quantiles_of_the_exact_predictive(
    values, errors, scatter
):
    found = predictive(values, errors, scatter)
    t = stats.t(found.degrees, found.location, found.scale)
    for p in (0.25, 0.5, 0.75):
        assert exact_cdf(values, errors, scatter, t.ppf(p)) == pytest.approx(
            p, abs=0.015
        )
    for p in (0.025, 0.975):
        assert exact_cdf(values, errors, scatter, t.ppf(p)) == pytest.approx(
            p, abs=0.006
        )


def test_the_table_of_student_t_points_is_right():
    for degrees, quartile, outer in _T_POINTS:
        assert quartile == pytest.approx(stats.t.ppf(0.75, degrees), abs=1e-5)
        assert outer == pytest.approx(stats.t.ppf(0.975, degrees), abs=1e-5)


@given(
    values=st.lists(st.floats(-1, 1), min_size=1, max_size=8),
    shift=st.floats(-2, 2),
    factor=st.floats(0.2, 5),
)
@settings(max_examples=30, deadline=None)
def test_the_predictive_moves_and_scales_with_its_values(values, shift, factor):
    errors = [0.05] * len(values)
    plain = predictive(values, errors, 0.1)
    moved = predictive(
        [factor * v + shift for v in values], [factor * e for e in errors], factor * 0.1
    )
    assert moved.location == pytest.approx(factor * plain.location + shift, abs=1e-6)
    assert moved.scale == pytest.approx(factor * plain.scale, rel=1e-6)
    assert moved.degrees == pytest.approx(plain.degrees, rel=1e-4)


def test_more_agreeing_records_narrow_the_prior_and_disagreement_widens_it():
    one = predictive([46.0], [0.1], 0.5)
    five = predictive([46.0, 46.1, 45.9, 46.05, 45.95], [0.1] * 5, 0.5)
    apart = predictive([46.0, 46.8, 45.2, 46.5, 45.5], [0.1] * 5, 0.5)
    assert five.scale < one.scale < apart.scale * 1.5
    assert five.scatter < apart.scatter


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.25, 0.26, 0.255, 0.40, 0.41, 0.405], 2),
        ([0.25, 0.26, 0.255, 0.27, 0.265, 0.28], 1),
        ([0.25, 0.26, 0.255, 0.45], 1),  # one outlier is not a cluster
        ([0.37], 1),
    ],
)
def test_two_disagreeing_groups_are_told_from_scatter(values, expected):
    found = clusters(values, [0.01] * len(values), 0.02, width=0.4)
    assert len(found) == expected
    assert sorted(i for group in found for i in group) == list(range(len(values)))


def test_magnetite_and_iron_are_where_the_literature_has_them():
    b = cite("magnetite.B", "Bint").provenance
    a = cite("magnetite.A", "Bint").provenance
    iron = cite("iron.alpha", "Bint").provenance
    assert b.location == pytest.approx(46.0, abs=0.1)
    assert 0.2 < b.scale < 0.6
    assert a.location == pytest.approx(49.0, abs=0.2)
    assert iron.location == pytest.approx(33.0, abs=0.1)
    zero = cite("iron.alpha", "IS").provenance
    assert zero.location == pytest.approx(0.0, abs=1e-3)
    assert zero.scale < 0.03


def test_excluded_rows_never_enter():
    prior = cite("magnetite.B", "Bint")
    assert "magnetite.B.295K/6" not in prior.provenance.observations
    assert "industrial_report" not in prior.provenance.sources
    excluded = records.observation("magnetite.B.295K/6")
    assert excluded.status == "excluded"
    assert excluded.Bint == 44.4


def test_values_copied_between_compilations_count_once():
    values = gather(record_for("magnetite.B", 295.0), "Bint").values
    assert [v.value for v in values] == [46.0, 46.079]
    assert len(values[0].observations) == 4
    assert (
        "fewer than three independent records (2)"
        in cite("magnetite.B", "Bint").provenance.notes
    )


def test_widen_multiplies_the_scale_and_nothing_else():
    plain, wide = cite("magnetite.B", "Bint"), cite("magnetite.B", "Bint", widen=4.0)
    (_, one), (_, vague) = plain.dist.components
    (_, four), (_, also) = wide.dist.components
    assert four.arguments[2].value == pytest.approx(4.0 * one.arguments[2].value)
    assert four.arguments[:2] == one.arguments[:2]
    assert vague == also
    assert wide.provenance.scale == plain.provenance.scale
    assert any(line.startswith("widened 4 ×") for line in describe(wide))


def test_the_mixture_is_nine_to_one_with_the_class_range():
    prior = cite("magnetite.A", "IS")
    assert [weight for weight, _ in prior.dist.components] == [0.9, 0.1]
    assert prior.provenance.class_range == "fe3_hs_tet_o"
    assert prior.dist.components[1][1].family == "normal"


def test_bounds_are_physical_and_those_of_the_citation():
    assert cite("siderite", "QS").dist.low == 0.0
    assert cite("hematite", "QS").dist.low == -4.3
    assert cite("hematite", "Bint").dist.low == 0.0
    dist = cite("hematite", "Bint", low=50.0, high=52.0).dist
    assert (dist.low, dist.high) == (50.0, 52.0)
    with pytest.raises(RecordError) as caught:
        cite("hematite", "Bint", low=64.0)
    assert caught.value.code == "db-bounds"


def test_a_parameter_that_the_pattern_lacks():
    with pytest.raises(RecordError) as caught:
        cite("siderite", "Bint")
    assert caught.value.code == "db-no-parameter"
    assert caught.value.words["pattern"] == "@doublet"


def _observation(**more):
    fields = {
        "id": "x.Fe.295K/1", "T_K": 295.0, "IS_reference": "alpha-Fe",
        "QS_kind": "two_epsilon", "source": "dyar2006", "access": "primary_table",
        "confidence": "seen", "status": "used",
    }  # fmt: skip
    return Observation(**(fields | more))


def test_references_and_conventions_are_converted_and_said():
    notes: list[str] = []
    seen = _observation(IS=0.26, IS_reference="57Co(Rh)")
    assert normalised(seen, "IS", "sextet", notes) == pytest.approx(0.368)
    seen = _observation(QS=-0.11, QS_kind="epsilon")
    assert normalised(seen, "QS", "sextet", notes) == pytest.approx(-0.22)
    seen = _observation(QS=-0.9, QS_kind="delta_EQ")
    assert normalised(seen, "QS", "doublet", notes) == pytest.approx(0.9)
    assert len(notes) == 3


def _dist(*components, low=None, high=None):
    return Dist(family="mixture", components=components, low=low, high=high)


def _leaf(family, *arguments):
    return Dist(family=family, arguments=tuple(Const(value=a) for a in arguments))


def test_density_and_quantile_agree_with_scipy():
    t, n = stats.t(3.0, 46.0, 0.3), stats.norm(44.0, 3.0)
    dist = _dist(
        (0.9, _leaf("student_t", 3.0, 46.0, 0.3)),
        (0.1, _leaf("normal", 44.0, 3.0)),
        low=45.0,
        high=63.0,
    )
    mass = 0.9 * (t.cdf(63) - t.cdf(45)) + 0.1 * (n.cdf(63) - n.cdf(45))
    x = np.array([44.9, 45.5, 46.0, 50.0])
    expected = np.where(x < 45, 0, (0.9 * t.pdf(x) + 0.1 * n.pdf(x)) / mass)
    np.testing.assert_allclose(density(dist, x), expected, rtol=2e-5)
    middle = quantile(dist, 0.3)
    below = 0.9 * (t.cdf(middle) - t.cdf(45)) + 0.1 * (n.cdf(middle) - n.cdf(45))
    assert below / mass == pytest.approx(0.3, abs=1e-3)


def _model(*priors):
    parameters = tuple(
        Parameter[Dist | Citation](
            name=f"p{i}", role="IS", unit="mm/s", prior=prior,
            place=Place(file="m.spec", start=10 * i, end=10 * i + 5),
        )
        for i, prior in enumerate(priors)
    )  # fmt: skip
    spectrum = Spectrum(data="d", sites=(), scalars={}, noise=Noise(family="poisson"))
    return Model(
        name="m",
        kind="mossbauer57Fe",
        parameters=parameters,
        spectra=(spectrum,),
        sources=(),
    )


def test_a_model_is_resolved_with_all_else_unchanged():
    given_ = _leaf("normal", 0.3, 0.1)
    model = _model(
        given_, Citation(record="goethite", parameter="IS", temperature=295.0)
    )
    found = resolve_model(model)
    assert found.parameters[0].prior == Prior(dist=given_)
    assert found.parameters[1].prior.provenance.record == "goethite"
    assert found.parameters[1].place == model.parameters[1].place
    assert found.spectra == model.spectra
    assert found.model_dump(exclude={"parameters"}) == model.model_dump(
        exclude={"parameters"}
    )


def test_every_fault_of_a_model_is_reported_at_its_place():
    model = _model(
        Citation(record="magnetit", parameter="IS", temperature=295.0),
        Citation(record="magnetite", parameter="IS", temperature=295.0),
    )
    with pytest.raises(SpecError) as caught:
        resolve_model(model)
    found = [(d.code, d.span.start) for d in caught.value.diagnostics]
    assert found == [("db-unknown-phase", 0), ("db-site-needed", 10)]


def test_a_prior_names_its_records_and_sources():
    lines = describe(cite("magnetite.B", "Bint"))
    assert lines[0].startswith("magnetite.B.Bint at 295 K: 46.0")
    assert sum(line.startswith("record ") for line in lines) == 5
    assert any("Cornell" in line and "row 35" in line for line in lines)
    assert any("fewer than three" in line for line in lines)
    assert describe(Prior(dist=_leaf("normal", 0.0, 1.0))) == []


def test_one_citation_is_resolved_within_30_ms():
    cite("magnetite.B", "Bint")
    times = []
    for name in ("goethite", "hematite", "siderite", "lepidocrocite", "pyrite"):
        records.phase.cache_clear()
        start = time.process_time()
        cite(name, "IS")
        times.append(time.process_time() - start)
    assert sorted(times)[2] < 0.030
