from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "density"))

from density_models import (
    definition,
    dist,
    magnetite_iron,
    make_model,
    parameter,
    require,
    site,
)

from specfit.model.elimination import Contradiction, Inequality, eliminate
from specfit.model.enclosure import enclosure
from specfit.model.expressions import LinearForm, evaluate
from specfit.model.support import PlanError, plan


def sites_model(rules, definitions=(), **bounds):
    parameters = [
        parameter("N0", dist("normal", 1e6, 2e4)),
        parameter("area", dist("uniform", 0.001, 5.0)),
        parameter("width", dist("normal", 0.26, 0.03, low=0.194, high=0.60)),
        *(
            parameter(name, dist("uniform", *bounds.get(name, (-1.0, 1.0))))
            for name in ("A.IS", "a", "b", "c", "d")
        ),
        parameter("y", dist("normal", 0.0, 1.0)),
    ]
    made = [definition("A.I", 1.0), *definitions]
    return make_model(
        [site("A", "singlet", width="width")], parameters, made, rules=rules
    )


def unknown(made, name):
    return next(u for u in made.unknowns if u.name == name)


def test_an_interval_tightens_a_bound():
    made = plan(sites_model([require(("<", "a", 0.25)), require((">", "y", 0.5))]))
    assert (unknown(made, "a").low, unknown(made, "a").high) == (-1.0, 0.25)
    assert (unknown(made, "y").low, unknown(made, "y").high) == (0.5, None)
    assert list(made.strategies.values()) == ["interval", "interval"]
    assert made.dynamic == ()


def test_a_chain_is_split_and_its_bounds_spread():
    rule = require(("and", ("<", "a", "b"), ("<", "b", "c")))
    made = plan(sites_model([rule], c=(-1.0, 0.4), a=(-0.2, 1.0)))
    assert unknown(made, "a").high == pytest.approx(0.4)
    assert unknown(made, "b").low == pytest.approx(-0.2)
    assert made.strategies == {0: "ordered"}
    assert set(made.dynamic) == {"b", "c"}


def test_a_tie_is_computed_and_keeps_its_prior():
    made = plan(sites_model([require(("==", "a", ("*", 2.0, "b")))]))
    assert "a" not in made.names
    assert made.tied == {"a"}
    assert unknown(made, "b").low == pytest.approx(-0.5)
    assert made.strategies == {0: "tie"}


def test_a_tie_through_a_definition_is_no_circle():
    twice = definition("twice", ("*", 2.0, "a"))
    made = plan(sites_model([require(("==", "a", ("-", "twice", "b")))], [twice]))
    assert "a" in made.names
    assert dict(made.computed).keys() == {"A.I", "twice", "b", *_constants(made)}


def _constants(made):
    return {name for name, _ in made.computed if name.startswith("A.")}


def test_a_fixed_sum_is_a_tie_with_room_for_the_rest():
    rule = require(("==", ("sum", "a", "b", "c"), 1.0))
    made = plan(sites_model([rule], a=(0.0, 1.0), b=(0.0, 1.0), c=(0.0, 1.0)))
    assert made.strategies == {0: "fixed sum"}
    assert "c" not in made.names
    assert made.dynamic == ("b",)


def test_a_joint_is_opened_only_where_its_members_are_named():
    whole = plan(magnetite_iron(rules=[require((">", "A.IS", 0.0))]))
    assert [j.names for j in whole.simplices] == [("B.I", "A.I", "Fe.I")]
    opened = plan(magnetite_iron(rules=[require((">", "A.I", 0.2))]))
    assert opened.simplices == ()
    assert unknown(opened, "A.I").low == 0.2
    assert "Fe.I" not in opened.names


@pytest.mark.parametrize(
    ("expression", "strategy"),
    [
        (("<", ("abs", "a"), 0.5), "interval"),
        (("not", (">", "a", 0.5)), "interval"),
        (("within", "a", -0.5, 0.5), "interval"),
        (("<", ("max", "a", "b"), "c"), "ordered"),
        (("<", "a", 2.0), "already true"),
        (("!=", "a", "b"), "already true"),
        (("or", ("<", "a", 2.0), (">", "b", 5.0)), "already true"),
        (("or", ("<", "a", "b"), ("<", "c", "d")), "barrier"),
        (("<", ("*", "a", "b"), 0.5), "barrier"),
        ((">", "y", ("exp", "a")), "bound"),
        ((">", ("+", "a", "b"), 0.1), "bound"),
    ],
)
def test_each_form_has_its_strategy(expression, strategy):
    assert plan(sites_model([require(expression)])).strategies == {0: strategy}


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([("<", "a", -2.0)], "require-impossible"),
        ([("<", "a", "b"), ("<", "b", "c"), ("<", "c", "a")], "require-contradiction"),
        ([(">", "a", 0.5), ("<", "a", 0.25)], "require-contradiction"),
        (
            [(">", ("+", "a", "b"), 1.0), ("<", ("+", "a", "b"), 0.5)],
            "require-contradiction",
        ),
        ([("==", ("*", "a", "b"), 0.5)], "require-equality"),
        ([("==", "a", 7.0)], "require-impossible"),
    ],
)
def test_what_cannot_be_kept_is_a_fault_with_its_words(rules, code):
    with pytest.raises(PlanError) as caught:
        plan(sites_model([require(rule, i) for i, rule in enumerate(rules)]))
    assert caught.value.code == code
    assert caught.value.words["rule"]


def test_definitions_in_a_circle_are_a_fault():
    circle = [definition("p", "q"), definition("q", "p")]
    with pytest.raises(PlanError) as caught:
        plan(sites_model([], circle))
    assert caught.value.code == "circular-definition"


FORMS = st.lists(
    st.tuples(
        st.lists(st.integers(-3, 3), min_size=4, max_size=4), st.floats(-2.0, 2.0)
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, derandomize=True)
@given(FORMS, st.integers(0, 2**32 - 1))
def test_elimination_leaves_room_everywhere_and_keeps_the_rules(forms, seed):
    names = ["a", "b", "c", "d"]
    boxes = dict.fromkeys(names, (-1.0, 1.0))
    rules = [
        Inequality(
            LinearForm({n: float(c) for n, c in zip(names, row, strict=True) if c}, k),
            frozenset({i}),
        )
        for i, (row, k) in enumerate(forms)
    ]
    generator = np.random.default_rng(seed)
    cloud = generator.uniform(-1.0, 1.0, (4000, 4))
    slack = np.stack(
        [k + cloud @ np.array(row, dtype=float) for row, k in forms], axis=1
    )
    inside = (slack > 0.05).all(axis=1)
    try:
        found = eliminate(names, boxes, rules)
    except Contradiction:
        assert not inside.any()
        return
    for _ in range(20):
        known: dict[str, float] = {}
        for name in names:
            low, high = found.boxes[name]
            low = max([low, *(value(f, known) for f in found.lower.get(name, ()))])
            high = min([high, *(value(f, known) for f in found.upper.get(name, ()))])
            assert low <= high + 1e-9
            known[name] = generator.uniform(low, max(low, high))
        for rule in rules:
            assert value(rule.form, known) >= -1e-8


def value(form, known):
    return form.constant + sum(c * known[n] for n, c in form.coefficients.items())


@pytest.mark.parametrize(
    "expression",
    [
        ("/", "a", ("+", 2.0, "b")),
        ("exp", ("*", "a", "b")),
        ("^", "a", 2.0),
        ("^", "a", 3.0),
        ("sqrt", ("+", 1.0, "a")),
        ("log", ("+", 1.5, "a")),
        ("abs", ("-", "a", "b")),
        ("max", "a", ("min", "b", 0.3)),
        ("mean", "a", "b"),
        ("voigt_fwhm", ("abs", "a"), ("abs", "b")),
        ("sod", ("*", 300.0, "a"), ("*", 100.0, "b")),
        ("debye_f", ("*", 300.0, "a"), ("*", 100.0, "b")),
        ("brillouin", 2.5, ("*", 300.0, "a"), ("*", 400.0, "b")),
        ("reduced_field", ("*", 300.0, "a"), ("*", 400.0, "b"), ("abs", "b"), "a"),
        ("ingalls", ("*", 300.0, "a"), ("*", 100.0, "b"), ("abs", "b")),
    ],
)
def test_an_enclosure_encloses(expression):
    from density_models import expr

    boxes = {"a": (-0.9, 0.8), "b": (-0.5, 0.7)}
    tree = expr(expression)
    low, high = enclosure(tree, boxes)
    generator = np.random.default_rng(2)
    points = {n: generator.uniform(*box, 2000) for n, box in boxes.items()}
    values = evaluate(tree, points, np)
    assert low - 1e-10 <= values.min()
    assert values.max() <= high + 1e-10


def test_checking_needs_no_jax():
    import subprocess

    code = (
        "import sys; sys.path.append('tests/density')\n"
        "from density_models import magnetite_iron, require\n"
        "from specfit.model.support import plan\n"
        "from specfit.model.prior_draws import weighed\n"
        "m = magnetite_iron(rules=[require(('>', 'A.Bint', 'B.Bint'))])\n"
        "print(weighed(m, plan(m), {}))\n"
        "assert 'jax' not in sys.modules and 'scipy.stats' not in sys.modules\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
