"""What each phase of the database would look like: its sites, and how sure that is.

The densities are those of `db(…)`: predictive of a new sample from the records, and a
part of the class's range for samples unlike all recorded.  The ratios of the sites'
areas are those of the structure, with room for recoil-free fractions and disorder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from specfit.contracts import FloatArray
from specfit.identify.formulas import elements_in
from specfit.model import records
from specfit.model.ir import Citation, Const, Dist
from specfit.model.lookup import SiteRecord, area_fractions, record_for, usable_states
from specfit.model.priors import resolve
from specfit.model.records import ParameterName, Phase, RecordError, State

SYMBOLS: tuple[ParameterName, ...] = ("IS", "QS", "Bint")
UNSAID = 0.7
"""Spread of the logarithm of a site's share where no ratio is recorded."""
SURE = 0.10
"""The same where the structure gives the ratio: recoil-free fractions differ so much."""
NEAR, RARE = 60.0, 0.05
"""Phases without a record so near in temperature (K) are so much less expected: they are
those that nobody measures there."""
UNLIKE = 0.1
"""`db(…)` gives the vague part a tenth, so that a wrong guess of a user can be mended;
here nobody has guessed, and a phase unlike its records is as good as another."""
DRAWS = 48
WIDTHS = 0.20
"""Spread of the logarithm of the line width about what is usual for the phase."""


@dataclass(frozen=True)
class Density:
    """A mixture of Student-t densities (n parts); a normal has many degrees of freedom."""

    weight: FloatArray
    location: FloatArray
    scale: FloatArray
    freedom: FloatArray
    low: float
    high: float

    def draw(self, generator: np.random.Generator, count: int) -> FloatArray:
        """Draws of the parts that records stand behind."""
        which = generator.choice(len(self.weight), count, p=self.weight)
        t = generator.standard_t(np.minimum(self.freedom[which], 1e3))
        drawn = self.location[which] + self.scale[which] * t
        return np.clip(drawn, self.low, self.high)

    @property
    def spread(self) -> float:
        """The scale of the weightiest part."""
        return float(self.scale[int(np.argmax(self.weight))])

    @property
    def middle(self) -> float:
        """The location of the weightiest part."""
        return float(self.location[int(np.argmax(self.weight))])


@dataclass(frozen=True)
class SitePattern:
    """One site: `doublet`, `singlet` or `sextet`, and a density for each parameter.

    draws: how many appearances of it a spectrum is first compared with.  title: of the
    site among the others of its phase, as in "A (tetrahedral)"; none where it is alone.
    """

    key: str
    kind: str
    priors: tuple[Density, ...]  # IS, QS, Bint: as many as the kind has
    draws: int = DRAWS
    title: str = ""

    @property
    def middle(self) -> FloatArray:
        """IS, QS, Bint at their most probable; 0 where the kind has none."""
        values = [density.middle for density in self.priors]
        return np.array(values + [0.0] * (3 - len(values)))


@dataclass(frozen=True, eq=False)
class PhasePattern:
    """A phase: its sites, the logarithms of their shares with spreads, its width.

    name: of the phase, with that of the site where each site is a form of its own.
    recorded: temperature of the nearest record (K).  elements: in its formula; none
    where that cannot be read.
    """

    name: str
    title: str
    sites: tuple[SitePattern, ...]
    shares: FloatArray  # (n_sites,), logarithms, relative
    spreads: FloatArray  # (n_sites,)
    width: float  # mm/s, usual FWHM
    log_weight: float  # of the phase before the spectrum is seen
    recorded: float
    elements: frozenset[str] = frozenset()


def patterns(
    temperature: float, names: Sequence[str] = ()
) -> tuple[tuple[PhasePattern, ...], tuple[str, ...]]:
    """Every phase that has records at `temperature` (K), and the names of the others.

    names: only these phases, all where it is empty.  Raises RecordError where one of
    them is not known.
    """
    found: list[PhasePattern] = []
    missing = []
    for name in names or records.phases():
        entry = records.phase(name)
        forms = _forms(entry, temperature)
        made = [_phase(entry, form, temperature, len(forms) > 1) for form in forms]
        found += [one for one in made if one is not None]
        if not any(made):
            missing.append(entry.phase)
    return tuple(found), tuple(missing)


def _forms(entry: Phase, temperature: float) -> list[tuple[str, ...]]:
    """The sites that are seen together: of one form, or each a form of its own.

    Sites without a record so near as those of others belong to other temperatures; one
    that stands for all (`mean`) is used where there are no others; where one is said to
    be the only one (`single`), each is that of another form: α- and γ-iron.
    """
    far = {}
    for site in entry.sites:
        near = usable_states(entry, site, temperature)
        if near:
            far[site] = abs(near[0].T_K - temperature)
    least = min(far.values(), default=0.0)
    sites = tuple(site for site in far if far[site] <= least + NEAR)
    others = tuple(site for site in sites if site != "mean")
    alone = any(entry.sites[site].title.startswith("single") for site in others)
    if alone and len(sites) > 1 and not area_fractions(entry.phase, temperature):
        return [(site,) for site in sites]
    return [others or sites] if sites else []


def _phase(
    entry: Phase, form: Sequence[str], temperature: float, one_of_many: bool
) -> PhasePattern | None:
    shares = area_fractions(entry.phase, temperature)
    shares = {site: shares[site] for site in form if site in shares}
    sites, logs, spreads, widths = [], [], [], []
    for site in form:
        near = usable_states(entry, site, temperature)
        made = _site(entry, site, temperature) if near else None
        if made is None:
            continue
        low, high = shares.get(site, (0.0, 0.0))
        if shares and high <= 0.0:
            continue
        sites.append(made)
        widths.append(near[0].width.typical)
        logs.append(log(0.5 * (low + high)) if high > 0.0 else 0.0)
        ratio = log(high / max(low, 0.05 * high)) if high > 0.0 else 0.0
        spreads.append(np.hypot(SURE, 0.25 * ratio) if high > 0.0 else UNSAID)
    if not sites:
        return None
    nearest = min((s.T_K for s in _states(entry)), key=lambda t: abs(t - temperature))
    return PhasePattern(
        sites[0].key if one_of_many else entry.phase,
        entry.title,
        tuple(sites),
        np.array(logs),
        np.array(spreads),
        float(np.median(widths)),
        0.0 if abs(nearest - temperature) <= NEAR else log(RARE),
        nearest,
        elements_in(entry.formula),
    )


def _states(entry: Phase) -> list[State]:
    return [state for _, state in records.states(entry)]


def _site(entry: Phase, site: str, temperature: float) -> SitePattern | None:
    name = entry.phase if len(entry.sites) == 1 else f"{entry.phase}.{site}"
    try:
        record = record_for(name, temperature)
        priors = tuple(_densities(record, temperature))
    except RecordError:
        return None
    wanted = {"singlet": 1, "doublet": 2, "sextet": 3}[record.pattern]
    if len(priors) < wanted:
        return None
    return SitePattern(record.key, record.pattern, priors, title=_title(entry, site))


def _title(entry: Phase, site: str) -> str:
    """What tells a site from the others: its title, its name where that says nothing."""
    if len(entry.sites) == 1:
        return ""
    title = entry.sites[site].title
    return site if title.startswith("single") else title


def _densities(record: SiteRecord, temperature: float) -> Iterator[Density]:
    for symbol in SYMBOLS:
        if symbol in record.parameters:
            asked = Citation(
                record=record.key, parameter=symbol, temperature=temperature
            )
            yield density_of(resolve(asked).dist)


def density_of(dist: Dist) -> Density:
    """A mixture of normal and Student-t densities as arrays."""
    parts = dist.components or ((1.0, dist),)
    rows = []
    for weight, part in parts:
        numbers = [a.value for a in part.arguments if isinstance(a, Const)]
        freedom = numbers[0] if part.family == "student_t" else 1e6
        rows.append((weight, *numbers[-2:], freedom))
    weight, location, scale, freedom = np.array(rows, dtype=float).T
    if len(weight) > 1:  # the last part is the vague one
        weight = weight * np.append(np.ones(len(weight) - 1), UNLIKE)
        weight = weight / weight.sum()
    low = -np.inf if dist.low is None else dist.low
    high = np.inf if dist.high is None else dist.high
    return Density(weight, location, scale, freedom, low, high)


def twins(phases: Sequence[PhasePattern]) -> dict[str, int]:
    """A number for each phase, the same for phases whose records lie on each other.

    They have the same kinds of sites, and no value is farther from that of the first of
    them than the larger of their spreads.
    """
    first: list[tuple[PhasePattern, int]] = []
    found = {}
    for number, phase in enumerate(phases):
        same = (n for other, n in first if _twin(phase, other))
        found[phase.name] = next(same, number)
        if found[phase.name] == number:
            first.append((phase, number))
    return found


def _twin(one: PhasePattern, other: PhasePattern) -> bool:
    if [s.kind for s in one.sites] != [s.kind for s in other.sites]:
        return False
    pairs = [
        (a, b)
        for mine, theirs in zip(one.sites, other.sites, strict=True)
        for a, b in zip(mine.priors, theirs.priors, strict=True)
    ]
    return all(abs(a.middle - b.middle) <= max(a.spread, b.spread) for a, b in pairs)
