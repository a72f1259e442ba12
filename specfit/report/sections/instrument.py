"""The instrument: what was read, folded and calibrated."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.isotopes import IRON
from specfit.report.blocks import Block, Facts, Page, Paragraph, Section
from specfit.report.collect import file_of
from specfit.report.instrument import after_the_fit


def _build(page: Page) -> Sequence[Block]:
    run = page.found.run
    blocks: list[Block] = []
    for spectrum, measurement in zip(run.model.spectra, run.measurements, strict=True):
        axis = measurement.axis
        label = f" [{spectrum.label}]" if spectrum.label else ""
        name = file_of(run.model, spectrum, measurement)
        range_ = f"{axis[0]:.3f} to {axis[-1]:.3f} {measurement.axis_unit}"
        pairs = [("file", f"{name} ({measurement.size} bytes)")]
        conditions = _conditions(page, spectrum.data, spectrum.label)
        pairs += [("measured at", conditions)] if conditions else []
        pairs += [("channels", f"{axis.size}, {range_}")]
        if measurement.field_scale and run.model.kind == f"mossbauer{IRON}":
            pairs.append(("field scale", measurement.field_scale))
        if measurement.nuisance_names:
            names = ", ".join(n.replace("_", " ") for n in measurement.nuisance_names)
            pairs.append(("left open by the calibration", names))
        pairs.append(("SHA-256 of the file", measurement.sha256))
        told = {label for label, _ in measurement.found}
        pairs = [pair for pair in pairs if pair[0] not in told]
        pairs += measurement.found
        pairs += after_the_fit(page.found, spectrum, measurement)
        blocks += [Paragraph("", strong=f"{spectrum.data}{label}"), Facts(pairs)]
    return blocks


def _conditions(page: Page, data: str, label: str) -> str:
    units = {"T": "K"}
    for source in page.found.run.model.sources:
        if (source.data, source.label) == (data, label):
            return ", ".join(
                f"{key} = {value:g} {units.get(key, '')}".rstrip()
                for key, value in source.conditions.items()
            )
    return ""


SECTION = Section("instrument", "Instrument and data", _build)
