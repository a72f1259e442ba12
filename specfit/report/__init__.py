"""The report: what a run leaves on disk, on a page and on the terminal.

It computes nothing about the spectrum; it summarises draws, quotes rules and shows what
was found.  Heavy libraries (matplotlib, Jinja2, xarray) are imported inside the
functions that need them.
"""

from __future__ import annotations

from specfit.report.figures.series import draw as draw_series
from specfit.report.painter import painter
from specfit.report.result import SCHEMA_VERSION, RunResult, result_schema
from specfit.report.terminal import terminal
from specfit.report.writing import write

__all__ = [
    "SCHEMA_VERSION",
    "RunResult",
    "draw_series",
    "painter",
    "result_schema",
    "terminal",
    "write",
]
