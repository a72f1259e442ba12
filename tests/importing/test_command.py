"""`specfit import` as a person runs it, and its models against theory."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from specfit.cli import main

SITES = (
    "NSUB=3, NLINE=6,2,1, ISO=0.16,0.25,-0.1, ISOFIT=3*.FALSE., QUA=-0.22,-0.7, "
    "QUAFIT=2*.F., BHF(1)=49.0, BHFFIT(1)=.F., WID=.28,.35,.3, WIDFIT=3*.F., "
    "DEP=0.20,.07,.03, DEPFIT=3*.F., D23(1)=2.2, D21(2)=1.5, AKS=0.1,"
)


@pytest.fixture
def folder(tmp_path, job, monkeypatch):
    (tmp_path / "A.JOB").write_text(job(SITES).replace("\n", "\r\n"), newline="")
    table = (f"{v:.6f},10000" for v in np.linspace(-10, 10, 64))
    (tmp_path / "foil.csv").write_text("\n".join(table))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPECFIT_LANG", "en")
    return tmp_path


def test_a_job_becomes_a_model_that_check_accepts(folder, capsys):
    assert main(["import", "A.JOB", "--temperature", "77"]) == 0
    out, err = capsys.readouterr()
    assert out == "A.spec: a model for `specfit check` and `specfit run`, sites: 3\n"
    assert "A.JOB: AKS(1) = 0.1: no counterpart; left out" in err
    text = (folder / "A.spec").read_text("utf-8")
    for line in (
        "# Written by `specfit import`: from A.JOB, a model of NORMOS",
        "# - AKS(1) = 0.1: no counterpart; left out",
        '  file = "foil.csv"',  # the job says FOIL.CSV
        '  IS_zero = "57Co(Rh)"',
        "  T = 77 K",
        '  field_scale = "NORMOS"',
    ):
        assert line in text.split("\n")
    assert main(["check", "A.spec"]) == 0
    assert main(["import", "A.JOB", "--source", "alpha-Fe", "-o", "b.spec"]) == 0
    assert "IS = 0.16 mm/s" in (folder / "b.spec").read_text("utf-8")


def test_remarks_are_in_the_readers_language(folder, capsys, monkeypatch):
    monkeypatch.setenv("SPECFIT_LANG", "ja")
    assert main(["import", "A.JOB"]) == 0
    assert "対応するものがないため省きました" in capsys.readouterr().err
    assert main(["check", "A.spec"]) == 0


def test_a_model_without_spectrum(folder, model, capsys):
    cells = ("1", "0.3", "0.4", "0.098!", "0!", "90!", "0!", "0!", "1!")
    (folder / "m.mdl").write_text(model(("Doublet", cells)))
    assert main(["import", "m.mdl"]) == 0
    assert "the spectrum `spectrum.csv` is not there" in capsys.readouterr().err
    assert main(["import", "m.mdl", "--data", "foil.csv"]) == 0
    assert main(["check", "m.spec"]) == 0


def test_only_its_own_files_are_written_over(folder, capsys):
    (folder / "A.spec").write_text("specfit 1\n")
    assert main(["import", "A.JOB"]) == 2
    assert "error[import-would-overwrite]" in capsys.readouterr().err
    assert (folder / "A.spec").read_text() == "specfit 1\n"
    assert main(["import", "A.JOB", "--out", "."]) == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nothing.JOB"], "data-missing"),
        (["foil.csv"], "import-unknown"),
        (["A.JOB", "--source", "57Co(Rd)"], "reference-unknown"),
        (["A.JOB", "--data", "zq"], "data-missing"),
        (["m.mdl", "--data", "raw.adt"], "import-raw"),
    ],
)
def test_faults(arguments, code, folder, model, capsys):
    cells = ("1", "0.3", "0.4", "0.098!", "0!", "90!", "0!", "0!", "1!")
    (folder / "m.mdl").write_text(model(("Doublet", cells)))
    (folder / "raw.adt").write_text("1000\n" * 512)
    assert main(["import", *arguments]) == 2
    assert f"error[{code}]" in capsys.readouterr().err
    assert not list(folder.glob("*.spec"))


def test_a_fault_is_shown_in_its_line(folder, job, capsys):
    (folder / "A.JOB").write_text(job("NLINE(1)=6,\n WID(1)=wide,"))
    assert main(["import", "A.JOB"]) == 2
    shown = capsys.readouterr().err.split("\n")
    assert shown[0] == "error[import-number]: `WID(1)` is not a number: `wide`"
    at = next(
        i for i, line in enumerate(shown) if "WID(1)=wide" in line and "|" in line
    )
    assert shown[at + 1].index("^") == shown[at].index("wide")


def test_every_code_has_its_sentences():
    """In both languages, a remedy for each fault; and no sentence that nobody says."""
    root = Path(__file__).parents[2]
    messages = tomllib.loads((root / "grammars" / "messages.toml").read_text("utf-8"))
    files = [*(root / "specfit/importing").glob("*.py")]
    files.append(root / "specfit/commands/importing.py")
    text = "".join(path.read_text("utf-8") for path in files)
    said = set(re.findall(r'"(import-[a-z-]+)"', text))
    said |= set(re.findall(r"'(import-[a-z-]+)'", text))
    assert said == {code for code in messages if code.startswith("import-")}
    faults = set(re.findall(r'(?:ImportFault|Diagnostic)\(\s*"(import-[a-z-]+)"', text))
    assert len(faults) > 10
    for code in said:
        assert {"en", "ja"} <= messages[code].keys()
        assert ("help_en" in messages[code]) == (code in faults)
        assert ("help_ja" in messages[code]) == (code in faults)


@pytest.mark.slow
def test_the_whole_model_is_that_of_the_job(folder):
    """Transmission by NORMOS's formulas on its own velocity axis, to six digits."""
    assert main(["import", "A.JOB"]) == 0
    truth = "seed = 1\n[axis]\nlow = -10.0\nhigh = 10.0\nchannels = 512\n"
    (folder / "t.toml").write_text(truth + "[values]\nN0 = 1e13\n")
    command = ["simulate", "A.spec", "--truth", "t.toml", "--out", "made"]
    subprocess.run([sys.executable, "-m", "specfit.cli", *command], check=True)
    rows = np.loadtxt(folder / "made" / "foil.csv", delimiter=",", comments="#")
    velocity, left = rows[:, 0] - 0.108, rows[:, 1] / 1e13  # the source is at rest at 0
    bohr, upper = 3.152452e-11 * 2.99792458e11 / 14.4, 3 * 0.090604 * -0.5714
    half = np.array([upper - 0.090604, upper / 3 - 0.090604, -upper / 3 - 0.090604])
    places = 0.16 + 49.0 * bohr * np.array([*half, *-half[::-1]])
    places += np.array([1, -1, -1, -1, -1, 1]) * -0.22 / 2
    lines = [
        (p, 0.2 * w / 12.4, 0.28)
        for p, w in zip(places, (3, 2.2, 1, 1, 2.2, 3), strict=True)
    ]
    lines += [(0.25 + 0.35, 0.07 / 2.5, 0.35), (0.25 - 0.35, 0.07 * 1.5 / 2.5, 0.35)]
    lines.append((-0.1, 0.03, 0.3))
    lost = sum(
        area * width / (2 * np.pi) / ((velocity - p) ** 2 + width**2 / 4)
        for p, area, width in lines
    )
    np.testing.assert_allclose(left, 1 - lost, atol=2e-5)


@pytest.mark.parametrize(
    ("head", "file", "title"),
    [
        ("Foil no. 3 at 4.2 K\nD:\\RUNS\\FOIL.CSV\nA.JOB\n", "foil.csv", "Foil no. 3"),
        ("Foil at 4.2\n", "spectrum.csv", "Foil at 4.2"),
        ("FOIL\n", "foil", "a title"),  # a name without suffix
    ],
)
def test_a_title_above_a_job_is_no_file(head, file, title, folder, job, capsys):
    text = job(SITES)
    (folder / "foil").write_text((folder / "foil.csv").read_text())
    (folder / "A.JOB").write_text(head + text[text.index(" &DATA") :])
    assert main(["import", "A.JOB"]) == 0
    written = (folder / "A.spec").read_text("utf-8")
    assert f'file = "{file}"' in written
    assert f'title "{title}' in written
