"""Synthetic spectra and data sources for the readers' tests."""

import importlib.util
import sys
import tomllib
from pathlib import Path

import pytest

from specfit.model.ir import DataSource

SAMPLES = Path(__file__).parent / "samples"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "mossbauer"


def _load():
    name = "specfit_reader_synthesis"
    specification = importlib.util.spec_from_file_location(
        name, SAMPLES / "synthesis.py"
    )
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def synthesis():
    return _load()


@pytest.fixture(scope="session")
def samples():
    return SAMPLES


@pytest.fixture
def shared():
    if not SHARED.is_dir():
        pytest.skip("shared data absent")
    return SHARED


@pytest.fixture(scope="session")
def source():
    def build(file, columns=None, window=None, mask=(), kind="transmission", **options):
        return DataSource(
            data="spectrum",
            kind=kind,
            file=file,
            columns=columns or {},
            options=options,
            window=window,
            mask=mask,
        )

    return build


@pytest.fixture(scope="session")
def two_columns():
    return {"velocity": (1, "mm/s"), "counts": (2, "counts")}


@pytest.fixture(scope="session")
def told():
    """Fills the sentences of an error with its words; a missing word is a failure."""
    path = Path(__file__).parents[2] / "grammars" / "messages.toml"
    messages = tomllib.loads(path.read_text("utf-8"))

    def fill(error):
        entry = messages[error.code]
        keys = ("en", "ja", "help_en", "help_ja")
        return [entry[key].format(**error.words) for key in keys]

    return fill
