"""Areas of lines as a thick absorber shows them: where they are, and from what."""

import numpy as np
import pytest
from scipy.integrate import quad

from specfit.model.expressions import evaluate
from specfit.model.glossary import explain, meanings

from .check_texts import DATA, codes_of, diagnosed

SITE = "IS ~ 0.0 ± 0.2 mm/s; Bint ~ 33 ± 1 T; x ~ 2.0 ± 0.5"


def text(*said, absorber="thick", data=DATA, per=""):
    body = "; ".join((SITE, *said))
    return f"""specfit 1
{data}
model m : mossbauer57Fe on s{per} {{
  absorber = "{absorber}"
  site A : sextet {{ {body} }}
  site P : doublet {{ QS ~ 0.7 ± 0.1 mm/s }}
  observe s.counts ~ poisson
}}
"""


def definitions(*said, **more):
    document, faults = diagnosed(text(*said, **more))
    assert not faults
    (model,) = document.models
    return model, {d.name: d for d in model.definitions}


def test_a_thick_sextet_has_the_areas_that_its_lines_show():
    """From the site's share of the thickness and the absorber's part of the width."""
    model, found = definitions()
    values = {
        "A.I": 0.8, "A.x": 1.4, "A.width": 0.24, "source_width": 0.11, "thickness": 9.0,
    }  # fmt: skip

    def area(weight):
        depth = 9.0 * 0.8 * weight / (8.0 + 2.0 * 1.4) * 0.0970 / (0.24 - 0.11)
        return quad(lambda u: -np.expm1(-depth / (1 + u * u)), 0, np.inf)[0]

    for symbol, weight in (("A13", 3.0), ("A23", 1.4)):
        one = found[f"A.{symbol}"]
        assert one.derived
        seen = evaluate(one.value, values, np)
        assert seen == pytest.approx(area(weight) / area(1.0), rel=1e-7)
        assert "saturated" in meanings(model)[f"A.{symbol}"]
        (line,) = [x for x in explain("sextet") if x.split()[0] == symbol]
        assert 'absorber = "thick"' in line


def test_they_are_left_out_where_they_would_be_wrong_or_say_nothing():
    for said, absorber in (
        ((), "thin"),
        (("sigma_Bint ~ halfnormal(0.5) T",), "thick"),
    ):
        assert "A.A13" not in definitions(*said, absorber=absorber)[1]


@pytest.mark.parametrize(
    ("spread", "shown"),
    [("~ halfnormal(0.5) T", False), ("= 0.3 T", False), ("= 0 T", True)],
)
def test_a_spread_counts_wherever_it_is_stated(spread, shown):
    inside = text(f"sigma_Bint {spread}")
    outside = text().replace("  observe", f"  A.sigma_Bint {spread}\n  observe")
    for written in (inside, outside):
        document, faults = diagnosed(written)
        assert not faults
        names = {d.name for d in document.models[0].definitions}
        assert ("A.A13" in names) == shown


def test_they_cannot_be_stated():
    assert codes_of(text("A13 = 2.3")) == ["computed-parameter"]


def test_each_level_has_its_own():
    data = DATA.replace("data s :", "data s[T = [77, 295] K] :")
    data = data.replace("  T = 295 K\n", "").replace("s.csv", "s_{T}.csv")
    _, found = definitions(data=data)
    assert {"A.A13[77]", "A.A13[295]"} <= found.keys()
