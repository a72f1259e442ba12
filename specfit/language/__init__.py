"""The language room: characters, places in the text, lark; no physics.

`parse` reads a text and returns its tree with every fault found; `print_spec` writes a
tree back in its one canonical form.  The text is cut into statements before any of them
is parsed, instead of parsing the file at one go, because a parser that stops at the
first fault shows a user one mistake at a time.
"""

from specfit.language.parse import parse
from specfit.language.printer import (
    print_expression,
    print_prior,
    print_spec,
    print_statement,
)

__all__ = [
    "parse",
    "print_expression",
    "print_prior",
    "print_spec",
    "print_statement",
]
