"""The sections of the report, in the order of the page."""

from __future__ import annotations

from specfit.report.blocks import Section
from specfit.report.sections import (
    answers,
    instrument,
    knowledge,
    made_of,
    origins,
    parameters,
    record,
    regression,
    residuals,
    rules,
    search,
    spectrum,
    verdict,
)

__all__ = ["SECTIONS"]


def _table(*sections: Section) -> tuple[Section, ...]:
    names = [section.name for section in sections]
    if len(set(names)) < len(names):
        raise ValueError(f"two sections have one name: {names}")
    return sections


SECTIONS = _table(
    verdict.SECTION,
    spectrum.SECTION,
    regression.SECTION,
    parameters.SECTION,
    made_of.SECTION,
    answers.SECTION,
    rules.SECTION,
    residuals.SECTION,
    origins.SECTION,
    knowledge.SECTION,
    instrument.SECTION,
    search.SECTION,
    record.SECTION,
)
