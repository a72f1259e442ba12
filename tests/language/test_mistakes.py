"""Each example in the table of slips earns exactly the message of its row."""

from __future__ import annotations

import pytest

from specfit.language import parse
from specfit.language.mistakes import mistakes
from specfit.rendering import apply_fixes, render

CASES = [
    pytest.param(mistake.code, example, id=f"{mistake.code}-{number}")
    for mistake in mistakes()
    for number, example in enumerate(mistake.examples)
]


@pytest.mark.parametrize(("code", "example"), CASES)
def test_an_example_earns_exactly_its_message(code: str, example: str) -> None:
    text = f"specfit 1\n{example}\n"
    spec, faults = parse(text, "a.spec")
    assert [fault.code for fault in faults] == [code]
    for language in ("en", "ja"):
        assert code in render(faults, {"a.spec": text}, language)
    if faults[0].fix and faults[0].fix.safe:
        assert parse(apply_fixes(text, faults)[0], "a.spec") == (spec, [])


def test_a_slip_does_not_hide_what_stands_beside_it() -> None:
    text = "specfit 1\nwidth := 0,3 %%\n"
    faults = parse(text, "a.spec")[1]
    assert [(f.code, text[f.span.start : f.span.end]) for f in faults] == [
        ("colon-equals", ":="),
        ("decimal-comma", ","),
        ("percent-twice", "%%"),
    ]


def test_what_stands_in_a_string_is_no_slip() -> None:
    text = 'specfit 1\ntitle "a := b ** c +/- d" 3\n'
    assert [fault.code for fault in parse(text, "a.spec")[1]] == ["unexpected-text"]
