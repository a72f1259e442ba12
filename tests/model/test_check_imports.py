"""`check`, `fmt`, `explain` answer at once: they import nothing that takes a second."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CORPUS = Path(__file__).parents[1] / "golden" / "bad"
HEAVY = ("jax", "jaxlib", "blackjax", "sklearn", "sympy", "matplotlib", "arviz")
PROGRAM = """
import sys
from specfit.cli import main
code = main(sys.argv[1:])
heavy = {name.partition(".")[0] for name in sys.modules} & set(HEAVY)
sys.exit(f"imported {sorted(heavy)}" if heavy else code)
"""


@pytest.mark.parametrize(
    ("arguments", "name", "code"),
    [
        (["check"], "unused_template.spec", 0),
        (["check"], "many_faults.spec", 2),
        (["explain"], "unused_template.spec", 0),
        (["fmt"], "unused_template.spec", 0),
        (["show", "model"], "unused_template.spec", 0),
    ],
)
def test_what_only_reads_imports_nothing_heavy(
    arguments: list[str], name: str, code: int, tmp_path: Path
) -> None:
    shutil.copytree(CORPUS / "data", tmp_path / "data")
    shutil.copy(CORPUS / name, tmp_path)
    program = PROGRAM.replace("HEAVY", repr(HEAVY))
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments, name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(CORPUS.parents[2]), "PYTHONUTF8": "1"},
    )
    assert done.returncode == code, done.stderr
