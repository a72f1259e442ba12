"""The user's statements and the verdict they lead to."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from specfit import gains, inference, rules
from specfit.contracts import Finding, RequireStrategy
from specfit.inference.gates import mode_gates
from specfit.inference.newton import Peak
from specfit.model import ir
from specfit.report.sections.verdict import reservation
from specfit.rules import pressed


def judge(scene):
    model, measurements, fit = scene.parts()
    return rules.judge(model, measurements, fit, scene.strategies)


def check(build, expression, text="check …"):
    place = ir.Place(line=5, text=text)
    return build.Scene(
        rules=(ir.Rule(kind="check", expression=expression, place=place),)
    )


def statement(scene):
    return judge(scene).findings[0]


def test_the_example_is_accepted_with_its_reasons_kept(build):
    written, strategies = build.standard_rules()
    verdict = judge(build.Scene(rules=written, strategies=strategies))
    assert verdict.outcome == "accepted"
    assert verdict.reasons == ()
    require, expect, probability, conflict = verdict.findings[:4]
    assert require.strategy == "ordered, keeps 0.83 of the prior"
    assert require.because.startswith("ferrimagnetic spinel")
    assert require.probability == 1.0
    assert require.line == 29
    assert expect.value == pytest.approx(1.2, abs=0.2)
    assert probability.probability == 1.0
    assert conflict.value == pytest.approx(0.80, abs=0.01)
    assert "2.3 before it was widened ×4" in conflict.detail


def test_a_broken_requirement_rejects(build):
    rule = ir.Rule(
        kind="require",
        expression=build.apply("<", build.ref("Fe.I"), build.const(0.4)),
        because="the recipe holds less iron",
        place=ir.Place(line=7, text="require Fe.I < 0.4"),
    )
    verdict = judge(build.Scene(rules=(rule,)))
    assert verdict.outcome == "rejected"
    assert "require Fe.I < 0.4" in verdict.reasons[0]
    assert verdict.findings[0].probability == 0.0


def test_a_tie_holds_within_rounding(build):
    total = build.apply("sum", *(build.ref(f"{s}.I") for s in ("B", "A", "Fe")))
    rule = ir.Rule(kind="require", expression=build.apply("==", total, build.const(1)))
    assert statement(build.Scene(rules=(rule,))).outcome == "passed"


@pytest.mark.parametrize(
    ("mean", "expected"), [(2.0, "passed"), (1.0, "warned"), (50.0, "warned")]
)
def test_the_tension_of_an_expectation(build, mean, expected):
    rule = ir.Rule(
        kind="expect",
        expression=build.apply("/", build.ref("B.I"), build.ref("A.I")),
        dist=build.normal(mean, 0.1),
        because="known",
    )
    finding = statement(build.Scene(rules=(rule,)))
    assert finding.outcome == expected
    # z of a normal, also far beyond where its tail underflows
    assert finding.value == pytest.approx(abs(2.0 - mean) / 0.1, abs=0.1)


def test_a_check_of_draws_holds_at_95_percent(build):
    def inside(low, high):
        bounds = (build.const(low), build.const(high))
        return check(build, build.apply("within", build.ref("B.IS"), *bounds))

    wide, narrow = statement(inside(0.65, 0.69)), statement(inside(0.665, 0.675))
    assert wide.outcome == "passed"
    assert wide.probability > 0.99
    assert narrow.outcome == "failed"
    assert narrow.probability == pytest.approx(0.59, abs=0.05)
    assert narrow.value == pytest.approx(0.67, abs=0.001)


@pytest.mark.parametrize(
    ("function", "sign", "bound", "outcome", "value"),
    [
        ("rhat", "<", 1.01, "passed", 1.002),
        ("ess", ">", 400, "passed", 987),
        ("ess", ">", 1000, "failed", 987),
        ("chi2", "<", 1.3, "passed", 1.055),
        ("chi2", "<", 0.5, "failed", 1.055),
    ],
)
@pytest.mark.parametrize("bare", [True, False])
def test_posterior_quantities(build, function, sign, bound, outcome, value, bare):
    call = build.ref(function) if bare else build.apply(function)
    finding = statement(check(build, build.apply(sign, call, build.const(bound))))
    assert finding.outcome == outcome
    assert finding.value == pytest.approx(value, rel=0.01)


def test_a_check_may_use_a_statistic_of_the_data(build):
    ratio = build.apply(
        "/", build.ref("N0"), build.apply("mean", build.ref("spectrum.counts"))
    )
    bounds = (build.const(0.9), build.const(1.3))
    finding = statement(check(build, build.apply("within", ratio, *bounds)))
    assert finding.outcome == "passed"
    assert finding.value == pytest.approx(1.0, abs=0.1)


def test_conflict_without_database_priors_is_zero(build):
    expression = build.apply(
        "<", build.apply("conflict", build.ref("db")), build.const(3)
    )
    scene = check(build, expression)
    scene.records = {}
    assert statement(scene).outcome == "passed"


def test_a_fit_that_did_not_converge_has_no_result(build):
    verdict = judge(build.Scene(converged=False))
    assert verdict.outcome == "not_converged"
    assert verdict.reasons == ("R-hat is 1.34, the gate is 1.01",)


def test_what_the_data_leave_open_gives_no_result(build):
    """Of a sum the Hessian is flat across; sites that may change places weigh alike."""
    model, measurements, fit = build.Scene().parts()
    firm, flat = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[4.0, 6.0], [6.0, 9.0]])
    cases = (
        (firm, 0.0, "accepted", ""),
        (flat, 0.0, "not_converged", "curvature"),
        (firm, 0.5, "not_converged", "other_modes"),
    )
    for hessian, others, outcome, gate in cases:
        peak = Peak(np.zeros(2), 0.0, hessian, 0.0)
        made = replace(fit, gates=mode_gates(peak, others))
        verdict = rules.judge(model, measurements, made, ())
        assert verdict.outcome == outcome
        assert [name for name, *_, passed in made.gates if not passed] == [gate] * bool(
            gate
        )
        assert len(verdict.reasons) == bool(gate)


@pytest.mark.parametrize("swapped", [False, True])
def test_sites_that_kept_a_rule_by_changing_places_are_rejected(build, swapped):
    """The fit has B at 44.4 T and A at 48.8 T, areas 2 : 1, which the rule asks for."""
    fields = (48.8, 44.4) if swapped else (44.4, 48.8)
    stated = dict(zip(("B.Bint", "A.Bint"), fields, strict=True))
    rule = ir.Rule(
        kind="require",
        expression=build.apply(
            ">", build.apply("/", build.ref("B.I"), build.ref("A.I")), build.const(1.5)
        ),
        because="two B for each A",
        place=ir.Place(line=7, text="require B.I / A.I > 1.5"),
    )
    scene = build.Scene(
        rules=(rule,),
        records={},
        priors={name: build.normal(field, 0.3) for name, field in stated.items()},
    )
    verdict = judge(scene)
    assert verdict.findings[0].outcome == "passed"
    assert verdict.outcome == ("rejected" if swapped else "accepted")
    named = [name for name in stated if f"`{name}`" in " ".join(verdict.reasons)]
    assert named == (list(stated) if swapped else [])


def test_later_findings_can_only_worsen_a_verdict(build):
    verdict = judge(build.Scene())
    failed = Finding("pressed", "require", "failed", "the data contradict it")
    assert rules.with_findings(verdict, [failed]).outcome == "rejected"
    assert rules.with_findings(verdict, [failed]).reasons == ("the data contradict it",)
    open_ = judge(build.Scene(converged=False))
    assert rules.with_findings(open_, [failed]).outcome == "not_converged"


def test_rules_have_one_name_each():
    names = [rule.name for rule in rules.RULES]
    assert len(set(names)) == len(names)


def test_rules_need_no_jax():
    import subprocess

    code = "import sys, specfit.rules; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("error", "word", "stopped"),
    [
        (inference.NonFiniteStart(("data",), 3), "not finite", False),
        (KeyboardInterrupt(), "interrupted", True),
    ],
)
def test_a_refit_that_fails_costs_a_reservation_and_not_the_posterior(
    build, monkeypatch, error, word, stopped
):
    slack = ir.Apply(function=">", arguments=(build.ref("B.IS"), build.const(0.6)))
    rule = ir.Rule(kind="require", expression=slack, because="physics")
    model, measurements, fit = build.Scene(rules=(rule, rule)).parts()
    calls = []

    def fails(*_):
        calls.append(1)
        raise error

    monkeypatch.setattr(gains, "_best_fit", fails)
    monkeypatch.setattr(pressed, "suspects", lambda *_: [0, 1])
    verdict = rules.judge(model, measurements, fit, ())
    verdict, interrupted = gains.contradicted(model, measurements, fit, verdict, {})
    assert interrupted is stopped
    assert len(calls) == 1
    unjudged = [f for f in verdict.findings if pressed.unjudged(f)]
    assert len(unjudged) == 2
    assert all(word in f.text and f.outcome == "warned" for f in unjudged)
    assert "boundary" in reservation(verdict)


def test_a_rule_with_too_great_a_gain_is_contradicted(build):
    rule = ir.Rule(kind="require", expression=build.const(1.0))
    outcomes = [pressed.finding(rule, gain).outcome for gain in (1.0, 12.0, 30.0)]
    assert outcomes == ["passed", "warned", "failed"]


def test_an_unknown_share_of_the_prior_is_called_unknown(build):
    rule = ir.Rule(kind="require", expression=build.const(1.0))
    strategy = RequireStrategy(0, "ordered", float("nan"))
    scene = build.Scene(rules=(rule,), strategies=(strategy,))
    (said,) = [f.strategy for f in judge(scene).findings if f.rule == "require"]
    assert said == "ordered, keeps an unknown share of the prior"
