"""Rows of a table whose features models find, against the levels of these models."""

import numpy as np
import pytest

from specfit import checking

SPEC = """specfit 1
data s[stage = 1..4] : table { file = "s_{stage}.txt"; t = column(1) s; y = column(2) }
model decay : curve on s per stage {
  a ~ free in [0, 100]
  k ~ free in [0.1, 100] s
  observe s.y ~ normal(a * exp(-s.t / k), 0.5)
}
data cells : table {
  file = "cells.csv"
  stage = column("stage")
  target = column("E") V
  feature = posterior(decay.a, decay.k)
}
analysis why : regression on cells {
  method lasso : lasso(alpha = [0.1, 1.0])
}
"""


@pytest.mark.parametrize(
    ("stages", "told"),
    [
        ((1, 2, 3, 4), []),
        ((4, 2, 3, 1), []),
        ((1, 2, 3, 5), [("posterior-level", "error", "5")]),
        ((1, 2, 2, 4), [("level-twice", "warning", "2")]),
        (
            (1, 6, 6, 4),
            [("level-twice", "warning", "6"), ("posterior-level", "error", "6")],
        ),
    ],
)
def test_rows_of_no_level_or_of_one_twice_are_told_before_any_run(
    tmp_path, stages, told
):
    t = np.linspace(0.0, 20.0, 12)
    for stage in range(1, 5):
        y = 40.0 * np.exp(-t / (2.0 + stage))
        np.savetxt(tmp_path / f"s_{stage}.txt", np.column_stack([t, y]))
    rows = [f"{stage},{3.5 + 0.1 * k**2}" for k, stage in enumerate(stages)]
    text = "\n".join(["stage,E", *rows]) + "\n"
    (tmp_path / "cells.csv").write_text(text, encoding="utf-8")
    path = tmp_path / "chain.spec"
    path.write_text(SPEC, encoding="utf-8")
    found = checking.check_with_data(path).diagnostics
    assert [(d.code, d.severity, d.words.get("value", "")) for d in found] == told
