"""The text of a .spec for a set of phases: the model that was fitted, nothing of its fit.

The values found are not written as priors: the spectrum would count twice.  Line widths
have those usual for each phase, ratios of areas those of the structure, baseline and
second lines the same as in the search.  Only which of two unknown sites of one kind is
called the first is taken from the fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from specfit.identify.appearance import TEXTURE
from specfit.identify.layout import BASE
from specfit.identify.mixture import Mixture
from specfit.identify.order import labels, orders
from specfit.identify.patterns import SYMBOLS, WIDTHS, PhasePattern, SitePattern
from specfit.identify.unknown import BOUNDS, RANGES, is_unknown

NARROWEST, WIDEST = 0.194, 2.0
"""mm/s: twice the natural width; no line of a single site is wider."""
UNITS = {"IS": "mm/s", "QS": "mm/s", "Bint": "T"}
MIDDLE = "second_lines"
"""The ratio of the second to the third lines, of all sextets."""

Say = Callable[..., str]
"""A sentence of `messages.toml` by its code and words."""


def spec_text(
    title: str,
    block: str,
    data: str,
    found: Mixture,
    phases: Sequence[PhasePattern],
    remarks: Sequence[str],
    say: Say,
) -> str:
    """A whole .spec file.

    block: the text of the data block.  data: its name.  found: the set; phases: its
    phases in the order of the file.  remarks: what is said first.
    """
    names = _names(found, phases)
    lines = [f"# {line}".rstrip() for line in remarks]
    lines += ["specfit 1", f"title {_quoted(title)}", "", block, ""]
    lines += [f"model phases : mossbauer57Fe on {data} {{"]
    lines += [f"  {line}" for line in _globals(found, say)]
    for phase in phases:
        own = [names[site.key] for site in phase.sites]
        lines += ["", *(f"  {line}" for line in _phase(phase, own, found, data, say))]
    lines += ["", f"  {_fractions(phases, names)}"]
    lines += [f"  {line}" for line in _ordered(found, names, say)]
    lines += ["", f"  observe {data}.counts ~ poisson", "}", ""]
    lines += ["run auto { chains = 4; draws = 1000; seed = 1 }", ""]
    return "\n".join(lines)


def _names(found: Mixture, phases: Sequence[PhasePattern]) -> dict[str, str]:
    """A name for each site by its key, no two alike."""
    called = labels(found)
    names: dict[str, str] = {}
    for site in (site for phase in phases for site in phase.sites):
        base = re.sub(r"[^0-9A-Za-z_]", "_", called.get(site.key, site.key)).strip("_")
        name = base if base[:1].isalpha() else f"P{base}"
        while name in names.values():
            name += "_"
        names[site.key] = name
    return names


def _globals(found: Mixture, say: Say) -> Iterator[str]:
    """What belongs to no phase."""
    yield f"baseline = parabola  # {say('identify-spec-baseline')}"
    yield f"slope ~ 0.00 ± {BASE}"
    yield f"curvature ~ 0.00 ± {BASE}"
    if any(site.kind == "sextet" for phase in found.phases for site in phase.sites):
        middle, spread = TEXTURE
        comment = say("identify-spec-middle")
        yield f"{MIDDLE} ~ {middle:.2f} ± {spread} in [0, 4]  # {comment}"


def _phase(
    phase: PhasePattern, names: Sequence[str], found: Mixture, data: str, say: Say
) -> Iterator[str]:
    width = f"width_{names[0]}"
    prior = f"lognormal(log({phase.width:.3f}), {WIDTHS:.2f}) mm/s"
    yield f"{width} ~ {prior} in [{NARROWEST}, {WIDEST}] mm/s"
    for name, site in zip(names, phase.sites, strict=True):
        yield _head(phase, site, name, found, data, say)
        if is_unknown(phase):
            yield from _anywhere(site.kind)
        yield f"  width = {width}"
        if site.kind == "sextet":
            yield f"  x = {MIDDLE}"
        yield "}"
    yield from _ratios(phase, names, say)


def _head(
    phase: PhasePattern,
    site: SitePattern,
    name: str,
    found: Mixture,
    data: str,
    say: Say,
) -> str:
    if is_unknown(phase):
        title = say("identify-spec-unknown", name=labels(found)[phase.name])
        return f"site {name} {_quoted(title)} : {site.kind} {{"
    title = f"{phase.title} {site.title}".strip()
    source = f'db("{site.key}", T = {data}.T)'
    return f"site {name} {_quoted(title)} : {site.kind} from {source} {{"


def _anywhere(kind: str) -> Iterator[str]:
    """The densities of a site that may be anywhere."""
    for symbol, (middle, spread), (low, high) in zip(
        SYMBOLS, RANGES[kind], BOUNDS, strict=False
    ):
        unit = UNITS[symbol]
        if kind == "doublet" and symbol == "QS":
            low = 0.0  # its sign moves no line: one answer, not two
        yield f"  {symbol} ~ {middle} ± {spread} {unit} in [{low}, {high}] {unit}"


def _ratios(phase: PhasePattern, names: Sequence[str], say: Say) -> Iterator[str]:
    """The ratios of the sites' areas to the first."""
    reason = _quoted(say("identify-spec-ratio", phase=phase.name))
    for j in range(1, len(names)):
        ratio = float(np.exp(phase.shares[j] - phase.shares[0]))
        spread = float(np.hypot(phase.spreads[j], phase.spreads[0]))
        prior = f"lognormal(log({ratio:.3f}), {spread:.3f})"
        yield f"expect {names[j]}.I / {names[0]}.I ~ {prior} because {reason}"


def _fractions(phases: Sequence[PhasePattern], names: dict[str, str]) -> str:
    """The joint density of the area fractions, flat over the fractions of the phases."""
    sites = [(names[s.key], len(p.sites)) for p in phases for s in p.sites]
    if len(sites) == 1:
        return f"{sites[0][0]}.I = 1"
    joint = ", ".join(f"{name}.I" for name, _ in sites)
    return f"({joint}) ~ dirichlet({', '.join(f'{1.0 / n:.4g}' for _, n in sites)})"


def _ordered(found: Mixture, names: dict[str, str], say: Say) -> Iterator[str]:
    """What keeps two unknown sites of one kind from exchanging their places."""
    for order in orders(found):
        for first, second in zip(order.names, order.names[1:], strict=False):
            more, less = (f"{names[n]}.{order.symbol}" for n in (first, second))
            reason = _quoted(say("identify-spec-order"))
            yield f"require {more} > {less} because {reason}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "").replace('"', "'") + '"'
