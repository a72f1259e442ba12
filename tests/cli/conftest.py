import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def specfit(tmp_path):
    """Runs the command in a process of its own: (exit code, stdout, stderr)."""

    def command(*arguments, language="en"):
        import os

        environment = {**os.environ, "SPECFIT_LANG": language, "PYTHONUTF8": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "specfit.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env=environment,
            timeout=900,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return command


@pytest.fixture
def result_of():
    def read(folder):
        return json.loads((folder / "result.json").read_text(encoding="utf-8"))

    return read


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A model, its data, and an undisturbed run of it called `whole`."""
    sys.path.insert(0, str(Path(__file__).parent))
    import processes

    place = processes.Place(tmp_path_factory.mktemp("lost"))
    place.prepare()
    assert place.ended("whole", "--quiet") == (0, "")
    return place
