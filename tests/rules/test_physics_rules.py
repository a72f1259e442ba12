"""Each rule of physics: one scene that it flags and one that it does not."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from specfit import rules
from specfit.rules import linewidth, rarity, residuals, scores, stated_priors
from specfit.rules.misfit import advice, remedies_of


def outcome(scene, rule: str) -> list:
    model, measurements, fit = scene.parts()
    entry = next(entry for entry in rules.RULES if entry.name == rule)
    return list(entry.judge(model, measurements, fit))


def only(findings):
    assert len(findings) == 1, findings
    return findings[0]


def sites_with(build, name: str, **changes):
    """The default sites with values of one of them changed."""
    return tuple(
        replace(site, values={**site.values, **changes}) if site.name == name else site
        for site in build.DEFAULT_SITES
    )


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_a_good_run_earns_no_failure_and_every_finding_has_a_source(build, rule):
    scene = build.Scene(records={})
    if rule.name == "spinel_areas":  # the magnetite of the scene has B / A = 2.0
        scene.sites = sites_with(build, "B", I=0.25)
    model, measurements, fit = scene.parts()
    findings = rule.judge(model, measurements, fit)
    assert all(finding.outcome == "passed" for finding in findings)
    assert rule.source
    assert all(finding.source for finding in findings)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_rules_of_iron_leave_other_kinds_alone(build, rule):
    model, measurements, fit = build.Scene().parts()
    other = model.model_copy(update={"kind": "peaks"})
    found = rule.judge(other, measurements, fit)
    allowed = ("bounds", "conflict", "cut_off", "stated_priors")
    allowed += ("residuals", "undecided")
    assert rule.name in allowed or not found


def test_a_sextet_above_its_ordering_temperature_names_the_reason(build):
    site = build.SiteScene(
        "S",
        "siderite",
        "sextet",
        {"IS": (1.23, 0.01), "QS": 0.0, "Bint": (18.0, 0.1), "I": 1.0},
        "siderite",
    )
    scene = build.Scene(sites=(site,), records={"S.IS": (1.23, 0.02, 1)}, orders=38.0)
    finding = only(outcome(scene, "magnetic_order"))
    assert finding.outcome == "failed"
    assert finding.text == (
        "siderite orders at 38 K; at 295 K it is paramagnetic and shows a doublet or a "
        "single line, so the sextet `S` cannot be siderite"
    )
    cold = replace(scene, temperature=4.2)
    assert only(outcome(cold, "magnetic_order")).outcome == "passed"


def test_a_width_below_twice_the_natural_one_fails(build):
    scene = build.Scene(width=(0.17, 0.004))
    finding = only(outcome(scene, "linewidth"))
    assert finding.outcome == "failed"
    assert finding.probability < 0.01
    assert "B, A, Fe" in finding.text
    assert only(outcome(build.Scene(), "linewidth")).outcome == "passed"


def test_a_width_pressed_against_the_floor_fails(build):
    floor = 0.194 + np.random.default_rng(3).exponential(0.0005, (4, 250))
    scene = build.Scene(overrides={"Γ": floor})
    assert "pressed against" in only(outcome(scene, "linewidth")).text


@pytest.mark.parametrize(
    ("ratio", "expected", "word"),
    [
        ((2.02, 0.05), "passed", "thin powder"),
        ((2.9, 0.05), "warned", "texture"),
        ((1.5, 0.05), "warned", "thick absorber"),
        ((4.3, 0.1), "failed", "outside [0, 4]"),
    ],
)
def test_the_intensity_ratio(build, ratio, expected, word):
    scene = build.Scene(sites=sites_with(build, "Fe", x=ratio))
    finding = only(outcome(scene, "intensity_ratio"))
    assert finding.outcome == expected
    assert word in finding.text + finding.detail


def test_a_sextet_that_first_order_does_not_describe(build):
    values = {"IS": (0.9, 0.01), "QS": (-0.6, 0.01), "Bint": (18.0, 0.1), "I": 1.0}
    site = build.SiteScene("S", "a sulphide", "sextet", values, "")
    finding = only(outcome(build.Scene(sites=(site,), records={}), "first_order"))
    assert finding.outcome == "warned"
    assert "first order" in finding.text
    assert "hamiltonian" in finding.detail


@pytest.mark.parametrize(("random", "outcome_of"), [(0.0, "warned"), (0.8, "passed")])
def test_a_scatter_of_QS_that_first_order_does_not_describe(build, random, outcome_of):
    values = {
        "IS": (0.48, 0.01), "QS": (-0.06, 0.01), "Bint": (49.0, 0.1), "I": 1.0,
        "width": (0.25, 0.001), "sigma_QS": (0.36, 0.01), "QS_random": (random, 0.01),
    }  # fmt: skip
    site = build.SiteScene("S", "an oxide", "sextet", values, "")
    finding = only(outcome(build.Scene(sites=(site,), records={}), "first_order"))
    assert finding.outcome == outcome_of
    assert random or "QS_random ~ 0.81 ± 0.20 mm/s" in finding.detail


def test_a_known_ratio_is_not_judged(build):
    assert outcome(build.Scene(sites=sites_with(build, "Fe", x=3.0)), "bounds")
    scene = build.Scene(sites=sites_with(build, "Fe", x=3.0))
    assert outcome(scene, "intensity_ratio") == []


def test_what_a_model_has_already_is_no_advice():
    site = SimpleNamespace(kind="sextet_distribution")
    spectra = (SimpleNamespace(sites=(site,), noise=SimpleNamespace(family="poisson")),)
    both = {"kind": "mossbauer57Fe", "spectra": spectra}
    thick = SimpleNamespace(settings={"absorber": "thick"}, **both)
    assert remedies_of(thick, "mm/s").tries == "a further component"
    thin = SimpleNamespace(settings={"absorber": "thin"}, **both)
    assert "thick absorber" in remedies_of(thin, "mm/s").tries


def test_what_to_try_next_with_a_pattern():
    """Nothing of absorbers, and no shape that is there already."""
    site = SimpleNamespace(kind="voigt")
    noise = SimpleNamespace(family="gaussian")
    spectra = (SimpleNamespace(sites=(site,), noise=noise),)
    model = SimpleNamespace(kind="peaks", settings={}, spectra=spectra, sources=())
    remedies = remedies_of(model, "deg")
    assert "peak" in remedies.tries
    assert "Voigt" not in remedies.tries
    assert "sd right" in remedies.too_small
    assert "+44.40 deg (-5.0 sd" in advice(44.4, -5.0, remedies)
    assert "data lie below" in advice(44.4, -5.0, remedies)
    assert "five points" in advice(44.4, -5.0, remedies)


@pytest.mark.parametrize(
    ("kind", "data", "word"),
    [
        ("linear_combination", "absorption", "basis"),
        ("exafs", "absorption", "path"),
        ("regression", "table", "feature"),
    ],
)
def test_what_has_no_lines_is_not_advised_to_have_more(kind, data, word):
    noise = SimpleNamespace(family="gaussian")
    model = SimpleNamespace(
        kind=kind,
        settings={},
        spectra=(SimpleNamespace(sites=(), noise=noise),),
        sources=(SimpleNamespace(kind=data),),
    )
    remedies = remedies_of(model, "")
    assert word in remedies.tries
    assert "peak" not in remedies.tries
    assert remedies.data == ("rows" if data == "table" else "points")


def test_a_thick_absorber_s_width_is_judged_by_its_parts(build):
    model, measurements, fit = build.Scene().parts()
    (spectrum, *rest) = model.spectra
    scalars = {**spectrum.scalars, "source_width": "source_width"}
    spectrum = spectrum.model_copy(update={"scalars": scalars})
    model = model.model_copy(update={"spectra": (spectrum, *rest)})
    some = next(iter(fit.draws.values()))
    for source, expected in ((0.12, "passed"), (0.20, "failed"), (0.05, "failed")):
        draws = {**fit.draws, "source_width": np.full(some.shape, source)}
        found = linewidth.judge(model, measurements, replace(fit, draws=draws))
        assert {finding.outcome for finding in found} == {expected}


def test_a_site_whose_area_cannot_be_told_from_zero_is_superfluous(build):
    scene = build.Scene(sites=sites_with(build, "A", I=(0.004, 0.003)))
    finding = only(outcome(scene, "site_areas"))
    assert finding.outcome in ("warned", "failed")
    shares = np.abs(np.random.default_rng(1).normal(0, 0.003, (4, 250)))
    warned = only(outcome(replace(scene, overrides={"A.I": shares}), "site_areas"))
    assert warned.outcome == "warned"
    assert "superfluous" in warned.text


def test_a_negative_area_fails(build):
    scene = build.Scene(sites=sites_with(build, "A", I=(-0.05, 0.003)))
    assert only(outcome(scene, "site_areas")).outcome == "failed"


def test_two_sites_that_cannot_be_told_apart(build):
    twin = sites_with(build, "A", IS=(0.67, 0.004), QS=(0.0, 0.004), Bint=(44.5, 0.04))
    finding = only(outcome(build.Scene(sites=twin, records={}), "duplicate_sites"))
    assert finding.outcome == "warned"
    assert "`B` and `A`" in finding.text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Bint": (57.5, 0.2)}, "warned"),
        ({"Bint": (61.0, 0.2)}, "failed"),
        ({"IS": (1.9, 0.02)}, "failed"),
        ({"IS": (-0.9, 0.01)}, "passed"),
    ],
)
def test_hyperfine_windows(build, changes, expected):
    scene = build.Scene(sites=sites_with(build, "A", **changes))
    assert only(outcome(scene, "hyperfine_windows")).outcome == expected


@pytest.mark.parametrize(
    ("temperature", "splitting", "expected"),
    [
        (295.0, (-0.20, 0.01), "passed"),
        (295.0, (0.41, 0.01), "warned"),
        (80.0, (0.41, 0.01), "passed"),
        (80.0, (-0.20, 0.01), "warned"),
        (255.0, (0.41, 0.01), None),
    ],
)
def test_the_morin_sign_of_hematite(build, temperature, splitting, expected):
    site = build.SiteScene(
        "H",
        "hematite",
        "sextet",
        {"IS": (0.37, 0.01), "QS": splitting, "Bint": (51.7, 0.1), "I": 1.0},
        "hematite",
    )
    scene = build.Scene(sites=(site,), temperature=temperature)
    found = outcome(scene, "morin")
    if expected in (None, "passed"):
        assert all(finding.outcome == "passed" for finding in found)
    else:
        assert only(found).outcome == expected


def test_magnetite_below_its_verwey_transition(build):
    found = outcome(build.Scene(temperature=80.0), "verwey")
    assert [finding.outcome for finding in found] == ["warned", "warned"]


def test_a_doublet_at_room_temperature_may_be_superparamagnetic(build):
    def scene(splitting, temperature=295.0):
        values = {"IS": (0.35, 0.01), "QS": splitting, "I": 1.0}
        site = build.SiteScene("D", "Fe3+", "doublet", values)
        return build.Scene(sites=(site,), temperature=temperature)

    assert "4.2 K" in only(outcome(scene((0.7, 0.02)), "superparamagnetism")).detail
    for quiet in (scene((1.8, 0.02)), scene((0.7, 0.02), 77.0)):
        assert only(outcome(quiet, "superparamagnetism")).outcome == "passed"


def test_a_doublet_of_an_ordered_phase_is_flagged(build):
    values = {"IS": (0.37, 0.01), "QS": (0.3, 0.02), "I": 1.0}
    site = build.SiteScene("D", "hematite", "doublet", values, "hematite")
    scene = build.Scene(sites=(site,), records={"D.IS": (0.37, 0.02, 1)}, orders=955.0)
    assert "955 K" in only(outcome(scene, "superparamagnetism")).text


def test_a_posterior_at_its_bound(build):
    draws = 0.6 - np.random.default_rng(3).exponential(0.001, (4, 250))
    finding = only(outcome(build.Scene(overrides={"Γ": draws}), "bounds"))
    assert finding.outcome == "warned"
    assert "upper bound" in finding.text


# -------------------------------------------------------------- lines measured


def test_lines_that_were_not_measured_are_named(build):
    seen = only(outcome(build.Scene(), "lines_measured"))
    assert seen.outcome == "passed"
    wide = sites_with(build, "A", Bint=(66.0, 0.1))
    finding = only(outcome(build.Scene(sites=wide, records={}), "lines_measured"))
    assert finding.outcome == "warned"
    assert "`A`" in finding.text
    assert "1 at -10." in finding.text
    assert "6 at +10." in finding.text
    assert " 2 at" not in finding.text


# -------------------------------------------------------------------- conflict


def test_a_widened_prior_is_reported_and_passes(build):
    finding = only(outcome(build.Scene(), "conflict"))
    assert finding.outcome == "warned"
    assert "44.40 T, 1.60 T below the 46.00 T of its records" in finding.text
    assert "widened ×4" in finding.text
    assert "velocity calibration" in finding.detail
    df = 4.0
    tail = stats.t.sf(1.6 / (4 * 0.45), df)
    assert finding.value == pytest.approx(stats.norm.isf(tail), rel=0.01)


def test_a_prior_data_conflict_fails(build):
    scene = build.Scene(records={"B.Bint": (46.0, 0.1, 1.0)})
    finding = only(outcome(scene, "conflict"))
    assert finding.outcome == "failed"
    assert finding.text.startswith("prior and data conflict")
    assert "the class range carries" in finding.text


def test_an_isomer_shift_left_on_the_source_scale_is_recognised(build):
    moved = sites_with(build, "Fe", IS=(-0.108, 0.002))
    scene = build.Scene(sites=moved, records={"Fe.IS": (0.0, 0.01, 1.0)})
    assert "57Co(Rh)" in only(outcome(scene, "conflict")).detail


def test_the_vague_weight_is_that_of_the_class_range(build):
    near = build.Scene(records={"A.Bint": (48.8, 0.4, 1.0)}).parts()
    far = build.Scene(records={"A.Bint": (40.0, 0.3, 1.0)}).parts()
    assert rules.conflicts(*near)[0].vague_weight < 0.05
    assert rules.conflicts(*far)[0].vague_weight > 0.9


# --------------------------------------------------------------- stated priors


def test_a_stated_field_that_the_data_contradict_fails(build):
    stated = {"B.Bint": build.normal(46.0, 0.1)}
    scene = build.Scene(records={}, priors=stated)
    finding = only(outcome(scene, "stated_priors"))
    assert finding.outcome == "failed"
    assert "`B.Bint` is 44.39" in finding.text
    assert finding.value == pytest.approx(16.0, rel=0.02)


def test_a_stated_width_that_the_data_contradict_is_told(build):
    scene = build.Scene(records={}, priors={"Γ": build.normal(0.40, 0.01)})
    finding = only(outcome(scene, "stated_priors"))
    assert finding.outcome == "warned"
    assert finding.value == pytest.approx(14.0, rel=0.02)


def test_a_default_prior_never_rejects(build):
    """The 2b site of a hexaferrite has 2ε = 2.2 mm/s; the default is 0.0 ± 0.3."""
    far = sites_with(build, "B", QS=(2.24, 0.01))
    scene = build.Scene(records={}, sites=far, priors={"B.QS": build.normal(0.0, 0.3)})
    model, measurements, fit = scene.parts()
    assert only(outcome(scene, "stated_priors")).outcome == "failed"
    defaults = [p.model_copy(update={"origin": "default"}) for p in model.parameters]
    model = model.model_copy(update={"parameters": tuple(defaults)})
    (finding,) = stated_priors.judge(model, measurements, fit)
    assert finding.outcome == "warned"
    assert "default prior" in finding.text
    assert "state a prior" in finding.detail


def test_a_shared_unknown_is_judged_by_what_it_stands_for(build):
    model, measurements, fit = build.Scene(records={}).parts()
    first = model.spectra[0].sites[0]
    shift = model.parameters[-1].model_copy(
        update={"name": "shift", "role": "shift", "unit": "mm/s"}
    )
    prior = shift.prior.model_copy(update={"dist": build.normal(0.30, 0.01)})
    shift = shift.model_copy(update={"prior": prior})
    site = first.model_copy(update={"parameters": {**first.parameters, "IS": "shift"}})
    spectrum = model.spectra[0].model_copy(update={"sites": (site,)})
    model = model.model_copy(update={"parameters": (shift,), "spectra": (spectrum,)})
    fit = replace(fit, draws={**fit.draws, "shift": fit.draws["B.IS"]})
    (finding,) = stated_priors.judge(model, measurements, fit)
    assert finding.outcome == "failed"


def dist(build, family, *arguments, **bounds):
    given = tuple(build.const(a) for a in arguments)
    return build.ir.Dist(family=family, arguments=given, **bounds)


def test_rarity_is_that_of_the_tail(build):
    normal = dist(build, "normal", 1.0, 2.0)
    for value in (-7.0, 0.5, 1.0, 4.0, 33.0):
        expected = abs(value - 1.0) / 2.0
        assert rarity.normal_sd(value, [normal]) == pytest.approx(expected, abs=1e-6)
    student = dist(build, "student_t", 4.0, 0.0, 1.0)
    expected = stats.norm.isf(stats.t.sf(6.0, 4.0))
    assert rarity.normal_sd(6.0, [student]) == pytest.approx(expected)


def test_a_small_scale_is_not_far_out(build):
    for family, *given in (("halfnormal", 300.0), ("gamma", 1.0, 300.0)):
        assert rarity.normal_sd(0.01, [dist(build, family, *given)]) == 0.0
    half = dist(build, "halfnormal", 300.0)
    assert rarity.normal_sd(1500.0, [half]) == pytest.approx(4.865, abs=0.001)


def test_rarity_knows_the_bounds_that_make_the_prior(build):
    cut = dist(build, "normal", 49.0, 1.0)
    inside = rarity.normal_sd(55.2, [cut], within=(55.0, 60.0))
    assert 0.0 <= inside < 1.5
    assert rarity.normal_sd(57.5, [cut], within=(55.0, 60.0)) > 4.0


def test_rarity_of_a_prior_that_hangs_on_another(build):
    prior = build.ir.Dist(
        family="normal", arguments=(build.ref("A.QS"), build.const(0.05))
    )
    assert rarity.normal_sd(0.3, [prior]) is None
    found = rarity.normal_sd(0.3, [prior], known={"A.QS": 0.1})
    assert found == pytest.approx(4.0)


# ------------------------------------------------------------------- residuals


def test_white_residuals_pass_and_a_missing_line_is_flagged(build):
    good = outcome(build.Scene(), "residuals")
    assert [finding.outcome for finding in good] == ["passed"] * 3
    bad = outcome(build.Scene(extra_counts=3.5e3), "residuals")
    assert [finding.outcome for finding in bad[:2]] == ["warned"] * 2
    assert "the model is insufficient" in bad[0].text
    where = float(bad[0].detail.split("near ")[1].split(" mm/s")[0])
    assert where == pytest.approx(0.4, abs=0.3)
    assert "absorbs more there" in bad[0].detail


def test_the_tail_of_chi_square_agrees_with_its_z(build):
    """254 for 220 lies 1.6 sd above; the replicates, not fitted, are larger still."""
    item = rules.statistics(*build.Scene().parts())[0]
    item = replace(item, chi2=254.0, freedom=220, predictive=0.925)
    assert item.chi2_z == pytest.approx(1.6, abs=0.05)
    assert item.chi2_tail == pytest.approx(stats.chi2.sf(254, 220))
    assert item.worse == "5.8 % of spectra of this very model would fit worse"
    (text, *_) = (f.text for f in residuals._findings(item, ""))
    assert item.worse in text
    assert "replicated" not in text


@pytest.mark.parametrize(
    ("family", "least", "normal"),
    [
        ("poisson", 1e4, True), ("poisson", 0.5, False), ("gaussian", 0.5, True),
        ("student_t", 1e4, True), ("negative_binomial", 1e4, True),
    ],
)  # fmt: skip
def test_the_law_of_chi_square_is_used_where_it_holds(build, family, least, normal):
    assert scores.near_normal(family, np.array([1e5, least])) == normal
    item = replace(rules.statistics(*build.Scene().parts())[0], normal=normal)
    assert (item.chi2_tail is not None) == normal
    assert ("of this very model" in item.worse) == normal


@pytest.mark.parametrize(
    ("chi2", "said"),
    [(900.0, "less than 0.01 %"), (90.0, "more than 99.99 %"), (219.3, "50 %")],
)
def test_no_share_of_spectra_is_none_or_all(build, chi2, said):
    item = rules.statistics(*build.Scene().parts())[0]
    assert replace(item, chi2=chi2, freedom=220).worse.startswith(f"{said} of")


def test_a_misfit_larger_than_the_noise_is_no_result(build):
    found = outcome(build.Scene(extra_counts=8e3), "residuals")
    assert [finding.outcome for finding in found[:2]] == ["failed", "warned"]


def test_residual_statistics_of_white_noise_are_standard(build):
    """Pooled over 60 scenes: |mean z| < 3.3/√60, a false alarm in a thousand."""
    z = []
    for seed in range(60):
        item = rules.statistics(*build.Scene(seed=seed, draws=20).parts())[0]
        z.append((item.chi2_z, item.lag1_z, item.runs_z))
    means = np.mean(z, axis=0)
    # the synthetic curve is the truth, so χ² is that of all channels, not of those
    # less the parameters
    assert abs(means[0] - 13 / np.sqrt(2 * 243)) < 3.3 / np.sqrt(60)
    assert np.all(np.abs(means[1:]) < 3.3 / np.sqrt(60))
    assert np.all(np.abs(np.std(z, axis=0) - 1) < 0.35)


def test_smoothed_counts_are_recognised(build):
    model, measurements, fit = build.Scene().parts()
    item = measurements[0]
    curve = fit.curve[0]
    kernel = np.ones(3) / 3
    smooth = curve + np.convolve(item.values - curve, kernel, mode="same")
    found = rules.RULES[-1].judge(model, (replace(item, values=smooth),), fit)
    assert found[0].outcome == "warned"
    assert "interpolated" in found[0].detail
