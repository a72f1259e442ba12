"""Diagnostics as people and programs read them."""

from __future__ import annotations

import json
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specfit import rendering
from specfit.assets import folder
from specfit.diagnostics import Diagnostic, Fix, Span
from specfit.rendering import (
    apply_fixes,
    display_width,
    message,
    preferred_language,
    render,
    to_json,
)

TEXT = """specfit 1

model m {
  site A "鉄" : sextet { IS ~ 0.67 ± 0.02 T }
}
"""


def fault(found: str, code: str = "unexpected-text", **more: object) -> Diagnostic:
    start = TEXT.index(found)
    span = Span("a.spec", start, start + len(found))
    words = {"found": found, "expected": "@expects-name"}
    return Diagnostic(code, span, words, **more)  # type: ignore[arg-type]


def test_the_form_of_a_message() -> None:
    note = (Span("a.spec", 11, 16), "stray-brace", {})
    text = render([fault("0.02 T", notes=(note,))], {"a.spec": TEXT})
    assert (
        text
        == """error[unexpected-text]: `0.02 T` is not expected here
 --> a.spec:4:37
3 | model m {
4 |   site A "鉄" : sextet { IS ~ 0.67 ± 0.02 T }
  |                                      ^^^^^^ a name should stand here
  = note: this `}` closes nothing (a.spec:3:1)
"""
    )


def test_the_form_in_japanese() -> None:
    text = render([fault("鉄", "stray-bracket")], {"a.spec": TEXT}, "ja", context=0)
    assert (
        text
        == """エラー[stray-bracket]: この `鉄` に対応する開き括弧がありません
 --> a.spec:4:11
4 |   site A "鉄" : sextet { IS ~ 0.67 ± 0.02 T }
  |           ^^
  = 対処: 取り除くか、対応する括弧を書いてください
"""
    )


def test_messages_are_apart_and_lines_right_aligned() -> None:
    text = "\n" * 8 + "ninth\ntenth\n"
    here = Diagnostic("stray-brace", Span("a", 14, 19))
    assert render([here, here], {"a": text}).count("\n\nerror[") == 1
    assert " 9 | ninth\n10 | tenth\n   | ^^^^^\n   = help" in render(
        [here], {"a": text}
    )


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("abc", 3),
        ("鉄の", 4),
        ("Γ±", 2),
        ("e\u0301", 1),
        ("ﾃｽﾄ", 3),
        ("＝", 2),
        ("", 0),
    ],
)
def test_width_on_a_terminal(text: str, width: int) -> None:
    assert display_width(text) == width


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=30), st.text(min_size=1, max_size=5), st.text(max_size=9))
def test_carets_stand_under_the_span(before: str, under: str, after: str) -> None:
    text = before + under + after
    span = Span("a", len(before), len(before) + len(under))
    rows = render([Diagnostic("stray-brace", span)], {"a": text}).split("\n")
    caret = next(
        row for row in rows if row.rstrip("^").endswith("| ") or "^" in row[-1:]
    )
    line = rows[rows.index(caret) - 1]
    start = text.rfind("\n", 0, len(before)) + 1
    shown = rendering._shown(text[start : len(before)])
    if len(shown) < 100:
        assert caret.index("^") - caret.index("|") - 2 == display_width(shown)
        assert line[line.index("|") + 2 :].startswith(shown.rstrip())


def test_a_place_at_the_very_end_and_an_unknown_file() -> None:
    end = Diagnostic("header-missing", Span("a.spec", len(TEXT), len(TEXT)))
    assert "a.spec:6:1\n" in render([end], {"a.spec": TEXT})
    other = Diagnostic("header-missing", Span("b.spec", 5, 6))
    assert " --> b.spec\n" in render([other], {"a.spec": TEXT})
    assert "-->" not in render([Diagnostic("header-missing")], {"a.spec": TEXT})


def test_a_long_line_is_cut_around_the_fault() -> None:
    text = "x" * 50_000 + "!" + "y" * 50_000
    shown = render([Diagnostic("stray-brace", Span("a", 50_000, 50_001))], {"a": text})
    line, carets = shown.split("\n")[2:4]
    assert len(line) < 250
    assert line[carets.index("^")] == "!"


def test_control_characters_never_reach_the_terminal() -> None:
    nasty = "a\x1b[31m\u202eb\x9b\u2066c\x07\ud800"
    words = {"found": nasty, "expected": nasty}
    here = Diagnostic("unexpected-text", Span(nasty, 0, len(nasty)), words)
    text = render([here], {nasty: nasty})
    assert not set(text) & set("\x1b\u202e\x9b\u2066\x07\ud800")
    assert "a[31mbc" in text


def test_color_is_only_added() -> None:
    plain, colored = (render([fault("T")], {"a.spec": TEXT}, color=c) for c in (0, 1))
    assert "\033[31;1m" in colored
    for code in rendering._COLORS.values():
        colored = colored.replace(f"\033[{code}m", "")
    assert colored.replace("\033[0m", "") == plain


def test_json_has_place_message_help_and_fix() -> None:
    fix = Fix(Span("a.spec", 0, 7), "specfit", safe=True)
    here = fault("T }", "stray-bracket", fix=fix, severity="warning")
    (entry,) = json.loads(json.dumps(to_json([here], {"a.spec": TEXT})))
    assert entry["code"] == "stray-bracket"
    assert entry["severity"] == "warning"
    assert entry["message"] == "this `T }` closes nothing"
    assert entry["help"] == "take it out, or put the bracket it belongs to"
    assert entry["span"] == {
        "file": "a.spec", "start": TEXT.index("T }"), "end": TEXT.index("T }") + 3,
        "line": 4, "column": 42, "end_line": 4, "end_column": 45,
    }  # fmt: skip
    assert entry["fix"]["text"] == "specfit"
    assert entry["fix"]["safe"] is True
    assert entry["notes"] == []
    (nowhere,) = to_json([Diagnostic("stray-brace")], {})
    assert nowhere["span"] is None
    assert nowhere["fix"] is None


def test_only_safe_fixes_are_made_and_overlapping_ones_once() -> None:
    def fix(start: int, end: int, text: str, safe: bool = True) -> Diagnostic:
        return Diagnostic("x", fix=Fix(Span("a", start, end), text, safe))

    fixes = [fix(4, 5, "E"), fix(0, 0, ">"), fix(0, 2, "AB"), fix(1, 3, "?")]
    fixes += [fix(3, 4, "-", safe=False), fix(4, 5, "E")]
    assert apply_fixes("abcdef", fixes) == (">ABcdEf", 3)
    assert apply_fixes("abcdef", fixes, file="b") == ("abcdef", 0)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "SPECFIT_LANG": "ja"}, "ja"),
        ({"LANG": "ja_JP", "SPECFIT_LANG": "en"}, "en"),
        ({"LANG": "ja_JP", "SPECFIT_LANG": ""}, "ja"),
    ],
)
def test_the_language_of_messages(environment: dict[str, str], language: str) -> None:
    assert preferred_language(environment) == language


def test_a_code_without_message_is_our_bug() -> None:
    with pytest.raises(KeyError, match="no-such-code"):
        message("no-such-code", {}, "en")
    with pytest.raises(KeyError):
        message("unexpected-text", {}, "en")


SENTENCES = {k: v for k, v in rendering._sentences().items() if k != "terms"}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", SENTENCES)
def test_each_message_speaks_both_languages_with_the_same_words(code: str) -> None:
    entry = SENTENCES[code]
    assert {"en", "ja"} <= set(entry)
    known = {"en", "ja", "help_en", "help_ja", "label_en", "label_ja"}
    assert set(entry) <= known
    for part in ("", "help_", "label_"):
        english, japanese = entry.get(f"{part}en"), entry.get(f"{part}ja")
        assert bool(english) == bool(japanese)
        if english:
            assert placeholders(english) == placeholders(japanese)
            assert not english.endswith(".") or english.endswith("..")
            if not re.fullmatch(r"\{\w+\}", english):  # a term says it all
                assert english != japanese or "`" in english
                assert any(ord(c) > 0x3000 for c in japanese)


@pytest.mark.parametrize("term", rendering._sentences()["terms"])
def test_each_term_has_both_languages(term: str) -> None:
    assert set(rendering._sentences()["terms"][term]) == {"en", "ja"}


def test_the_three_folders_are_found() -> None:
    assert (folder("grammars") / "spec.lark").is_file()
    assert folder("models").name == "models"
    assert folder("priors_db").is_dir()
