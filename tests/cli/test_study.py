"""Files of several parts: each run and judged, all of them joined."""

import numpy as np
import pytest

SPEC = """specfit 1
title "two tables"
data s : table { file = "s.txt"; t = column(1) s; y = column(2) }
data q : table { file = "q.txt"; t = column(1) s; y = column(2) }
model slow : curve on s {
  a ~ free in [0, 100]
  k ~ free in [0.1, 100] s
  observe s.y ~ normal(a * exp(-s.t / k), 0.5)
}
model quick : curve on q {
  a ~ free in [0, 100]
  k ~ free in [0.1, 100] s
  check k < CHECK s because "quicker than the other"
  observe q.y ~ normal(a * exp(-q.t / k), 0.5)
}
run auto { draws = 200; seed = 1 }
"""


@pytest.fixture
def two(tmp_path):
    """The file, its check as asked, and its data."""

    def made(check):
        g = np.random.default_rng(1)
        t = np.linspace(0, 20, 40)
        for name, k in (("s", 9.0), ("q", 3.0)):
            y = 40.0 * np.exp(-t / k) + g.normal(0, 0.5, 40)
            np.savetxt(tmp_path / f"{name}.txt", np.column_stack([t, y]))
        text = SPEC.replace("CHECK", str(check))
        (tmp_path / "m.spec").write_text(text, encoding="utf-8")
        return tmp_path / "run"

    return made


def test_parts_are_run_and_joined(specfit, two, result_of):
    folder = two(5)
    code, out, _ = specfit("run", "m.spec", "--out", "run", "--quiet")
    assert code == 0
    assert "slow" in out
    assert "quick" in out
    joined = result_of(folder)
    assert joined["verdict"] == "accepted"
    for part, k in (("slow", 9.0), ("quick", 3.0)):
        own = result_of(folder / "parts" / part)
        assert joined["parameters"][f"{part}.k"] == own["parameters"]["k"]
        assert (
            abs(own["parameters"]["k"]["mean"] - k) < 4 * own["parameters"]["k"]["sd"]
        )
        assert (folder / "parts" / part / "posterior.nc").exists()
    page = (folder / "report.html").read_text("utf-8")
    assert 'href="parts/slow/report.html"' in page
    code, _, told = specfit("run", "m.spec", "--out", "run", "--quiet", "--resume")
    assert code == 0
    assert "finished" in told


def test_the_worst_verdict_is_that_of_the_whole(specfit, two, result_of):
    folder = two(1)
    code, out, _ = specfit("run", "m.spec", "--out", "run", "--quiet")
    assert code == 1
    assert "quick: failed: check k < 1 s" in out
    joined = result_of(folder)
    assert joined["verdict"] == "rejected"
    assert [p["verdict"] for p in joined["parts"]] == ["accepted", "rejected"]
    assert [r["part"] for r in joined["rules"] if r["kind"] == "check"] == ["quick"]


PATTERNS = """specfit 1
data s : pattern { file = "d/s.csv"; x = column(1); y = column(2) }
data q : pattern { file = "d/q.csv"; x = column(1); y = column(2) }
model one : peaks on s {
  baseline bg : none
  peak P : gaussian { xc ~ free in [1, 9] }
  observe s.y ~ gaussian(0.1)
}
model two : peaks on q {
  baseline bg : none
  peak P : gaussian { xc ~ free in [1, 9] }
  observe q.y ~ gaussian(0.1)
}
"""
OF_ONE = """seed = 3
[one.axis]
low = 0.0
high = 10.0
channels = 50
[one.values]
"P.xc" = 3.0
"P.A" = 20.0
"P.wG" = 1.5
"""


def test_each_model_has_a_truth_of_its_own(specfit, tmp_path):
    (tmp_path / "m.spec").write_text(PATTERNS, encoding="utf-8")
    (tmp_path / "t.toml").write_text(OF_ONE, encoding="utf-8")
    code, _, told = specfit("simulate", "m.spec", "--truth", "t.toml", "--out", "d")
    assert code == 2
    assert "[two]" in told
    other = OF_ONE.partition("\n")[2].replace("one.", "two.").replace("3.0", "7.0")
    (tmp_path / "t.toml").write_text(OF_ONE + other, encoding="utf-8")
    code, _, _ = specfit("simulate", "m.spec", "--truth", "t.toml", "--out", "d")
    assert code == 0
    for name, xc in (("s", 3.0), ("q", 7.0)):
        x, y = np.loadtxt(tmp_path / "d" / f"{name}.csv", delimiter=",").T
        assert abs(x[y.argmax()] - xc) < 0.5


def test_scores_of_analyses_stand_in_the_terminal(specfit, tmp_path):
    g = np.random.default_rng(2)
    x = g.normal(size=(9, 3))
    np.savetxt(tmp_path / "t.txt", np.column_stack([x[:, 0] + 3.0, x]))
    table = 'file = "t.txt"; target = column(1) V; feature = columns(2..4)'
    method = (
        "method lasso : lasso(alpha = [0.01, 1.0]); permutations = 5; resamples = 4"
    )
    parts = [f"analysis {n} : regression on d {{ {method} }}" for n in ("one", "two")]
    text = f"specfit 1\ndata d : table {{ {table} }}\n" + "\n".join(parts) + "\n"
    (tmp_path / "m.spec").write_text(text, encoding="utf-8")
    code, out, _ = specfit("run", "m.spec", "--out", "run", "--quiet")
    assert code == 0
    assert out.count("R², nested") == 2
    assert out.count("lasso") == 2
