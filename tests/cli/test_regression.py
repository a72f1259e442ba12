"""`specfit run` of an analysis: folder, checks, exit codes; and of a horseshoe."""

import csv

import numpy as np
import pytest

SPEC = """specfit 1
title "A small table"
data d "rows" : table {{
  file = "t.csv"
  target = column("E") V
  feature = columns(1..4)
  names = "names.csv"
  group = names.group
}}
analysis redox : regression on d {{
  method lasso : lasso(alpha = grid(1e-3, 1e0, 15, log))
  method trees : extra_trees(trees = 10)
  folds = {folds}
  tuning = {tuning}
  permutations = {permutations}
  resamples = 10
  check permutation_p(score) < {bound} because "few rows"
}}
"""


@pytest.fixture
def study(tmp_path):
    """Writes the table and a .spec; the first feature drives unless `noise` is asked."""

    def write(driven=True, **words):
        said = {"folds": "leave_one_out", "tuning": "nested", "permutations": 20}
        said |= {"bound": 0.1, **words}
        generator = np.random.default_rng(12)
        x = generator.normal(size=(12, 4))
        y = 3.8 + 0.1 * generator.normal(size=12) + 0.8 * driven * x[:, 0]
        rows = np.column_stack([x, y])
        text = "a, b, c, d, E\n" + "\n".join(
            ",".join(f"{v:.5f}" for v in r) for r in rows
        )
        (tmp_path / "t.csv").write_text(text + "\n", encoding="utf-8")
        names = "number,group,label,unit\n1,A,driver,1\n2,A,=two,1\n3,B,three,1\n4,B,four,1\n"
        (tmp_path / "names.csv").write_text(names, encoding="utf-8")
        path = tmp_path / "study.spec"
        path.write_text(SPEC.format(**said), encoding="utf-8")
        return path

    return write


def test_an_analysis_is_run_judged_and_written(study, specfit, result_of, tmp_path):
    code, printed, _ = specfit("run", study(), "--out", tmp_path / "out")
    assert code == 0
    assert "report.html" in printed
    assert "verdict: ACCEPTED" in printed
    assert "driver (no. 1, 1.00)" in printed
    found = result_of(tmp_path / "out")
    assert found["verdict"] == "accepted"
    assert not found["optimistic"]
    assert found["derived"]["lasso.R2"]["mean"] == found["methods"][0]["r2"] > 0.8
    assert [rule["outcome"] for rule in found["rules"]] == ["passed", "passed"]
    assert found["rules"][0]["because"] == "few rows"
    lasso = found["methods"][0]
    assert lasso["features"][0]["label"] == "driver"
    assert lasso["groups"]["A"] == lasso["features"][0]["selection"]
    figures = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert figures == {
        "heatmap_lasso.png", "importance_trees.png", "paths_lasso.png",
        "predicted_vs_measured.png",
    }  # fmt: skip
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 4
    with (tmp_path / "out" / "tables" / "features.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert rows[1]["label"] == "'=two"  # no formula of a spreadsheet


def test_noise_is_rejected(study, specfit, result_of, tmp_path):
    code, *_ = specfit("run", study(driven=False), "--out", tmp_path / "out", "--quiet")
    assert code == 1
    found = result_of(tmp_path / "out")
    assert found["verdict"] == "rejected"
    assert found["reasons"][0].startswith("lasso.permutation_p: permutation_p is")


def test_tuning_on_the_same_folds_is_called_optimistic(
    study, specfit, result_of, tmp_path
):
    path = study(tuning="same_folds")
    code, printed, _ = specfit("run", path, "--out", tmp_path / "out", "--quiet")
    assert code == 0
    assert "R², same folds, optimistic" in printed
    found = result_of(tmp_path / "out")
    assert found["optimistic"]
    assert found["rules"][-1]["outcome"] == "warned"
    assert "optimistic" in found["rules"][-1]["detail"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Scores are optimistic" in page


def test_two_folds_are_too_few(study, specfit, tmp_path):
    path = study(folds="leave_block_out(6)")
    code, _, said = specfit("check", path)
    assert code == 2
    assert "error[folds-few]: 2 folds are too few" in said
    code, _, said = specfit("run", path, "--out", tmp_path / "out", "--quiet")
    assert code == 2
    assert not (tmp_path / "out").exists()


def test_the_target_is_no_feature_of_itself(study, specfit):
    path = study()
    text = path.read_text(encoding="utf-8").replace("columns(1..4)", "columns(1..5)")
    path.write_text(text.replace('  names = "names.csv"\n  group = names.group\n', ""))
    code, _, said = specfit("check", path)
    assert code == 2
    assert "error[target-among-features]: feature 5 of `d` is the target itself" in said


def test_a_bound_that_no_p_value_can_reach_is_told(study, specfit):
    code, _, said = specfit("check", study(permutations=9, bound=0.1))
    assert code == 2
    assert "error[permutations-few]" in said
    assert "the smallest p is 0.1" in said


def test_a_target_that_does_not_vary_is_refused(study, specfit):
    path = study()
    table = path.parent / "t.csv"
    rows = [line.rsplit(",", 1)[0] for line in table.read_text().splitlines()]
    same = [f"{rows[0]}, E", *(f"{row},3.7" for row in rows[1:])]
    table.write_text("\n".join(same) + "\n", encoding="utf-8")
    code, _, said = specfit("check", path)
    assert code == 2
    assert "error[target-still]: the target of `d` is the same in every row" in said


def test_rows_that_follow_one_another_are_told(study, specfit, result_of, tmp_path):
    path = study()
    table = path.parent / "t.csv"
    head, *rows = table.read_text().splitlines()
    rows.sort(key=lambda row: float(row.rsplit(",", 1)[1]))
    table.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    specfit("run", path, "--out", tmp_path / "out", "--quiet")
    (told,) = [r for r in result_of(tmp_path / "out")["rules"] if r["rule"] == "rows"]
    assert told["outcome"] == "warned"
    assert "follows the order of the rows" in told["detail"]


HORSESHOE = """model shoe : regression on d {
  a ~ normal(mean(d.target), 1.0) V
  σ ~ halfnormal(0.5) V
  τ ~ halfcauchy(0.3 * σ)
  slab ~ inverse_gamma(2, 2)
  β[d.feature] ~ regularized_horseshoe(τ, slab) V
  observe d.target ~ normal(a + sum(β[feature] * standardized(d.feature) over feature), σ)
  check prob(β[1] > 0 V) > 0.95
}
run nuts { chains = 4; warmup = 400; draws = 1500; target_accept = 0.99; seed = 3 }
"""


@pytest.mark.slow
def test_a_horseshoe_is_run_and_refitted_without_each_row(
    study, specfit, result_of, tmp_path
):
    path = study()
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("analysis")] + HORSESHOE, encoding="utf-8")
    code, *_ = specfit("run", path, "--out", tmp_path / "out", "--quiet")
    found = result_of(tmp_path / "out")
    assert code == 0, found["reasons"]
    assert found["diagnostics"]["divergences"] == 0
    assert found["held_out"]["r2"] > 0.9
    assert found["held_out"]["divergences"] == 0
    assert abs(found["held_out"]["elpd"] - found["held_out"]["psis_elpd"]) < 3.0
    features = found["inclusion"]["features"]
    assert features["β[1]"][0] > 0.95
    assert max(features[f"β[{j}]"][0] for j in (2, 3, 4)) < 0.9
    assert found["inclusion"]["groups"]["A"][0] >= features["β[1]"][0]
    assert found["derived"]["β[1]"]["q05"] > 0.0
    figures = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert {"heatmap.png", "predicted_vs_measured.png"} <= figures
