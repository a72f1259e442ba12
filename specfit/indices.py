"""Names with an index: `p.xc[3]` is `p.xc` at level 3, `w[20,3]` is `w[20]` there."""

from __future__ import annotations

from collections.abc import Collection


def at_level(name: str, label: str) -> str:
    """The name at a level; a name that has an index already gets a second one."""
    if not label:
        return name
    return f"{name[:-1]},{label}]" if name.endswith("]") else f"{name}[{label}]"


def level_of(name: str, labels: Collection[str]) -> str:
    """The label that a name ends with, or ""."""
    _, bracket, inside = name.rpartition("[")
    label = inside.removesuffix("]").rpartition(",")[2]
    return label if bracket and name.endswith("]") and label in labels else ""


def without_level(name: str) -> str:
    """A name at a level without it; what has no index stays as it is."""
    if not name.endswith("]"):
        return name
    head, comma, _ = name.rpartition(",")
    return f"{head}]" if comma else name.rpartition("[")[0]


def plain(name: str, label: str) -> str:
    """Without this level: `p.xc[3]`, `w[20,3]`, `xrd[3].counts` → `p.xc`, `w[20]` …"""
    if level_of(name, (label,)):
        return without_level(name)
    return name.replace(f"[{label}].", ".")


def of_basis(data: str, label: str, column: str) -> str:
    """The column of one basis, as the typed model has it: no level of what is fitted."""
    return f"{data}@{label}.{column}"
