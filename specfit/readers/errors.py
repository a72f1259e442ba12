"""What a reader says when a data file is at fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class ReaderError(Exception):
    """A fault in a data file: a message code and the words that fill it.

    The caller turns it into a `Diagnostic` at the place of the `data` block; `key` is
    the statement there that names the file.
    """

    def __init__(self, code: str, words: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.words = words or {}
        self.key = "file"

    def __str__(self) -> str:
        """Code and words, for logs; people read the rendered diagnostic."""
        said = ", ".join(f"{key}={value}" for key, value in self.words.items())
        return f"{self.code}({said})"


@contextmanager
def concerning(key: str) -> Iterator[None]:
    """Faults in here are of the file that the statement `key` names."""
    try:
        yield
    except ReaderError as error:
        error.key = key
        raise
