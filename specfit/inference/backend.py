"""How chains are laid out on the machine: the one place that knows the hardware.

On a CPU chains run one after another (`lax.map`) on each core: `vmap` would march all
trajectories in lock-step to the longest one and spill the cache (2 to 9 times slower).
On an accelerator the opposite holds, so chains are vectorised there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax
from jax.sharding import Mesh, PartitionSpec

Layout = Literal["one core", "cores", "vectorised"]


def layout(n_chains: int) -> Layout:
    """The way `n_chains` are run on the devices that JAX found."""
    devices = jax.local_devices()
    if devices[0].platform != "cpu":
        return "vectorised"
    shared_evenly = len(devices) > 1 and n_chains % len(devices) == 0
    return "cores" if shared_evenly else "one core"


def map_chains(
    chain: Callable[[Any, Any], Any], per_chain: Any, shared: Any, how: Layout
) -> Any:
    """`chain(per_chain[i], shared)` for every chain i, stacked.

    per_chain: a pytree whose leaves have the chain as leading axis; shared: a pytree
    that every chain sees whole.
    """
    if how == "vectorised":
        return jax.vmap(chain, in_axes=(0, None))(per_chain, shared)
    if how == "one core":
        return jax.lax.map(partial(_swap, chain, shared), per_chain)
    mesh = Mesh(jax.local_devices(), ("chain",))
    split, whole = PartitionSpec("chain"), PartitionSpec()  # type: ignore[no-untyped-call]
    return jax.shard_map(
        lambda mine, all_see: jax.lax.map(partial(_swap, chain, all_see), mine),
        mesh=mesh,
        in_specs=(split, whole),
        out_specs=split,
        check_vma=False,
    )(per_chain, shared)


def _swap(chain: Callable[[Any, Any], Any], shared: Any, mine: Any) -> Any:
    return chain(mine, shared)


def use_cores(n_cores: int | None = None) -> int:
    """Let JAX see `n_cores` CPU devices, so that chains are shared among the cores.

    Works only before JAX starts its backend (importing JAX is harmless, computing is
    not), so it belongs in the first lines of a command; it changes the environment of
    this process alone and leaves a count that the user has set.  Returns the number
    asked for.
    """
    count = n_cores or len(os.sched_getaffinity(0))
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_force_host_platform_device_count" not in flags:
        wanted = f"--xla_force_host_platform_device_count={count}"
        os.environ["XLA_FLAGS"] = f"{flags} {wanted}".strip()
    return count
