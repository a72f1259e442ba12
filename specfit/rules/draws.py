"""What every rule reads: draws by name, the sites of iron, the temperature.

A rule sees the model and the fit as NumPy and nothing of how the fit was made.  A
parameter that is a constant has one draw; NumPy broadcasts it against the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

import numpy as np

from specfit.contracts import Finding, Fit, FloatArray, Measurement
from specfit.model.expressions import evaluate
from specfit.model.ir import Const, Model, Parameter, Prior, Site, Spectrum

IRON = "mossbauer57Fe"
DOUBT = 0.05
"""A rule that may not be broken fails when its breach has more than this posterior
probability; below it the breach is what a 95 % statement leaves open."""


@dataclass(frozen=True)
class IronSite:
    """One site of one 57Fe spectrum, with the temperature it was measured at."""

    site: Site
    spectrum: Spectrum
    temperature: float | None

    @property
    def name(self) -> str:
        """The name of the site, and of the spectrum where there are several."""
        label = self.spectrum.label
        return f"{self.site.name} [{label}]" if label else self.site.name


def flat(fit: Fit, model: Model[Prior], name: str) -> FloatArray:
    """All draws of `name`, (n,); a constant gives one."""
    if name in fit.draws:
        return np.asarray(fit.draws[name], dtype=float).ravel()
    for definition in model.definitions:
        if definition.name == name:
            value = evaluate(definition.value, environment(fit, model, ()), np)
            return np.atleast_1d(np.asarray(value, dtype=float))
    raise KeyError(name)


def environment(
    fit: Fit, model: Model[Prior], measurements: Sequence[Measurement]
) -> dict[str, Any]:
    """Names an expression may use: draws (n,), constants, conditions, data columns."""
    known = {name: np.ravel(draws) for name, draws in fit.draws.items()}
    return complete(known, model, measurements)


def prior_environment(
    fit: Fit, model: Model[Prior], measurements: Sequence[Measurement]
) -> dict[str, Any]:
    """The same names over draws of the prior."""
    known = {name: np.ravel(draws) for name, draws in fit.prior.items()}
    return complete(known, model, measurements)


def complete(
    known: dict[str, Any], model: Model[Prior], measurements: Sequence[Measurement]
) -> dict[str, Any]:
    """Add conditions, data columns and constants to draws by name."""
    for source in model.sources:
        for key, value in source.conditions.items():
            known.setdefault(f"{source.data}.{key}", value)
            known.setdefault(f"{source.data}[{source.label}].{key}", value)
    for spectrum, measurement in zip(model.spectra, measurements, strict=False):
        known.setdefault(f"{spectrum.data}.counts", measurement.values)
        known.setdefault(f"{spectrum.data}.velocity", measurement.axis)
    for definition in model.definitions:
        if definition.name not in known and isinstance(definition.value, Const):
            known[definition.name] = definition.value.value
    return known


def iron_sites(model: Model[Prior], *kinds: str) -> Iterator[IronSite]:
    """The sites of a 57Fe model, of the given kinds or of all."""
    if model.kind != IRON:
        return
    for spectrum in model.spectra:
        for site in spectrum.sites:
            if not kinds or site.kind in kinds:
                yield IronSite(site, spectrum, temperature(model, spectrum))


def sextets_of(model: Model[Prior], phase: str) -> list[IronSite]:
    """The sextets of a phase of the database whose temperature is known."""
    return [
        item
        for item in iron_sites(model, "sextet", "relaxing")
        if item.temperature is not None
        and (item.site.record or "").split(".")[0] == phase
    ]


def temperature(model: Model[Prior], spectrum: Spectrum) -> float | None:
    """Temperature of a spectrum in K, None when its data block does not say."""
    for source in model.sources:
        if (source.data, source.label) == (spectrum.data, spectrum.label):
            return source.conditions.get("T")
    return None


def parameter_of(model: Model[Prior], name: str) -> Parameter[Prior] | None:
    """The unknown called `name`, or None where it is a definition or joint member."""
    return next((p for p in model.parameters if p.name == name), None)


def symbol_draws(
    fit: Fit, model: Model[Prior], item: IronSite, symbol: str
) -> FloatArray | None:
    """Draws of one symbol of a site, None when its kind has no such symbol."""
    name = item.site.parameters.get(symbol)
    return None if name is None else flat(fit, model, name)


def judged_sites(
    fit: Fit,
    model: Model[Prior],
    symbol: str,
    judge: Callable[[str, FloatArray], Finding | None],
    constants: bool = True,
) -> tuple[list[Finding], list[str]]:
    """Findings of `judge(site, draws)` for every site with `symbol`; sites looked at.

    `constants`: whether a value that the file fixes is looked at too.
    """
    found, seen = [], []
    for item in iron_sites(model):
        draws = symbol_draws(fit, model, item, symbol)
        if draws is not None and (constants or spread(draws) > 0):
            seen.append(item.name)
            finding = judge(item.name, draws)
            found += [finding] if finding else []
    return found, seen


def spread(draws: FloatArray) -> float:
    """Standard deviation, 0 for a constant."""
    return float(spreads(draws))


def plus_minus(mean: float, sd: float) -> str:
    """`2.00 ± 0.04`: two digits of the standard deviation."""
    if sd <= 0:
        return f"{mean:.4g}"
    places = max(0, 1 - floor(log10(sd)))
    return f"{mean:.{places}f} ± {sd:.{places}f}"


def share(condition: Any) -> float:
    """Share of the draws for which a condition holds."""
    held = np.asarray(condition)
    if held.dtype == bool:
        return float(np.count_nonzero(held)) / held.size
    return float(np.mean(held.astype(float)))


def shares(condition: Any) -> FloatArray:
    """Share of the draws, the last axis, for which a condition holds."""
    held = np.asarray(condition)
    return np.asarray(np.count_nonzero(held, axis=-1) / held.shape[-1])


def spreads(draws: FloatArray) -> FloatArray:
    """Standard deviation along the last axis, 0 for constants."""
    if draws.shape[-1] < 2:
        return np.zeros(draws.shape[:-1])
    return np.asarray(draws.std(axis=-1, ddof=1))


def passed(rule: str, text: str, source: str) -> Finding:
    """The finding of a rule of physics that found nothing amiss."""
    return Finding(rule, "physics", "passed", text, source=source)


def by_name(values: Mapping[str, float]) -> str:
    """`B 0.12, A 0.30`: a short list of values for a sentence."""
    return ", ".join(f"{name} {value:.3g}" for name, value in values.items())
