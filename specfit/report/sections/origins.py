"""Where each prior comes from: records, sources, widening, conflict."""

from __future__ import annotations

from collections.abc import Sequence

from specfit import rules
from specfit.model import records
from specfit.model.expressions import to_text
from specfit.model.priors import describe
from specfit.model.spelt_features import is_scale
from specfit.report.blocks import (
    Block,
    Bullets,
    Cell,
    Fold,
    Page,
    Paragraph,
    Section,
    Table,
    Tone,
)
from specfit.report.numbers import concise, decimals, fixed, interval
from specfit.report.quantities import Findings

_WORDS = {
    "explicit": "stated in the file",
    "default": "default of the kind",
    "database": "prior database",
    "template": "template",
    "calibration": "velocity calibration",
    "file": "file of the path",
}
_OF_HORSESHOE = "what a regularised horseshoe is made of"


def _build(page: Page) -> Sequence[Block]:
    found = page.found
    blocks: list[Block] = [*_widened(found)]
    conflicts = list(found.conflicts.values())
    if conflicts:
        blocks.append(_compared(found, conflicts))
        blocks += [_records(conflict) for conflict in conflicts]
        blocks.append(_sources(conflicts))
    return [*blocks, _stated(found)]


def _widened(found: Findings) -> list[Block]:
    """A sentence for each literature value that was widened and is not met."""
    return [
        Paragraph(_sentence(c), tone="warn")
        for c in found.conflicts.values()
        if c.origin.widen != 1 and c.in_records > 1
    ]


def _sentence(conflict: rules.Conflict) -> str:
    parameter, origin = conflict.parameter, conflict.origin
    places = max(1, min(3, decimals(origin.scale)))
    unit = f" {parameter.unit}" if parameter.unit else ""
    side = "above" if conflict.difference > 0 else "below"
    gap = fixed(abs(conflict.difference), places)
    return (
        f"{parameter.name}: the posterior {fixed(conflict.mean, places)}{unit} lies "
        f"{gap}{unit} {side} the literature's {fixed(origin.location, places)}{unit} "
        f"({conflict.in_records:.1f} sd out in its scatter); the prior was widened "
        f"×{origin.widen:g} to allow it ({conflict.in_prior:.1f} sd out after that)."
    )


def _compared(found: Findings, conflicts: list[rules.Conflict]) -> Table:
    header = [
        *("parameter", "record", "literature", "widened", "posterior"),
        *("distance", "class range"),
    ]
    caption = (
        "Posterior against the records it started from. Distance: how far out in the "
        "tails of the records’ predictive the posterior mean lies, in sd of a normal "
        "as rare; 3 contradicts. “Class range” is the share of the posterior that the "
        "vague component of the prior carries."
    )
    return Table(header, [_row(found, conflict) for conflict in conflicts], caption)


def _row(found: Findings, conflict: rules.Conflict) -> list[Cell]:
    origin = conflict.origin
    posterior = found.quantity(conflict.parameter.name).summary
    after = (
        f"{conflict.in_prior:.1f} after ×{origin.widen:g}" if origin.widen != 1 else ""
    )
    places = max(1, min(4, decimals(origin.scale)))
    far: Tone = "warn" if conflict.in_records > 2 else ""
    weight = conflict.vague_weight
    literature = f"{fixed(origin.location, places)} ± {fixed(origin.scale, places)}"
    return [
        Cell(conflict.parameter.name, conflict.parameter.unit),
        Cell(origin.record, origin.at),
        Cell(literature, f"between samples {fixed(origin.scatter, places)}", "", True),
        Cell(f"×{origin.widen:g}" if origin.widen != 1 else "no"),
        Cell(concise(posterior), interval(posterior), numeric=True),
        Cell(f"{conflict.in_records:.1f}", after, far, True),
        Cell("–" if weight is None else f"{100 * weight:.0f} %", numeric=True),
    ]


def _records(conflict: rules.Conflict) -> Fold:
    lines = describe(conflict.parameter.prior)
    return Fold(f"Records behind {conflict.parameter.name}", [Bullets(lines)])


def _sources(conflicts: list[rules.Conflict]) -> Fold:
    """Every publication behind any of the priors, once."""
    keys = dict.fromkeys(key for item in conflicts for key in item.origin.sources)
    cited = []
    for key in keys:
        source = records.source(key)
        doi = f" doi:{source.doi}" if source.doi else ""
        cited.append(f"{source.citation}.{doi}")
    return Fold("Sources of these records", [Bullets(cited)])


def _stated(found: Findings) -> Fold:
    """Every prior that did not come from the database, and what is held fixed."""
    rows = [
        [
            Cell(item.name, item.title),
            Cell(item.prior),
            Cell(_origin(item.name, item.origin), item.because),
        ]
        for item in found.parameters.values()
        if item.name not in found.conflicts
    ]
    rows += [
        [
            Cell(item.name, item.title),
            Cell(f"= {to_text(item.value)} {item.unit}".rstrip()),
            Cell(_origin(item.name, item.origin), item.because),
        ]
        for item in found.run.model.definitions
        if not item.derived
    ]
    return Fold(
        "Priors and constants stated elsewhere",
        [Table(["name", "prior", "origin"], rows)],
    )


def _origin(name: str, origin: str) -> str:
    return _OF_HORSESHOE if is_scale(name) else _WORDS.get(origin, origin)


SECTION = Section("origins", "Where each prior comes from", _build)
