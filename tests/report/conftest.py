from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


def _load():
    path = Path(__file__).parents[1] / "report" / "build.py"
    if "synthetic_run" not in sys.modules:
        found = importlib.util.spec_from_file_location("synthetic_run", path)
        module = importlib.util.module_from_spec(found)
        sys.modules["synthetic_run"] = module
        found.loader.exec_module(module)
    return sys.modules["synthetic_run"]


@pytest.fixture(scope="session")
def build():
    """The builder of synthetic runs, `tests/report/build.py`."""
    return _load()
