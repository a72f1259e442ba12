"""How strongly a rule judges: from the probability of its breach to an outcome.

hard: a breach of more than 5 % of the posterior rejects.  soft: it warns, and rejects
from 95 %.  warning: from one half it warns.  The library states the strength of each
rule, a file may override it; a rule that grades its findings in its own way, as those
with a limit to warn at and another to reject at, is then moved up or down as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior, Severity
from specfit.model.rule_library import entries, severity
from specfit.rules.block import FAILED, OPEN, PASSED, WARNED, Block, Outcomes, graded
from specfit.rules.draws import DOUBT

Outcome = Literal["passed", "failed", "warned"]
_WORDS: dict[int, Outcome] = {PASSED: "passed", WARNED: "warned", FAILED: "failed"}
_ENDS = {
    "hard": (DOUBT, DOUBT),
    "soft": (DOUBT, 1.0 - DOUBT),
    "warning": (0.5, np.inf),
}
"""The shares of the posterior in breach beyond which a rule warns and rejects."""


def strength(model: Model[Any], name: str) -> Severity:
    """How strongly a rule judges a model; as in the library where it does not."""
    return severity(model, name) or entries()[name].severity


def many(breach: FloatArray, strong: Severity) -> Outcomes:
    """Outcomes of shares of the posterior in breach."""
    warns, rejects = _ENDS[strong]
    return graded(breach > warns, breach > rejects)


def one(breach: float, strong: Severity) -> Outcome:
    """The same of one share."""
    return _WORDS[int(many(np.asarray(breach), strong))]


def judged(
    rule: PhysicsRule,
    model: Model[Prior],
    measurements: Sequence[Measurement],
    fit: Fit,
) -> list[Finding]:
    """What a rule finds, as strongly as the file wants it; nothing where it is off."""
    strong = severity(model, rule.name)
    if strong is None:
        return []
    why = "; ".join(o.because for o in model.overrides if o.rule == rule.name)
    return [
        replace(
            finding,
            outcome=_moved(finding, rule.name, strong),
            because=why or finding.because,
            severity=strong,
        )
        for finding in rule.judge(model, measurements, fit)
    ]


def _moved(finding: Finding, name: str, strong: Severity) -> Outcome:
    if finding.outcome == "passed" or strong == entries()[name].severity:
        return finding.outcome
    if strong != "soft":
        return "failed" if strong == "hard" else "warned"
    if finding.probability is None:  # a fact, of which nothing is in doubt
        return finding.outcome
    return "failed" if finding.probability <= DOUBT else "warned"


def outcomes(rule: PhysicsRule, block: Block) -> Outcomes:
    """The same for many spectra at once; `OPEN` where it takes the findings."""
    strong = severity(block.model, rule.name)
    if strong is None:
        return block.all(PASSED)
    found = rule.outcomes(block)
    if strong == entries()[rule.name].severity:
        return found
    flagged = (found == WARNED) | (found == FAILED)
    return np.where(
        flagged, {"hard": FAILED, "warning": WARNED, "soft": OPEN}[strong], found
    )
