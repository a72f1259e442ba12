from __future__ import annotations

import sys
from pathlib import Path

import jax
import pytest

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield
