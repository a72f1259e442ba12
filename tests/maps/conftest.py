"""The four maps of real curves, for every test that asks for them."""

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def four():
    path = Path(__file__).with_name("four.py")
    found = importlib.util.spec_from_file_location("four_maps", path)
    module = importlib.util.module_from_spec(found)
    sys.modules["four_maps"] = module
    found.loader.exec_module(module)
    return module
