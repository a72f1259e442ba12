"""The record: versions, hashes, settings, and the text itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from specfit.report.blocks import Block, Facts, Fold, Page, Paragraph, Section, Verbatim
from specfit.report.collect import result_of
from specfit.report.text import clean_lines


def _build(page: Page) -> Sequence[Block]:
    run = page.found.run
    result = result_of(page.found)
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    asked = [(key, value) for key, value in result.settings.items() if value != []]
    settings = ", ".join(f"{key} = {value}" for key, value in asked)
    timings = ", ".join(f"{name} {s:.1f} s" for name, s in run.timings.items())
    facts = [
        ("started", run.started),
        ("device", run.device),
        ("versions", versions),
        ("settings", settings),
        ("wall time", timings),
        ("SHA-256 of the text", result.hashes.spec),
        ("SHA-256 of the model", result.hashes.model),
        *(("SHA-256 of the data", digest) for digest in result.hashes.data),
    ]
    name = PurePath(run.document.file).name
    lines = clean_lines(run.text).rstrip("\n").split("\n")
    note = Paragraph("Run settings and reports never change the model's hash.")
    return [Facts(facts), note, Fold(f"The text as run: {name}", [Verbatim(lines)])]


SECTION = Section("record", "Record", _build)
