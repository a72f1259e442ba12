"""Files of several parts: models and analyses, one resting on another, run in order.

Each part is run and judged by itself and leaves a run folder of its own; the study joins
their verdicts and numbers.  A part that rests on others (a table of what they found)
comes after them, whatever the order in the file.
"""

from __future__ import annotations

from specfit.study.order import Part, parts_of
from specfit.study.running import Done, Study, interrupted, run

__all__ = ["Done", "Part", "Study", "interrupted", "parts_of", "run"]
