"""Modules that are imported on first use.

`check`, `fmt` and `explain` must answer within a second, so no file imports JAX at
its top.  A line shape still wants to be one file with its signature and its formula
together; a lazy module lets it say `jnp.exp` without paying for JAX when only the
signature is read.  (Python's own `LazyLoader` puts the module in `sys.modules` at
once, which hides whether JAX was really imported.)
"""

from __future__ import annotations

import importlib
from typing import Any


class LazyModule:
    """A module imported when its first attribute is read."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)

    def __repr__(self) -> str:
        return f"LazyModule({self._name!r})"
