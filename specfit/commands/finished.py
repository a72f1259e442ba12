"""A run that has ended already: `--resume` has nothing to do for it."""

from __future__ import annotations

import json
from pathlib import Path


def finished(folder: Path, identity: str) -> str | None:
    """The verdict of the finished run of this identity that `folder` holds, or None.

    An interrupted run records no identity: more of it can be had.
    """
    try:
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        same = result["hashes"]["identity"] == identity
    except (OSError, KeyError, TypeError, ValueError):
        return None  # no run, or one that only says why it could not begin
    return str(result["verdict"]) if same else None
