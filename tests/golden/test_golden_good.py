"""Files without fault: the typed model they mean, so that a change shows its effect.

`good/NAME.spec` has its canonical form in `good/NAME.model.txt`, the digest first.  The
examples beside the project are held the same way where they are there.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from specfit import pipeline
from specfit.model import ir
from specfit.model.factorising import Factorising

Golden = Callable[[Path, str], None]
GOOD = Path(__file__).parent / "good"
EXAMPLES = Path(__file__).parents[3] / "shared" / "examples"
NAMES = sorted(path.stem for path in GOOD.glob("*.spec"))


def shown(name: str, model: ir.Model[ir.Declared] | Factorising) -> str:
    canonical = json.loads(model.canonical())
    text = json.dumps(canonical, indent=1, ensure_ascii=False, sort_keys=True)
    return f"{name}\ndigest {model.digest()}\n{text}\n"


def models_of(checked: pipeline.Checked) -> str:
    document = checked.document
    assert document is not None
    named: list[tuple[str, ir.Model[ir.Declared] | Factorising]]
    named = [(model.name, model) for model in (*document.models, *document.maps)]
    named += [(f"variant {name}", model) for name, model in document.variants.items()]
    return "\n".join(shown(name, model) for name, model in named)


@pytest.mark.parametrize("name", NAMES)
def test_the_model_a_file_means(name: str, golden: Golden) -> None:
    checked = pipeline.check(GOOD / f"{name}.spec")
    assert checked.diagnostics == []
    assert checked.resolved is not None
    golden(GOOD / f"{name}.model.txt", models_of(checked))


def example(name: str) -> Path:
    path = EXAMPLES / f"{name}.spec"
    if not path.exists():
        pytest.skip("shared examples absent")
    return path


def test_the_example_that_can_be_run(golden: Golden) -> None:
    checked = pipeline.check(example("magnetite_iron"))
    assert checked.errors == []
    golden(GOOD / "example_magnetite_iron.model.txt", models_of(checked))


def test_the_example_of_a_map(golden: Golden) -> None:
    checked = pipeline.check(example("eels_valence"))
    assert checked.errors == []
    golden(GOOD / "example_eels_valence.model.txt", models_of(checked))
