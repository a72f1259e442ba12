"""What the data leave open is told: priors that stay, combinations, signs, pairings."""

from dataclasses import fields

import numpy as np
import pytest

from specfit import pipeline, rules
from specfit.contracts import Fit
from specfit.rules.block import PASSED, WARNED, Block

FRAME = """specfit 1
data s : transmission {{
  file = "s.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
}}
model m : mossbauer57Fe on s {{
  {sites}
  observe s.counts ~ poisson
}}
"""
N = 2000
GOOD = {"N0": (1e6, 10.0), "area": (0.3, 1e-3), "width": (0.28, 1e-3)}
GOOD |= {"IS": (0.37, 1e-3), "QS": (0.7, 1e-3), "eQVzz": (1.4, 1e-2)}


def model_of(folder, sites):
    path = folder / "m.spec"
    path.write_text(FRAME.format(sites=sites), encoding="utf-8")
    return pipeline.check(path).require().models[0]


def judged(model, rule, **own):
    """Findings, and the same of a block of one: draws are good where nobody says else."""
    generator = np.random.default_rng(4)
    draws = {}
    for one in model.parameters:
        mean, sd = GOOD.get(one.role, (0.0, 1e-3))
        draws[one.name] = mean + sd * generator.standard_normal(N)
    for joint in model.joints:
        share = 1.0 / len(joint.names)
        draws |= {n: share + 1e-3 * generator.standard_normal(N) for n in joint.names}
    draws |= {name.replace("_1_", "."): values for name, values in own.items()}
    given = {f.name: {} for f in fields(Fit)}
    given |= {"draws": {n: d.reshape(4, -1) for n, d in draws.items()}, "gates": ()}
    entry = next(entry for entry in rules.RULES if entry.name == rule)
    found = list(entry.judge(model, (), Fit(**given)))
    block = Block(
        model, [None], {n: d[None] for n, d in draws.items()}, np.zeros((1, 1)), 9
    )
    warned = any(f.outcome == "warned" for f in found)
    assert entry.outcomes(block).tolist() == [WARNED if warned else PASSED]
    return [f for f in found if f.outcome == "warned"]


def gaussian(normal, sd):
    """Posterior of x ~ N(0, 1)^k where normal · x = 0.4 ± sd was measured."""
    unit = np.atleast_2d(normal).astype(float)
    covariance = np.linalg.inv(np.eye(unit.shape[1]) + unit.T @ unit / sd**2)
    mean = covariance @ unit[0] * 0.4 / sd**2
    return np.random.default_rng(1).multivariate_normal(mean, covariance, N).T


CAUSES = "site A : doublet { texture ~ 0.0 ± 1.0; f_anisotropy ~ 0.0 ± 1.0 }"


def test_a_difference_that_is_known_leaves_both_of_its_terms_open(tmp_path):
    model = model_of(tmp_path, CAUSES)
    texture, f = gaussian([1.0, -1.0], 0.02)
    own = {"A_1_texture": texture, "A_1_f_anisotropy": f}
    (found,) = judged(model, "undecided", **own)
    assert "`A.texture` and `A.f_anisotropy` one by one" in found.text
    assert "54.7°" in found.detail
    assert found.value == pytest.approx(1.0, abs=0.05)


def test_of_three_terms_all_are_told(tmp_path):
    model = model_of(tmp_path, CAUSES.replace("}", "; ratio ~ 1.0 ± 0.1 }"))
    texture, f, ratio = gaussian([1.0, -1.0, 1.0], 0.02)
    own = {"A_1_texture": texture, "A_1_f_anisotropy": f, "A_1_ratio": 1 + 0.1 * ratio}
    (found,) = judged(model, "undecided", **own)
    assert all(f"`A.{s}`" in found.text for s in ("texture", "f_anisotropy", "ratio"))


def test_what_the_data_and_a_prior_know_is_not_told(tmp_path):
    text = "site A : doublet { texture ~ 0.0 ± 0.02; f_anisotropy ~ free in [-5, 5] }"
    model = model_of(tmp_path, text)
    texture = 0.02 * np.random.default_rng(2).standard_normal(N)
    assert not judged(
        model, "undecided", A_1_texture=texture, A_1_f_anisotropy=texture - 0.4
    )


@pytest.mark.parametrize(
    ("prior", "told"), [("free in [-5, 5]", True), ("0.0 ± 2.9", False)]
)
def test_a_flat_prior_that_stays_is_told_and_a_stated_one_is_knowledge(
    tmp_path, prior, told
):
    model = model_of(tmp_path, f"site A : doublet {{ texture ~ {prior} }}")
    generator = np.random.default_rng(5)
    draws = generator.uniform(-5, 5, N) if told else 2.9 * generator.standard_normal(N)
    found = judged(model, "undecided", A_1_texture=draws)
    assert [f.text.split(":")[0] for f in found] == (
        ["the data do not decide `A.texture`"] if told else []
    )


def test_two_open_unknowns_that_are_not_linked_are_told_apart(tmp_path):
    text = "site {} : doublet {{ IS ~ {} ± 0.1 mm/s; texture ~ free in [-5, 5] }}"
    model = model_of(
        tmp_path, "\n".join([text.format("A", 0.3), text.format("B", 1.1)])
    )
    first, second = np.random.default_rng(6).uniform(-5, 5, (2, N))
    found = judged(model, "undecided", A_1_texture=first, B_1_texture=second)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("size", "sign", "told"), [(1.4, 0.5, True), (1.4, 0.01, False), (0.01, 0.5, False)]
)
def test_an_open_sign_is_told(tmp_path, size, sign, told):
    model = model_of(tmp_path, "site A : hamiltonian { theta = 0 deg; Bint = 30 T }")
    generator = np.random.default_rng(7)
    draws = size + 0.02 * generator.standard_normal(N)
    draws *= np.where(generator.random(N) < sign, -1.0, 1.0)
    found = judged(model, "undecided", A_1_eQVzz=draws)
    assert any("the sign of `A.eQVzz`" in f.text for f in found) == told


TWO = "site A : doublet { width = w }; site B : doublet { width = w }; w ~ 0.28 ± 0.02 mm/s"


def values(mean, sd=1e-3, seed=8):
    return mean + sd * np.random.default_rng(seed).standard_normal(N)


@pytest.mark.parametrize(
    ("share", "told"), [((0.505, 0.495), True), ((0.6, 0.4), False)]
)
def test_lines_of_one_area_and_width_may_be_paired_otherwise(tmp_path, share, told):
    model = model_of(tmp_path, TWO)
    own = {"A_1_IS": values(0.3), "A_1_QS": values(1.0), "B_1_IS": values(0.9)}
    own |= {"B_1_QS": values(1.2), "w": values(0.28)}
    area = values(share[0], 0.01)
    own |= {"A_1_I": area, "B_1_I": 1.0 - area}
    found = judged(model, "crossed_doublets", **own)
    assert len(found) == told
    if (
        told
    ):  # lines at −0.2, 0.3, 0.8, 1.5: the other two ways to make two pairs of them
        assert "IS 0.65, QS 1.70 and IS 0.55, QS 0.50" in found[0].text
        assert "IS 0.05, QS 0.50 and IS 1.15, QS 0.70" in found[0].text
