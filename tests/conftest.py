"""Options and fixtures that every test may use."""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

Golden = Callable[[Path, str], None]

# a busy machine is no fault of what is tested
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


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


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is called outside a compiled function would else be compiled at each call.

    Every worker has a folder of its own: JAX writes an entry in place, and another
    would read half of it.
    """
    with jax_cache_at(tmp_path_factory.mktemp("compiled"), seconds=0.2):
        yield


@contextmanager
def jax_cache_at(folder: Path, seconds: float = 0.0) -> Iterator[None]:
    """JAX's own cache in a folder, with all that took so long to compile."""
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    wanted = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": seconds,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in wanted}
    for name, value in wanted.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


@pytest.fixture
def jax_cache(tmp_path: Path) -> Iterator[None]:
    """JAX's own cache, on and empty."""
    with jax_cache_at(tmp_path / "jax"):
        yield


@pytest.fixture(scope="module")
def jax_cache_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """JAX's own cache, for the tests of one module together."""
    with jax_cache_at(tmp_path_factory.mktemp("jax")):
        yield


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
