"""The areas of an imported model: total, shares, and the ratios that tie them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from specfit.importing.draft import Draft, Say, number

AREA_SPREAD = 0.50
"""Of the logarithm of the total area: a start is seldom wrong by more than a factor 2."""


def areas(draft: Draft, name: Callable[[int], str], say: Say) -> Iterator[str]:
    """Statements on the total area and on the shares of the sites."""
    fixed = not any(site.area_free and not site.area_tie for site in draft.sites)
    if draft.area is not None:
        value = number(draft.area)
        prior = f"~ lognormal(log({value}), {AREA_SPREAD:.2f}) mm/s"
        yield f"area = {value} mm/s" if fixed else f"area {prior}"
    if len(draft.sites) == 1:
        return
    shares = _shares(draft)
    if fixed:
        for place, share in enumerate(shares[:-1]):  # the last has the rest
            yield f"{name(place)}.I = {number(share)}"
        return
    told = ", ".join(f"{name(i)} {share:.3f}" for i, share in enumerate(shares))
    yield f"# {say('import-shares', shares=told)}"
    for place, site in enumerate(draft.sites):
        if site.area_tie:
            right = f"{name(site.area_tie.site)}.I"
            if site.area_tie.factor != 1:
                right = f"{number(site.area_tie.factor)} * {right}"
            reason = say("import-because", program=draft.program)
            yield f'require {name(place)}.I == {right} because "{reason}"'


def _shares(draft: Draft) -> list[float]:
    """The shares that the start values have, ties included."""
    values: list[float] = []
    for site in draft.sites:
        value, factor, tie = site.area, 1.0, site.area_tie
        while tie is not None:  # chains end: `ties` saw to it
            factor *= tie.factor
            value, tie = draft.sites[tie.site].area, draft.sites[tie.site].area_tie
        values.append(value * factor)
    total = sum(values)
    return [v / total if total > 0 else 1.0 / len(values) for v in values]
