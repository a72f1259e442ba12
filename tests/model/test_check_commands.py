"""`check --fix`, `check --json` and `db show`, as the command line answers them."""

import json
import shutil
from pathlib import Path

import pytest

from specfit.cli import main

CORPUS = Path(__file__).parents[1] / "golden" / "bad"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(CORPUS / "data", tmp_path / "data")
    shutil.copytree(CORPUS / "lib", tmp_path / "lib")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPECFIT_LANG", "en")
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "full_width_brackets",
        "minus_sign",
        "byte_order_mark",
        "smart_quotes",
        "header_missing",
        "plus_slash_minus",
        "missing_colon",
        "unit_in_brackets",
        "sign_for_and",
    ],
)
def test_a_safe_fix_leaves_no_fault(name: str, folder: Path) -> None:
    path = Path(shutil.copy(CORPUS / f"{name}.spec", folder))
    assert main(["check", path.name]) == 2
    assert main(["check", "--fix", path.name]) == 0
    assert main(["check", path.name]) == 0


def test_a_fix_touches_only_the_file_it_was_asked_of(folder: Path) -> None:
    used = folder / "lib" / "wide.spec"
    used.write_text("specfit 1\ntemplate t ： sextet { }\n", encoding="utf-8")
    before = used.read_bytes()
    text = (CORPUS / "minus_sign.spec").read_text("utf-8")
    path = folder / "main.spec"
    path.write_text(text.replace("specfit 1\n", 'specfit 1\nuse "lib/wide.spec"\n'))
    assert main(["check", "--fix", path.name]) == 2
    assert used.read_bytes() == before
    fixed = text.replace("−", "-").replace(
        "specfit 1\n", 'specfit 1\nuse "lib/wide.spec"\n'
    )
    assert path.read_text("utf-8") == fixed


def test_faults_of_every_stage_come_in_one_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Text, kind, unit, database, name and data file: none hides another."""
    path = folder / "many.spec"
    path.write_text(
        """specfit 1
data s : transmission {
  file = "nowhere.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
}
model m : mossbauer57Fe on s {
  N0 ~ 1e6 ± ± 2e4 counts
  area ~ 3 ± 1 T
  site A : dublet { }
  site B : sextet from db("magnetite.Q")
  both = A.I + oxyde.I
  observe s.counts ~ poisson
}
""",
        encoding="utf-8",
    )
    assert main(["check", "--json", path.name]) == 2
    found = [
        (fault["code"], fault["span"]["line"])
        for fault in json.loads(capsys.readouterr().out)
    ]
    assert [line for _, line in found] == [3, 9, 10, 11, 12, 13]
    codes = [code for code, _ in found]
    assert codes[0] == "data-missing"
    assert codes[2:] == [
        "unit-mismatch",
        "unknown-kind",
        "db-unknown-site",
        "unknown-name",
    ]


def test_every_fault_is_data_for_programs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(CORPUS / "many_faults.spec", folder)
    assert main(["check", "--json", "many_faults.spec"]) == 2
    faults = json.loads(capsys.readouterr().out)
    assert len(faults) == 15
    lines = [fault["span"]["line"] for fault in faults]
    assert lines == sorted(lines)
    assert [f["fix"]["text"] for f in faults if f["fix"] and f["fix"]["safe"]] == [
        '"酸化鉄の混合試料"',
        "(",
        ")",
    ]


def test_a_phase_that_is_not_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["db", "show", "magnetit"]) == 2
    said = capsys.readouterr().err
    assert "no phase called `magnetit`" in said
    assert "did you mean `magnetite`?" in said


def test_explain_shows_what_a_stated_prior_replaces(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """specfit 1
data s : transmission {
  file = "data/iron.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
}
model m : mossbauer57Fe on s {
  site A : sextet from db("magnetite.A", widen = 2) { QS ~ 0.00(5) mm/s }
  observe s.counts ~ poisson
}
"""
    (folder / "two.spec").write_text(text, encoding="utf-8")
    assert main(["explain", "two.spec", "A.QS"]) == 0
    said = capsys.readouterr().out
    assert "~ 0 ± 0.05 mm/s" in said
    assert "in place of the database" in said
    assert "magnetite.A.QS at 295 K" in said
    assert main(["explain", "two.spec", "A.Bint"]) == 0
    assert "in place of" not in capsys.readouterr().out


def test_a_formatted_file_is_printed_and_left_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'specfit 1\ntitle   "x"\n'
    (folder / "one.spec").write_text(text, encoding="utf-8")
    assert main(["fmt", "--stdout", "one.spec"]) == 0
    assert capsys.readouterr().out == 'specfit 1\ntitle "x"\n'
    assert (folder / "one.spec").read_text(encoding="utf-8") == text
    with pytest.raises(SystemExit):
        main(["fmt", "--stdout", "--check", "one.spec"])


def codes_of(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str
) -> list[tuple[str, str]]:
    (folder / "one.spec").write_text(text, encoding="utf-8")
    main(["check", "--json", "one.spec"])
    listed = json.loads(capsys.readouterr().out)
    return [(fault["severity"], fault["code"]) for fault in listed]


DATA = """data {name} : transmission {{
  file = "{file}"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 {unit}
}}
"""
MODEL = """model m : mossbauer57Fe on s {{
  site A : sextet from db("magnetite.A")
  site B : sextet from db("magnetite.B")
  {rules}
  observe s.counts ~ poisson
}}
"""


def test_a_missing_file_is_found_beside_a_fault_of_its_block(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = DATA.format(name="s", file="nowhere.csv", unit="T")
    found = codes_of(folder, capsys, f"specfit 1\n{data}{MODEL.format(rules='')}")
    assert {code for _, code in found} == {"data-missing", "unit-mismatch"}


def test_the_file_of_data_that_no_model_uses_is_a_warning(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = DATA.format(name="s", file="data/iron.csv", unit="K")
    other = DATA.format(name="unused", file="nowhere.csv", unit="K")
    found = codes_of(
        folder, capsys, f"specfit 1\n{data}{other}{MODEL.format(rules='')}"
    )
    assert ("warning", "data-missing") in found
    assert all(severity == "warning" for severity, _ in found)


def test_rare_rules_are_told_from_rules_that_exclude_each_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def rare(*rules: str) -> list[str]:
        body = "\n  ".join(f'require {rule} because "x"' for rule in rules)
        data = DATA.format(name="s", file="data/iron.csv", unit="K")
        text = f"specfit 1\n{data}{MODEL.format(rules=body)}"
        return [code for _, code in codes_of(folder, capsys, text)]

    assert rare("A.Bint > B.Bint", "B.IS > A.IS") == []
    assert rare("A.Bint > B.Bint + 45 T", "B.IS > A.IS") == ["require-rare"]
    both = rare("A.Bint > B.Bint + 45 T", "A.IS > B.IS + 2.2 mm/s")
    assert both == ["require-rare", "require-rare"]
    vague = ["A.Bint > 53 T", "B.Bint < 42 T", "A.IS > 0.35 mm/s"]
    each = [rare(rule) for rule in vague]
    assert each == [[], [], []]
    assert rare(*vague) == ["require-rare-together"]


def test_velocities_in_the_wrong_unit_are_doubted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = DATA.format(name="s", file="data/iron.csv", unit="K")
    text = f"specfit 1\n{data}{MODEL.format(rules='')}"
    assert codes_of(folder, capsys, text) == []
    wrong = text.replace("column(1) mm/s", "column(1) cm/s")
    assert codes_of(folder, capsys, wrong) == [("warning", "velocity-unlikely")]
