"""On which device the arguments of a program lie, and how they come there."""

from __future__ import annotations

from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def placing(n_split: int, count: int) -> list[Any]:
    """Where each argument lies: None on the first device; else whole or split."""
    devices = jax.local_devices()
    if not n_split:
        return [jax.sharding.SingleDeviceSharding(devices[0])] * count
    mesh = Mesh(devices, ("chain",))
    split, whole = PartitionSpec("chain"), PartitionSpec()  # type: ignore[no-untyped-call]
    return [NamedSharding(mesh, split if i < n_split else whole) for i in range(count)]


@jax.jit
def _to_device(*arrays: Any) -> Any:
    """The arrays of the host on the first device, ten times as fast as `device_put`."""
    return arrays


def everywhere(arrays: Any) -> Any:
    """Arrays whole on every device, for programs that split their rows among these.

    Placed once, where a call that finds them elsewhere would place them each time.
    """
    devices = jax.local_devices()
    if len(devices) == 1:
        return arrays
    return jax.device_put(arrays, placing(1, 2)[1])


def placed(leaves: list[Any], places: list[Any]) -> list[Any]:
    """The leaves where a program wants them; those that are there already stay."""
    there = [
        isinstance(x, jax.Array) and x.sharding == place
        for x, place in zip(leaves, places, strict=True)
    ]
    away = [i for i, done in enumerate(there) if not done]
    host = [leaves[i] for i in away]
    if isinstance(places[0], NamedSharding):
        moved = iter(jax.device_put(host, [places[i] for i in away]))
    else:
        moved = iter(_to_device(*host))
    return [x if done else next(moved) for x, done in zip(leaves, there, strict=True)]
