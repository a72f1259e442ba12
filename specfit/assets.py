"""Where the three data folders are: `grammars`, `models`, `priors_db`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal


def folder(name: Literal["grammars", "models", "priors_db"]) -> Path:
    """The folder called `name`: inside an installed package, else beside it.

    A wheel carries the folders as `specfit/_data/<name>`; in a checkout and in an
    editable install they stand next to the package, so that new files are seen at once.
    """
    package = Path(str(files("specfit")))
    installed = package / "_data" / name
    return installed if installed.is_dir() else package.parent / name
