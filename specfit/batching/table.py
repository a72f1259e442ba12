"""The table of a batch: one row a file, the same whoever computed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from specfit.contracts import FloatArray
from specfit.inference.journal import Arrays
from specfit.model import ir

QUARANTINED = "quarantined"
"""The verdict of a file that holds no spectrum."""


@dataclass(frozen=True)
class Column:
    """A parameter or derived quantity: its name, unit and meaning."""

    name: str
    unit: str
    title: str = ""


def columns(model: ir.Model[ir.Prior]) -> tuple[Column, ...]:
    """The unknowns of a model and what follows from them, in its order."""
    found = [Column(p.name, p.unit, p.title) for p in model.parameters]
    found += [Column(n, joint.unit) for joint in model.joints for n in joint.names]
    for item in model.definitions:
        if item.derived or not isinstance(item.value, ir.Const | ir.Ref):
            found.append(Column(item.name, item.unit, item.title))
    return tuple(found)


@dataclass(frozen=True)
class BatchTable:
    """What is known of every file; the file is the leading axis.

    verdict: accepted, rejected, not_converged or quarantined.  method: laplace (mode and
    its curvature), or the sampler (mean and sd of draws): nuts, smc, independence …
    values, sd: (n, n_columns), NaN where there is no result.  chi2_reduced: Pearson's;
    pareto_k: of the importance weights.
    """

    columns: tuple[Column, ...]
    file: np.ndarray
    verdict: np.ndarray
    method: np.ndarray
    reasons: np.ndarray
    remarks: np.ndarray
    chi2_reduced: FloatArray
    pareto_k: FloatArray
    log_evidence: FloatArray
    values: FloatArray
    sd: FloatArray

    def __len__(self) -> int:
        return len(self.file)

    def count(self, verdict: str) -> int:
        """How many files have a verdict."""
        return int(np.sum(self.verdict == verdict))

    def arrays(self) -> Arrays:
        """The columns by name, as a journal keeps them."""
        return {name: np.asarray(getattr(self, name)) for name in NAMES}


NAMES = tuple(field.name for field in fields(BatchTable) if field.name != "columns")
WORDS = ("file", "verdict", "method", "reasons", "remarks")


@dataclass(frozen=True)
class Row:
    """What is known of one file; values and sd (n_columns,) where there is a result."""

    verdict: str
    reasons: str = ""
    remarks: str = ""
    method: str = ""
    chi2_reduced: float = np.nan
    pareto_k: float = np.nan
    log_evidence: float = np.nan
    values: FloatArray | float = np.nan
    sd: FloatArray | float = np.nan


def put(table: dict[str, np.ndarray], row: int, known: Row) -> None:
    """Enter a row."""
    for name, value in vars(known).items():
        table[name][row] = value


def blank(columns: tuple[Column, ...], files: Sequence[str]) -> dict[str, np.ndarray]:
    """Room for the rows of some files, nothing known of them."""
    count = len(files)
    table: dict[str, np.ndarray] = {
        name: np.full(count, "", dtype=object) for name in WORDS
    }
    table["file"] = np.array(files, dtype=object)
    for name in ("chi2_reduced", "pareto_k", "log_evidence"):
        table[name] = np.full(count, np.nan)
    for name in ("values", "sd"):
        table[name] = np.full((count, len(columns)), np.nan)
    return table


def plain(table: dict[str, np.ndarray]) -> Arrays:
    """The same with words as NumPy's own text, which needs no pickle."""
    return {n: v.astype(str) if n in WORDS else v for n, v in table.items()}


def joined(columns: tuple[Column, ...], parts: Sequence[Arrays]) -> BatchTable:
    """The rows of several parts, in their order."""
    return BatchTable(
        columns, *(np.concatenate([part[name] for part in parts]) for name in NAMES)
    )
