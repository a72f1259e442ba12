"""The library of rules as people read it: `specfit explain`, and the table of the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from specfit.cli import main
from specfit.model.rule_library import entries

ROOT = Path(__file__).parents[2]
RULES = ROOT / "tests" / "golden" / "good" / "rules_library.spec"
LIBRARY = 'use "rules/57Fe"\n'


@pytest.fixture
def explained(tmp_path, monkeypatch, capsys):
    def ask(name: str = "", used: bool = True) -> str:
        text = RULES.read_text("utf-8")
        (tmp_path / "lib").mkdir(exist_ok=True)
        house = RULES.parent / "lib" / "house_rules.spec"
        (tmp_path / "lib" / house.name).write_bytes(house.read_bytes())
        if not used:
            lines = text.splitlines(keepends=True)
            text = "".join(
                line for line in lines if not line.lstrip().startswith("state")
            )
            text = text.replace(LIBRARY, "")
        (tmp_path / "m.spec").write_text(text, "utf-8")
        monkeypatch.chdir(tmp_path)
        assert main(["explain", "m.spec", *([name] if name else [])]) == 0
        return capsys.readouterr().out

    return ask


def test_explain_lists_the_rules_in_force_and_their_sources(explained):
    every, without = explained(), explained(used=False)
    for name, entry in entries().items():
        assert (entry.grounds in every) == (name != "morin"), name
        judges = entry.always and name != "morin"
        assert (entry.grounds in without) == judges, name


def test_explain_says_what_a_file_overrides(explained):
    said = explained("linewidth")
    assert "hard rule" in said
    assert "floor 0.097 mm/s" in said
    assert "linewidth.floor = 0.097 mm/s, in place of 0.194 mm/s" in said
    assert "a source without width of its own" in said
    said = explained("morin")
    assert "does not judge, line 4 of" in said
    assert "because our particles are of 12 nm" in said


def test_the_readme_has_every_rule_as_the_library_does():
    text = (ROOT / "README.md").read_text("utf-8")
    table = text.partition("<!-- rules -->")[2].partition("<!-- end of rules -->")[0]
    rows = [line.split(" | ") for line in table.strip().splitlines()[2:]]
    shown = [(name.strip("| `"), severity) for name, severity, *_ in rows]
    assert shown == [(name, entry.severity) for name, entry in entries().items()]
    for (_, _, when, title, source), entry in zip(
        rows, entries().values(), strict=True
    ):
        assert title == entry.title
        assert entry.grounds.startswith(source.removeprefix(f"{entry.basis}: ")[:-2])
        held = "by construction" if entry.held else "`use`"
        assert when == ("always" if entry.always and not entry.held else held)
