"""What a file says of the rules stands in the report, on the terminal and in JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest

from specfit import report, rules
from specfit.model import ir
from specfit.report.blocks import Page, Table
from specfit.report.collect import result_of
from specfit.report.quantities import Findings
from specfit.report.sections.rules import SECTION
from specfit.report.terminal import terminal

WHY = "a source without width of its own"


@pytest.fixture(scope="module")
def run(build):
    place = ir.Place(file="m.spec", line=3)
    overrides = (
        ir.Override(
            rule="linewidth", threshold="floor", value=0.15, because=WHY, place=place
        ),
        ir.Override(rule="superparamagnetism", severity="off", because="a bulk sample"),
    )
    scene = build.Scene(width=(0.17, 0.003))
    made = scene.run()
    update = {"overrides": overrides, "libraries": ("57Fe",)}
    model = made.model.model_copy(update=update)
    verdict = rules.judge(model, made.measurements, made.fit, ())
    return replace(made, model=model, verdict=verdict)


def test_the_verdict_is_that_of_the_overridden_rule(run):
    assert run.verdict.outcome == "accepted"
    (finding,) = [f for f in run.verdict.findings if f.rule == "linewidth"]
    assert finding.text == "every linewidth lies above 0.15 mm/s"
    assert finding.because == WHY


def test_result_json_has_the_overrides(run):
    result = result_of(Findings(run))
    assert result.libraries == ["57Fe"]
    floor, off = result.overrides
    assert floor.text == "linewidth.floor = 0.15 mm/s"
    assert (floor.library, floor.because, floor.line) == ("0.194 mm/s", WHY, 3)
    assert (off.rule, off.text, off.line) == (
        "superparamagnetism",
        "superparamagnetism = off",
        None,
    )
    assert {r.severity for r in result.rules if r.rule == "linewidth"} == {"hard"}
    assert not [r for r in result.rules if r.rule == "superparamagnetism"]
    assert "overrides" in report.result_schema()["properties"]


def test_the_terminal_names_the_overrides(run):
    said = terminal(run)
    assert "rules that the file overrides:" in said
    assert (
        f"linewidth.floor = 0.15 mm/s, in place of 0.194 mm/s, line 3 of m.spec: “{WHY}”"
        in " ".join(said.split())
    )


def test_the_page_names_the_overrides(run):
    blocks = SECTION.build(Page(Findings(run), {}))
    (table,) = [b for b in blocks if isinstance(b, Table) and "overrides" in b.caption]
    rows = [[cell.text for cell in row] for row in table.rows]
    assert rows == [
        ["linewidth.floor = 0.15 mm/s, line 3 of m.spec", "0.194 mm/s", f"“{WHY}”"],
        ["superparamagnetism = off", "warning", "“a bulk sample”"],
    ]
