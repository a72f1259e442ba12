"""Columns of words in tables: groups of rows, and never a target or a feature."""

import numpy as np
import pytest

from specfit import checking

SPEC = """specfit 1
data d : table {{
  file = "t.csv"
  target = column({target}) V
  cell = column("cell")
  feature = columns({features})
}}
analysis redox : regression on d {{
  method lasso : lasso(alpha = [0.1, 1.0])
  folds = leave_group_out(cell)
}}
"""
ROWS = [
    (3.5, "old", 1.0, "2026-01-02", 2.5),
    (3.6, "new", 2.0, "2026-01-03", 0.5),
    (3.9, "old", 4.0, "2026-01-04", 1.5),
    (3.7, "best", 3.0, "2026-01-04", 3.5),
    (3.8, "new", 2.5, "2026-01-05", 2.0),
]
HEAD = ("E (V)", "cell", "a", "date", "b c")


def checked(folder, mark=",", rows=ROWS, head=HEAD, target='"E (V)"', features="3, 5"):
    lines = [mark.join(map(str, row)) for row in (head, *rows)]
    text = "# by hand, and by night\n\n" + "\n".join(lines) + "\n"
    (folder / "t.csv").write_text(text, encoding="utf-8")
    path = folder / "t.spec"
    path.write_text(SPEC.format(target=target, features=features), encoding="utf-8")
    return checking.check_with_data(path)


@pytest.mark.parametrize("mark", [",", "\t", ";", " ; "])
def test_words_make_groups_and_numbers_stay_as_they_are(tmp_path, mark):
    done = checked(tmp_path, mark)
    assert not done.errors
    ((_, seen),) = done.measured
    assert seen.columns["cell"].tolist() == [1, 2, 1, 3, 2]
    assert seen.values.tolist() == [row[0] for row in ROWS]
    np.testing.assert_array_equal(seen.features.values, [r[2::2] for r in ROWS])
    assert seen.features.labels == ("a", "b c")
    assert dict(seen.found)["words of cell"] == "old = 1, new = 2, best = 3"


def test_a_quoted_word_may_hold_the_separator(tmp_path):
    rows = [(r[0], '"old, but good"' if r[1] == "old" else r[1], *r[2:]) for r in ROWS]
    done = checked(tmp_path, rows=rows)
    assert not done.errors
    ((_, seen),) = done.measured
    assert seen.columns["cell"].tolist() == [1, 2, 1, 3, 2]


@pytest.mark.parametrize(
    ("said", "column"), [({"features": "3, 4"}, "4"), ({"target": "4"}, "4")]
)
def test_a_target_and_a_feature_must_be_numbers(tmp_path, said, column):
    (found,) = checked(tmp_path, **said).errors
    assert found.code == "data-words"
    assert found.words["column"] == column


def test_a_word_among_numbers_is_still_a_fault(tmp_path):
    rows = [*ROWS[:3], (3.7, "new", "lost", "2026-01-04", 2.0), *ROWS[4:]]
    (found,) = checked(tmp_path, rows=rows).errors
    assert found.code in ("data-line", "data-no-numbers")


def test_decimal_commas_are_no_words(tmp_path):
    rows = [tuple(str(x).replace(".", ",") for x in row) for row in ROWS]
    done = checked(tmp_path, ";", rows)
    assert not done.errors
    ((_, seen),) = done.measured
    assert seen.values.tolist() == [row[0] for row in ROWS]


def test_a_curve_is_of_numbers(tmp_path):
    text = "t,y\n" + "\n".join(f"{k},{'low' if k % 2 else 'high'}" for k in range(8))
    (tmp_path / "t.csv").write_text(text + "\n", encoding="utf-8")
    path = tmp_path / "t.spec"
    path.write_text(
        """specfit 1
data d : table { file = "t.csv"; t = column(1); y = column(2) }
model m : curve on d {
  a ~ free in [-5, 5]
  observe d.y ~ normal(a * d.t, 0.5)
}
""",
        encoding="utf-8",
    )
    (found,) = checking.check_with_data(path).errors
    assert (found.code, found.words["column"]) == ("data-words", "2")
