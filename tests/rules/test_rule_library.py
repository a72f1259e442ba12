"""The library of rules: what a file asks for by one line, and what it overrides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from specfit import rules
from specfit.constants import MINIMUM_FWHM
from specfit.model import ir, records, rule_library
from specfit.model.rule_library import entries, held, in_force
from specfit.rules.block import FAILED, OPEN, PASSED, WARNED, Block
from specfit.rules.draws import iron_sites

ASKED_FOR = {n for n, e in entries().items() if not e.always}


def found_by(parts, rule: str) -> list:
    model, measurements, fit = parts
    entry = next(entry for entry in rules.RULES if entry.name == rule)
    return list(entry.judge(model, measurements, fit))


def with_rules(model, *overrides, libraries=("57Fe",)):
    update = {"libraries": libraries, "overrides": tuple(overrides)}
    return model.model_copy(update=update)


def override(rule: str, **said) -> ir.Override:
    return ir.Override(rule=rule, because="we know better", **said)


def verdict(scene, *overrides, libraries=()):
    model, measurements, fit = scene.parts()
    model = with_rules(model, *overrides, libraries=libraries)
    return rules.judge(model, measurements, fit, ())


def outcomes_of(said, rule: str) -> set[str]:
    return {f.outcome for f in said.findings if f.rule == rule}


def one_site(build, kind="sextet", record=None, **values):
    usual = {"IS": (0.37, 0.005), "QS": (-0.2, 0.005), "I": 1.0}
    usual |= {"Bint": (51.7, 0.05)} if kind == "sextet" else {}
    return build.SiteScene("S", "a site", kind, usual | values, record)


# ------------------------------------------------------------------------ the data


def test_every_rule_has_its_entry_and_every_entry_its_rule():
    named = [rule.name for rule in rules.RULES]
    assert set(named) | set(held()) == set(entries())
    assert set(named).isdisjoint(held())
    assert all(rule.source == entries()[rule.name].grounds for rule in rules.RULES)


def test_every_source_of_the_library_is_known():
    for entry in entries().values():
        assert entry.grounds
        assert all(records.source(key).citation for key in entry.sources)


def test_the_linewidth_floor_is_that_of_the_priors():
    floor = rule_library.thresholds_of("linewidth")["floor"]
    assert floor == pytest.approx(MINIMUM_FWHM)
    assert floor == pytest.approx(2 * 0.097)


def test_use_asks_for_the_rules_that_do_not_always_judge(build):
    model = build.Scene().model()
    always = {rule.name for rule in in_force(model)}
    assert {
        *("state_windows", "field_falls", "shift_rises", "spinel_areas"),
        *("identifiable", "electron_field", "component_evidence"),
    } == ASKED_FOR
    assert always.isdisjoint(ASKED_FOR | set(held()))
    used = {rule.name for rule in in_force(with_rules(model))}
    assert used == always | ASKED_FOR


def test_rules_that_nobody_asked_for_find_nothing(build):
    plain, used = verdict(build.Scene()), verdict(build.Scene(), libraries=("57Fe",))
    assert all(not outcomes_of(plain, rule) for rule in ASKED_FOR)
    assert outcomes_of(used, "spinel_areas") == {"warned"}


def test_a_file_without_rules_keeps_its_hash(build):
    model = build.Scene().model()
    assert "overrides" not in model.canonical()
    assert with_rules(model).digest() != model.digest()
    off = override("morin", severity="off")
    why = off.model_copy(update={"because": "another reason"})
    digests = {with_rules(model, o).digest() for o in (off, why)}
    assert len(digests) == 1
    assert digests.isdisjoint({model.digest(), with_rules(model).digest()})


# ------------------------------------------------------------------------ overrides

NARROW = {"width": (0.17, 0.004)}


def in_state(build, site, state):
    """A model of that one site, measurements and fit; `state` is what the site states."""
    model, measurements, fit = build.Scene(sites=(site,), records={}).parts()
    spectrum = model.spectra[0]
    settings = {"state": state} if state else {}
    changed = spectrum.sites[0].model_copy(update={"settings": settings})
    spectrum = spectrum.model_copy(update={"sites": (changed,)})
    model = model.model_copy(update={"spectra": (spectrum,)})
    return model, measurements, fit


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((), {"failed"}),
        ((("severity", "warning"),), {"warned"}),
        ((("severity", "soft"),), {"failed"}),
        ((("severity", "off"),), set()),
        ((("threshold", "floor"), ("value", 0.10)), {"passed"}),
        ((("threshold", "floor"), ("value", 0.18)), {"failed"}),
    ],
)
def test_a_narrow_line_under_every_override(build, said, expected):
    overrides = (override("linewidth", **dict(said)),) if said else ()
    assert outcomes_of(verdict(build.Scene(**NARROW), *overrides), "linewidth") == (
        expected
    )


def test_a_doubtful_breach_rejects_when_hard_and_warns_when_soft(build):
    scene = build.Scene(width=(0.197, 0.002))
    below = np.mean(scene.parts()[2].draws["Γ"] < 0.194)
    assert 0.05 < below < 0.2
    assert outcomes_of(verdict(scene), "linewidth") == {"failed"}
    soft = verdict(scene, override("linewidth", severity="soft"))
    assert outcomes_of(soft, "linewidth") == {"warned"}
    assert soft.outcome == "accepted"


def test_a_warning_made_hard_rejects_and_says_why(build):
    scene = build.Scene(temperature=80.0)
    assert verdict(scene).outcome == "accepted"
    said = verdict(scene, override("verwey", severity="hard"))
    assert said.outcome == "rejected"
    flagged = [f for f in said.findings if f.rule == "verwey"]
    assert {f.because for f in flagged} == {"we know better"}
    assert {f.severity for f in flagged} == {"hard"}
    assert {f.severity for f in said.findings if f.rule == "linewidth"} == {"hard"}


def test_many_spectra_are_judged_as_strongly(build):
    model, measurements, fit = build.Scene(**NARROW).parts()
    draws = {name: d.reshape(1, -1) for name, d in fit.draws.items()}
    expected = {"hard": FAILED, "warning": WARNED, "soft": OPEN, "off": PASSED}
    for severity, outcome in expected.items():
        changed = with_rules(model, override("linewidth", severity=severity))
        block = Block(changed, measurements, draws, fit.curve, 20)
        assert rules.grades(block)["linewidth"] == [outcome], severity


# ------------------------------------------------------------------- state windows


@pytest.mark.parametrize(
    ("state", "shift", "expected"),
    [
        ("fe3_hs_oct_o", 0.37, "passed"),
        ("fe3_hs_tet_o", 0.37, "warned"),  # beyond 0.32, within 0.36 + 0.02 of some
        ("fe3_hs_tet_o", 0.45, "failed"),
        ("fe2_hs_oct_o", 0.37, "failed"),
        ("fe3_ls", 0.37, "warned"),  # no hard range is known of it
        ("", 0.37, None),
    ],
)
def test_a_stated_state_has_its_window(build, state, shift, expected):
    site = one_site(build, "doublet", IS=(shift, 0.003), QS=(0.6, 0.01))
    found = found_by(in_state(build, site, state), "state_windows")
    assert {f.outcome for f in found} == ({expected} if expected else set())


def test_the_window_of_a_record_moves_with_the_temperature(build):
    def outcomes(temperature, shift):
        site = one_site(build, record="hematite", IS=(shift, 0.003))
        scene = build.Scene(sites=(site,), records={}, temperature=temperature)
        return {f.outcome for f in found_by(scene.parts(), "state_windows")}

    assert outcomes(295.0, 0.37) == {"passed"}
    assert outcomes(4.2, 0.49) == {"passed"}
    assert outcomes(4.2, 0.60) == {"passed"}  # 0.50 at 295 K, and 0.12 of cooling
    assert outcomes(295.0, 0.60) == {"failed"}


def test_a_field_above_the_saturation_of_its_class_is_told(build):
    site = one_site(build, record="hematite", Bint=(58.5, 0.05))
    scene = build.Scene(sites=(site,), records={})
    (finding,) = found_by(scene.parts(), "state_windows")
    assert finding.outcome == "warned"
    assert "58.5 T, lies above 57.5 T" in finding.text
    assert "menil1985" in finding.source


def test_the_splitting_of_a_doublet_has_two_ends(build):
    def outcomes(splitting):
        site = one_site(build, "doublet", "fayalite.M1", IS=(1.16, 0.01), QS=splitting)
        scene = build.Scene(sites=(site,), records={}, area=0.1)
        return {f.outcome for f in found_by(scene.parts(), "state_windows")}

    assert outcomes((2.8, 0.02)) == {"passed"}
    assert outcomes((0.1, 0.02)) == {"warned"}
    assert outcomes((4.2, 0.02)) == {"warned"}


def test_the_windows_reject_no_value_of_the_database(build):
    """What laboratories found lies in the windows: at most 1 % outside, none rejected."""
    from specfit.rules import state_windows

    scene, outside, total = build.Scene().model(), [], 0
    item = next(iter(iron_sites(scene)))
    for name in records.phases():
        for _, state in records.states(records.phase(name)):
            site = item.site.model_copy(update={"kind": state.pattern})
            here = replace(item, site=site, temperature=state.T_K)
            entry = records.class_ranges()[state.class_range]
            for window in state_windows._windows(scene, here, entry):
                known = state.assessed(window.symbol)
                if known is None or window.symbol in state.outside_class:
                    continue
                value = np.array([known.value])
                value = np.abs(value) if window.symbol == "QS" else value
                beyond, impossible = state_windows._shares(value, window)
                assert not impossible, state.id
                outside += [state.id] if beyond else []
                total += 1
    assert total > 900
    assert len(outside) < 0.01 * total, outside


# ---------------------------------------------------------------- temperature series


def series(build, cold, low=4.2, record=None, shared=()):
    """A site at `low` and at 295 K; `cold` are its values at `low`."""
    scene = build.Scene(sites=(one_site(build, record=record),), records={})
    model, measurements, fit = scene.parts()
    warm = model.spectra[0].model_copy(update={"label": "295"})
    site, label = warm.sites[0], f"{low:g}"
    moved = {
        s: n if s in shared else f"{n}[{label}]" for s, n in site.parameters.items()
    }
    other = site.model_copy(update={"parameters": moved})
    spectrum = warm.model_copy(update={"label": label, "sites": (other,)})
    hot = model.sources[0].model_copy(update={"label": "295"})
    conditions = {"label": label, "conditions": {"T": low}}
    sources = (hot, hot.model_copy(update=conditions))
    update = {"spectra": (warm, spectrum), "sources": sources}
    generator = np.random.default_rng(5)
    draws = dict(fit.draws)
    for symbol, name in moved.items():
        if symbol not in shared:
            mean, sd = cold.get(symbol, (1.0, 0.01))
            draws[name] = generator.normal(mean, sd, (4, 250))
    fit = replace(fit, draws=draws)
    return model.model_copy(update=update), measurements * 2, fit


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (0.37 + 0.13, "passed"),
        (0.37 + 0.09, "passed"),  # a hard solid, and the zero of the velocities
        (0.37, "failed"),
        (0.37 - 0.10, "failed"),
        (0.37 + 0.30, "failed"),
    ],
)
def test_the_isomer_shift_rises_on_cooling(build, shift, expected):
    parts = series(build, {"IS": (shift, 0.004)})
    (finding,) = found_by(parts, "shift_rises")
    assert finding.outcome == expected
    if expected == "failed":
        assert "`S` between 4.2 and 295 K" in finding.text
        assert "rises by 0.074 to 0.186 mm/s" in finding.text


def test_the_rise_on_cooling_is_that_of_a_debye_solid():
    """δ(4.2 K) − δ(295 K) by quadrature with SciPy, of Θ = 600 and 200 K."""
    from scipy.constants import atomic_mass, c, k
    from scipy.integrate import quad

    from specfit.model.thermal import doppler_shift

    def shift(temperature, debye):
        ratio = temperature / debye
        integral = quad(lambda x: x**3 / np.expm1(x), 0, 1 / ratio)[0]
        mass = 56.935394 * atomic_mass
        scale = -9 * k / (2 * mass * c) * 1e3  # mm/s/K
        return scale * (debye / 8 + temperature * ratio**3 * integral)

    for debye, published in ((600.0, 0.094), (200.0, 0.166)):
        expected = shift(4.2, debye) - shift(295.0, debye)
        rise = doppler_shift(4.2, debye) - doppler_shift(295.0, debye)
        assert rise == pytest.approx(expected, abs=2e-4)
        assert rise == pytest.approx(published, abs=6e-4)


def test_a_shift_that_is_one_for_all_temperatures_is_not_judged(build):
    assert not found_by(series(build, {}, shared=("IS",)), "shift_rises")


def test_no_shift_is_compared_across_a_transition(build):
    """Magnetite's octahedral iron changes its charge at the Verwey transition."""
    cold = {"IS": (0.37, 0.004)}
    assert found_by(series(build, cold, record="iron.alpha"), "shift_rises")
    assert not found_by(series(build, cold, record="magnetite.B"), "shift_rises")


@pytest.mark.parametrize(
    ("field", "expected"),
    [(54.2, "passed"), (51.7, "passed"), (51.5, "warned"), (50.0, "failed")],
)
def test_the_field_falls_with_rising_temperature(build, field, expected):
    parts = series(build, {"Bint": (field, 0.05)})
    (finding,) = found_by(parts, "field_falls")
    assert finding.outcome == expected
    cold, warm = (parts[2].draws[n].ravel() for n in ("S.Bint[4.2]", "S.Bint"))
    if expected != "passed":
        breach = np.mean(warm > cold + 0.2)
        assert finding.probability == pytest.approx(1 - breach)


# ------------------------------------------------------------- areas, correlations


@pytest.mark.parametrize(
    ("octahedral", "expected"),
    [(0.2, "passed"), (0.28, "passed"), (0.30, "warned"), (0.36, "failed")],
)
def test_the_areas_of_magnetite_are_a_range(build, octahedral, expected):
    def shares(site):
        known = {"B": octahedral, "A": 0.15, "Fe": 0.85 - octahedral}
        return replace(site, values={**site.values, "I": known[site.name]})

    scene = build.Scene(sites=tuple(map(shares, build.DEFAULT_SITES)))
    (finding,) = found_by(scene.parts(), "spinel_areas")
    assert finding.outcome == expected
    if expected != "passed":
        ratio = octahedral / 0.15
        assert finding.value == pytest.approx(ratio, rel=0.02)
    assert not found_by(replace(scene, temperature=80.0).parts(), "spinel_areas")


@pytest.mark.parametrize(
    ("correlation", "expected"), [(-0.98, "warned"), (-0.8, "passed")]
)
def test_a_width_and_a_spread_may_be_known_only_together(build, correlation, expected):
    site = one_site(build, sigma_Bint=(0.5, 0.05))
    build.UNITS.setdefault("sigma_Bint", "T")
    priors = {"S.sigma_Bint": build.normal(0.5, 0.5)}
    scene = build.Scene(sites=(site,), records={}, priors=priors)
    model, measurements, fit = scene.parts()
    covariance = [[1, correlation], [correlation, 1]]
    pair = np.random.default_rng(2).multivariate_normal([0, 0], covariance, (4, 250))
    changed = {
        "Γ": 0.26 + 0.01 * pair[..., 0],
        "S.sigma_Bint": 0.5 + 0.05 * pair[..., 1],
    }
    fit = replace(fit, draws={**fit.draws, **changed})
    (finding,) = found_by((model, measurements, fit), "identifiable")
    assert finding.outcome == expected
    if expected == "warned":
        r = np.corrcoef(*(d.ravel() for d in changed.values()))[0, 1]
        assert finding.value == pytest.approx(r)
        assert "`Γ` and `S.sigma_Bint`" in finding.text


# --------------------------------------------------------------- sites that are asked for


@pytest.mark.parametrize("far", [-2.0, 0.5, 2.0, 3.0, 4.0])
def test_the_evidence_without_a_site_is_the_integral_over_its_fraction(build, far):
    """A normal likelihood of one fraction, the other sites' integrated by hand."""
    width, sites = 0.02, 3
    grid = np.linspace(0.0, 1.0, 200_001)
    likelihood = np.exp(-0.5 * ((grid - far * width) / width) ** 2)
    prior = (sites - 1) * (1.0 - grid) ** (sites - 2)
    ratio = np.trapezoid(likelihood * prior, grid) / likelihood[0]
    weights = likelihood * prior
    below = np.cumsum(weights) / weights.sum()
    uniform = (np.arange(4000) + 0.5) / 4000
    share = np.interp(uniform, below, grid)
    scene = build.Scene(records={})
    model, measurements, fit = scene.parts()
    (joint,) = model.joints
    assert len(joint.names) == sites
    fit = replace(fit, draws={**fit.draws, joint.names[0]: share.reshape(4, 1000)})
    (finding,) = [
        f
        for f in found_by((model, measurements, fit), "component_evidence")
        if f.outcome == "warned" or far > 3.5
    ]
    if finding.outcome == "warned":
        assert finding.value == pytest.approx(np.log(ratio), abs=0.1)
    assert (finding.outcome == "warned") == (np.log(ratio) < 3.0)


def test_a_fraction_that_a_rule_speaks_of_is_not_judged(build):
    model, measurements, fit = build.Scene(records={}).parts()
    (joint,) = model.joints
    text = ir.Apply(
        function=">", arguments=(ir.Ref(name=joint.names[0]), ir.Const(value=0.1))
    )
    rule = ir.Rule(kind="require", expression=text)
    model = model.model_copy(update={"rules": (*model.rules, rule)})
    assert not found_by((model, measurements, fit), "component_evidence")


@pytest.mark.parametrize(
    ("state", "field", "expected"),
    [
        ("fe3_hs_oct_o", 54.2, "passed"),
        ("fe3_hs_oct_o", 59.0, "warned"),
        ("fe2_hs_oct_o", 45.0, "passed"),  # 4 electrons, 44 T, and slack
        ("fe2_hs_oct_o", 49.0, "warned"),
        ("fe3_ls", 22.0, "warned"),
        ("fe0_metal", 33.0, None),  # a class without a spin
        ("", 59.0, None),
    ],
)
def test_eleven_tesla_for_each_unpaired_electron(build, state, field, expected):
    site = one_site(build, Bint=(field, 0.1))
    found = found_by(in_state(build, site, state), "electron_field")
    assert {f.outcome for f in found} == ({expected} if expected else set())
