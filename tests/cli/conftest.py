import json
import sys
from pathlib import Path

import pytest


@pytest.fixture
def specfit(tmp_path, monkeypatch, capsys):
    """Runs the command, in this process: (exit code, stdout, stderr).

    What only a process of its own shows is asked of `place`.
    """
    monkeypatch.chdir(tmp_path)

    def command(*arguments, language="en"):
        from specfit.cli import main

        monkeypatch.setenv("SPECFIT_LANG", language)
        capsys.readouterr()
        code = main([*map(str, arguments)])
        return code, *capsys.readouterr()

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
