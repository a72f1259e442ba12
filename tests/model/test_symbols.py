"""Every parameter of every site kind has a name in both languages."""

import tomllib

import pytest

from specfit.assets import folder
from specfit.model.kinds import MOSSBAUER


@pytest.mark.parametrize("kind", MOSSBAUER.components)
def test_a_symbol_is_called_by_a_name(kind):
    text = (folder("grammars") / "messages.toml").read_text("utf-8")
    terms = tomllib.loads(text)["terms"]
    for entry in MOSSBAUER.components[kind].parameters:
        assert set(terms[f"symbol-{entry.symbol}"]) == {"en", "ja"}


def test_the_model_s_own_symbols_are_called_by_names():
    text = (folder("grammars") / "messages.toml").read_text("utf-8")
    terms = tomllib.loads(text)["terms"]
    groups = [MOSSBAUER.scalars, *MOSSBAUER.amounts.values()]
    groups += [*MOSSBAUER.baselines.values(), *MOSSBAUER.halves.values()]
    for entry in (one for group in groups for one in group):
        assert set(terms[f"symbol-{entry.symbol}"]) == {"en", "ja"}
