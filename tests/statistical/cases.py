"""The models that the statistical tests simulate and fit."""

from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

from specfit import pipeline
from specfit.constants import DEFAULT_FIELD_SCALE, FIELD_SCALES
from specfit.contracts import Measurement
from specfit.inference import evaluate

MODELS = Path(__file__).parents[2] / "models"

ONE_SEXTET = """specfit 1
data spectrum : transmission {
  file = "none.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
  IS_zero = "alpha-Fe"
}
model one : mossbauer57Fe on spectrum {
  N0 ~ 2.0e4 ± 4.0e2 counts
  area ~ lognormal(log(0.4), 0.3) mm/s
  site S : sextet {
    IS ~ 0.35 ± 0.10 mm/s
    QS ~ 0.00 ± 0.15 mm/s
    Bint ~ 48.0 ± 3.0 T
    width ~ 0.30 ± 0.04 mm/s in [0.194, 0.60] mm/s
  }
  observe spectrum.counts ~ poisson
}
"""


def blank(counts, channels=512, limit=10.0):
    """A measurement of the right shape whose counts are still to come."""
    scale = FIELD_SCALES[DEFAULT_FIELD_SCALE]
    return Measurement(
        axis=np.linspace(-limit, limit, channels),
        values=np.full(channels, float(counts)),
        field_slopes=scale.slopes,
        field_scale=DEFAULT_FIELD_SCALE,
        axis_jacobian=np.zeros((channels, 0)),
    )


def model_of(path):
    """The typed model of a .spec file, its data not needed."""
    return pipeline.check(Path(path)).require().models[0]


def simulated(problem, seed, values):
    """Counts that the model gives at `values`, scattered by their noise."""
    position = {"z": evaluate.unconstrain(problem, _rows(values))[0]}
    expected = np.asarray(jax.jit(problem.predict)(position, problem.data))
    generator = np.random.default_rng(seed)
    return problem.scatter(generator, expected, values, problem.data)


def _rows(values):
    return {name: np.atleast_1d(np.asarray(value)) for name, value in values.items()}


def with_counts(data, counts):
    """`Problem.data` with other counts: a new argument, nothing recompiled."""
    return {**data, "counts": np.asarray(counts, dtype=float)}


@dataclass(frozen=True)
class Kind:
    """A model of one kind of site or absorber, whose posteriors are to be calibrated.

    body: what stands in its model beside N0 and the data.  The priors must be proper,
    and narrow enough that nearly every draw of them can be told from its counts: of two
    answers that show the same spectrum (a sign, an axis and its end) one is out of range.
    parameters: whose ranks are taken.
    """

    body: str
    parameters: tuple[str, ...]
    limit: float  # of the velocities, mm/s
    counts: int = 100_000
    channels: int = 256

    def model(self, folder):
        """The typed model, its text written into `folder`."""
        path = folder / "kind.spec"
        text = KIND.format(
            counts=self.counts, spread=self.counts // 100, body=self.body
        )
        path.write_text(text, encoding="utf-8")
        return model_of(path)

    def blank(self):
        """Its measurement, without counts."""
        return blank(self.counts, self.channels, self.limit)


KIND = """specfit 1
data spectrum : transmission {{
  file = "none.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
  IS_zero = "alpha-Fe"
}}
model one : mossbauer57Fe on spectrum {{
  N0 ~ {counts} ± {spread} counts
  {body}
  observe spectrum.counts ~ poisson
}}
"""

KINDS = {
    # As strong as the field, the gradient mixes the levels: all eight lines tell eQVzz,
    # eta and theta apart.  Of a weak one only a combination with theta is known.
    "hamiltonian": Kind(
        """area ~ lognormal(log(0.4), 0.3) mm/s
  site S : hamiltonian {
    IS ~ 0.35 ± 0.10 mm/s
    eQVzz ~ 2.5 ± 0.5 mm/s in [1.0, 4.0] mm/s
    eta ~ free in [0, 1]
    theta ~ free in [10, 80] deg
    Bint ~ 12.0 ± 1.5 T in [7, 17] T
    width ~ 0.30 ± 0.04 mm/s in [0.194, 0.60] mm/s
  }""",
        ("N0", "area", "S.IS", "S.eQVzz", "S.eta", "S.theta", "S.Bint", "S.width"),
        limit=6.0,
    ),
    "thick": Kind(
        """absorber = "thick"
  thickness ~ lognormal(log(4.0), 0.4)
  background ~ beta(3, 5)
  site S : sextet {
    IS ~ 0.00 ± 0.05 mm/s
    QS ~ 0.00 ± 0.05 mm/s
    Bint ~ 33.0 ± 1.0 T
    x ~ 2.0 ± 0.3 in [0, 4]
    width ~ 0.26 ± 0.02 mm/s in [0.22, 0.34] mm/s
  }""",
        (
            *("N0", "thickness", "background", "source_width"),
            *("S.IS", "S.QS", "S.Bint", "S.x", "S.width"),
        ),
        limit=7.0,
    ),
    "distribution": Kind(
        """area ~ lognormal(log(0.6), 0.3) mm/s
  site S : sextet {
    IS ~ 0.35 ± 0.10 mm/s
    QS ~ 0.00 ± 0.15 mm/s
    Bint ~ 40.0 ± 3.0 T
    sigma_Bint ~ 3.0 ± 1.0 T in [1.0, 6.0] T
    IS_slope ~ 0.000 ± 0.010 mm/s/T
    width ~ 0.30 ± 0.04 mm/s in [0.194, 0.60] mm/s
  }""",
        (
            *("N0", "area", "S.IS", "S.QS", "S.Bint", "S.sigma_Bint"),
            *("S.IS_slope", "S.width"),
        ),
        limit=9.0,
    ),
}
"""What is calibrated by `test_kind`; one more is one more entry here."""
