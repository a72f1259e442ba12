"""What the checker must understand: long chains, order, variants, templates, levels."""

from __future__ import annotations

import pytest

from .check_texts import DATA, codes_of, diagnosed, model_of, spec_of

SITE = 'site A : sextet from db("magnetite.A")'
OBSERVE = "observe s.counts ~ poisson"


def names_of(text: str) -> set[str]:
    return {parameter.name for parameter in model_of(text).parameters}


def test_a_chain_of_definitions_may_be_long() -> None:
    links = [f"a{n} = a{n + 1} + 1" for n in range(2_000)]
    model = model_of(spec_of([*links, "a2000 = A.Bint / 1 T", SITE, OBSERVE]))
    assert {d.name for d in model.definitions} >= {"a0", "a1999"}


def test_a_long_circle_is_one_fault() -> None:
    links = [f"a{n} = a{n + 1} + 1" for n in range(999)]
    assert codes_of(spec_of([*links, "a999 = a0", SITE, OBSERVE])) == [
        "circular-definition"
    ]


def test_two_circles_are_two_faults() -> None:
    body = ["a = b", "b = a", "c = d", "d = c", "e = a", SITE, OBSERVE]
    assert codes_of(spec_of(body)) == ["circular-definition"] * 2


@pytest.mark.parametrize("depth", [60, 190])
def test_a_deep_expression_is_understood(depth: int) -> None:
    body = [f"x = {'-' * depth} A.Bint", SITE, OBSERVE]
    assert codes_of(spec_of(body)) == []


@pytest.mark.parametrize(
    "value", ["1.0e300 * 1.0e300", "1 / 0", "10.0 ^ 400", "exp(1.0e6)", "0.0 ^ (0 - 1)"]
)
def test_a_constant_that_is_no_number_is_a_fault(value: str) -> None:
    assert codes_of(spec_of([f"x = {value}", SITE, OBSERVE])) == ["not-a-number"]


def test_faults_come_in_the_order_of_the_text() -> None:
    body = [
        "N0 = 1.0 K",
        "A.QS = 0.1",
        "x = y",
        "site A : sextet { IS ~ 0.67 ± 0.02 T }",
        "A.QS == 3",
        OBSERVE,
    ]
    faults = diagnosed(spec_of(body))[1]
    assert [f.span.start for f in faults] == sorted(f.span.start for f in faults)
    assert [f.code for f in faults] == [
        "unit-mismatch",
        "unit-missing",
        "unknown-name",
        "unit-mismatch",
        "duplicate-statement",
        "definition-with-two-equals",
    ]


def test_a_baseline_may_stand_after_its_parameters() -> None:
    body = [SITE, "slope ~ 0.000 ± 0.001", "baseline b : linear", OBSERVE]
    model = model_of(spec_of(body))
    assert model.spectra[0].scalars["slope"] == "slope"
    assert codes_of(spec_of([*body[:1], "slope ~ 0.0 ± 0.1 T", *body[2:]])) == [
        "unit-not-needed"
    ]


# ---------------------------------------------------------------------- variants


def variant_of(variant: str, *body: str) -> str:
    return spec_of([*body, OBSERVE], after=f"variant v {{ {variant} }}")


def varied(text: str) -> tuple[str, ...]:
    document, faults = diagnosed(text)
    assert document is not None, faults
    return tuple(sorted(p.name for p in document.variants["v"].parameters))


def test_a_variant_may_add_a_site() -> None:
    text = variant_of("site B : doublet", SITE)
    assert "B.QS" in varied(text)
    document, _ = diagnosed(text)
    assert document is not None
    assert "B.QS" not in {p.name for p in document.models[0].parameters}


def test_a_variant_may_change_the_baseline_and_the_noise() -> None:
    noise = "observe s.counts ~ negative_binomial(excess = halfnormal(0.02))"
    text = variant_of(f"baseline b : parabola; {noise}", SITE, "baseline b : linear")
    assert {"curvature", "s.excess"} <= set(varied(text))


def test_a_variant_may_share_out_the_fractions_anew() -> None:
    joint = "(A.I, B.I) ~ dirichlet({})".format
    body = (SITE, "site B : doublet", joint("1, 1"))
    document, faults = diagnosed(variant_of(joint("3, 1"), *body))
    assert document is not None, faults
    (found,) = document.variants["v"].joints
    assert found.concentrations == (3.0, 1.0)


def test_a_variant_that_fixes_one_of_two_shares_is_told_so() -> None:
    body = (SITE, "site B : doublet", "(A.I, B.I) ~ dirichlet(1, 1)")
    assert codes_of(variant_of("A.I = 0.3", *body)) == ["joint-partly"]


def test_a_variant_may_tie_what_the_model_leaves_free() -> None:
    text = variant_of("B.width = A.width", SITE, "site B : doublet")
    assert "B.width" not in varied(text)


# --------------------------------------------------------- templates, levels, units


def test_arguments_reach_the_template_a_template_is_made_of() -> None:
    templates = """template inner(a) : sextet { Bint ~ a ± 0.5 T }
template outer(b, c) : inner(b) { IS ~ c ± 0.02 mm/s }
"""
    model = model_of(spec_of(["site A : outer(49 T, 0.3 mm/s)", OBSERVE], templates))
    priors = {p.name: p.prior for p in model.parameters}
    assert priors["A.Bint"].arguments[0].value == 49.0
    assert priors["A.IS"].arguments[0].value == 0.3


def test_loops_and_conditions_may_stand_in_a_template() -> None:
    template = """template quiet : sextet {
  for k in [sigma_IS, sigma_QS] { k = 0.1 mm/s }
  if s.T > 120 K { QS = 0 mm/s }
}
"""
    model = model_of(spec_of(["site A : quiet", OBSERVE], template))
    values = {d.name: d.value for d in model.definitions}
    assert values["A.sigma_IS"].value == values["A.sigma_QS"].value == 0.1
    assert values["A.QS"].value == 0.0


def of_levels(body: list[str]) -> str:
    data = DATA.replace("data s", "data s[T = [77, 295] K]")
    data = data.replace("  T = 295 K\n", "").replace("data/s.csv", "data/s_{T}.csv")
    return spec_of(body).replace(DATA, data)


def test_each_level_has_its_own_condition() -> None:
    model = model_of(of_levels([SITE, "warm = s.T / 1 K", OBSERVE]))
    values = {d.name: d.value for d in model.definitions}
    assert values["warm[77]"].value == 77.0
    assert values["warm[295]"].value == 295.0
    assert [source.file for source in model.sources] == [
        "data/s_77.csv",
        "data/s_295.csv",
    ]


def test_every_level_has_the_shape_of_its_own_distribution() -> None:
    body = ["site D : sextet_distribution { IS ~ 0.5 ± 0.1 mm/s }", OBSERVE]
    found = names_of(of_levels(body))
    assert {"D.c1[77]", "D.c16[295]", "D.IS"} <= found
    shared = "site D : sextet_distribution { c1 ~ normal(0, 1) }"
    assert {"D.c1", "D.c2[77]"} <= names_of(of_levels([shared, OBSERVE]))


def test_a_site_kind_that_is_not_known_is_the_only_fault() -> None:
    body = [
        "Γ ~ 0.26 ± 0.03 mm/s",
        "site A : sextett { width = Γ }",
        "site B : sextet",
        'require A.Bint > B.Bint because "spinel"',
        "(A.I, B.I) ~ dirichlet(1, 1)",
        OBSERVE,
    ]
    assert codes_of(spec_of(body)) == ["unknown-kind"]


def test_a_statement_that_cannot_be_read_excuses_its_name() -> None:
    body = ["Γ ~ 0.26 ± ± 0.03 mm/s", "site A : sextet { width = Γ }", OBSERVE]
    assert codes_of(spec_of(body)) == ["unexpected-text"]


@pytest.mark.parametrize(
    ("run", "lengths"),
    [
        ("run metropolis { }", (900_000, 100_000)),
        ("run metropolis { warmup = 500 }", (500, 100_000)),
        ("run nuts { }", (500, 1000)),
    ],
)
def test_an_engine_may_have_lengths_of_its_own(
    run: str, lengths: tuple[int, int]
) -> None:
    document, faults = diagnosed(spec_of([SITE, OBSERVE], after=run))
    assert not faults
    assert document is not None
    assert (document.run.warmup, document.run.draws) == lengths


def test_no_component_is_a_model_where_the_number_is_open() -> None:
    only = "site X[n = 0..2] : singlet { width = 0.3 mm/s }"
    document, faults = diagnosed(spec_of([only, OBSERVE]))
    assert not faults
    assert document is not None
    counts = {name: document.variants[name] for name in document.counts}
    assert [len(m.spectra[0].sites) for m in counts.values()] == [0, 1, 2]
    assert codes_of(spec_of([OBSERVE])) == ["no-components"]


@pytest.mark.parametrize(
    ("last", "codes"),
    [
        ([], []),
        (["B.I = 1 - A.I"], []),
        (["B.I = y / (x + y)"], ["fractions-not-one"]),
    ],
    ids=["the rest", "said", "another law"],
)
def test_fractions_may_follow_a_law(last: list[str], codes: list[str]) -> None:
    sites = [f'site {name} : sextet from db("magnetite.{name}")' for name in "AB"]
    shares = ["x ~ free in [0.1, 1]", "y ~ free in [0.5, 1]", "A.I = x / (x + 2 * y)"]
    assert codes_of(spec_of([*sites, *shares, *last, OBSERVE])) == codes
