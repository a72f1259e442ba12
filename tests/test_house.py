"""The architecture itself: who may import whom, and what no file may contain."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "specfit"
FILES = sorted(PACKAGE.rglob("*.py"))

# Lower rooms first: a file may import from rooms above its own line, and its own.
ORDER = [
    {"assets", "constants", "contracts", "cubes", "diagnostics", "exits", "features", "indices",
     "isotopes", "lazy", "mapped", "record", "rendering", "scattering", "standardised",
     "synthetic_map", "text", "units", "waves"},
    {"language", "shapes", "sites", "distributions", "bijectors", "readers"},
    {"exafs", "maps", "peaks"},
    {"model"},
    {"density"},
    {"inference"},
    {"rules"},
    {"report"},
    {"curves", "found", "made_of", "measuring", "checking", "gains", "holding_out", "pipeline",
     "analysing", "map_background", "map_components", "map_levels", "mapping", "comparison",
     "batching", "identify", "importing", "study"},
    {"commands"},
    {"arguments", "cli"},
]  # fmt: skip
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
DOORS = {
    "lark": {"language"},
    "pydantic": {"model", "inference", "report"},
    "sympy": {"model", "density"},
    "jax": {"shapes", "sites", "peaks", "distributions", "bijectors", "density", "inference",
            "maps", "pipeline", "batching", "commands", "contracts"},
    "blackjax": {"inference"},
    "sklearn": {"inference", "maps"},
    "matplotlib": {"report"},
    "jinja2": {"report"},
    "xarray": {"report"},
}  # fmt: skip
BANNED = {"eval", "exec", "compile", "__import__"}
BANNED_MODULES = {"pickle", "joblib", "marshal", "shelve", "yaml"}
BANNED_CALLS = {"sympify", "parse_expr", "lambdify"}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules a file imports at run time, and whether at its top."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for statement in block.body
        for node in ast.walk(statement)
    }
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, id(node) in top
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) in top
            if node.module == "specfit":
                for name in node.names:
                    yield f"specfit.{name.name}", id(node) in top


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
class TestFile:
    def test_imports_only_from_rooms_above(self, path):
        own = room(path)
        if own in ("__init__", "_data"):
            return
        for name, _ in imports(path):
            parts = name.split(".")
            if parts[0] != "specfit" or len(parts) == 1:
                continue
            other = parts[1]
            if other == own or other not in LEVEL:
                continue
            assert LEVEL[other] <= LEVEL[own], f"{own} must not import {name}"
            if LEVEL[other] == LEVEL[own] and LEVEL[own] == 1:
                allowed = {
                    ("distributions", "bijectors"),
                    ("bijectors", "distributions"),
                }
                assert (own, other) in allowed, f"{own} must not know {other}"

    def test_each_library_has_one_door(self, path):
        for name, _ in imports(path):
            rooms = DOORS.get(name.split(".")[0])
            if rooms is not None:
                assert room(path) in rooms, f"{name} is not for {room(path)}"

    def test_heavy_libraries_load_late(self, path):
        heavy = {"sklearn", "matplotlib", "sympy", "jinja2", "xarray"}
        if room(path) not in ("density", "inference", "maps"):
            heavy |= {"jax", "blackjax"}
        for name, top in imports(path):
            assert not (top and name.split(".")[0] in heavy), f"{name} at the top"

    def test_nothing_runs_text(self, path):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.id if isinstance(called, ast.Name) else ""
                name = called.attr if isinstance(called, ast.Attribute) else name
                bare = isinstance(called, ast.Name)
                assert not (bare and name in BANNED), f"line {node.lineno}: {name}"
                assert name not in BANNED_CALLS, f"line {node.lineno}: {name}"
        for name, _ in imports(path):
            assert name.split(".")[0] not in BANNED_MODULES

    def test_is_small(self, path):
        lines = path.read_text(encoding="utf-8").count("\n")
        # the doors and the typed model stay on one page each, however long
        limit = 500 if path.name in ("contracts.py", "ir.py") else 300
        assert lines <= limit, f"{lines} lines"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                size = (node.end_lineno or 0) - node.lineno + 1
                assert size <= 40, f"{node.name}: {size} lines"

    def test_changes_no_global_setting(self, path):
        text = path.read_text(encoding="utf-8")
        assert "jax.config" not in text
        assert not re.search(r"np\.random\.seed|numpy\.random\.seed", text)


@pytest.mark.parametrize("folder", ["grammars", "models", "priors_db"])
def test_data_folders_hold_data_only(folder):
    assert list((ROOT / folder).rglob("*")), f"{folder} is empty"
    assert not list((ROOT / folder).rglob("*.py"))


def test_data_folders_ship_in_the_wheel():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    for folder in ("grammars", "models", "priors_db"):
        assert folder in wheel["only-include"]
        assert wheel["sources"][folder] == f"specfit/_data/{folder}"


def test_no_file_names_a_registry_or_a_machine():
    pattern = re.compile(r"(files\.pythonhosted|pypi\.org|index-url|/home/|/root/)")
    for path in [*FILES, *(ROOT / "priors_db").rglob("*.toml"), ROOT / "README.md"]:
        assert not pattern.search(path.read_text(encoding="utf-8")), path
