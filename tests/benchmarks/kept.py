"""Rows of a long measurement, kept as they are made: an interrupted one goes on.

One line of JSON for each row, in `tests/benchmarks/.kept`; `--anew` forgets them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / ".kept"


class Kept:
    """The rows of one part and size, by name."""

    def __init__(self, part: str, quick: bool, folder: Path = FOLDER) -> None:
        self.path = folder / f"{part}.{'quick' if quick else 'full'}.jsonl"
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        self.rows: dict[str, Any] = dict(map(json.loads, lines))

    def once(self, name: str, work: Callable[[], Any]) -> Any:
        """The row `name`: as it is kept, or made now, said and kept."""
        if name not in self.rows:
            self.rows[name] = work()
            print(name, self.rows[name], flush=True)
            self.path.parent.mkdir(exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([name, self.rows[name]]) + "\n")
        return self.rows[name]

    def forget(self) -> None:
        """Begin anew."""
        self.path.unlink(missing_ok=True)
        self.rows = {}
