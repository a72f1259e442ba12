"""A batch on a Dask cluster: chunks go where there is room, a lost worker loses nothing.

Each worker makes the workshop once, from the same .spec file and the pilots found here,
and then takes chunks.  A chunk whose worker died is sent to another; files that kill
every worker they meet are quarantined, and the rest of their chunk is done without them.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from specfit import pipeline
from specfit.batching.table import QUARANTINED, BatchTable, Column, blank, joined, plain
from specfit.batching.work import Record, recorded, share
from specfit.batching.workshop import Asked, Workshop, pieces
from specfit.checking import check
from specfit.contracts import Progress
from specfit.inference.batch import BLOCK
from specfit.inference.journal import Arrays, Journal
from specfit.inference.pilots import Pilot
from specfit.record import sha256


@dataclass(frozen=True)
class Order:
    """All that a worker needs to make the workshop; `token` tells orders apart."""

    token: str
    spec: str
    allow_outside: bool
    spec_sha256: str
    asked: Asked
    pilots: tuple[dict[str, Any], ...]
    usual: float


_shops: dict[str, Workshop] = {}
"""The workshop of this process by the token of its order; one at a time."""
_making = Lock()


def work(
    shop: Workshop,
    shard: tuple[int, int],
    progress: Progress,
    journal: Journal,
    address: str = "",
) -> tuple[BatchTable, Record]:
    """As `work.work`, the chunks being done by the workers at `address`.

    Without an address workers are started here, one on each core.
    """
    begin = time.perf_counter()
    with pipeline.float64():
        progress("pilots", 0.0, "")
        pilots, usual = shop.prepare(partial(progress, "pilots"), journal)
    prepared = time.perf_counter()
    order = Order(
        secrets.token_hex(8),
        str(shop.checked.path.resolve()),
        shop.checked.allow_outside,
        sha256(shop.checked.text),
        _absolute(shop.asked),
        tuple(vars(one) for one in pilots),
        usual,
    )
    files = share(shop.asked.files, shard)
    chunks = list(pieces(files, BLOCK))
    parts: dict[int, Arrays] = {}
    with _client(address) as client:
        crew = _Crew(client, order, shop.columns)
        for number, arrays in crew.gathered(chunks, journal):
            parts[number] = {**arrays, "file": np.array(chunks[number])}
            done = sum(len(part["file"]) for part in parts.values())
            progress("fits", done / len(files), f"{len(client.nthreads())} workers")
    record = recorded(shop, shard)
    ended = time.perf_counter()
    record["timings_s"] = {"pilots": prepared - begin, "fits": ended - prepared}
    return joined(shop.columns, [parts[i] for i in range(len(chunks))]), record


def _absolute(asked: Asked) -> Asked:
    """Workers have folders of their own."""
    files = tuple(str(Path(file).absolute()) for file in asked.files)
    return Asked(files, asked.sample, asked.options)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    if address:
        with Client(address) as client:
            yield client
        return
    cores = len(os.sched_getaffinity(0))
    with (
        LocalCluster(
            n_workers=cores, threads_per_worker=1, processes=True,
            dashboard_address=":0", memory_limit=0,
        ) as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        yield client


class _Crew:
    """The workers, and the order that they all have."""

    def __init__(self, client: Any, order: Order, columns: tuple[Column, ...]) -> None:
        self.client, self.columns = client, columns
        # a task and not scattered data, which is lost with the workers that hold it
        self.order = client.submit(_same, order, pure=False)

    def gathered(
        self, chunks: Sequence[Sequence[str]], journal: Journal
    ) -> Iterator[tuple[int, Arrays]]:
        """Chunks as they are done, those of the journal first."""
        from distributed import as_completed

        pending = {}
        for number, chunk in enumerate(chunks):
            kept = journal.find(f"part {number}")
            if kept is not None:
                yield number, kept
            else:
                pending[self._submit(chunk)] = number
        for future in as_completed(list(pending)):
            number = pending.pop(future)
            arrays = self._outcome(future, chunks[number])
            yield number, journal.step(f"part {number}", partial(dict, arrays))

    def _submit(self, files: Sequence[str]) -> Any:
        there = [str(Path(file).absolute()) for file in files]
        return self.client.submit(fitted, self.order, there, pure=False)

    def _outcome(self, future: Any, files: Sequence[str]) -> Arrays:
        """The rows of some files; where they killed their workers, of each half."""
        from distributed import KilledWorker

        try:
            done: Arrays = future.result()
        except KilledWorker:
            if len(files) == 1:
                return self._killer(files)
            half = len(files) // 2
            parts = [
                self._outcome(self._submit(part), part)
                for part in (files[:half], files[half:])
            ]
            done = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        return done

    def _killer(self, files: Sequence[str]) -> Arrays:
        table = blank(self.columns, files)
        table["verdict"][:] = QUARANTINED
        table["reasons"][:] = "every worker that took this file died"
        return plain(table)


def _same(order: Order) -> Order:
    return order


def fitted(order: Order, files: Sequence[str]) -> Arrays:
    """The rows of some files, computed on a worker."""
    with pipeline.float64():
        shop = _shop(order)
        return shop.chunk(files, [shop.read(file) for file in files], _unheard)


def _unheard(row: int, words: str) -> None:
    """A worker has nobody to tell."""


def _shop(order: Order) -> Workshop:
    """The workshop of this worker, made when it is first needed."""
    with _making:  # the threads of a worker share it
        if order.token not in _shops:
            _shops.clear()
            _own_core()
            checked = check(Path(order.spec), order.allow_outside)
            if sha256(checked.text) != order.spec_sha256:
                raise RuntimeError(f"{order.spec} is another text on this worker")
            shop = Workshop(checked, order.asked)
            pilots = [Pilot.of(pilot) for pilot in order.pilots]
            shop.ready(pilots, order.usual)
            _shops[order.token] = shop
        return _shops[order.token]


def _own_core() -> None:
    """One core for each worker started here: XLA asks for all that it may have."""
    from distributed import get_worker

    name, cores = get_worker().name, sorted(os.sched_getaffinity(0))
    if isinstance(name, int):
        os.sched_setaffinity(0, {cores[name % len(cores)]})
