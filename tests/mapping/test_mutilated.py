"""Texts of factorisations with parts missing or swapped: always a message, never a crash."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from specfit.language.parse import parse
from specfit.model.check import check

GOOD = Path(__file__).parents[1] / "golden" / "good" / "factorisation.spec"
TEXT = GOOD.read_text(encoding="utf-8")
WORDS = re.findall(r'"[^"]*"|\w+(?:\.\w+)*|>=|\.\.|[^\w\s]|\n', TEXT)
EXTRA = (
    "k",
    "1",
    "2 eV",
    "like",
    "B",
    "W",
    "[",
    "]",
    "..",
    "*",
    "cube",
    "-",
    "0",
    '"x"',
)


@st.composite
def mutilated(draw: st.DrawFn) -> str:
    """The good text with some words dropped, doubled or put in another's place."""
    words = list(WORDS)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(words) - 1))
        match draw(st.sampled_from(("drop", "double", "other", "own"))):
            case "drop":
                words[at] = ""
            case "double":
                words[at] = f"{words[at]} {words[at]}"
            case "other":
                words[at] = draw(st.sampled_from(EXTRA))
            case _:
                words[at] = draw(st.sampled_from(WORDS))
    return " ".join(words)


def test_the_words_make_the_good_text() -> None:
    assert parse(" ".join(WORDS), "m.spec") == parse(TEXT, "m.spec")


@settings(max_examples=100, deadline=None)
@given(mutilated())
def test_a_mutilated_text_is_told_what_it_lacks(text: str) -> None:
    spec, faults = parse(text, "m.spec")
    found = check(spec, "m.spec", lambda name: (None, name), {"m.spec": text}, faults)
    errors = [d for d in found.diagnostics if d.severity == "error"]
    assert (found.document is None) == bool(errors)
    for fault in errors:
        assert 0 <= fault.span.start <= fault.span.end <= len(text)
