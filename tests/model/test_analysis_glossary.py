"""Every word of an analysis is explained, and what one of a file asks for."""

from pathlib import Path

import pytest

from specfit.cli import main
from specfit.model.analyses import _KEYS
from specfit.model.analysis_glossary import explain
from specfit.model.regression_kinds import ESTIMATORS

SHIPPED = Path(__file__).parents[2] / "models" / "redox_regression.spec"


@pytest.mark.parametrize("word", ESTIMATORS)
def test_an_estimator_is_explained_with_its_arguments(word):
    head, *lines = explain(word)
    assert head.startswith(f"{word}: ")
    assert [line.split()[0] for line in lines] == list(ESTIMATORS[word])


@pytest.mark.parametrize("key", _KEYS)
def test_a_key_of_an_analysis_is_explained_alone_and_among_the_others(key):
    (line,) = explain(key)
    assert line.startswith(f"{key}: ")
    assert any(row.split()[0] == key for row in explain("analysis")[1:])


def test_without_a_file_the_command_explains_them(capsys):
    assert main(["explain", "lasso"]) == 0
    assert "alpha" in capsys.readouterr().out


def test_the_methods_of_a_file_are_explained_with_their_grids(capsys):
    assert main(["explain", str(SHIPPED), "lasso"]) == 0
    assert "grid(0.0001, 10, 60, log)" in capsys.readouterr().out
