"""Rules asked of many spectra at once say of each what they say of it alone."""

from collections import defaultdict
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from specfit import pipeline, rules
from specfit.contracts import Fit
from specfit.model.expressions import evaluate, topological
from specfit.model.ir import Const
from specfit.model.known import data_constants
from specfit.rules.block import OPEN, Block

MODELS = Path(__file__).parents[2] / "models"
MORE = """
  site D "hematite" : sextet from db("hematite", T = spectrum.T) { width = Γ; x ~ 2.0(5) }
  site P : doublet {
    IS ~ 0.35(5) mm/s; QS ~ 0.7(2) mm/s in [0.0, 1.5] mm/s; width = Γ
  }
  site R : doublet {
    IS ~ normal(P.IS, 0.1) mm/s; QS ~ 0.7(2) mm/s in [0.0, 1.5] mm/s; width = Γ
  }
  (B.I, A.I, Fe.I, D.I, P.I, R.I) ~ dirichlet(1, 1, 1, 1, 1, 1)
  require P.QS > 0.1 mm/s because "two lines are seen"
  expect P.QS ~ 0.7 ± 0.1 mm/s because "as in its like"
  expect N0 ~ normal(max(spectrum.counts), 200) counts because "most channels are off"
  check chi2 < 1.3
  check A.QS in [-0.2, 0.2] mm/s
  check N0 > 0.9 * max(spectrum.counts)
"""
RULES = """specfit 1
use "rules/57Fe"
override linewidth = warning because "a test"
override morin = hard because "a test"
override intensity_ratio.far = 0.3 because "a test"
override field_falls = off because "a test"
override superparamagnetism.QS_high = 1.2 mm/s because "a test"
"""
NEAR = {
    "Γ": 0.26, "area": 0.3, "N0": 2e4, "B.IS": 0.66, "B.Bint": 45.5, "A.IS": 0.27,
    "A.Bint": 49.0, "Fe.IS": 0.0, "Fe.Bint": 33.04, "D.IS": 0.37, "D.QS": -0.2,
    "D.Bint": 51.6, "D.x": 2.0, "P.IS": 0.35, "P.QS": 0.7, "R.IS": 0.35, "R.QS": 0.7,
    "A.QS": 0.05, "B.QS": 0.03,
}  # fmt: skip
SPECTRA, DRAWS = 48, 64
WORST = {"passed": 0, "warned": 1, "failed": 2}


def specimen(folder, temperature):
    """A model that most rules have something to say about, and its measurement."""
    text = (MODELS / "magnetite_iron_noisy.spec").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "dirichlet" not in line]
    place = next(i for i, line in enumerate(lines) if "check conflict" in line)
    text = "\n".join([*lines[: place + 1], MORE, *lines[place + 1 :]])
    (folder / "data").mkdir()
    name = "fe3o4_alphaFe_noisy.csv"
    (folder / "data" / name).write_bytes((MODELS / "data" / name).read_bytes())
    path = folder / "many.spec"
    text = text.replace("T = 295 K", f"T = {temperature} K", 1)
    if temperature == 150:  # the library of rules, too
        text = text.replace("specfit 1\n", RULES, 1)
    path.write_text(text, "utf-8")
    checked = pipeline.check_with_data(path)
    model = checked.require().models[0]
    return model, pipeline.measure(model, checked)[0]


def moved(model, measured, generator):
    """Draws of all names, (SPECTRA, DRAWS), near sensible values and far from them."""
    spread = generator.choice([0.003, 0.02, 0.1, 0.4], SPECTRA)[:, None]
    draws = {}
    for parameter in model.parameters:
        shift = generator.normal(size=(SPECTRA, 1))
        shift = shift + 0.3 * generator.normal(size=(SPECTRA, DRAWS))
        draws[parameter.name] = NEAR.get(parameter.name, 1.0) * (1 + spread * shift)
    shares = generator.dirichlet(np.ones(6), SPECTRA)
    for site, share in zip(["B", "A", "Fe", "D", "P", "R"], shares.T, strict=True):
        draws[f"{site}.I"] = np.repeat(share[:, None], DRAWS, axis=1)
    known = data_constants(model, (measured,))
    for one in topological(model.definitions):
        value = np.asarray(evaluate(one.value, {**known, **draws}, np), dtype=float)
        if isinstance(one.value, Const):
            known[one.name] = float(value)
        else:
            draws[one.name] = np.broadcast_to(value, (SPECTRA, DRAWS)).copy()
    return draws


def spectra(measured, generator):
    """Curves, and counts about them: as they should be, too high, or waving."""
    size = measured.values.size
    curve = np.repeat(2e4 * (1 - 0.05 * generator.random((SPECTRA, 1))), size, axis=1)
    high = generator.choice([1.0, 1.01, 1.05], (SPECTRA, 1))
    wave = np.sin(np.arange(size) / 30) * generator.choice([0.0, 0.02], (SPECTRA, 1))
    counts = generator.poisson(curve * high * np.exp(wave)).astype(float)
    return curve, [replace(measured, values=row) for row in counts]


def fit_of(draws, curve, row):
    """What a rule reads of one fit; everything else is empty."""
    each = curve[row][None]
    given = {
        "draws": {name: values[row][None] for name, values in draws.items()},
        "prior": draws, "positions": np.zeros((1, DRAWS, 20)), "curve": each,
        "band": np.stack([each, each]), "components": np.zeros((0, *each.shape)),
        "replicated": each[None], "pointwise": np.zeros((0, *each.shape)),
        "gates": (), "modes": (), "stages": (),
    }  # fmt: skip
    return Fit(**{f.name: {} for f in fields(Fit)} | given)


@pytest.mark.parametrize("temperature", [295, 150])
def test_rules_say_of_many_spectra_what_they_say_of_each(tmp_path, temperature):
    generator = np.random.default_rng(temperature)
    model, measured = specimen(tmp_path, temperature)
    draws = moved(model, measured, generator)
    curve, measurements = spectra(measured, generator)
    grades = rules.grades(Block(model, measurements, draws, curve, 20))
    said = defaultdict(set)
    for row, one in enumerate(measurements):
        verdict = rules.judge(model, (one,), fit_of(draws, curve, row), ())
        known = defaultdict(int)
        for item in verdict.findings:
            known[item.rule] = max(WORST[item.outcome], known[item.rule])
        for name, outcomes in grades.items():
            said[name].add(int(outcomes[row]))
            if outcomes[row] != OPEN:
                assert outcomes[row] == known[name], (name, row)
    told = {name for name, outcomes in said.items() if len(outcomes - {OPEN}) > 1}
    assert len(told) >= 8, "rules that failed some and not others"
