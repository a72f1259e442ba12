"""`specfit db`: looks into the prior database."""

from __future__ import annotations

import argparse

from specfit import exits
from specfit.diagnostics import Diagnostic, SpecError
from specfit.model import catalog, searching
from specfit.model.records import RecordError


def database(arguments: argparse.Namespace) -> int:
    """List all phases, show one, or search."""
    text = " ".join(arguments.text)
    try:
        if arguments.action == "list":
            print(catalog.list_phases())
        elif arguments.action == "show":
            print(catalog.show_phase(text))
        else:
            print(searching.search_phases(text))
    except RecordError as error:
        raise SpecError([Diagnostic(error.code, words=error.words)]) from error
    return exits.ACCEPTED
