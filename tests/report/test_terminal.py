from __future__ import annotations

from dataclasses import replace

from specfit.report import terminal
from specfit.report.text import width


def example(build, **changes):
    written, strategies = build.standard_rules()
    return build.Scene(rules=written, strategies=strategies, **changes).run()


def test_the_table_reads_like_the_papers(build):
    text = terminal(example(build))
    header = next(line for line in text.split("\n") if "Bint" in line)
    assert header.split() == ["IS", "mm/s", "QS", "mm/s", "Bint", "T", "I"]
    octahedral = next(line for line in text.split("\n") if "octahedral" in line)
    assert "44.397 ± 0.047" in octahedral
    assert octahedral.count("±") == 4
    assert "B.I + A.I = 0.4" in text
    assert text.rstrip().endswith("verdict: ACCEPTED")


def test_columns_stay_aligned_after_east_asian_titles(build):
    lines = terminal(example(build)).split("\n")
    rows = [line for line in lines if line.count("±") >= 3]
    assert len(rows) == 3
    assert any("金属鉄" in row for row in rows)
    ends = {width(row[: row.rindex("±")]) for row in rows}
    assert len(ends) == 1


def test_checks_carry_their_reasons(build):
    text = terminal(example(build))
    assert "because “ferrimagnetic spinel: A field exceeds B field at 295 K”" in text
    assert "widened ×4" in text
    assert "✓ check conflict(db) < 3" in text


def test_plain_unless_asked_for_colour(build):
    run = example(build)
    assert "\x1b" not in terminal(run)
    assert "\x1b[1;32mACCEPTED\x1b[0m" in terminal(run, colour=True)


def test_what_did_not_converge_is_said_before_any_number(build):
    text = terminal(example(build, converged=False))
    assert text.index("the numbers are no result") < text.index("±")
    assert "verdict: NOT CONVERGED\n  · R-hat is 1.34, the gate is 1.01" in text


def test_a_title_cannot_steer_the_terminal(build):
    text = terminal(example(build, title="x\x1b]0;owned\x07\u202ey"))
    assert text.startswith("x]0;ownedy\n")


def test_no_line_of_prose_is_longer_than_a_terminal(build):
    text = terminal(example(build, extra_counts=9e3))
    prose = [line for line in text.split("\n") if "±" not in line and "─" not in line]
    assert max(map(width, prose)) <= 88


def test_without_a_table_of_its_own_a_model_shows_what_no_column_does(build):
    run = example(build)
    plain = run.document.model_copy(update={"reports": ()})
    text = terminal(replace(run, document=plain))
    shown = {x.split(" = ")[0] for x in text.split("\n") if " = " in x and "±" in x}
    unknown = {p.name for p in run.model.parameters if "." not in p.name} - {"N0"}
    assert unknown - {"Γ"} <= shown  # `width = Γ` stands in a column
    assert not shown & {"N0", "Γ"}
    assert "area" in shown
