"""Rules: what physics and the user demand of an answer, judged on posterior draws.

Verdicts rest on probabilities of the posterior and never on its best point, so that a
rule is as sharp as the data and no sharper.  Hard failures are for what cannot be: a
broken `require`, a failed `check`, an impossible line.  All else is a warning with the
remedy a spectroscopist would try next, because a verdict that rejects too much is soon
switched off.

`RULES` is the table of them, one file each, in the order shown; the library of rules
(`priors_db/rules`) has their severities, thresholds and sources, and says which always
run and which a file has to ask for by `use "rules/57Fe"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from specfit.contracts import (
    Finding,
    Fit,
    Measurement,
    PhysicsRule,
    RequireStrategy,
    Verdict,
)
from specfit.model.ir import Model, Prior
from specfit.rules import (
    bounds,
    component_evidence,
    conflict,
    crossed_doublets,
    cut_off,
    duplicate_sites,
    electron_field,
    field_falls,
    first_order,
    hyperfine_windows,
    identifiable,
    intensity_ratio,
    lines_measured,
    linewidth,
    magnetic_order,
    morin,
    residuals,
    shift_rises,
    site_areas,
    spinel_areas,
    state_windows,
    stated_priors,
    strength,
    superparamagnetism,
    undecided,
    verwey,
)
from specfit.rules.block import FAILED, PASSED, WARNED, Block, Outcomes
from specfit.rules.conflict import Conflict, conflicts
from specfit.rules.many_statements import statement_grades
from specfit.rules.posterior import Posterior
from specfit.rules.residuals import Residuals, chi2_reduced, misfits, statistics
from specfit.rules.statements import judge_statements

__all__ = [
    "FAILED",
    "RULES",
    "WARNED",
    "Block",
    "Conflict",
    "Residuals",
    "chi2_reduced",
    "conflicts",
    "failures",
    "grades",
    "judge",
    "misfits",
    "reasons",
    "statistics",
    "with_findings",
]


def _table(*rules: PhysicsRule) -> tuple[PhysicsRule, ...]:
    names = [rule.name for rule in rules]
    if len(set(names)) < len(names):
        raise ValueError(f"two rules have one name: {names}")
    return rules


RULES = _table(
    magnetic_order.RULE,
    linewidth.RULE,
    hyperfine_windows.RULE,
    state_windows.RULE,
    electron_field.RULE,
    first_order.RULE,
    morin.RULE,
    verwey.RULE,
    field_falls.RULE,
    shift_rises.RULE,
    superparamagnetism.RULE,
    lines_measured.RULE,
    intensity_ratio.RULE,
    site_areas.RULE,
    spinel_areas.RULE,
    duplicate_sites.RULE,
    component_evidence.RULE,
    identifiable.RULE,
    undecided.RULE,
    crossed_doublets.RULE,
    bounds.RULE,
    cut_off.RULE,
    conflict.RULE,
    stated_priors.RULE,
    residuals.RULE,
)


def judge(
    model: Model[Prior],
    measurements: Sequence[Measurement],
    fit: Fit,
    strategies: Sequence[RequireStrategy],
) -> Verdict:
    """The verdict: every statement of the user, every rule of physics, the gates.

    A fit that did not converge is no result, whatever its draws satisfy; one that did
    is rejected by any failed finding and accepted otherwise.
    """
    findings = list(
        judge_statements(Posterior.of(model, measurements, fit), strategies)
    )
    for rule in RULES:
        findings += strength.judged(rule, model, measurements, fit)
    if not fit.converged:
        return Verdict("not_converged", tuple(findings), _failed_gates(fit))
    return _verdict(findings)


def failures(
    block: Block, row: int, fit: Fit, graded: dict[str, Outcomes]
) -> tuple[Finding, ...]:
    """The findings of what fails for one spectrum of a block, in the order of `judge`.

    Of a rule or statement that fails all findings, of the others none: they are what
    most of the time of `judge` goes into.
    """
    model, measurements = block.model, (block.spectra[row],)
    own = block.once(statement_grades)
    failed = [index for index, of in enumerate(own) if of[row] == FAILED]
    posterior = Posterior.of(model, measurements, fit)
    found = list(judge_statements(posterior, (), failed))
    for entry in RULES:
        if graded[entry.name][row] == FAILED:
            found += strength.judged(entry, model, measurements, fit)
    return tuple(found)


def reasons(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Why a fit is rejected, a sentence for each finding that failed."""
    return _verdict(findings).reasons


def grades(block: Block) -> dict[str, Outcomes]:
    """The outcome of every statement and rule for each of many spectra, by its name.

    In the order of `judge`; statements of one kind together, at their worst.
    """
    found: dict[str, Outcomes] = {}
    own = block.once(statement_grades)
    for rule, outcome in zip(block.model.rules, own, strict=True):
        found[rule.kind] = np.maximum(found.get(rule.kind, PASSED), outcome)
    return found | {entry.name: strength.outcomes(entry, block) for entry in RULES}


def with_findings(verdict: Verdict, findings: Sequence[Finding]) -> Verdict:
    """The verdict once more is known; what did not converge stays without a result."""
    every = (*verdict.findings, *findings)
    if verdict.outcome == "not_converged":
        return replace(verdict, findings=every)
    return _verdict(every)


def _verdict(findings: Sequence[Finding]) -> Verdict:
    failed = tuple(_reason(item) for item in findings if item.outcome == "failed")
    return Verdict("rejected" if failed else "accepted", tuple(findings), failed)


def _reason(finding: Finding) -> str:
    """One short sentence: what failed, and why it was demanded."""
    if finding.rule not in ("require", "expect", "check"):
        return finding.text
    reason = f"failed: {finding.text}"
    if finding.detail:
        reason += f" ({finding.detail})"
    return reason


def _failed_gates(fit: Fit) -> tuple[str, ...]:
    failed = [gate[:3] for gate in fit.gates if not gate[3]]
    # an interruption explains the others
    failed.sort(key=lambda gate: gate[0] != "interrupted")
    return tuple(_failed(fit, *gate) for gate in failed)


def _failed(fit: Fit, name: str, value: float, bound: float) -> str:
    if name == "interrupted":
        draws = next(iter(fit.draws.values())).shape[1]
        return f"interrupted after {draws} draws of each chain"
    if name == "no_uncertainty":
        return "the maximum alone was asked for, without errors"
    if name == "likelihood_reached":
        return (
            "the ascent stopped before it reached the likeliest values: another step "
            f"promises {value:.2g} nats, the gate is {bound:.2g}; a `require` or a bound "
            "may stand in its way"
        )
    return f"{name} is {value:.4g}, the gate is {bound:.4g}"
