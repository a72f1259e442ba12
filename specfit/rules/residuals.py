"""What the model leaves over: χ², neighbours, runs.  They always run.

A folded channel is a sum of raw counts, so neighbouring residuals of a sufficient model
are independent with unit variance.  They warn that the model is insufficient, and
`check chi2 < …` makes it a demand.  Only where χ² is so large that every interval would
be too narrow by a factor of √2 or more do they reject: such numbers are no result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement, PhysicsRule
from specfit.digits import percent
from specfit.model.ir import Model, Prior, Spectrum
from specfit.model.known import data_constants
from specfit.model.rule_library import source_of, thresholds_of
from specfit.rules.block import Block, Flags, Outcomes, graded
from specfit.rules.misfit import Remedies, advice, remedies_of
from specfit.rules.remembered import remembered
from specfit.rules.scatter import figures, worst
from specfit.rules.scores import near_normal, scores_of, sd_of

NAME = "residuals"
SOURCE = source_of(NAME)
_LIMITS = thresholds_of(NAME)
FAR = _LIMITS["far"]
"""Standard deviations at which a residual statistic is no longer chance."""
BAND = (_LIMITS["band_low"], _LIMITS["band_high"])
"""Reduced χ² that a good model of many counts stays within, where 3 sd allow it."""

GROSS, GROSS_Z = _LIMITS["gross"], _LIMITS["gross_z"]
"""Reduced χ² and its z beyond which the intervals of the answer mean nothing."""


@dataclass(frozen=True)
class Residuals:
    """Residual statistics of one spectrum.

    pearson: (n_channels,) (counts − curve) / sd; sd by the noise law.  predictive: share
    of replicated spectra of no smaller χ²; not fitted again, theirs are larger by the
    unknowns.
    """

    label: str
    pearson: FloatArray
    sd: FloatArray
    chi2: float
    freedom: int
    predictive: float
    replicates: int
    lag1: float
    lag1_z: float
    runs: int
    runs_z: float
    worst_at: float
    worst_z: float
    normal: bool = True  # whether χ² has its own law: noise is near a normal one

    @property
    def larger(self) -> str:
        """The share of replicated spectra of larger χ², no finer than their number."""
        return percent(self.predictive, 1 / self.replicates)

    @property
    def chi2_tail(self) -> float | None:
        """The share of spectra of this very model that would fit worse, where known."""
        from scipy.special import chdtrc

        return float(chdtrc(self.freedom, self.chi2)) if self.normal else None

    @property
    def worse(self) -> str:
        """That share, or else the replicates', in words of a reader."""
        if self.chi2_tail is None:
            return (
                f"{self.larger} of spectra drawn from the posterior have a larger one"
            )
        share = percent(self.chi2_tail, 1e-4)
        return f"{share} of spectra of this very model would fit worse"

    @property
    def chi2_reduced(self) -> float:
        """χ² for each degree of freedom."""
        return self.chi2 / self.freedom

    @property
    def chi2_z(self) -> float:
        """Distance of χ² from its degrees of freedom, in standard deviations."""
        return float(_z(np.asarray(self.chi2), self.freedom))

    @property
    def gross(self) -> bool:
        """Whether the misfit is larger than the counting noise itself."""
        return bool(_gross(np.asarray(self.chi2), self.freedom))

    @property
    def chi2_off(self) -> bool:
        """Whether χ² is beyond chance."""
        return bool(_off(np.asarray(self.chi2), self.freedom))

    @property
    def insufficient(self) -> bool:
        """Whether any statistic says that the model leaves structure behind."""
        return self.chi2_off or max(abs(self.lag1_z), abs(self.runs_z)) > FAR


def _z(chi2: FloatArray, freedom: int) -> FloatArray:
    return np.asarray((chi2 - freedom) / np.sqrt(2 * freedom))


def _gross(chi2: FloatArray, freedom: int) -> Flags:
    return np.asarray((chi2 / freedom > GROSS) & (_z(chi2, freedom) > GROSS_Z))


def _off(chi2: FloatArray, freedom: int) -> Flags:
    outside = (chi2 / freedom < BAND[0]) | (chi2 / freedom > BAND[1])
    z = np.abs(_z(chi2, freedom))
    return np.asarray((z > FAR) | (outside & (z > 3)))


@remembered
def statistics(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> tuple[Residuals, ...]:
    """The residual statistics of every spectrum."""
    parameters = fit.positions.shape[-1] / len(measurements)
    constants = data_constants(model, measurements)
    return tuple(
        _of_spectrum(index, spectrum, measurement, fit, parameters, constants)
        for index, (spectrum, measurement) in enumerate(
            zip(model.spectra, measurements, strict=True)
        )
    )


def chi2_reduced(found: Sequence[Residuals]) -> float:
    """Reduced χ² of all spectra together."""
    return sum(r.chi2 for r in found) / sum(r.freedom for r in found)


def _of_spectrum(
    index: int,
    spectrum: Spectrum,
    measurement: Measurement,
    fit: Fit,
    parameters: float,
    constants: Mapping[str, float],
) -> Residuals:
    counts = measurement.values
    expected = fit.curve[index, : counts.size]
    replicated = fit.replicated[:, index, : counts.size]
    sd = sd_of(spectrum, measurement, expected, fit, constants)
    scores = scores_of(spectrum, measurement, expected, sd, fit, constants)
    pearson = scores(counts)
    chi2, lag1, runs, runs_z = map(float, figures(pearson))
    replicas = np.sum(scores(replicated) ** 2, axis=1)
    where, worst_z = worst(pearson)
    most = np.inf
    if measurement.features is not None:
        most = _learned(fit.band[:, index, : counts.size], sd)
    return Residuals(
        label=spectrum.label,
        pearson=pearson,
        sd=sd,
        chi2=chi2,
        freedom=_freedom(counts.size, min(parameters, most)),
        predictive=float(np.mean(replicas >= chi2)),
        replicates=replicas.size,
        lag1=lag1,
        lag1_z=lag1 * float(np.sqrt(counts.size)),
        runs=int(runs),
        runs_z=runs_z,
        worst_at=float(measurement.axis[where]),
        worst_z=worst_z,
        normal=near_normal(spectrum.noise.family, expected),
    )


def _learned(band: FloatArray, sd: FloatArray) -> float:
    """How many coefficients are learned of those that shrink: more than there are rows.

    Σ Var(curve) / sd² is the trace of the map from data to curve; band: its 5 and 95 %
    quantiles (2, channels), of a normal 2 × 1.645 sd apart.
    """
    spread = (band[1] - band[0]) / (2 * 1.6449)
    return float(np.sum(spread**2 / sd**2))


def _freedom(channels: int, parameters: float) -> int:
    return max(1, round(channels - parameters))


# --------------------------------------------------------------------- the rule


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Three findings for each spectrum: χ², autocorrelation, runs."""
    found: list[Finding] = []
    for item in statistics(model, measurements, fit):
        found += _findings(item, remedies_of(model, measurements[0].axis_unit))
    return found


def misfits(block: Block) -> tuple[tuple[FloatArray, ...], int]:
    """χ², lag-one correlation, runs and their z of Poisson counts; their freedom."""
    counts = np.stack([one.values for one in block.spectra])
    sd = np.sqrt(np.maximum(block.curve, 1e-12))
    found = figures((counts - block.curve) / sd)
    return found, _freedom(counts.shape[-1], block.n_unknowns)


def outcomes(block: Block) -> Outcomes:
    """Of many spectra at once."""
    (chi2, lag1, _, runs_z), freedom = block.once(misfits)
    lag1_z = lag1 * np.sqrt(block.curve.shape[-1])
    warned = _off(chi2, freedom) | (np.abs(lag1_z) > FAR) | (np.abs(runs_z) > FAR)
    return graded(warned, _gross(chi2, freedom))


def _findings(item: Residuals, remedies: Remedies) -> list[Finding]:
    where = f" of [{item.label}]" if item.label else ""
    entries = [
        (
            item.chi2_off,
            item.chi2_reduced,
            item.predictive,
            f"χ²{where} is {item.chi2:.0f} for {item.freedom} degrees of freedom "
            f"({item.chi2_reduced:.2f}, z = {item.chi2_z:+.1f}); {item.worse}",
        ),
        (
            abs(item.lag1_z) > FAR,
            item.lag1,
            None,
            f"neighbouring residuals{where} correlate with {item.lag1:+.2f} "
            f"(z = {item.lag1_z:+.1f})",
        ),
        (
            abs(item.runs_z) > FAR,
            float(item.runs),
            None,
            f"residuals{where} form {item.runs} runs (z = {item.runs_z:+.1f})",
        ),
    ]
    first = next((i for i, (warned, *_) in enumerate(entries) if warned), None)
    return [
        Finding(
            NAME,
            "residual",
            _outcome(item, index, warned),
            ("the model is insufficient: " if warned else "") + text,
            probability=probability,
            value=value,
            detail=_advice(item, remedies) if index == first else "",
            source=SOURCE,
        )
        for index, (warned, value, probability, text) in enumerate(entries)
    ]


def _outcome(
    item: Residuals, index: int, warned: bool
) -> Literal["passed", "failed", "warned"]:
    if index == 0 and item.gross:
        return "failed"
    return "warned" if warned else "passed"


def _advice(item: Residuals, remedies: Remedies) -> str:
    if item.chi2_reduced < BAND[0]:
        return remedies.too_small
    return advice(item.worst_at, item.worst_z, remedies)


RULE = PhysicsRule(NAME, SOURCE, judge, outcomes)
