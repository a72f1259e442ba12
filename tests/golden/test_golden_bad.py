"""Broken files, one for each kind of mistake: what `specfit check` really prints.

`bad/NAME.spec` has its answer in `bad/NAME.txt`, exit code first; where the
Japanese answer is kept too, it is `bad/NAME.ja.txt` (make an empty file, promote).
"""

import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from specfit.assets import folder
from specfit.cli import main
from specfit.diagnostics import Span
from specfit.language.parse import parse
from specfit.model.check import check
from specfit.rendering import display_width

Golden = Callable[[Path, str], None]
Answer = Callable[[Path, str], str]
BAD = Path(__file__).parent / "bad"
NAMES = sorted(path.stem for path in BAD.glob("*.spec"))
JAPANESE = sorted(path.name[: -len(".ja.txt")] for path in BAD.glob("*.ja.txt"))


@pytest.fixture
def answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Answer:
    def ask(path: Path, language: str = "en") -> str:
        monkeypatch.chdir(path.parent)
        monkeypatch.setenv("SPECFIT_LANG", language)
        code = main(["check", path.name])
        printed = capsys.readouterr()
        text = f"exit {code}\n{printed.out}{printed.err}"
        return text.replace(str(path.parent.resolve()), "/where/it/stands")

    return ask


@pytest.mark.parametrize("name", NAMES)
def test_what_check_says(name: str, answer: Answer, golden: Golden) -> None:
    golden(BAD / f"{name}.txt", answer(BAD / f"{name}.spec"))


@pytest.mark.parametrize("name", JAPANESE)
def test_what_check_says_in_japanese(name: str, answer: Answer, golden: Golden) -> None:
    golden(BAD / f"{name}.ja.txt", answer(BAD / f"{name}.spec", "ja"))


# ------------------------------------------------------- files too large to be kept

LARGE = {
    "file-too-large": "specfit 1\n" + "# a line of remarks\n" * 60_000,
    "too-many-statements": "specfit 1\n" + "x = 1\n" * 20_001,
    "expression-too-large": f"specfit 1\nx = sum({', '.join(['1'] * 6_000)})\n",
}


@pytest.mark.parametrize("code", LARGE)
def test_a_text_too_large_is_refused_with_one_message(
    code: str, tmp_path: Path, answer: Answer
) -> None:
    path = tmp_path / "large.spec"
    path.write_text(LARGE[code], encoding="utf-8")
    text = answer(path)
    assert text.startswith(f"exit 2\nerror[{code}]")
    assert len(text) < 2_000


def test_a_file_that_is_not_there(tmp_path: Path, answer: Answer) -> None:
    text = answer(tmp_path / "nothing.spec")
    assert text.startswith("exit 2\nerror[spec-not-found]: there is no file")


def test_a_folder_is_no_file(tmp_path: Path, answer: Answer) -> None:
    (tmp_path / "folder.spec").mkdir()
    text = answer(tmp_path / "folder.spec")
    assert text.startswith("exit 2\nerror[spec-unreadable]")


DATA = {
    "columns": "velocity,counts\n" + "-9.5,100245\n" * 50,
    "counts": "# made by hand\n" + "100245\n" * 50,
    "tabs": "-9.5\t1.0e5\n" * 50,
    "ws5": "<wissoft>\n<data>\n" + "100245\n" * 50 + "</data>\n",
}


@pytest.mark.parametrize("kind", DATA)
def test_a_data_file_in_place_of_a_spec_is_told_in_one_message(
    kind: str, tmp_path: Path, answer: Answer
) -> None:
    path = tmp_path / "mix.csv"
    path.write_text(DATA[kind], encoding="utf-8")
    text = answer(path)
    assert text.startswith("exit 2\nerror[spec-is-data]: `mix.csv` looks like a data")
    assert len(text.splitlines()) <= 4


def test_a_file_that_git_would_not_keep(tmp_path: Path, answer: Answer) -> None:
    path = tmp_path / "model.spec"
    path.write_text("specfit 1\n", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("*.spec\n", encoding="utf-8")
    try:
        subprocess.run(["git", "init", "-q", tmp_path], check=True)
    except FileNotFoundError:
        pytest.skip("git absent")
    text = answer(path)
    assert text.startswith("exit 0\nmodel.spec: no faults")
    assert "warning[git-ignored]" in text


# ------------------------------------------------------------ the corpus as a whole

GENERATED = {
    *(*LARGE, "spec-not-found", "spec-unreadable", "spec-is-data", "git-ignored")
}
ELSEWHERE = {
    "first-here": "a note, never a message",
    "no-faults": "what check says of a good file",
    "no-model": "what check says of a good file",
    "counts-open": "what check says of a good file",
    "exafs-seen": "what check says of a good file",
    "rule-kept": "what check says of a good file",
    "rule-kept-unknown": "what check says of a good file",
    "fixes-made": "said by check --fix",
    "several-errors": "the last line of several",
    "more-errors": "the last line of very many",
    "no-gpu": "said where a GPU is asked for",
    "truth-number": "said by simulate",
    "truth-of": "said by simulate",
    "posterior-level": "needs a table of data, tests/model/test_level_rows.py",
    "level-twice": "needs a table of data, tests/model/test_level_rows.py",
    "simulate-nothing": "said by simulate",
    "tie-circle": "the checker finds circles first; for models made without a text",
    "one-model": "said by run",
    "target-among-features": "needs a table of data, tests/cli/test_regression.py",
    "target-still": "needs a table of data, tests/cli/test_regression.py",
    "orders-few": "needs a table of data, tests/model/test_regression_language.py",
    "feature-still": "needs a table of data, tests/model/test_regression_language.py",
    "features-alike": "needs a table of data, tests/model/test_regression_language.py",
    "folds-few": "needs a table of data, tests/cli/test_regression.py",
    "unknown-variant": "said by run",
    "compare-one": "said by compare",
    "identify-one-spectrum": "said by identify",
    "identify-foot": "said by identify",
    "identify-tentative": "said by identify",
    "identify-elsewhere": "said by identify",
    "identify-hardly": "said by identify",
    "identify-baseline": "said by identify",
    "identify-spec-same": "said by identify",
    "identify-spec-thin": "said by identify",
    "identify-spec-areas": "said by identify",
    "identify-spec-records": "said by identify",
    "identify-spec-baseline": "said by identify",
    "identify-spec-middle": "said by identify",
    "identify-spec-unknown": "said by identify",
    "identify-spec-ratio": "said by identify",
    "identify-spec-order": "said by identify",
    "identify-no-temperature": "said by identify",
    "identify-no-phase": "said by identify",
    "identify-element": "said by identify",
    "identify-would-overwrite": "said by identify",
    "identify-seen": "said by identify",
    "identify-answer": "said by identify",
    "identify-share": "said by identify",
    "identify-alike": "said by identify",
    "identify-unlike": "said by identify",
    "identify-doublet": "said by identify",
    "identify-singlet": "said by identify",
    "identify-sextet": "said by identify",
    "identify-noise": "said by identify",
    "identify-left": "said by identify",
    "identify-texture": "said by identify",
    "identify-thick": "said by identify",
    "identify-far": "said by identify",
    "identify-under": "said by identify",
    "identify-elements": "said by identify",
    "identify-nothing": "said by identify",
    "identify-empty": "said by identify",
    "identify-or": "said by identify",
    "identify-written": "said by identify",
    "resume-other": "said by run --resume",
    "folder-busy": "said by run, of a folder that has one already",
    "kept-steps": "said by run, tests/cli/test_disk_and_memory.py",
    "kept-nothing": "said by run, tests/cli/test_disk_and_memory.py",
    "again-resume": "said by run, tests/cli/test_disk_and_memory.py",
    "again-anew": "said by run, tests/cli/test_disk_and_memory.py",
    "disk-full": "said by run, tests/cli/test_disk_and_memory.py",
    "folder-shut": "said by run, tests/cli/test_disk_and_memory.py",
    "memory-exhausted": "said by run, tests/cli/test_disk_and_memory.py",
    "resume-from": "said by run --resume",
    "resume-finished": "said by run --resume",
    "resume-nothing": "said by run --resume",
    "resume-dropped": "said by run",
    "stopping": "said by run",
    "stopped": "said by run",
    "compare-data": "said by compare",
    "batch-several": "said by batch",
    "batch-none": "said by batch",
    "batch-twice": "said by batch",
    "batch-empty": "said by batch",
    "dask-missing": "said by batch --dask",
    "batch-missing": "said by batch",
    "batch-folder": "said by batch",
    "batch-shards": "said by batch",
    "merge-missing": "said by merge",
    "merge-unfinished": "said by merge",
    "merge-unreadable": "said by merge",
    "merge-other": "said by merge",
    "merge-incomplete": "said by merge",
    "compare-likelihood": "said by compare",
    "truth-missing": "said by simulate",
    "truth-unreadable": "said by simulate",
    "truth-forbidden": "said by simulate",
    "truth-outside": "said by simulate",
    "simulated-again": "said by simulate",
    "cannot-write": "said where --out is no place for a folder",
    "truth-axis": "said by simulate",
    "truth-levels": "said by simulate",
    "truth-drive": "said by simulate",
    "truth-drawn": "said by simulate",
    "would-overwrite": "said by simulate",
    "truth-map-key": "said by simulate",
    "truth-map-value": "said by simulate",
    "truth-map-range": "said by simulate",
    "truth-map-seed": "said by simulate",
    "truth-map-axis": "said by simulate",
    "simulate-map-format": "said by simulate",
    "truth-map-energy": "said by simulate",
    "map-refused": "said by run",
    "curve-reach": "needs a curve of a file, tests/mapping/test_reach.py",
    "fit-over-edge": "needs a curve of a file, tests/mapping/test_reach.py",
    "map-options": "said by run, tests/mapping/test_commands.py",
    "map-anew": "said by run --resume, tests/mapping/test_commands.py",
    "map-stopped": "said by run, tests/mapping/test_commands.py",
    "map-sampled": "said by batch and compare",
    "map-no-density": "said by show",
    "map-seen": "what check says of a good file",
}
OF_FILES = re.compile("(data|raw|feff|fold|calibration|reference|velocity|import)-")
"""What is wrong inside a data file is the readers' to say, and tested there; so with
models of other programs."""


def sentences() -> set[str]:
    path = folder("grammars") / "messages.toml"
    return set(tomllib.loads(path.read_text("utf-8"))) - {"terms"}


def shown_codes() -> set[str]:
    texts = [(BAD / f"{name}.txt").read_text("utf-8") for name in NAMES]
    said = re.findall(
        r"^(?:error|warning|note)\[(.+?)\]", "\n".join(texts), re.MULTILINE
    )
    return set(said)


def test_every_message_has_a_broken_file() -> None:
    unseen = sentences() - shown_codes() - GENERATED - set(ELSEWHERE)
    assert {code for code in unseen if not OF_FILES.match(code)} == set()


def test_what_is_exempt_is_not_in_the_corpus() -> None:
    assert set(ELSEWHERE) <= sentences()
    assert shown_codes().isdisjoint(ELSEWHERE)


def test_messages_read_well() -> None:
    for name in NAMES:
        text = (BAD / f"{name}.txt").read_text("utf-8")
        said = "\n".join(
            line for line in text.splitlines() if not re.match(r" *\d* \|", line)
        )
        assert "``" not in said, name
        assert "@" not in said.replace(" T @ ", ""), name
        assert not re.search(r"\{\w*\}", said.replace("{ … }", "")), name
        assert not re.search(r"[.,;:]$", said.strip()), name


CARET = re.compile(r"^ *(\d+) \| (.*)\n +\| ( *)(\^+)", re.MULTILINE)


@pytest.mark.parametrize("name", JAPANESE)
def test_carets_stand_under_the_fault_after_wide_characters(name: str) -> None:
    path = BAD / f"{name}.spec"
    text = path.read_bytes().decode("utf-8")
    printed = (BAD / f"{name}.ja.txt").read_text("utf-8")
    for line, shown, blanks, carets in CARET.findall(printed):
        width = display_width(shown)
        assert len(blanks) + len(carets) <= max(width, len(blanks)) + 1, (name, line)
    spec, faults = parse(text, path.name)
    texts = {path.name: text}
    for fault in check(spec, path.name, lambda p: (None, p), texts, faults)[1]:
        assert fault.span == Span() or 0 <= fault.span.start <= len(text)
