"""Options and fixtures that every test may use."""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

Golden = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--promote",
        action="store_true",
        help="rewrite golden files with what is printed now; review the diff like code",
    )


@pytest.fixture(scope="session", autouse=True)
def programs_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compiled models are kept for all tests, all workers and the commands they call."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ["SPECFIT_PROGRAMS"] = str(shared / "programs")


@pytest.fixture(autouse=True)
def environment_as_it_was(programs_kept: None) -> Iterator[None]:
    """What a command run within a test sets for JAX reaches no other test's programs."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Holds a text against a golden file, or rewrites the file under `--promote`."""
    promote = bool(request.config.getoption("--promote"))

    def compare(path: Path, text: str) -> None:
        if promote:
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.exists(), f"no golden file {path.name}: look, then use --promote"
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """The builder of synthetic runs, `tests/report/build.py`."""
    path = Path(__file__).parent / "report" / "build.py"
    found = importlib.util.spec_from_file_location("synthetic_run", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["synthetic_run"] = module  # dataclasses look their module up
    found.loader.exec_module(module)
    return module
