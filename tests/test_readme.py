"""The README's own examples are checked, and its commands exist."""

import re
from pathlib import Path

from specfit import cli
from specfit.language.parse import parse
from specfit.model.check import check

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_spec_in_the_readme_is_without_fault():
    blocks = re.findall(r"```spec\n(.*?)```", TEXT, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        spec, faults = parse(block, "readme.spec")
        document, found, *_ = check(
            spec,
            "readme.spec",
            lambda path: (None, path),
            {"readme.spec": block},
            faults,
        )
        assert document is not None, found
        assert not found


def test_every_command_in_the_readme_exists():
    named = set(re.findall(r"`specfit (\w+)", TEXT))
    parser = cli.build_parser()
    known = set(parser._subparsers._group_actions[0].choices)
    assert named <= known
    assert known <= named
