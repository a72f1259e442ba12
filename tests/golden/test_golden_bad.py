"""Broken files, one for each kind of mistake: what `specfit check` really prints.

`bad/NAME.spec` has its answer in `bad/NAME.txt`, exit code first; where the
Japanese answer is kept too, it is `bad/NAME.ja.txt` (make an empty file, promote).
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from specfit.cli import main

Golden = Callable[[Path, str], None]
BAD = Path(__file__).parent / "bad"
NAMES = sorted(path.stem for path in BAD.glob("*.spec"))
JAPANESE = sorted(path.name[: -len(".ja.txt")] for path in BAD.glob("*.ja.txt"))


@pytest.fixture
def answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, str], str]:
    def check(name: str, language: str) -> str:
        monkeypatch.chdir(BAD)
        monkeypatch.setenv("SPECFIT_LANG", language)
        code = main(["check", f"{name}.spec"])
        printed = capsys.readouterr()
        text = f"exit {code}\n{printed.out}{printed.err}"
        return text.replace(str(BAD.resolve()), "/where/it/stands")

    return check


@pytest.mark.parametrize("name", NAMES)
def test_what_check_says(
    name: str, answer: Callable[[str, str], str], golden: Golden
) -> None:
    golden(BAD / f"{name}.txt", answer(name, "en"))


@pytest.mark.parametrize("name", JAPANESE)
def test_what_check_says_in_japanese(
    name: str, answer: Callable[[str, str], str], golden: Golden
) -> None:
    golden(BAD / f"{name}.ja.txt", answer(name, "ja"))
