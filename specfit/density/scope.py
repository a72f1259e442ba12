"""The environment of expressions while a density is evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from specfit.contracts import Array


class Scope(Mapping[str, Any]):
    """The environment of expressions during one evaluation: scalars by name."""

    def __init__(self, known: Mapping[str, Any], aliases: Mapping[str, str]) -> None:
        self._scalars: dict[str, Any] = dict(known)
        self._aliases = aliases
        self._places: dict[str, tuple[Array, int]] = {}

    def place(self, names: Sequence[str], vector: Array) -> None:
        """Let `names` be the entries of `vector`."""
        for position, name in enumerate(names):
            self._places[name] = (vector, position)

    def put(self, name: str, value: Any) -> None:
        """Let `name` be a scalar."""
        self._scalars[name] = value

    def __getitem__(self, name: str) -> Any:
        name = self._aliases.get(name, name)
        if name not in self._scalars:
            vector, position = self._places[name]
            self._scalars[name] = vector[position]
        return self._scalars[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._places, **self._scalars, **self._aliases})

    def __len__(self) -> int:
        return len({**self._places, **self._scalars, **self._aliases})
