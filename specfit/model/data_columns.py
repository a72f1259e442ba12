"""What a data block is to a model: its columns, and which are axis and reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from specfit import units
from specfit.constants import FIELD_SCALES, SOURCE_SHIFTS
from specfit.diagnostics import Span
from specfit.isotopes import OTHER_REFERENCES
from specfit.language import tree
from specfit.model import ir
from specfit.model.faults import Faults, listing
from specfit.model.feature_columns import FEATURE, feature_labels
from specfit.model.kinds import DataKind, ModelKind
from specfit.model.levels import Levels
from specfit.model.quantities import known_unit, wrong_unit
from specfit.units import Dimension


@dataclass(frozen=True)
class DataBlock:
    """A data block, read: one source for each level."""

    name: str
    kind: DataKind
    levels: Levels
    sources: tuple[ir.DataSource, ...]
    columns: Mapping[str, Dimension]
    span: Span
    sound: bool = True  # nothing in the block was at fault
    axis: str = ""
    reading: str = ""

    @property
    def sound_columns(self) -> bool:
        """Whether it is known which columns are the axis and what was measured."""
        return {self.axis, self.reading} <= self.columns.keys()

    def seen_by(self, kind: ModelKind) -> ModelKind:
        """The kind of model with the dimensions and columns of these data."""
        if not self.sound_columns:
            return kind
        x, y = (f"{self.name}.{column}" for column in (self.axis, self.reading))
        words = (units.name_of(self.columns[c]) for c in (self.axis, self.reading))
        return kind.joined_to(x, y, *words)


def column_said(
    names: tuple[str, ...],
    number: str,
    block: tree.Block,
    seen: Mapping[str, Span],
    faults: Faults,
) -> str:
    """The column of these that is stated, or the only one there can be.

    number: of the column of a file, for instance.
    """
    if len(names) == 1:
        return names[0]
    said = [name for name in names if name in seen]
    if len(said) == 1 or not names:
        return said[0] if said else ""
    words = {"names": listing(names), "data": block.name or ""}
    words |= {"name": names[0], "number": number}
    span = seen[said[1]] if said else block.name_span
    if not any(faults.excuses(name) for name in names):
        faults.say("one-column-of", span, words)
    return ""


VOCABULARY: dict[str, tuple[str, ...]] = {
    "IS_zero": (*SOURCE_SHIFTS, *OTHER_REFERENCES),
    "source": tuple(SOURCE_SHIFTS),
    "field_scale": tuple(FIELD_SCALES),
}
"""What options that take a text may say."""


def column_dimensions(
    kind: DataKind,
    columns: Mapping[str, tuple[int, str]],
    options: Mapping[str, str | float | tuple[float, ...]],
) -> dict[str, Dimension]:
    """Columns that expressions may name, with what they are; the features are one."""
    if kind.name == "transmission":  # raw channels have them, too
        return {name: units.DIMENSIONS[d] for name, d in kind.columns.items()}
    found = {
        name: units.parse_unit(text).dimension if text else ()
        for name, (_, text) in columns.items()
    }
    features = {FEATURE: units.DIMENSIONLESS} if feature_labels(options) else {}
    return found | features


def filled(text: str, names: Mapping[str, str]) -> str:
    """A file name with labels in place of the names in braces."""
    for name, value in names.items():
        text = text.replace("{" + name + "}", value)
    return text


def unit_said(
    faults: Faults,
    text: str | None,
    spans: tuple[Span, Span],
    wanted: Dimension | None,
    key: str,
) -> str | None:
    """The unit as written, None where it is at fault; any will do for `wanted` None.

    spans: of the unit, and of what it belongs to.
    """
    unit_span, span = spans
    if text is None:
        if wanted:
            faults.add("unit-missing", span, unit=units.canonical_unit(wanted))
            return None
        return ""
    found = known_unit(faults, text, unit_span)
    if found is None:
        return None
    if wanted is not None and found.dimension != wanted:
        wrong_unit(faults, unit_span, key, key, wanted, found.dimension)
        return None
    return text
