"""The values in a truth file, and its faults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from specfit.diagnostics import Diagnostic, Span, SpecError
from specfit.indices import without_level
from specfit.model.faults import nearest


def fault(code: str, file: Path, **words: str) -> SpecError:
    """A fault of the truth file."""
    return SpecError([Diagnostic(code, Span(str(file)), words)])


def given_values(
    truth: Mapping[str, Any], known: Mapping[str, float], path: Path
) -> dict[str, float]:
    """The values that the truth states, by name; a list is spread over the levels."""
    given: dict[str, float] = {}
    said = flat(truth.get("values", {}))
    for name, value in (x for n, v in said for x in by_level(n, v, known, path)):
        if name not in known:
            words = {"name": name, "known": nearest(name, known)}
            raise fault("unknown-name", path, **words)
        given[name] = _number(name, value, path)
    return given


def by_level(
    name: str, value: object, known: Mapping[str, float], path: Path
) -> list[tuple[str, object]]:
    """A list is of the levels in their order: `"p.xc" = [18.7, 18.6]`."""
    if not isinstance(value, list):
        return [(name, value)]
    names = [k for k in known if k != name and without_level(k) == name]
    if len(names) != len(value):
        words = {"name": name, "given": str(len(value)), "levels": str(len(names))}
        raise fault("truth-levels", path, **words)
    return list(zip(names, value, strict=True))


def _number(name: str, value: object, path: Path) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise fault("truth-number", path, name=name, value=repr(value))


def flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    """The values of a table by dotted names."""
    found: list[tuple[str, object]] = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            found += flat(value, f"{name}.")
        else:
            found.append((name, value))
    return found
