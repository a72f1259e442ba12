"""What is printed reads back as the same tree, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specfit.language import parse, print_expression, print_prior, print_spec, tree

from .strategies import comments, expressions, priors, specs

EXAMPLES = Path(__file__).parents[2].parent / "shared" / "examples"
NAMES = ["eels_valence", "magnetite_iron", "redox_regression", "xanes_lcf", "xrd_voigt"]


def read(text: str) -> tree.Spec:
    spec, diagnostics = parse(text, "a.spec")
    assert diagnostics == []
    return spec


@settings(max_examples=150, deadline=None, derandomize=True)
@given(specs())
def test_a_printed_tree_reads_back_equal(spec: tree.Spec) -> None:
    text = print_spec(spec)
    assert read(text) == spec
    assert print_spec(read(text)) == text


@settings(max_examples=200, deadline=None, derandomize=True)
@given(expressions)
def test_an_expression_reads_back_with_its_structure(expression: tree.Expr) -> None:
    spec = read(f"specfit 1\nx = {print_expression(expression)}\n")
    assert isinstance(spec.items[0], tree.Let)
    assert spec.items[0].value == expression


@settings(max_examples=100, deadline=None, derandomize=True)
@given(priors)
def test_a_prior_reads_back_with_its_structure(prior: tree.Prior) -> None:
    spec = read(f"specfit 1\nx ~ {print_prior(prior)}\n")
    assert isinstance(spec.items[0], tree.Sample)
    assert spec.items[0].prior == prior


@pytest.mark.parametrize("name", NAMES)
def test_the_example_files_read_print_and_read_again(name: str) -> None:
    file = EXAMPLES / f"{name}.spec"
    if not file.exists():
        pytest.skip("shared data absent")
    text = file.read_text("utf-8")
    spec = read(text)
    printed = print_spec(spec)
    assert read(printed) == spec
    assert print_spec(read(printed)) == printed
    assert printed.count("#") == text.count("#")


def test_the_printed_form() -> None:
    untidy = """# who wrote this

specfit   1 # edition


data  s[k=1..3]  "Fe, 295 K" :transmission{file="a.csv" ;
    T=295K } # one line

model m:mossbauer57Fe on s per k {  # the model
    # two sites

    site B : sextet from db( "magnetite.B",T=s.T ) { width=Γ }


    N0~1.00e6±2.0e4 counts;  QS ~ -0.10(5) mm/s in[ -1,1 ]mm/s # both
    x = f( 1, # one
       2 )    # two
    require (a*(b+c)) ≤ (d^2)^k   because "order"
    # the end of m
} # after m
for i in [1,2]{ if i==1 { y[i]=1 } else { # other
 y[i]=2 } }
run nuts { chains=4;draws=500 }
# the end
"""
    assert (
        print_spec(read(untidy))
        == """# who wrote this

specfit 1  # edition

data s[k = 1..3] "Fe, 295 K" : transmission {
  file = "a.csv"
  T = 295 K
}
# one line

model m : mossbauer57Fe on s per k {  # the model
  # two sites

  site B : sextet from db("magnetite.B", T = s.T) { width = Γ }

  N0 ~ 1.00e6 ± 2.0e4 counts
  QS ~ -0.10(5) mm/s in [-1, 1] mm/s  # both
  # one
  x = f(1, 2)  # two
  require a * (b + c) <= (d^2)^k because "order"
  # the end of m
}
# after m
for i in [1, 2] {
  if i == 1 {
    y[i] = 1
  } else {
    # other
    y[i] = 2
  }
}
run nuts { chains = 4; draws = 500 }
# the end
"""
    )


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_no_comment_is_lost_wherever_it_stands(data: st.DataObject) -> None:
    """Comments put into every gap of a text come out again, in any order."""
    pieces = [
        "", "\nspecfit 1", "\n", "\nmodel m : k on s {", "\n  x = f(", "\n 1,", "\n 2)",
        "\n  if a {", "\n    b = 1", "\n  } else {", "\n  }",
        "\n  site B : s { c = 1 }", "\n\n  y ~ 1 ± 2;", "\n}", "\nz = [", "\n1]", "\n",
    ]  # fmt: skip
    text, put = "", []
    for number, piece in enumerate(pieces):
        text += piece
        if data.draw(st.booleans()):
            put.append(f"{data.draw(comments)}<{number}>")
            text += f"  #{put[-1]}"
    printed = print_spec(read(text))
    for comment in put:
        assert printed.count(f"#{comment}\n") == 1
    assert print_spec(read(printed)) == printed


def test_a_body_that_does_not_fit_its_line_gets_lines_of_its_own() -> None:
    long = "a" * 80
    text = f'specfit 1\nsite B : sextet {{\n  note = "{long}"\n}}\n'
    assert print_spec(read(text)) == text


def test_an_empty_comment_is_a_comment() -> None:
    text = "specfit 1  #\nfor s in [1] {\n  x = s  #\n}\n#\n"
    assert print_spec(read(text)) == text
