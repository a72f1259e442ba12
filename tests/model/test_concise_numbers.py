"""`0.67(2)` and `-0.10(5)` are normal priors."""

import pytest

from specfit.language.parse import parse
from specfit.model.check import check

TEXT = """specfit 1
data s : transmission {{ file = "a.csv"; velocity = column(1) mm/s; T = 295 K }}
model m : mossbauer57Fe on s {{
  site A : sextet {{ QS ~ {prior} mm/s }}
  observe s.counts ~ poisson
}}
"""


@pytest.mark.parametrize(
    ("prior", "centre", "spread"),
    [
        ("0.67(2)", 0.67, 0.02),
        ("-0.10(5)", -0.10, 0.05),
        ("1.2345(12)", 1.2345, 0.0012),
    ],
)
def test_the_digits_in_brackets_are_the_spread(prior, centre, spread):
    text = TEXT.format(prior=prior)
    spec, faults = parse(text, "a.spec")
    document, found, *_ = check(
        spec, "a.spec", lambda p: (None, p), {"a.spec": text}, faults
    )
    assert not found
    dist = next(p for p in document.models[0].parameters if p.name == "A.QS").prior
    assert dist.family == "normal"
    numbers = [argument.value for argument in dist.arguments]
    assert numbers == pytest.approx([centre, spread])
