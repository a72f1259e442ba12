"""Models of other programs → a text that `specfit check` accepts.

What: each program has a reader that knows its file by its content and says in a `Draft`
what the model means in our conventions, with a remark for everything that has no
counterpart.  Why: conventions are then turned over in one place for each program, and
one writer makes priors of start values for all.  Instead of: readers that write text,
and a model kind that imitates another program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from specfit.importing import normos, syncmoss
from specfit.importing.draft import Draft, ImportFault, Remark
from specfit.importing.tidy import tidied
from specfit.importing.writing import Block, model_text

__all__ = [
    "PROGRAMS",
    "Block",
    "Draft",
    "ImportFault",
    "Program",
    "Remark",
    "drafted",
    "model_text",
]


@dataclass(frozen=True)
class Program:
    """A foreign format: `recognises(text)`; `draft(text, path, source, shift)`."""

    name: str
    recognises: Callable[[str], bool]
    draft: Callable[[str, str, str, float], Draft]


PROGRAMS: tuple[Program, ...] = (
    Program("NORMOS", normos.recognises, normos.draft),
    Program("SYNCmoss", syncmoss.recognises, syncmoss.draft),
)


def drafted(text: str, path: str, source: str, shift: float) -> Draft:
    """The model of a file by the first program that knows it.

    source: what the velocity of raw counts refers to; shift: α-Fe on it, mm/s.

    Raises
    ------
    ImportFault
        `import-unknown`, or what is wrong with the file.

    """
    for program in PROGRAMS:
        if program.recognises(text):
            return tidied(program.draft(text, path, source, shift))
    raise ImportFault("import-unknown", {"path": path})
