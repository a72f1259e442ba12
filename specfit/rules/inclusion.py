"""Which features a horseshoe keeps, soberly: by its shrinkage factor.

Of a coefficient with the prior sd s the data would keep the share 1 − κ of a least-squares
estimate, κ = 1 / (1 + n s² / σ²) for a feature that is uncorrelated with all others and
has unit variance; a feature counts as included in a draw where 1 − κ > ½, that is
n s² > σ² (J. Piironen, A. Vehtari, Electron. J. Stat. 11, 5018 (2017), equation 3.2).
Of correlated features one may stand for another, so that each alone is included in few
draws; a group is included in a draw where any of its features is.  Errors of the features
themselves widen σ² by Σ β² e², e² the mean square of their sd.  The prior has
inclusion probabilities too, and those are what the posterior's are to be held against.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from specfit.contracts import FloatArray, Measurement
from specfit.features import Features
from specfit.model.expressions import evaluate
from specfit.model.functions import HORSESHOE
from specfit.model.ir import Apply, Const, Model, Prior
from specfit.standardised import errors_of, feature_columns


@dataclass(frozen=True)
class Inclusion:
    """Probabilities by feature (p,) and by group, after and before the data.

    names: (p,) of the coefficients; means: (p,) their posterior means.
    """

    names: tuple[str, ...]
    means: FloatArray
    features: FloatArray
    features_prior: FloatArray
    groups: Mapping[str, tuple[float, float]]


def inclusion(
    model: Model[Prior],
    measured: Measurement,
    draws: Mapping[str, FloatArray],
    prior: Mapping[str, FloatArray],
    constants: Mapping[str, float],
) -> Inclusion | None:
    """Inclusion of every horseshoe coefficient; None where there is none."""
    found = {
        d.name: d.value
        for d in model.definitions
        if isinstance(d.value, Apply) and d.value.function == HORSESHOE
    }
    features = measured.features
    if not found or features is None or len(found) != features.count:
        return None
    after, before = (
        _kept(model, found, d, features, constants) for d in (draws, prior)
    )
    groups: dict[str, list[int]] = {}
    for index in range(features.count):
        groups.setdefault(features.group(index), []).append(index)
    return Inclusion(
        names=tuple(found),
        means=np.array([np.mean(draws[name]) for name in found]),
        features=after.mean(axis=1),
        features_prior=before.mean(axis=1),
        groups={
            group: (
                float(after[members].any(axis=0).mean()),
                float(before[members].any(axis=0).mean()),
            )
            for group, members in groups.items()
        },
    )


def _kept(
    model: Model[Prior],
    found: Mapping[str, Apply],
    draws: Mapping[str, FloatArray],
    features: Features,
    constants: Mapping[str, float],
) -> FloatArray:
    """Whether each feature is included in each draw, (p, n_draws)."""
    known = {**constants, **{name: np.ravel(values) for name, values in draws.items()}}
    sigma = np.asarray(evaluate(model.spectra[0].noise.arguments[0], known, np))
    n, wide = len(features.values), np.zeros(features.count)
    data = model.spectra[0].data
    columns = feature_columns(data, features)
    errors, places = map(columns.get, errors_of(data))
    if errors is not None and places is not None:
        square, real = np.mean(np.sum(errors**2, axis=2), axis=-1), places < len(wide)
        wide[places[real]] = square[real]
    betas = np.stack([np.ravel(draws[name]) for name in found])
    noise = sigma**2 + wide @ betas**2
    kept = []
    for value in found.values():
        alone = Apply(
            function=HORSESHOE, arguments=(Const(value=1.0), *value.arguments[1:])
        )
        kept.append(n * np.asarray(evaluate(alone, known, np)) ** 2 > noise)
    return np.stack(np.broadcast_arrays(*kept)).astype(float)
