"""What never changes a model: order, names, units, run and report, ways of writing."""

from __future__ import annotations

import json
import random
import re
import sys
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from specfit.language.parse import grammar
from specfit.rendering import render

from .check_texts import BODY, DATA, diagnosed, inlined, model_of, spec_of

SETTINGS = settings(max_examples=25, deadline=None, derandomize=True)
SITES = 'site A : sextet from db("magnetite.A")', "site B : sextet { I = 0.4 }"
OBSERVE = "observe s.counts ~ poisson"


def digest(*body: str, before: str = "", after: str = "") -> str:
    return model_of(spec_of(body, before, after)).digest()


@SETTINGS
@given(body=st.permutations(BODY))
def test_the_order_of_statements_never_matters(body: list[str]) -> None:
    assert digest(*body) == digest(*BODY)


def test_the_order_of_blocks_and_of_constants_never_matters() -> None:
    constants = "two = 2\nfour = two * two\n"
    model = spec_of(("site A : sextet { Bint ~ 33.0 ± 0.1 T * four }", OBSERVE))
    model = spec_of(("site A : sextet { x = four / two }", OBSERVE)).split(DATA)[1]
    texts = [
        f"specfit 1\n{constants}{DATA}{model}",
        f"specfit 1\n{model}{DATA}{constants}",
        f"specfit 1\nfour = two * two\n{model}two = 2\n{DATA}",
    ]
    assert len({model_of(text).digest() for text in texts}) == 1


NAMES = st.text("abcdefghijklmnopqrstuvwxyzΓδσ鉄酸", min_size=5, max_size=12)


@SETTINGS
@given(name=NAMES)
def test_renaming_a_site_changes_only_names(name: str) -> None:
    assume(name not in model_of(spec_of(list(BODY))).canonical())  # as `excess` is
    renamed = [re.sub(r"\bA\b(?=[.\s])", name, line) for line in BODY]
    assert _named(renamed, name, "A") == _named(list(BODY), "A", "A")


def _named(body: list[str], name: str, other: str) -> Any:
    """The canonical form with one name replaced, sorted without regard to names."""
    text = model_of(spec_of(body)).canonical()
    text = re.sub(rf'"{name}(?=["\.])', f'"{other}', text)
    return _sorted(json.loads(text))


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return sorted((_sorted(item) for item in value), key=json.dumps)
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return value


POSITIVE = st.floats(0.01, 90.0).map(lambda x: float(f"{x:.6g}"))


@SETTINGS
@given(field=POSITIVE, shift=POSITIVE, width=POSITIVE)
def test_the_unit_that_is_written_never_matters(
    field: float, shift: float, width: float
) -> None:
    site = "site A : sextet {{ Bint ~ {} in {}; IS ~ {}; width = {} }}"
    usual = site.format(
        f"{field!r} ± 0.5 T",
        f"[0.0, {field + 1!r}] T",
        f"{shift!r} ± 0.02 mm/s",
        f"{width!r} mm/s",
    )
    other = site.format(
        f"{10 * field!r} ± 5.0 kOe",
        f"[0.0, {1000 * (field + 1)!r}] mT",
        f"normal({shift / 10!r}, 0.002) cm/s",
        f"hwhm({width / 2!r} mm/s)",
    )
    assert digest(usual, OBSERVE) == digest(other, OBSERVE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("460 ± 5 kOe", "46.0 ± 0.5 T"),
        ("46.0(5) T", "460(5) kOe"),
        ("46.0(5) T", "normal(460, 5) kOe"),
        ("free in [40, 50] T", "uniform(400, 500) kOe"),
        ("46 T ± 500 mT", "46.0 +- 0.5 T"),
    ],
)
def test_priors_of_one_meaning_are_one_prior(one: str, other: str) -> None:
    site = "site A : sextet {{ Bint ~ {} }}".format
    assert digest(site(one), OBSERVE) == digest(site(other), OBSERVE)


def test_what_is_looked_up_later_never_changes_the_model() -> None:
    asked = "run nuts { chains = 2; draws = 99; seed = 5 }\n"
    shown = "report r { table = [IS]; rows = [A]; also = [B.I / A.I] }\n"
    plain = digest(*BODY)
    assert digest(*BODY, after=asked) == plain
    assert digest(*BODY, after=shown) == plain
    assert digest(*BODY, before='title "iron oxide"\n', after=asked + shown) == plain


def test_a_default_said_aloud_is_the_default() -> None:
    silent = digest(*SITES, OBSERVE)
    spoken = (*SITES, "absorber = thin", "baseline b : constant", "A.x = 2", OBSERVE)
    assert digest(*spoken) == silent


def test_a_template_applied_is_its_text_written_out() -> None:
    template = """template foil(shift, field) : sextet {
  IS ~ shift ± 0.02 mm/s
  Bint ~ field ± spread
  width = 0.26 mm/s
  require Bint > 30 T because "ordered"
}
spread = 0.5 T
"""
    applied = ("site A : foil(0.1 mm/s, field = 33.0 T)", "site B : sextet", OBSERVE)
    written = (
        "site A : sextet { IS ~ 0.1 ± 0.02 mm/s; Bint ~ 33.0 T ± 0.5 T;"
        ' width = 0.26 mm/s; require Bint > 30 T because "ordered" }',
        "site B : sextet",
        OBSERVE,
    )
    assert digest(*applied, before=template) == digest(*written)


def test_an_argument_means_what_it_means_where_it_is_written() -> None:
    template = "template broad(width) : sextet { width ~ width ± 0.01 mm/s }\n"
    body = ("width = 0.3 mm/s", "site A : broad(width)", OBSERVE)
    prior = next(
        p for p in model_of(spec_of(body, template)).parameters if p.name == "A.width"
    ).prior
    assert prior.arguments[0].name == "width"  # the model's, not the site's own


def test_a_loop_is_its_bodies_written_out() -> None:
    loop = (
        "Γ ~ 0.26 ± 0.03 mm/s",
        *SITES,
        "for k in [A, B] { k.width = Γ; for n in 1..2 { check k.Bint > n * 10 T } }",
        OBSERVE,
    )
    bodies = [f"{k}.width = Γ" for k in "AB"]
    bodies += [f"check {k}.Bint > {n} * 10 T" for k in "AB" for n in (1, 2)]
    assert digest(*loop) == digest(loop[0], *SITES, *bodies, OBSERVE)


def test_a_condition_is_the_branch_it_chooses() -> None:
    inside = "if s.T > 120 K {{ baseline b : {} }} else {{ baseline b : {} }}".format
    chosen = digest(*SITES, inside("linear", "parabola"), OBSERVE)
    assert chosen == digest(*SITES, "baseline b : linear", OBSERVE)
    other = digest(*SITES, inside("parabola", "linear"), OBSERVE)
    assert other == digest(*SITES, "baseline b : parabola", OBSERVE)


@pytest.mark.parametrize(
    ("tied", "substituted"),
    [
        (("w = Γ / 2", "A.width = w + w"), ("A.width = Γ / 2 + Γ / 2",)),
        (("A.width = Γ", "B.width = A.width"), ("A.width = Γ", "B.width = Γ")),
        (
            ("gap = A.Bint - B.Bint", 'require gap > 1 T because "spinel"'),
            ('require A.Bint - B.Bint > 1 T because "spinel"',),
        ),
        (
            ("mean_field = (A.Bint + B.Bint) / 2", "A.IS ~ mean_field * k ± 0.1 mm/s"),
            ("A.IS ~ (A.Bint + B.Bint) / 2 * k ± 0.1 mm/s",),
        ),
    ],
)
def test_a_tie_is_the_substitution(
    tied: tuple[str, ...], substituted: tuple[str, ...]
) -> None:
    common = ("Γ ~ 0.26 ± 0.03 mm/s", "check Γ > 0 mm/s", *SITES, OBSERVE)
    before = "k = 0.01 mm/s/T\n" if "k ±" in " ".join(tied) else ""
    one = inlined(model_of(spec_of((*common, *tied), before)))
    other = inlined(model_of(spec_of((*common, *substituted), before)))
    assert one == other


# ------------------------------------------------------------------------- fuzzing

_TOKEN = re.compile(r'"[^"\n]*"|\w+|[^\w\s]|\s+')


def mangled(text: str, chance: random.Random) -> str:
    """`text` with one to three tokens deleted, doubled, exchanged or replaced."""
    tokens = _TOKEN.findall(text)
    for _ in range(chance.randint(1, 3)):
        one, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        match chance.randrange(4):
            case 0:
                tokens[one] = ""
            case 1:
                tokens[one] *= 2
            case 2:
                tokens[one], tokens[other] = tokens[other], tokens[one]
            case _:
                tokens[one] = tokens[other]
    return "".join(tokens)


FUZZED = (
    spec_of(
        [
            'site A : foil(49.0 T) from db("magnetite.A", T = s.T) { QS = 0 mm/s }',
            'require A.Bint in [40, 55] T because "spinel"',
            "observe s.counts ~ negative_binomial(excess = halfnormal(0.02))",
        ],
        "template foil(b) : sextet { Bint ~ b ± 0.5 T }\n",
        "report r { rows = [A]; also = [2 * A.I] }",
    ),
    spec_of(
        [
            "Γ ~ 0.26 ± 0.03 mm/s in [0.194, 0.60] mm/s",
            "site P : doublet { width = hwhm(Γ / 2) }",
            "for k in [P] { check prob(k.IS > 0 mm/s) > 0.9 }",
            "if s.T > 120 K { baseline b : linear }",
            "observe s.counts ~ poisson",
        ],
        after="variant v { P.width = 0.3(1) mm/s }\nrun nuts { seed = 1 }",
    ),
)


class _Remembering:
    """The grammar, with every statement that has no fault parsed only once."""

    def __init__(self) -> None:
        self.parse = lru_cache(maxsize=None)(grammar().parse)


REMEMBERING = _Remembering()


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_written_is_answered_with_diagnostics(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = sys.modules[grammar.__module__]
    monkeypatch.setattr(room, "grammar", lambda: REMEMBERING)
    chance = random.Random(seed)
    for _ in range(100):
        text = mangled(FUZZED[seed % 2], chance)
        document, faults = diagnosed(text)
        assert document is not None or faults
        assert render(faults, {"f.spec": text}, "en") or not faults
