"""How many steps make a segment: what a run may lose, so never long in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

SECONDS = 10.0
"""What a segment should take; it is kept before the next begins."""
FIRST = 25
"""Steps of the first segment, of which nothing is known yet."""


class Pace:
    """The length of the next segment, from what the last one took.

    Draws do not depend on it: a run that goes on elsewhere may cut itself differently.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.steps = min(FIRST, most)

    @contextmanager
    def timed(self, steps: int) -> Iterator[None]:
        """Time a segment of `steps`, and set the length of the next by it."""
        begin = perf_counter()
        yield
        seconds = max(perf_counter() - begin, 1e-6)
        fitting = min(2.0, SECONDS / seconds) * steps
        self.steps = int(min(max(fitting, 1.0), self.most))
