"""A factorisation that stands in for the numerics, and files of maps to run."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODELS = HERE.parents[1] / "models"


def stand_in():
    spec = importlib.util.spec_from_file_location("stand_in", HERE / "stand_in.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.factorise


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    import specfit.maps.factorising

    monkeypatch.setattr(specfit.maps.factorising, "factorise", stand_in())


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """The gallery's map in a folder of its own, its text changed."""

    def make(*changes: tuple[str, str]) -> Path:
        (tmp_path / "data").mkdir(exist_ok=True)
        for path in (MODELS / "data").glob("eels_valence*"):
            shutil.copy(path, tmp_path / "data" / path.name)
        text = (MODELS / "eels_valence.spec").read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / "map.spec"
        path.write_text(text, encoding="utf-8")
        return path

    return make
