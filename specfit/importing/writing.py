"""A draft → the text of a .spec: start values become priors, what was fixed stays `=`.

A start value says where somebody looked, not how well it is known: each prior is as wide
as such values commonly lie from the answer, and shares of the area, of which a start
says nothing, are left flat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specfit.importing.draft import Draft, Parameter, Say, Site, number
from specfit.importing.shares import areas
from specfit.importing.tidy import limits

UNITS = {
    "IS": "mm/s", "QS": "mm/s", "eQVzz": "mm/s", "Bint": "T", "width": "mm/s",
    "sigma_IS": "mm/s", "sigma_Bint": "T", "theta": "deg", "phi": "deg",
}  # fmt: skip
ORDER = (
    "IS", "QS", "eQVzz", "eta", "Bint", "theta", "phi", "width", "x", "ratio",
    "sigma_IS", "sigma_Bint",
)  # fmt: skip
SPREADS = {
    "IS": 0.10, "QS": 0.20, "eQVzz": 0.60, "Bint": 2.0, "x": 0.5, "eta": 0.3,
    "theta": 20.0, "phi": 20.0,
}  # fmt: skip
"""Standard deviations about a start value; mm/s, T, deg."""
RATIOS = {"width": 0.30, "ratio": 0.30}
"""The same of logarithms, for what is never negative."""
LEAST = {"sigma_IS": 0.02, "sigma_Bint": 0.2}
"""The narrowest halfnormal: a start value of 0 does not forbid a spread."""


@dataclass(frozen=True)
class Block:
    """The data block to write: its statements."""

    statements: tuple[str, ...]


def model_text(draft: Draft, block: Block, heading: Sequence[str], say: Say) -> str:
    """A whole .spec.  heading: lines of remarks that stand first."""
    lines = [f"# {line}" if line else "" for line in heading]
    lines += ["specfit 1", f"title {_quoted(draft.title)}", ""]
    lines += ["data spectrum : transmission {"]
    lines += [f"  {statement}" for statement in block.statements]
    lines += ["}", "", "model imported : mossbauer57Fe on spectrum {"]
    if draft.baseline != "constant":
        lines.append(f"  baseline = {draft.baseline}")
    for place, site in enumerate(draft.sites):
        lines += [f"  {line}" for line in _site(draft, place, site)]
        lines.append("")
    lines += [f"  {line}" for line in areas(draft, name, say)]
    lines += ["  observe spectrum.counts ~ poisson", "}", ""]
    lines += ["run auto { chains = 4; draws = 1000; seed = 1 }", ""]
    return "\n".join(lines)


def name(place: int) -> str:
    """What the site of this place is called."""
    return f"S{place + 1}"


def _site(draft: Draft, place: int, site: Site) -> Iterator[str]:
    yield f"site {name(place)} {_quoted(site.title)} : {site.kind} {{"
    for parameter in sorted(site.parameters, key=lambda p: ORDER.index(p.symbol)):
        yield f"  {_statement(site.kind, parameter)}"
    yield "}"


def _statement(kind: str, parameter: Parameter) -> str:
    symbol, value = parameter.symbol, parameter.value
    unit = f" {UNITS[symbol]}" if symbol in UNITS else ""
    if parameter.tie is not None:
        return f"{symbol} = {_tied(parameter, unit)}"
    if not parameter.free:
        return f"{symbol} = {number(value)}{unit}"
    ends = _limits(kind, parameter)
    inside = f" in [{number(ends[0])}, {number(ends[1])}]{unit}" if ends else ""
    if symbol in LEAST:
        return f"{symbol} ~ halfnormal({number(max(value, LEAST[symbol]))}){unit}"
    if symbol in RATIOS:
        prior = f"lognormal(log({number(value)}), {RATIOS[symbol]:.2f})"
    else:
        prior = f"{number(value)} ± {number(SPREADS[symbol])}"
    return f"{symbol} ~ {prior}{unit}{inside}"


def _limits(kind: str, parameter: Parameter) -> tuple[float, float] | None:
    """Bounds of the file within those of nature; the latter where none are left."""
    nature = limits(kind, parameter.symbol)
    if parameter.bounds is None or nature is None:
        return parameter.bounds or nature
    low, high = max(parameter.bounds[0], nature[0]), min(parameter.bounds[1], nature[1])
    return (low, high) if low < high else nature


def _tied(parameter: Parameter, unit: str) -> str:
    tie = parameter.tie
    assert tie is not None
    text = f"{name(tie.site)}.{parameter.symbol}"
    if tie.factor != 1:
        text = f"{number(tie.factor)} * {text}"
    if abs(tie.offset) < 5e-7:
        return text
    sign = "+" if tie.offset > 0 else "-"
    return f"{text} {sign} {number(abs(tie.offset))}{unit}"


def _quoted(text: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in text)
    return '"' + plain.replace("\\", "/").replace('"', "'").strip() + '"'
