"""Are posteriors of simulated patterns calibrated?

The gates are those of `sbc.Calibration.passes`: χ² and Kolmogorov's test of every rank
histogram, the mean of each score and the pooled variance, each with a false-alarm rate
of 1e-3 over all quantities.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from specfit import pipeline
from specfit.contracts import Measurement

from .cases import model_of
from .test_sbc import calibrate

pytestmark = pytest.mark.slow
N = 150


@dataclass(frozen=True)
class Pattern:
    """A model of peaks; its priors leave nearly every peak to be seen and told apart."""

    body: str
    parameters: tuple[str, ...]
    axis: str = "theta2 = column(1) deg"
    signal: str = "counts = column(2) counts"

    def model(self, folder):
        path = folder / "pattern.spec"
        path.write_text(
            f"""specfit 1
data d : pattern {{ file = "none.csv"; {self.axis}; {self.signal} }}
model m : peaks on d {{
  {self.body}
}}
""",
            encoding="utf-8",
        )
        return model_of(path)

    def blank(self):
        """A measurement of the right shape whose values are still to come."""
        return Measurement(
            axis=np.linspace(18.0, 22.0, 161),
            values=np.full(161, 300.0),
            axis_unit=self.axis.split()[-1],
            value_unit=self.signal.split()[-1],
        )


PATTERNS = {
    "two Voigt lines, counts": Pattern(
        """baseline bg : linear { c0 ~ 300 ± 30 counts; c1 ~ 0 ± 30 counts }
  peak p : voigt {
    xc ~ 19.4 ± 0.1 deg; A ~ lognormal(log(400), 0.4) counts*deg
    wG ~ lognormal(log(0.2), 0.3) deg; wL ~ lognormal(log(0.2), 0.3) deg
  }
  peak q : voigt {
    xc ~ 20.4 ± 0.1 deg; A ~ lognormal(log(200), 0.4) counts*deg
    wG = p.wG; wL ~ lognormal(log(0.3), 0.3) deg
  }
  observe d.counts ~ negative_binomial(excess = lognormal(log(0.03), 0.3))""",
        (
            *("c0", "c1", "p.xc", "p.A", "p.wG", "p.wL", "p.FWHM"),
            *("q.xc", "q.A", "q.wL"),
        ),
    ),
    "a split line, Gaussian noise": Pattern(
        """baseline bg : constant { c0 ~ 5 ± 2 }
  peak p : split_pseudo_voigt {
    xc ~ 20.0 ± 0.2; height ~ lognormal(log(40), 0.3)
    w_low ~ lognormal(log(0.3), 0.3); w_high ~ lognormal(log(0.6), 0.3)
    eta ~ beta(2, 2)
  }
  σ ~ lognormal(log(2), 0.3)
  observe d.y ~ gaussian(sd = σ)""",
        ("c0", "p.xc", "p.height", "p.w_low", "p.w_high", "p.eta", "σ"),
        axis="x = column(1)",
        signal="y = column(2)",
    ),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_pattern(name, tmp_path):
    case = PATTERNS[name]
    with pipeline.float64():
        problem = pipeline.build(case.model(tmp_path), (case.blank(),))
        seed = 20290 + list(PATTERNS).index(name)
        found = calibrate(problem, case.parameters, seed, n=N)
    print(f"{name}: {found.table()}")
    assert found.passes()
