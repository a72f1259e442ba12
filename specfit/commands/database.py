"""`specfit db`: looks into the prior database."""

from __future__ import annotations

import argparse

from specfit import exits
from specfit.diagnostics import Diagnostic, SpecError
from specfit.model import catalog, path_catalog, searching
from specfit.model.records import RecordError


def database(arguments: argparse.Namespace) -> int:
    """List all phases, show one, or search."""
    text = " ".join(arguments.text)
    try:
        if arguments.action == "list":
            print(catalog.list_phases(), path_catalog.list_paths(), sep="\n\n")
        elif arguments.action == "show":
            of_path = path_catalog.is_path(text)
            show = path_catalog.show_path if of_path else catalog.show_phase
            print(show(text))
        else:
            found = path_catalog.search_paths(text)
            print(found or searching.search_phases(text))
    except RecordError as error:
        raise SpecError([Diagnostic(error.code, words=error.words)]) from error
    return exits.ACCEPTED
