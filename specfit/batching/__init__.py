"""Many files of one model: each fitted and judged by itself, none able to stop the rest.

What: the .spec file says what one spectrum is, and the files named beside it take the
place of its data file in turn.  Why: a series or a map is one compilation and one table.
Instead of: a joint model, in which one bad file spoils all.
"""

from __future__ import annotations

from specfit.batching.desk import SAMPLED
from specfit.batching.table import BatchTable, Column
from specfit.batching.work import Record, work
from specfit.batching.workshop import Asked, Workshop

__all__ = [
    "SAMPLED",
    "Asked",
    "BatchTable",
    "Column",
    "Record",
    "Workshop",
    "work",
]
