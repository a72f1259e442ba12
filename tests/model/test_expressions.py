from __future__ import annotations

import ast
import math
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specfit.model.expressions import (
    FUNCTIONS,
    CircularTie,
    LinearForm,
    evaluate,
    linear_form,
    missing,
    references,
    statistics,
    substitute,
    to_text,
    topological,
)
from specfit.model.ir import Apply, Const, Definition, Ref

NAMES = ("A.IS", "B.IS", "Γ")


def call(function, *arguments):
    made = (
        Const(value=float(a))
        if isinstance(a, int | float)
        else Ref(name=a)
        if isinstance(a, str)
        else a
        for a in arguments
    )
    return Apply(function=function, arguments=tuple(made))


def leaves():
    numbers = st.floats(0.1, 9.0).map(lambda v: Const(value=round(v, 3)))
    return st.one_of(numbers, st.sampled_from(NAMES).map(lambda n: Ref(name=n)))


def trees(leaf=None):
    def grown(inner):
        pair = st.tuples(inner, inner)
        return st.one_of(
            st.builds(lambda f, a: call(f, *a), st.sampled_from("+-*/"), pair),
            st.builds(lambda a: call("neg", a), inner),
            st.builds(lambda a: call("^", a, 2.0), inner),
            st.builds(lambda a: call("exp", call("min", *a)), pair),
        )

    return st.recursive(leaf or leaves(), grown, max_leaves=12)


def arithmetic(node):
    """Python's own reading of a text, with its own idea of what binds tighter."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(operand=operand):
            return -arithmetic(operand)
        case ast.BinOp(left=left, op=op, right=right):
            table = {
                ast.Add: operator.add,
                ast.Sub: operator.sub,
                ast.Pow: operator.pow,
            }
            table |= {ast.Mult: operator.mul, ast.Div: operator.truediv}
            return table[type(op)](arithmetic(left), arithmetic(right))
        case ast.Call(func=ast.Name(id=name), args=args):
            return {"exp": np.exp, "min": min}[name](*map(arithmetic, args))
    raise AssertionError(ast.dump(node))


@given(trees())
def test_the_text_means_what_the_tree_means(tree):
    known = {"A.IS": 0.67, "B.IS": 0.29, "Γ": 0.26}
    text = to_text(tree).replace("A.IS", "0.67").replace("B.IS", "0.29")
    text = text.replace("Γ", "0.26").replace("^", "**")
    with np.errstate(all="ignore"):
        known = {name: np.float64(value) for name, value in known.items()}
        said = evaluate(tree, known, np)
        try:
            read = arithmetic(ast.parse(text, mode="eval").body)
        except (ZeroDivisionError, OverflowError):
            return
    if isinstance(read, complex) or not math.isfinite(read):
        return
    assert said == pytest.approx(read, rel=1e-9, abs=1e-9)


@given(trees(), st.floats(-3.0, 3.0), st.floats(-3.0, 3.0))
def test_a_linear_form_is_the_expression(tree, a, b):
    form = linear_form(tree, {"Γ": 0.26})
    if form is None:
        return
    known = {"A.IS": np.float64(a), "B.IS": np.float64(b), "Γ": np.float64(0.26)}
    with np.errstate(all="ignore"):
        said = evaluate(tree, known, np)
    read = form.constant + sum(c * known[n] for n, c in form.coefficients.items())
    if np.isfinite(said) and abs(said) < 1e6:
        assert read == pytest.approx(said, rel=1e-6, abs=1e-6)


def test_what_is_linear_and_what_is_not():
    tree = call("-", call("*", 2.0, call("+", "x", "y")), call("/", "x", 4.0))
    assert linear_form(tree, {}) == LinearForm({"x": 1.75, "y": 2.0}, 0.0)
    assert linear_form(call("mean", "x", "y"), {}) == LinearForm(
        {"x": 0.5, "y": 0.5}, 0
    )
    assert linear_form(call("*", "x", "y"), {}) is None
    assert linear_form(call("*", "x", "y"), {"y": 3.0}) == LinearForm({"x": 3.0}, 0.0)
    assert linear_form(call("sqrt", 4.0), {}) == LinearForm({}, 2.0)
    assert linear_form(call("-", "x", "x"), {}) == LinearForm({}, 0.0)


def test_numpy_and_jax_mean_the_same():
    import jax

    first = ([0.3, 0.7], [0.2, 0.9], [0.5, 0.95], [0.4, 2])
    arguments = [np.array(x) for x in first] * 5

    def meant(xp):
        found = {}
        for name, function in FUNCTIONS.items():
            if name in ("shift", "widened"):  # of a curve, and of blocks of features:
                continue  # see the tests of weights and of standardised features
            spin = [2.5] if name == "brillouin" else []  # a plain number
            rest = arguments[: max(function.least, 1) - len(spin)]
            rest = [a > 0.4 for a in rest] if name in ("and", "or", "not") else rest
            found[name] = function.meaning(xp, *spin, *map(xp.asarray, rest))
        return found

    with jax.enable_x64(True):
        there = jax.jit(lambda: meant(jax.numpy))()
    for name, here in meant(np).items():
        np.testing.assert_allclose(here, there[name], rtol=1e-13)


def test_a_statistic_is_looked_up_under_its_text():
    tree = call("log", call("max", "spectrum.counts"))
    assert list(statistics(tree)) == ["max(spectrum.counts)"]
    assert references(tree) == {"spectrum.counts"}
    known = {"max(spectrum.counts)": math.e}
    assert evaluate(tree, known, np) == pytest.approx(1.0)
    assert missing(tree, known) == set()
    assert missing(tree, {}) == {"spectrum.counts"}
    assert evaluate(call("max", "x"), {"x": 3.0}, np) == 3.0


def test_angles_are_in_degrees_and_voigt_widths_are_full():
    assert evaluate(call("sin", 30.0), {}, np) == pytest.approx(0.5)
    assert evaluate(call("voigt_fwhm", 0.5, 0.0), {}, np) == pytest.approx(0.5)
    assert evaluate(call("voigt_fwhm", 0.0, 0.5), {}, np) == pytest.approx(
        0.5, rel=1e-4
    )
    # Gaussian width first: 0.5346·0.1 + sqrt(0.2166·0.01 + 0.09)
    assert evaluate(call("voigt_fwhm", 0.3, 0.1), {}, np) == pytest.approx(
        0.35705, 1e-4
    )


def test_depth_is_no_danger_to_evaluation():
    tree = Ref(name="x")
    for _ in range(64):
        tree = call("neg", tree)
    assert evaluate(tree, {"x": 2.0}, np) == 2.0
    assert substitute(tree, {"x": Const(value=3.0)}) != tree


def test_definitions_are_ordered_and_circles_named():
    def definition(name, value):
        return Definition(name=name, role=name, unit="", value=value)

    ordered = topological(
        [definition("a", call("+", "b", 1.0)), definition("b", Ref(name="c"))]
    )
    assert [d.name for d in ordered] == ["b", "a"]
    circle = [definition("a", Ref(name="b")), definition("b", Ref(name="a"))]
    with pytest.raises(CircularTie) as caught:
        topological(circle)
    assert set(caught.value.names) == {"a", "b"}


def test_texts_have_only_the_brackets_they_need():
    tree = call(
        "and",
        call(">", "A.IS", call("*", 0.5, call("-", "B.IS", "Γ"))),
        call("within", "Γ", 0.1, 0.2),
    )
    assert to_text(tree) == "A.IS > 0.5 * (B.IS - Γ) and Γ in [0.1, 0.2]"
    assert to_text(call("-", "x", call("-", "y", "z"))) == "x - (y - z)"
    assert to_text(call("^", call("neg", "x"), 2.0)) == "(-x) ^ 2"
