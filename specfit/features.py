"""The features of a table, and what an analysis of them found: plain NumPy values.

A `Features` is what anybody may make who has a matrix: a reader from the columns of a
file, a chain of models from their posteriors.  It says what is known of its errors in
either way: the standard deviation of each entry, or whole matrices drawn from what the
entries may be (imputations), which keep how they are correlated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from specfit.contracts import Measurement, Verdict
    from specfit.model.ir import Analysis

FloatArray = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Features:
    """The matrix of features: rows are observations, columns features.

    values: (n, p), each column in its own unit.
    labels, groups, units: (p,), empty strings where nothing is known; a group is what
        features are ranked by together ("XANES-Ni").
    sd: (n, p) standard deviation of each entry, None where entries are exact.
    covariance: (n, p, p) of the entries of each row, None where they are independent.
    imputations: (m, n, p) draws of the whole matrix, None where there are none.
    rows: (n,) what each observation is called.
    """

    values: FloatArray
    labels: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    sd: FloatArray | None = None
    covariance: FloatArray | None = None
    imputations: FloatArray | None = None
    rows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Shapes must agree: a slip here would shift every name by a column."""
        n, p = self.values.shape
        for name in ("labels", "groups", "units"):
            if len(getattr(self, name)) not in (0, p):
                raise ValueError(f"{name}: {len(getattr(self, name))} for {p} features")
        if self.sd is not None and self.sd.shape != (n, p):
            raise ValueError(f"sd has the shape {self.sd.shape}, not {(n, p)}")
        if self.covariance is not None and self.covariance.shape != (n, p, p):
            raise ValueError(f"covariance of {self.covariance.shape}, not {(n, p, p)}")
        if self.imputations is not None and self.imputations.shape[1:] != (n, p):
            raise ValueError(
                f"imputations of {self.imputations.shape[1:]}, not {(n, p)}"
            )

    @property
    def count(self) -> int:
        """How many features."""
        return int(self.values.shape[1])

    def label(self, index: int) -> str:
        """What a feature is called, its number where it has no name."""
        own = self.labels[index] if self.labels else ""
        return own or str(index + 1)

    def group(self, index: int) -> str:
        """The group of a feature, or ""."""
        return self.groups[index] if self.groups else ""


@dataclass(frozen=True)
class MethodResult:
    """What one estimator made of the table.

    predicted: (n,) of each row while it was held out.  r2, q2: 1 − SSE/SST over all
        held-out rows, the mean of all rows or of the rows of each fold in SST.
    tuned: (n_folds,) by argument, what was chosen in each fold.
    same_folds_r2: what the same estimator has when it is tuned on the folds that are
        reported: optimistic.
    p_value: share of shuffled targets that do as well, of `shuffles` of them; of
        `p_trees` trees where a forest was made smaller for it, for both sides; NaN
        without any.
    coefficients: (p,) of the standardised features (importances of a forest), fitted to
        all rows.
    selection: (p,) share of subsamples in which a feature was selected, NaN without any.
    path, alphas: (p, n_alphas), (n_alphas,) coefficients along the penalty, of all rows.
    shuffled_scores: what was asked for, R² or Q², of each shuffle; p_score: of the target
        as it is, by the same procedure.
    imputed_r2, imputed_q2: (m,) for each imputation of the features.
    unsettled: folds whose chosen fit had not converged.
    """

    name: str
    title: str
    function: str
    predicted: FloatArray
    r2: float
    q2: float
    same_folds_r2: float
    tuned: Mapping[str, FloatArray]
    coefficients: FloatArray
    selection: FloatArray
    p_value: float = float("nan")
    shuffles: int = 0
    shuffled_scores: FloatArray = field(default_factory=lambda: np.zeros(0))
    p_score: float = float("nan")
    p_trees: int = 0
    path: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    alphas: FloatArray = field(default_factory=lambda: np.zeros(0))
    imputed_r2: FloatArray = field(default_factory=lambda: np.zeros(0))
    imputed_q2: FloatArray = field(default_factory=lambda: np.zeros(0))
    unsettled: int = 0


@dataclass(frozen=True)
class AnalysisResult:
    """An analysis with what each of its methods found, in the order of the text.

    optimistic: tuned on the folds that are reported.  timings: seconds by stage.
    """

    name: str
    target: FloatArray
    unit: str
    features: Features
    folds: tuple[tuple[int, ...], ...]
    methods: tuple[MethodResult, ...]
    optimistic: bool
    seed: int
    resamples: int
    timings: Mapping[str, float]

    def method(self, name: str) -> MethodResult:
        """The method of this name."""
        return next(one for one in self.methods if one.name == name)


@dataclass(frozen=True)
class HeldOut:
    """A regression model refitted without each row in turn.

    predicted, log_density: (n,); band: (2, n), 5 and 95 % of what would be measured;
    coverage: share of rows inside it.  psis_elpd, psis_worst: leave-one-out from the
    weights of the whole posterior instead, and the largest Pareto k̂ of these.
    unsettled: refits whose prediction has an R-hat above 1.05 or fewer than 100 effective
    draws.
    """

    predicted: FloatArray
    band: FloatArray
    log_density: FloatArray
    r2: float
    q2: float
    coverage: float
    psis_elpd: float
    psis_worst: float
    divergences: int
    unsettled: int


@dataclass(frozen=True)
class AnalysisRun:
    """An analysis of one file, done and judged: everything its report may show."""

    title: str  # of the file
    analysis: Analysis
    measurement: Measurement
    result: AnalysisResult
    verdict: Verdict
    spec: str  # name of the file
    text: str
    text_sha256: str
    versions: Mapping[str, str]
    timings: Mapping[str, float]
    started: str
