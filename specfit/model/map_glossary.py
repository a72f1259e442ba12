"""What each name of a factorisation is, where its prior comes from, why its rules hold."""

from __future__ import annotations

from collections.abc import Iterator

from specfit.model.factorising import Curve, Factorising, SpectrumPrior
from specfit.model.white_lines import LABEL, white_lines
from specfit.text import pad

Block = tuple[str, list[str]]


def blocks(asked: Factorising) -> Iterator[Block]:
    """A name, and the lines that explain it."""
    maps, spectra = asked.names
    unit = "counts" if asked.likelihood == "poisson" else "the unit of the data"
    yield (
        asked.number,
        [f"{pad(asked.number, 12)} number of a component, {_many(asked)}"],
    )
    yield (
        maps,
        [
            f"{pad(maps, 12)} weight of each component in each pixel, {unit}",
            f"    {_law(asked, unit)}; counts of a component over all channels",
        ],
    )
    for number, prior in enumerate(asked.spectra, start=1):
        name = f"{spectra}[{number}]"
        yield name, [f"{pad(name, 12)} basis spectrum of unit area", *_prior(prior)]
    if asked.relevance is not None:
        scale = f"{asked.relevance.scale:g}"
        scale += " means of the data" if asked.relevance.of_mean else " counts"
        name = asked.relevance.symbol
        text = f"level of each map, learned; inverse gamma of scale {scale}"
        yield name, [f"{pad(name, 12)} {text}", "    without counts it is switched off"]
    yield from _nuisances(asked)


def _many(asked: Factorising) -> str:
    most = asked.components
    return f"1 to {most}" if asked.relevance is None else f"1 to {most} at most"


def _law(asked: Factorising, unit: str) -> str:
    """What the weights are drawn from."""
    if asked.relevance is None and asked.scale is None:
        return "any weight is as likely"
    shape = "exponential" if asked.maps == 1.0 else f"gamma of shape {asked.maps:g}"
    if asked.scale is None:
        return f"{shape} of a level that is learned"
    of = "means of the data" if asked.scale.of_mean else unit
    return f"{shape} of scale {asked.scale.value:g} {of}"


def _prior(prior: SpectrumPrior) -> list[str]:
    if prior.curve is None:
        text = f"alike over {prior.width:g} eV" if prior.kind == "smooth" else "free"
        return [f"    {text}: {prior.place.text}"]
    return [
        f"    like {prior.curve.text}; how much that counts is learned",
        *_curve(prior.curve),
    ]


def _curve(curve: Curve) -> list[str]:
    """Of a record, the lines it is made of and their sources."""
    if not curve.record:
        return []
    lines = white_lines(curve.record)
    return [
        f"    {LABEL}",
        f"    L3 {lines.l3:g} ± {lines.sd:g} eV, L2 {lines.l2:g} eV, "
        f"ratio {lines.ratio:g}, widths {lines.width3:g} and {lines.width2:g} eV",
        *(f"    source {source}" for source in lines.sources),
    ]


def _nuisances(asked: Factorising) -> Iterator[Block]:
    if asked.background != "none":
        name = asked.baseline or "background"
        where = (
            f", alone from {asked.fit[0]:g} to {asked.fit[1]:g} eV" if asked.fit else ""
        )
        kind = f"background, {asked.background} of every pixel{where}"
        yield name, [f"{pad(name, 12)} {kind}"]
    for name, sd, text in (
        ("shift", asked.shift, "offset between the energies of curves and map"),
        ("drift", asked.drift, "offset of the energies of every pixel"),
    ):
        if sd:
            yield name, [f"{pad(name, 12)} {text}, 0 ± {sd:g} eV"]
