"""The folder of an analysis: result, tables, figures, page."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from specfit.features import AnalysisRun
from specfit.report.figures.regression import (
    Map,
    heat_map,
    importances,
    paths,
    predicted,
)
from specfit.report.page import rendered
from specfit.report.regression.page import sections
from specfit.report.regression.result import FORESTS, AnalysisRunResult, result_of
from specfit.report.tables import safe
from specfit.report.writing import described, replacing, text_file
from specfit.standardised import standardised


def write_analysis(run: AnalysisRun, folder: Path, beside: Path | None = None) -> None:
    """Write the run folder `folder`, replacing an older run there at the very end.

    Raises
    ------
    FileExistsError
        `folder` exists and is not a run folder.

    """
    with replacing(folder, beside) as temporary:
        fill_analysis(run, temporary)


def fill_analysis(run: AnalysisRun, folder: Path) -> None:
    """Write every file of an analysis into an empty folder."""
    result = result_of(run)
    described(folder, result, run.analysis.model_dump_json(), run.text)
    (folder / "tables").mkdir()
    _tables(result, folder / "tables")
    images = drawings(run)
    (folder / "figures").mkdir()
    for name, content in images.items():
        (folder / "figures" / f"{name}.png").write_bytes(content)
    page = rendered(
        run.title,
        run.verdict.outcome,
        f"{run.spec} · analysis {run.result.name} · {run.started}",
        sections(run, result),
        images,
        f"specfit {run.versions.get('specfit', '')} · result.json holds every number.",
    )
    text_file(folder / "report.html", page)


def drawings(run: AnalysisRun) -> dict[str, bytes]:
    """Every figure of an analysis by name."""
    found = run.result
    x = found.features.values
    scaled, _ = standardised(x)
    images: dict[str, bytes] = {}
    for one in found.methods:
        if one.function in FORESTS:
            images[f"importance_{one.name}"] = importances(
                found.features, one.coefficients, one.selection
            )
            continue
        shown = scaled * one.coefficients
        images[f"heatmap_{one.name}"] = heat_map(
            Map(found.features, shown, one.selection, "selection", found.unit)
        )
        if one.path.size:
            images[f"paths_{one.name}"] = paths(
                one.alphas, one.path, found.features, found.unit
            )
    series = [(one.name, one.predicted, None) for one in found.methods]
    return {
        "predicted_vs_measured": predicted(found.target, series, found.unit),
        **images,
    }


def _tables(result: AnalysisRunResult, folder: Path) -> None:
    _write(
        folder / "scores.csv",
        ("method", "R2", "Q2", "R2_same_folds_optimistic", "permutation_p", "shuffles"),
        (
            (m.name, m.r2, m.q2, m.same_folds_r2, m.permutation_p, m.permutations)
            for m in result.methods
        ),
    )
    _write(
        folder / "features.csv",
        ("method", "number", "group", "label", "unit", "coefficient", "selection"),
        (
            (m.name, f.number, safe(f.group), safe(f.label), safe(f.unit),
             f.coefficient, f.selection)
            for m in result.methods
            for f in m.features
        ),
    )  # fmt: skip
    columns = [m.predicted for m in result.methods]
    _write(
        folder / "predicted.csv",
        ("row", "measured", *(m.name for m in result.methods)),
        (
            (row + 1, value, *(column[row] for column in columns))
            for row, value in enumerate(result.target)
        ),
    )


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(["" if v is None else v for v in row] for row in rows)
