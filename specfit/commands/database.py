"""`specfit db`: looks into the prior database."""

from __future__ import annotations

import argparse

from specfit import exits
from specfit.diagnostics import Diagnostic, SpecError
from specfit.model import catalog, path_catalog, searching
from specfit.model.records import RecordError
from specfit.model.shelves import SHELVES


def database(arguments: argparse.Namespace) -> int:
    """List all phases, show one, or search."""
    text = " ".join(arguments.text)
    try:
        if arguments.action == "list":
            lines = [
                catalog.list_phases(),
                *_shelf_lines(""),
                "",
                path_catalog.list_paths(),
            ]
            print("\n".join(lines))
        elif arguments.action == "show":
            of_path = path_catalog.is_path(text)
            print(path_catalog.show_path(text) if of_path else _shown(text))
        else:
            print(path_catalog.search_paths(text) or _searched(text))
    except RecordError as error:
        raise SpecError([Diagnostic(error.code, words=error.words)]) from error
    return exits.ACCEPTED


def _shown(name: str) -> str:
    """A phase with the sites of its spectra, and what the shelves have by that name."""
    there = [lines for s in SHELVES if (lines := s.shown(name)) is not None]
    try:
        blocks = [catalog.show_phase(name)]
    except RecordError:
        if not there:
            raise
        blocks = []
    return "\n\n".join([*blocks, *("\n".join(lines) for lines in there)])


def _searched(text: str) -> str:
    """Phases by words and values, and the records of the shelves by words."""
    phases, others = searching.search_phases(text), _shelf_lines(text)
    if others and phases == searching.nothing(text):
        return "\n".join(others[1:])
    return "\n".join([phases, *others])


def _shelf_lines(words: str) -> list[str]:
    """The records of each shelf in which every word occurs."""
    found = [(shelf, shelf.rows(words)) for shelf in SHELVES]
    return [
        line
        for shelf, rows in found
        if rows
        for line in ("", shelf.title, "", *("  " + x for x in catalog.table(rows)))
    ]
