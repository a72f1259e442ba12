"""Parameters that follow others: between conventions, and without circles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from specfit.importing.draft import Parameter, Remarks, Site, Tie


@dataclass(frozen=True)
class Scale:
    """Our parameter `symbol` = factor · theirs + offset."""

    symbol: str
    factor: float
    offset: float = 0.0

    def ours(self, theirs: float) -> float:
        """Their value in our convention."""
        return self.factor * theirs + self.offset

    def tied(self, other: Scale, factor: float, offset: float) -> tuple[float, float]:
        """Factor and offset between ours, of theirs = factor · theirs_other + offset."""
        slope = self.factor * factor / other.factor
        return slope, self.factor * offset + self.offset - slope * other.offset


@dataclass(frozen=True)
class Link:
    """The parameter `symbol` ("I": the area) of a site follows that of another."""

    site: int
    symbol: str
    tie: Tie


def tied(
    sites: Sequence[Site], links: Sequence[Link], remarks: Remarks
) -> tuple[Site, ...]:
    """The sites with those links that can be kept; of the others there is a remark."""
    found = list(sites)
    for link in links:
        if not _possible(found, link):
            words = {"text": f"{link.symbol} of site {link.site + 1}"}
            remarks.add("import-tie", **words)
        elif link.symbol == "I":
            found[link.site] = replace(found[link.site], area_tie=link.tie)
        else:
            kept = tuple(
                replace(p, tie=link.tie) if p.symbol == link.symbol else p
                for p in found[link.site].parameters
            )
            found[link.site] = replace(found[link.site], parameters=kept)
    return tuple(found)


def _possible(sites: Sequence[Site], link: Link) -> bool:
    """Whether both ends exist, the sign is kept, and the chain comes to an end."""
    if link.symbol != "I" and _parameter(sites[link.site], link.symbol) is None:
        return False
    never_negative = link.symbol in ("I", "width", "Bint", "ratio", "x")
    never_negative |= link.symbol == "QS" and sites[link.site].kind == "doublet"
    if never_negative and link.tie.factor <= 0:
        return False
    seen, at = {link.site}, link.tie.site
    while at not in seen:
        seen.add(at)
        if link.symbol == "I":
            tie = sites[at].area_tie
        else:
            parameter = _parameter(sites[at], link.symbol)
            if parameter is None:
                return False
            tie = parameter.tie
        if tie is None:
            return True
        at = tie.site
    return False


def _parameter(site: Site, symbol: str) -> Parameter | None:
    return next((p for p in site.parameters if p.symbol == symbol), None)
