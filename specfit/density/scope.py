"""The environment of expressions while a density is evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

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

    def gather(self, names: Sequence[str]) -> Array:
        """The scalars of these names in one vector, neighbours taken together."""
        parts: list[Array] = []
        run: list[int] = []
        source: Any = None
        for name in (self._aliases.get(name, name) for name in names):
            vector, position = self._places.get(name, (None, 0))
            if run and (vector is not source or name in self._scalars):
                parts, run = [*parts, source[np.array(run)]], []
            if name in self._scalars or vector is None:
                parts.append(jnp.asarray(self[name], float).reshape(1))
            else:
                source, run = vector, [*run, position]
        parts += [source[np.array(run)]] if run else []
        return jnp.concatenate(parts)

    def __getitem__(self, name: str) -> Any:
        name = self._aliases.get(name, name)
        if name in self._scalars:
            return self._scalars[name]
        vector, position = self._places[name]
        return vector[position]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._places, **self._scalars, **self._aliases})

    def __len__(self) -> int:
        return len({**self._places, **self._scalars, **self._aliases})


class Both(Mapping[str, Any]):
    """Two environments of expressions, the second coming first."""

    def __init__(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
        self._first, self._second = first, second

    def __getitem__(self, name: str) -> Any:
        return self._second[name] if name in self._second else self._first[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._second, **dict.fromkeys(self._first)})

    def __len__(self) -> int:
        return len(list(iter(self)))
