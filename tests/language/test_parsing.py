"""Trees and places of good text; faults, caps and speed of bad text."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark, logger

from specfit.assets import folder
from specfit.diagnostics import Diagnostic, Span
from specfit.language import parse, tree
from specfit.rendering import apply_fixes

EXAMPLES = Path(__file__).parents[2].parent / "shared" / "examples"


def codes(text: str) -> list[str]:
    return [fault.code for fault in parse(text, "a.spec")[1]]


def marked(text: str) -> list[tuple[str, str]]:
    faults = parse(text, "a.spec")[1]
    return [(f.code, text[f.span.start : f.span.end]) for f in faults]


def only(text: str) -> tree.AnyStatement:
    spec, faults = parse(f"specfit 1\n{text}\n", "a.spec")
    assert faults == []
    assert len(spec.items) == 1
    return spec.items[0]


def path(name: str) -> tree.Path:
    return tree.Path(tuple(tree.Part(part) for part in name.split(".")))


def test_a_statement_becomes_its_tree() -> None:
    assert only(
        'B.IS ~ 0.67(2) mm/s in [0, 1] mm/s per k because "known"'
    ) == tree.Sample(
        (path("B.IS"),),
        tree.Prior(
            tree.Number(0.67, "0.67(2)", "mm/s", 0.02),
            tree.Interval(tree.Number(0, "0"), tree.Number(1, "1"), "mm/s"),
        ),
        ("k",),
        "known",
    )
    assert only(
        'site B "b" : sextet from db("m.B", T = 295 K) on s per k'
    ) == tree.Block(
        "site",
        "B",
        title="b",
        kind=path("sextet"),
        source=tree.Call(
            path("db"),
            (
                tree.Argument(tree.String("m.B")),
                tree.Argument(tree.Number(295, "295", "K"), "T"),
            ),
        ),
        on=("s",),
        per=("k",),
    )
    assert only("check a ≤ b^2 and not c in [0, 1]") == tree.RuleStatement(
        "check",
        tree.Binary(
            "and",
            tree.Compare(
                (path("a"), tree.Binary("^", path("b"), tree.Number(2, "2"))), ("<=",)
            ),
            tree.Unary(
                "not",
                tree.Within(
                    path("c"),
                    tree.Interval(tree.Number(0, "0"), tree.Number(1, "1")),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "value", "sd"),
    [
        ("1.23(4)", 1.23, 0.04),
        ("44(3)", 44.0, 3.0),
        ("0.670(12)", 0.67, 0.012),
        ("1.00(2)e6", 1e6, 2e4),
        ("1.00e6", 1e6, None),
    ],
)
def test_a_number_and_the_sd_of_its_last_digits(
    text: str, value: float, sd: float | None
) -> None:
    let = only(f"x = {text} T")
    assert isinstance(let, tree.Let)
    assert let.value == tree.Number(value, text, "T", sd)


def test_operators_bind_as_in_mathematics() -> None:
    def value(text: str) -> tree.Expr:
        let = only(f"x = {text}")
        assert isinstance(let, tree.Let)
        return let.value

    assert value("-a^2") == value("-(a^2)")
    assert value("a - b - c") == value("(a - b) - c")
    assert value("a^b^c") == value("a^(b^c)")
    assert value("a / b * c") == value("(a / b) * c")
    assert value("not a or b and c") == value("(not a) or (b and c)")
    assert value("a +- b"[:2] + "- b") == value("a - b")


def test_names_of_one_look_are_one_name() -> None:
    assert only("µ = ｗ") == only("μ = w")
    assert type(only("w = 1").target.parts[0].name) is str  # type: ignore[union-attr]
    assert only("ﬁt = 1").target.text == "fit"  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["Γ", "ΔEQ", "σ_1", "Тест", "鉄", "λ", "wΓ", "naïve"])
def test_names_of_any_script(name: str) -> None:
    let = only(f"{name} = 1")
    assert isinstance(let, tree.Let)
    assert let.target.text == name


@pytest.mark.parametrize("name", ["А", "Аl", "Вint", "ІЅ", "ΑB", "Ι", "хd"])
def test_a_name_that_only_looks_latin_is_refused_and_read_as_latin(name: str) -> None:
    text = f"specfit 1\nx = {name}.IS\n"
    spec, faults = parse(text, "a.spec")
    assert [fault.code for fault in faults] == ["look-alike-name"]
    value = spec.items[0].value  # type: ignore[union-attr]
    assert isinstance(value, tree.Path)
    assert value.text.isascii()


def test_places_count_characters_of_the_text_as_given() -> None:
    text = '\ufeffspecfit 1\ntitle "鉄"\nmodel m {\n  B.IS ＝　0.67 mm/s # 鉄\n}\n'
    spec, _ = parse(text, "a.spec")
    model = spec.items[1]
    assert isinstance(model, tree.Block)
    assert model.body is not None
    let = model.body.items[0]
    assert isinstance(let, tree.Let)

    def under(span: Span) -> str:
        return text[span.start : span.end]

    assert under(let.span) == "B.IS ＝　0.67 mm/s"
    assert under(let.value.span) == "0.67 mm/s"
    assert under(let.value.unit_span) == "mm/s"  # type: ignore[union-attr]
    assert under(model.span) == text[text.index("model") :].rstrip()
    assert under(model.name_span) == "m"


def test_odd_characters_are_named_fixed_and_read_as_fixed() -> None:
    text = "\ufeffspecfit 1\nx　＝ −3\ny = f（1，\u200b2） # ＝ stays\ntitle “a”\n"
    spec, faults = parse(text, "a.spec")
    assert {fault.code for fault in faults} == {
        "byte-order-mark",
        "wide-space",
        "full-width-character",
        "typographic-character",
        "invisible-character",
        "smart-quotes",
    }
    fixed = apply_fixes(text, faults)[0]
    assert fixed == 'specfit 1\nx = -3\ny = f(1,2) # ＝ stays\ntitle "a"\n'
    assert parse(fixed, "a.spec") == (spec, [])


def test_a_string_keeps_every_character() -> None:
    title = only('title "＝（）—\u3000“x” \\ # { // ;"')
    assert isinstance(title, tree.Title)
    assert title.value == "＝（）—\u3000“x” \\ # { // ;"


def test_every_fault_is_reported_and_every_good_statement_kept() -> None:
    text = """specfit 1
title 3
model m : k on s {
  a = 1
  site B sextet {
    IS = = 2
    QS = 3
    x ~ normal(0, 1
    width = 4
  }
  site A : : {
    IS * 2
  }
  b = 1e999
  c = 5
}
d = 6
"""
    assert marked(text) == [
        ("unexpected-text", "3"),
        ("missing-colon", "sextet"),
        ("unexpected-text", "="),
        ("unclosed-bracket", "("),
        ("unexpected-text", ":"),
        ("unexpected-text", "*"),
        ("number-out-of-range", "1e999"),
    ]
    spec, _ = parse(text, "a.spec")
    model, last = spec.items
    assert isinstance(model, tree.Block)
    assert model.body is not None
    first, site, final = model.body.items
    assert isinstance(site, tree.Block)
    assert site.body is not None
    assert [item.target.text for item in site.body.items] == ["QS", "width"]  # type: ignore[union-attr]
    kept = [item.target.text for item in (first, final, last)]  # type: ignore[union-attr]
    assert kept == ["a", "c", "d"]


def test_a_broken_statement_says_which_name_it_would_have_brought() -> None:
    faults = parse("specfit 1\nsite B : : {\n}\nB.IS * 3\n", "a.spec")[1]
    assert [fault.words["defines"] for fault in faults] == ["B", "B.IS"]


def test_the_brace_that_was_forgotten_is_found_by_the_indentation() -> None:
    text = """specfit 1
model m : k on s {
  site A : sextet {
    IS = 1
  site B : sextet {
    IS = 2
  }
  c = 3
}
d = 4
"""
    spec, faults = parse(text, "a.spec")
    assert [(f.code, text.count("\n", 0, f.span.start) + 1) for f in faults] == [
        ("unclosed-brace", 3)
    ]
    assert len(spec.items) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["header-missing"]),
        ("# only a comment\n", ["header-missing"]),
        ("x = 1\n", ["header-missing"]),
        ("specfit\n", ["header-malformed"]),
        ("specfit one\n", ["header-malformed"]),
        ("specfit 2\nx = 1\n", ["edition-unknown"]),
        (f"specfit {'9' * 5000}\n", ["edition-unknown"]),
        ("specfit 1\nspecfit 1\n", ["header-repeated"]),
        ("specfit 1\nx = 1(2)(3)\n", ["unexpected-text"]),
        ("specfit 1\nx =\n", ["statement-incomplete"]),
        ("specfit 1\nx = x²\n", ["superscript"]),
        ("specfit 1\nx = ½\n", ["not-a-name"]),
        (f"specfit 1\nx = 0.{'1' * 41}\n", ["number-too-long"]),
        ("specfit 1\nx = 1e-999\n", ["number-out-of-range"]),
        ("specfit 1\nx = 1(2)e308\n", ["number-out-of-range"]),
    ],
)
def test_faults_of_header_and_numbers(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = " + "(" * 65 + "1" + ")" * 65, "nesting-too-deep"),
        ("model m {\n" * 65 + "}\n" * 65, "nesting-too-deep"),
        ("x = " + "-" * 4000 + "1", "expression-too-deep"),
        ("x = " + "not " * 300 + "1", "expression-too-deep"),
        ("x = 1" + "^2" * 1000, "expression-too-deep"),
        ("x = 1" + " + 1" * 1000, "expression-too-deep"),
        ("x = [" + "1, " * 5001 + "]", "expression-too-large"),
        ("x = [" + "1, " * 100_000 + "]", "expression-too-large"),
        ("x = 1\n" * 20_000, "too-many-statements"),
        ("#" * 1024 * 1024, "file-too-large"),
    ],
)
def test_the_caps_are_errors_with_a_place(text: str, expected: str) -> None:
    assert codes(f"specfit 1\n{text}\n") == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 64 + "1" + ")" * 64,
        "model m {\n" * 64 + "}\n" * 64,
        "x = 1" + " + 1" * 150,
        "x = [" + "1, " * 4990 + "]",
    ],
)
def test_below_the_caps_all_is_well(text: str) -> None:
    assert codes(f"specfit 1\n{text}\n") == []


WORDS = """
{ } ( ) [ ] " “ ” # // ; , : = ~ ± +- .. . * / ^ - + <= == ! & ' % mm/s 0.5 7 1e999
0.67(2) x А Γ ｘ （ ＝ − in per over because and or not free site model for if else
title use as observe require expect check specfit on from data
"""
ODD = [
    "\n",
    " ",
    "\n\n",
    "\r\n",
    "\t",
    "\0",
    "\ufeff",
    "\ud800",
    "½",
    "²",
    "𝛤",
    "\u3000",
]
SOUP = st.lists(st.sampled_from([*WORDS.split(), *ODD]), max_size=40)
RUNS = [*"\"“#({}x1±-~='!;\\＝А² \n\t", "x.", "1.", "1,", "1e", "mm/", "mm*s^-1*", "//"]
RUNS += ["site ", "in ", "in (", "in [1,", "because ", "x = ", "per a, ", ": ", "0.5("]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(SOUP, st.sampled_from(["", " "]))
def test_no_text_makes_it_raise(pieces: list[str], between: str) -> None:
    text = "specfit 1\n" + between.join(pieces)
    _, faults = parse(text, "a.spec")
    for fault in faults:
        assert isinstance(fault, Diagnostic)
        assert 0 <= fault.span.start <= fault.span.end <= len(text)
    apply_fixes(text, faults)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=60))
def test_no_characters_make_it_raise(text: str) -> None:
    parse(text, "a.spec")
    parse("specfit 1\n" + text, "a.spec")


@pytest.mark.parametrize("piece", RUNS)
def test_long_runs_of_anything_stay_fast(piece: str) -> None:
    run = (piece * 100_000)[:100_000]
    started = time.process_time()
    parse(f"specfit 1\nx = {run}", "a.spec")
    parse(f"specfit 1\n{run}", "a.spec")
    assert time.process_time() - started < 10


def test_a_file_of_sixty_lines_is_read_at_once() -> None:
    lines = ['  A.IS ~ 0.67 ± 0.02 mm/s in [0, 1] mm/s because "known"'] * 58
    text = "\n".join(["specfit 1", "model m : k on s {", *lines, "}"])
    parse(text, "a.spec")
    times = []
    for _ in range(5):
        started = time.process_time()
        assert parse(text, "a.spec")[1] == []
        times.append(time.process_time() - started)
    assert min(times) < 0.25  # 0.03 s on a quiet machine


def test_the_grammar_has_no_conflict_and_reads_whole_files(
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = (folder("grammars") / "spec.lark").read_text("utf-8")
    logger.setLevel(logging.DEBUG)
    try:
        with caplog.at_level(logging.DEBUG):
            logger.propagate = True
            whole = Lark(text, parser="lalr", debug=True)
    finally:
        logger.setLevel(logging.CRITICAL)
    assert [r.message for r in caplog.records if "onflict" in r.message] == []
    if not EXAMPLES.exists():
        pytest.skip("shared data absent")
    for file in EXAMPLES.glob("*.spec"):
        whole.parse(file.read_text("utf-8"))


def test_the_grammar_is_strict() -> None:
    pytest.importorskip("interegular")
    Lark(
        (folder("grammars") / "spec.lark").read_text("utf-8"),
        parser="lalr",
        strict=True,
    )


def test_line_ends_of_any_system_read_the_same() -> None:
    text = "specfit 1 # a\n\nx = f(1, # b\n  2) # c\n# d\nmodel m { y = 1 } # e\n"
    assert parse(text.replace("\n", "\r\n")) == parse(text)
