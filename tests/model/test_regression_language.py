"""`regression` in the language: what a table of features and an analysis become."""

from pathlib import Path

import numpy as np
import pytest

from specfit import checking
from specfit.model import ir

TABLE = """specfit 1
data ncm : table {{
  file = "table.csv"
  target = column("E") V
  feature = {feature}
  names = "names.csv"
  group = names.group
}}
"""
ANALYSIS = """analysis redox "of potential" : regression on ncm {
  method lasso : lasso(alpha = grid(1e-4, 1e1, 60, log))
  method net : elastic_net(alpha = grid(0.1, 0.5, 5), l1_ratio = [0.9, 0.1])
  method forest : random_forest(trees = 50)
  folds = leave_block_out(2)
  tuning = same_folds
  score = Q2(pooled)
  permutations = 200
  check permutation_p(score) < 0.01 because "few points"
}
"""
HORSESHOE = """model horseshoe : regression on ncm {
  a ~ normal(mean(ncm.target), 1.0) V
  σ ~ halfnormal(0.1) V
  τ ~ halfcauchy(σ / sqrt(6))
  slab ~ inverse_gamma(2, 2)
  β[ncm.feature] ~ regularized_horseshoe(τ, slab) mV
  observe ncm.target ~ normal(a + sum(β[feature] * standardized(ncm.feature) over feature), σ)
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [f"{i},{i * i},{i % 3},{3 + 0.1 * i}" for i in range(1, 7)]
    table = "x1, x2, x3, E\n" + "\n".join(rows) + "\n"
    (tmp_path / "table.csv").write_text(table, encoding="utf-8")
    names = "number,group,label,unit\n2,B,two,Å\n1,A,one,1\n"
    (tmp_path / "names.csv").write_text(names, encoding="utf-8")
    return tmp_path


def checked(folder: Path, text: str) -> checking.Checked:
    path = folder / "own.spec"
    path.write_text(text, encoding="utf-8")
    return checking.check_with_data(path)


def test_features_are_found_by_number_or_by_heading(folder: Path) -> None:
    for feature in ("columns(1..2)", 'columns("x1", "x2")', "columns(1, 2)"):
        done = checked(folder, TABLE.format(feature=feature) + ANALYSIS)
        assert done.diagnostics == []
        ((_, measured),) = done.measured
        assert measured.features is not None
        assert measured.features.values[:, 1].tolist() == [1, 4, 9, 16, 25, 36]
        assert measured.features.labels == ("one", "two")
        assert measured.features.groups == ("A", "B")
        assert measured.features.units == ("1", "Å")
        np.testing.assert_allclose(measured.values, 3 + 0.1 * np.arange(1, 7))
        assert measured.value_unit == "V"


def test_an_analysis_says_what_is_tuned_and_how_it_is_judged(folder: Path) -> None:
    done = checked(folder, TABLE.format(feature="columns(1..2)") + ANALYSIS)
    (analysis,) = done.require().analyses
    assert (analysis.name, analysis.title) == ("redox", "of potential")
    assert (analysis.folds, analysis.block) == ("leave_block_out", 2)
    assert analysis.tuning == "same_folds"
    assert (analysis.score, analysis.permutations) == ("Q2(pooled)", 200)
    lasso, net, forest = analysis.methods
    grid = ir.Grid(low=1e-4, high=10.0, count=60, logarithmic=True)
    assert lasso.arguments == {"alpha": grid}
    assert net.arguments["l1_ratio"] == (0.1, 0.9)
    assert forest.arguments == {"trees": (50.0,)}
    (check,) = analysis.checks
    assert (check.figure, check.comparison, check.bound) == ("permutation_p", "<", 0.01)
    assert check.because == "few points"
    assert check.place.line == 17


def test_a_horseshoe_is_spelt_out_feature_by_feature(folder: Path) -> None:
    done = checked(folder, TABLE.format(feature="columns(1..2)") + HORSESHOE)
    assert done.diagnostics == []
    (model,) = done.require().models
    names = [p.name for p in model.parameters]
    assert names == [
        "a", "σ", "τ", "slab", "β_local[1]", "β_unit[1]", "β_local[2]", "β_unit[2]",
    ]  # fmt: skip
    assert [(d.name, d.unit, d.derived) for d in model.definitions] == [
        ("β[1]", "V", True),
        ("β[2]", "V", True),
    ]
    value = model.definitions[0].value
    assert isinstance(value, ir.Apply)
    slab = value.arguments[3]  # of mV²: a thousandth squared of the unit of β
    assert isinstance(slab, ir.Apply)
    assert slab.arguments[0] == ir.Const(value=1e-6)
    assert value.arguments[2] == ir.Ref(name="τ")


def test_a_file_of_names_that_lacks_a_feature_is_told(folder: Path) -> None:
    done = checked(folder, TABLE.format(feature="columns(1..3)") + ANALYSIS)
    (fault,) = done.errors
    assert (fault.code, fault.words["number"]) == ("data-names", "3")


def test_a_heading_that_is_not_there_is_told(folder: Path) -> None:
    done = checked(folder, TABLE.format(feature='columns("x1", "y")') + ANALYSIS)
    (fault,) = done.errors
    assert (fault.code, fault.words["word"]) == ("data-heading", "y")


def test_the_example_needs_only_its_files(example_folder: Path) -> None:
    done = checking.check(example_folder / "redox_regression.spec")
    assert done.diagnostics == []
    document = done.require()
    assert [m.function for m in document.analyses[0].methods] == [
        "lasso", "elastic_net", "random_forest", "extra_trees",
    ]  # fmt: skip
    (report,) = document.reports
    assert report.scores == (
        "redox.score",
        "horseshoe.score",
        "inclusion(β, by = group)",
    )


@pytest.fixture
def example_folder() -> Path:
    folder = Path(__file__).parents[3] / "shared" / "examples"
    if not folder.is_dir():
        pytest.skip("the shared examples are absent")
    return folder


def test_a_column_of_the_rows_may_be_called_group(tmp_path):
    """As in a table of measured plants, where it says which of two sites a row is of."""
    np.savetxt(tmp_path / "d.txt", np.arange(12.0).reshape(6, 2))
    path = tmp_path / "plants.spec"
    path.write_text(
        """specfit 1
data d : table { file = "d.txt"; y = column(1); group = column(2) }
model m : curve on d {
  b ~ normal(0, 10)
  σ ~ halfnormal(10)
  observe d.y ~ normal(b * d.group, σ)
}
""",
        encoding="utf-8",
    )
    checked = checking.check_with_data(path)
    assert not checked.errors
    ((_, measured),) = checked.measured
    assert measured.columns["group"].tolist() == [1.0, 3.0, 5.0, 7.0, 9.0, 11.0]


@pytest.mark.parametrize(
    ("above", "labels"),
    [
        ("E,Ni-O,Ni-M", ("Ni-O", "Ni-M")),
        ("E,Ni-O,Ni-M\nV,1/A,Å", ("Ni-O", "Ni-M")),  # below it units
        ("# cell, of, ours\nE,Ni-O,Ni-M", ("Ni-O", "Ni-M")),
        ("# measured at SSRL", ()),
        ("# E, Ni-O, Ni-M", ("Ni-O", "Ni-M")),
        ("E,1/A,1/A", ()),
        ("0.5,n/a,3.0", ()),
        ("# nothing", ()),
    ],
)
def test_features_told_by_number_are_called_as_the_heading_has_them(
    tmp_path, above, labels
):
    text = above + "\n" + "\n".join(f"3.{i},{i}.5,{9 - i}" for i in range(6))
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    path = tmp_path / "numbered.spec"
    source = TABLE.format(feature="columns(2..3)").replace('column("E")', "column(1)")
    source = "\n".join(x for x in source.splitlines() if "name" not in x)
    path.write_text(source + "\n" + ANALYSIS, encoding="utf-8")
    checked = checking.check_with_data(path)
    assert not checked.errors
    ((_, measured),) = checked.measured
    assert measured.features.labels == labels
