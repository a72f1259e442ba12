"""The folder of a batch: a table for people, arrays for programs, a picture.

`table.csv` has a row for each file; `batch.nc` the same as NetCDF 4, a variable for each
column; `batch.json` what was done; `series.png` the values in the order of the files.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from specfit.batching.table import NAMES, WORDS, BatchTable, Column, joined
from specfit.diagnostics import Diagnostic, SpecError
from specfit.report import draw_series
from specfit.report.tables import safe

OWN = frozenset({"table.csv", "batch.nc", "batch.json", "series.png"})
SAME = (
    "spec_sha256", "files_sha256", "pilots_sha256", "sample", "options", "versions"
)  # fmt: skip
"""What shards must have in common."""
Record = dict[str, Any]


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder that holds something else than a batch.

    Raises FileExistsError.
    """
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is not a folder")
    if folder.is_dir():
        others = {path.name for path in folder.iterdir()} - OWN
        if others and not (folder / "batch.json").exists():
            raise FileExistsError(
                f"{folder} holds something else ({min(others)}); name another with --out"
            )


def write(table: BatchTable, record: Record, folder: Path) -> None:
    """Write all files beside the folder, then put them in its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}-", dir=folder.parent))
    try:
        _csv(table, beside / "table.csv")
        _netcdf(table, record, beside / "batch.nc")
        summary = {name: table.count(name) for name in sorted(set(table.verdict))}
        whole = {"schema_version": "1", "verdicts": summary, **record}
        text = json.dumps(whole, ensure_ascii=False, indent=2, default=str)
        (beside / "batch.json").write_text(text + "\n", encoding="utf-8")
        named = [(column.name, column.unit) for column in table.columns]
        picture = draw_series(named, table.values, table.sd, table.verdict)
        if picture is not None:
            (beside / "series.png").write_bytes(picture)
        folder.mkdir(exist_ok=True)
        for path in sorted(beside.iterdir(), key=lambda p: p.name == "batch.json"):
            os.replace(path, folder / path.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _csv(table: BatchTable, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_header(table.columns))
        writer.writerows(_rows(table))


def _header(columns: Sequence[Column]) -> list[str]:
    head = ["file", "verdict", "method", "chi2_reduced", "pareto_k", "log_evidence"]
    for column in columns:
        unit = f" ({column.unit})" if column.unit else ""
        head += [f"{column.name}{unit}", f"{column.name} sd"]
    return [*head, "reasons", "remarks"]


def _rows(table: BatchTable) -> Iterator[list[str]]:
    pairs = np.stack([table.values, table.sd], axis=2).reshape(len(table), -1)
    fits = np.stack([table.chi2_reduced, table.pareto_k, table.log_evidence], axis=1)
    for row in range(len(table)):
        yield [
            safe(str(table.file[row])),
            str(table.verdict[row]),
            str(table.method[row]),
            *(_number(x) for x in fits[row]),
            *(_number(x) for x in pairs[row]),
            safe(str(table.reasons[row])),
            safe(str(table.remarks[row])),
        ]


def _number(x: float) -> str:
    return f"{x:.9g}" if np.isfinite(x) else ""


def _netcdf(table: BatchTable, record: Record, path: Path) -> None:
    import h5netcdf
    import h5py

    with h5netcdf.File(path, "w") as file:
        file.dimensions["file"] = max(len(table), 1)
        file.dimensions["quantity"] = max(len(table.columns), 1)
        file.attrs["record"] = json.dumps(record, default=str)
        words = h5py.string_dtype("utf-8")
        listed = {
            "quantity": [c.name for c in table.columns],
            "unit": [c.unit for c in table.columns],
            "meaning": [c.title for c in table.columns],
        }
        for name, values in listed.items():
            made = file.create_variable(name, ("quantity",), dtype=words)
            made[...] = np.array(values, dtype=object)
        for name, array in table.arrays().items():
            sizes = ("file", "quantity")[: array.ndim]
            if name in WORDS:
                made = file.create_variable(name, sizes, dtype=words)
                made[...] = array.astype(object)
            else:
                file.create_variable(name, sizes, data=array)


def read(folder: Path) -> tuple[BatchTable, Record]:
    """The table of a batch and its record, with every bit.

    Raises
    ------
    SpecError
        The folder holds no batch.

    """
    if not folder.is_dir():
        raise SpecError([Diagnostic("merge-missing", words={"path": str(folder)})])
    if not (folder / "batch.json").exists():  # it is written last
        raise SpecError([Diagnostic("merge-unfinished", words={"path": str(folder)})])
    try:
        columns, arrays, record = _stored(folder / "batch.nc")
    except (OSError, KeyError, ValueError) as error:
        words = {"path": str(folder / "batch.nc")}
        raise SpecError([Diagnostic("merge-unreadable", words=words)]) from error
    return joined(columns, [arrays]), record


def _stored(path: Path) -> tuple[tuple[Column, ...], dict[str, Any], Record]:
    import h5netcdf

    with h5netcdf.File(path, "r") as file:
        record = json.loads(file.attrs["record"])
        heads = [_words(file[n][...]) for n in ("quantity", "unit", "meaning")]
        arrays = {
            name: _words(file[name][...]) if name in WORDS else file[name][...]
            for name in NAMES
        }
    columns = tuple(Column(*entry) for entry in zip(*map(list, heads), strict=True))
    return columns, arrays, record


def _words(values: Any) -> Any:
    return np.array(
        [v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in values]
    )


def merged(folders: Sequence[Path]) -> tuple[BatchTable, Record]:
    """All shards of one batch as one table, in the order of their files.

    Raises
    ------
    SpecError
        A folder holds no batch, they are not of one batch, or one is missing or twice.

    """
    found = [read(folder) for folder in folders]
    first = found[0][1]
    for (_, record), folder in zip(found, folders, strict=True):
        other = [key for key in SAME if record.get(key) != first.get(key)]
        if other or record["shard"][1] != first["shard"][1]:
            words = {"path": str(folder), "changed": ", ".join(other) or "shards"}
            raise SpecError([Diagnostic("merge-other", words=words)])
    found.sort(key=lambda pair: pair[1]["shard"][0])
    have = [record["shard"][0] for _, record in found]
    want = list(range(1, first["shard"][1] + 1))
    if have != want:
        missing = ", ".join(map(str, sorted(set(want) - set(have)))) or "–"
        double = ", ".join(map(str, sorted({i for i in have if have.count(i) > 1})))
        words = {"missing": missing, "double": double or "–"}
        raise SpecError([Diagnostic("merge-incomplete", words=words)])
    table = joined(found[0][0].columns, [t.arrays() for t, _ in found])
    return table, {**first, "shard": [1, 1], "merged": len(found)}
