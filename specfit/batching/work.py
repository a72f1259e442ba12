"""A batch in one process: chunk after chunk, the next one read while one is fitted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from specfit import pipeline
from specfit.batching.table import BatchTable, joined
from specfit.batching.workshop import Read, Workshop, pieces
from specfit.contracts import Progress
from specfit.inference.journal import Arrays, Journal
from specfit.record import sha256, versions

Record = dict[str, Any]


def share(files: Sequence[str], shard: tuple[int, int]) -> Sequence[str]:
    """The files of shard i of n: neighbours stay together."""
    i, n = shard
    return files[(i - 1) * len(files) // n : i * len(files) // n]


def work(
    shop: Workshop, shard: tuple[int, int], progress: Progress, journal: Journal
) -> tuple[BatchTable, Record]:
    """The table of all files of a shard, and what was done.

    Raises
    ------
    SpecError
        No file can be read.
    NonFiniteStart
        The density is finite nowhere.
    KeyboardInterrupt
        The user stopped it; finished chunks are in the journal.

    """
    begin = time.perf_counter()
    with pipeline.float64():
        progress("pilots", 0.0, "")
        shop.prepare(partial(progress, "pilots"), journal)
        prepared = time.perf_counter()
        files = share(shop.asked.files, shard)
        parts = list(_chunks(shop, files, progress, journal))
    record = recorded(shop, shard)
    ended = time.perf_counter()
    record["timings_s"] = {"pilots": prepared - begin, "fits": ended - prepared}
    return joined(shop.columns, parts), record


def recorded(shop: Workshop, shard: tuple[int, int]) -> Record:
    """What decides the numbers of a batch: `merge` compares it."""
    checked, asked = shop.checked, shop.asked
    return {
        "spec": checked.path.name,
        "spec_sha256": sha256(checked.text),
        "files_sha256": sha256("\n".join(asked.files)),
        "pilots_sha256": sha256("\n".join(shop.pilot_contents)),
        "n_files": len(asked.files),
        "sample": asked.sample,
        "options": vars(asked.options),
        "versions": versions(),
        "shard": list(shard),
    }


def _chunks(
    shop: Workshop, files: Sequence[str], progress: Progress, journal: Journal
) -> Iterator[Arrays]:
    chunks = list(pieces(files))
    done = 0
    with ThreadPoolExecutor(1) as reader:
        ahead: dict[int, Future[list[Read]]] = {}

        def read(number: int) -> Future[list[Read]]:
            return reader.submit(lambda: [shop.read(f) for f in chunks[number]])

        def compute() -> Arrays:
            spectra = (ahead.pop(number, None) or read(number)).result()
            if number + 1 < len(chunks):
                ahead[number + 1] = read(number + 1)
            return shop.chunk(chunk, spectra, told)

        def told(row: int, words: str) -> None:
            progress("fits", (done + row) / len(files), f"{chunk[row]}: {words}")

        for number, chunk in enumerate(chunks):
            yield journal.step(f"chunk {number}", compute)
            done += len(chunk)
            progress("fits", done / len(files), "")
