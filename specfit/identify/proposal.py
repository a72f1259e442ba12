"""The text of a .spec for a set of phases: sites from the database, nothing from the fit.

The values found are not written as priors: the spectrum would count twice.  Line widths
have those usual for each phase, ratios of areas those of the structure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from specfit.identify.patterns import UNSAID, WIDTHS, PhasePattern, SitePattern
from specfit.identify.unknown import is_unknown

NARROWEST, WIDEST = 0.194, 2.0
"""mm/s: twice the natural width; no line of a single site is wider."""


def spec_text(
    title: str, block: str, data: str, phases: Sequence[PhasePattern], remarks: str
) -> str:
    """A whole .spec file.

    block: the text of the data block.  data: its name.  remarks: what is said first.
    """
    lines = [f"# {line}".rstrip() for line in remarks.splitlines()]
    lines += ["specfit 1", f"title {_quoted(title)}", "", block, ""]
    lines += [f"model phases : mossbauer57Fe on {data} {{"]
    names = _names(phases)
    for phase, own in zip(phases, names, strict=True):
        lines += ["", *(f"  {line}" for line in _phase(phase, own, data))]
    lines += ["", f"  observe {data}.counts ~ poisson", "}", ""]
    lines += ["run nuts { chains = 4; warmup = 300; draws = 500; seed = 1 }", ""]
    return "\n".join(lines)


def _names(phases: Sequence[PhasePattern]) -> list[list[str]]:
    """A name for each site, no two alike."""
    taken: set[str] = set()
    found = []
    for phase in phases:
        own = []
        for site in phase.sites:
            base = re.sub(r"[^0-9A-Za-z_]", "_", site.key).strip("_")
            name = base if base[:1].isalpha() else f"P{base}"
            while name in taken:
                name += "_"
            taken.add(name)
            own.append(name)
        found.append(own)
    return found


def _phase(phase: PhasePattern, names: Sequence[str], data: str) -> Iterator[str]:
    width = f"width_{names[0]}"
    spread = WIDTHS * phase.width
    bounds = f"in [{NARROWEST}, {WIDEST}] mm/s"
    yield f"{width} ~ {phase.width:.3f} ± {spread:.3f} mm/s {bounds}"
    for name, site in zip(names, phase.sites, strict=True):
        yield from _site(phase, site, name, width, data)
    yield from _ratios(phase, names)


def _site(
    phase: PhasePattern, site: SitePattern, name: str, width: str, data: str
) -> Iterator[str]:
    if is_unknown(phase):
        yield f"site {name} {_quoted('not in the database')} : {site.kind} {{"
    else:
        source = f'db("{site.key}", T = {data}.T)'
        yield f"site {name} {_quoted(phase.title)} : {site.kind} from {source} {{"
    yield f"  width = {width}"
    yield "}"


def _ratios(phase: PhasePattern, names: Sequence[str]) -> Iterator[str]:
    """The ratios of the sites' areas to the first, where a structure gives them."""
    if len(names) == 1 or np.any(phase.spreads >= UNSAID):
        return
    for j in range(1, len(names)):
        ratio = float(np.exp(phase.shares[j] - phase.shares[0]))
        spread = ratio * float(np.hypot(phase.spreads[j], phase.spreads[0]))
        yield (
            f"expect {names[j]}.I / {names[0]}.I ~ {ratio:.3f} ± {spread:.3f}"
            f' because "sites of {phase.name}, as its structure has them"'
        )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "").replace('"', "'") + '"'
