"""Scattering paths of the database as text for a terminal."""

from __future__ import annotations

from specfit.model import records
from specfit.model.catalog import table
from specfit.model.path_records import find, names


def list_paths() -> str:
    """Every path: how many rows, its distance over the states of charge."""
    head = ("path", "SOC / %", "R / Å", "σ² / Å²")
    return "\n".join(
        ["scattering paths", "", *(f"  {x}" for x in table([head, *_all()]))]
    )


def _all(chosen: tuple[str, ...] | None = None) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name in names() if chosen is None else chosen:
        found = find(name)
        rows.append(
            (
                name,
                " ".join(f"{100 * row.charge:g}" for row in found),
                " ".join(f"{row.R:g}" for row in found),
                " ".join(f"{row.sigma2:g}" for row in found),
            )
        )
    return rows


def search_paths(text: str) -> str:
    """The paths in whose name every word occurs; "" where there is none."""
    words = text.casefold().split()
    hits = tuple(n for n in names() if all(w in f"{n} exafs".casefold() for w in words))
    head = ("path", "SOC / %", "R / Å", "σ² / Å²")
    return "\n".join(table([head, *_all(hits)])) if hits and words else ""


def show_path(name: str) -> str:
    """One path: its rows and their sources.

    Raises `RecordError` "db-unknown-path".
    """
    found = find(name)
    head = ("SOC / %", "N", "R / Å", "σ² / Å²", "read")
    rows = [
        (
            f"{100 * row.charge:g}",
            f"{row.number:g}",
            f"{row.R:g} ± {row.R_sd:g}",
            f"{row.sigma2:g} ± {row.sigma2_sd:g}",
            row.confidence,
        )
        for row in found
    ]
    keys = dict.fromkeys(row.source for row in found)
    cited = [f"  {key}: {records.source(key).citation}" for key in keys]
    body = [f"  {line}" for line in table([head, *rows])]
    return "\n".join([f"{name} — scattering path", "", *body, "", "sources", *cited])


def is_path(name: str) -> bool:
    """Is it a path of the database, or meant to be one?"""
    known = {each.partition(".")[0] for each in names()}
    return name.partition(".")[0] in known
