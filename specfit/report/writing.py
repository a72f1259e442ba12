"""The run folder, written whole or not at all.

Everything is written into a folder beside the target, which takes the target's place by
renaming; a reader never sees half a run, and a run that fails while it is written
leaves the older one as it was.  A folder that holds something else than a run is never
replaced.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from specfit.contracts import Run
from specfit.report.blocks import Page
from specfit.report.collect import result_of
from specfit.report.figures.gallery import figures
from specfit.report.page import render
from specfit.report.painter import Painter
from specfit.report.quantities import Findings
from specfit.report.result import SCHEMA_VERSION, result_schema
from specfit.report.storage import write_posterior
from specfit.report.tables import write_tables

OWN = frozenset(
    {
        *("result.json", "result.schema.json", "posterior.nc", "report.html"),
        *("model.json", "model.spec", "figures", "tables", "parts"),
    }
)
"""What a run folder is made of; anything else in it is carried over."""


def write(
    run: Run,
    folder: Path,
    beside: Path | None = None,
    painter: Painter | None = None,
) -> None:
    """Write the run folder `folder`, replacing an older run there at the very end.

    beside: the folder that holds what is not finished yet, on the same file system; by
    default the one that `folder` lies in.  painter: who draws the figures meanwhile.

    Raises
    ------
    FileExistsError
        `folder` exists and is not a run folder.

    """
    with replacing(folder, beside) as temporary:
        fill(run, temporary, painter)


def write_refusal(folder: Path, reason: str, beside: Path | None = None) -> None:
    """A run folder that says only why there is no answer, in place of an older run.

    Scripts that read `verdict` must not find the one of an earlier, happier run.
    """
    empty: dict[str, object] = {"parameters": {}, "derived": {}, "rules": []}
    result = {
        "schema_version": SCHEMA_VERSION,
        "verdict": "not_converged",
        "reasons": [reason],
        **empty,
        "log_evidence": None,
        "diagnostics": {},
        "timings_s": {},
    }
    text = json.dumps(result, ensure_ascii=False, indent=2)
    with replacing(folder, beside) as temporary:
        text_file(temporary / "result.json", text)


@contextmanager
def replacing(folder: Path, beside: Path | None) -> Iterator[Path]:
    """An empty folder that takes the place of `folder` when it is filled."""
    target = folder.resolve()
    refuse_foreign(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    around = tempfile.mkdtemp(
        prefix=f".{target.name[:40]}-", dir=beside or target.parent
    )
    temporary = Path(around) / "new"
    try:
        temporary.mkdir()
        yield temporary
        _take_place(temporary, target)
    finally:
        shutil.rmtree(around, ignore_errors=True)


def fill(run: Run, folder: Path, painter: Painter | None = None) -> None:
    """Write every file of a run into an empty folder."""
    if painter:
        painter.begin(run)
    found = Findings(run)
    result = result_of(found)
    text_file(folder / "result.json", result.model_dump_json(indent=2))
    schema = json.dumps(result_schema(), indent=2, ensure_ascii=False)
    text_file(folder / "result.schema.json", schema)
    text_file(folder / "model.json", run.model.canonical())
    text_file(folder / "model.spec", run.text)
    write_posterior(found, folder / "posterior.nc")
    (folder / "tables").mkdir()
    write_tables(found, folder / "tables")
    images = (painter.images() if painter else None) or figures(found)
    (folder / "figures").mkdir()
    for name, content in images.items():
        (folder / "figures" / f"{name}.png").write_bytes(content)
    text_file(folder / "report.html", render(Page(found, images)))


def described(folder: Path, result: BaseModel, model: str, text: str) -> None:
    """The result with its schema, the model as JSON and as its file was written."""
    text_file(folder / "result.json", result.model_dump_json(indent=2))
    schema = type(result).model_json_schema(mode="serialization")
    text_file(folder / "result.schema.json", json.dumps(schema, indent=2))
    text_file(folder / "model.json", model)
    text_file(folder / "model.spec", text)


def text_file(path: Path, text: str) -> None:
    """Write a text that ends with a line break."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text if text.endswith("\n") else f"{text}\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    text_file(beside, text)
    os.replace(beside, path)


def refuse_foreign(target: Path) -> None:
    """Stop before the work where `target` holds something that is not a run."""
    if not target.exists():
        return
    if not target.is_dir():
        raise FileExistsError(f"{target} is a file, not a run folder")
    names = {entry.name for entry in target.iterdir()}
    if names and "result.json" not in names:
        raise FileExistsError(f"{target} is not empty and holds no run")


def _take_place(temporary: Path, target: Path) -> None:
    """Rename `temporary` to `target`; an older run there steps aside first."""
    old = temporary.with_name("old")
    if target.exists():
        os.replace(target, old)
    try:
        os.replace(temporary, target)
    except OSError:
        if old.exists():
            os.replace(old, target)
        raise
    for entry in old.iterdir() if old.exists() else ():
        if entry.name not in OWN and not (target / entry.name).exists():
            os.replace(entry, target / entry.name)
