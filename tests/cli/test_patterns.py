"""Patterns and curves from the command line: made, fitted, judged, shown."""

import csv
import json
import tomllib

import numpy as np
import pytest

from specfit.cli import main

SPEC = """specfit 1
title "two peaks, three stages"
data s[stage = [1, 2, 3]] : pattern {
  file = "data/s_{stage}.csv"
  theta2 = column(1) deg
  counts = column(2) counts
}
model lines : peaks on s per stage {
  baseline bg : linear
  peak P : gaussian { xc ~ free in [11, 24] deg }
  peak Q : lorentzian { xc ~ free in [26, 39] deg }
  check Q.FWHM in [0.2, 3] deg because "no sharper than the slits"
  observe s.counts ~ poisson
}
run auto { chains = 4; draws = 400; seed = 2; batch = stage }
report features { table = [xc, Q.FWHM, c0]; rows = stage; save = "out/features" }
"""
TRUTH = """seed = 5
[axis]
low = 10.0
high = 40.0
channels = 151
[values]
"P.xc" = [17.0, 17.4, 19.0]
"Q.xc" = 33.0
"""
LEVELS = """"P.A" = [900.0, 1500.0, 600.0]
"Q.A" = [1200.0, 900.0, 1500.0]
"P.wG" = [1.0, 1.3, 0.8]
"Q.wL" = [1.1, 0.9, 1.4]
c0 = [300.0, 320.0, 280.0]
c1 = [40.0, 20.0, -10.0]
"""


def test_stages_are_made_fitted_and_found(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.spec").write_text(SPEC, encoding="utf-8")
    truth = TRUTH.replace('"Q.xc" = 33.0', '"Q.xc" = [33.0, 33.2, 33.1]') + LEVELS
    (tmp_path / "t.toml").write_text(truth, encoding="utf-8")
    assert main(["simulate", "m.spec", "--truth", "t.toml", "--out", "data"]) == 0
    assert main(["run", "m.spec", "--out", "run", "--quiet"]) == 0
    printed = capsys.readouterr().out
    assert "so in each of 3" in printed
    result = json.loads((tmp_path / "run" / "result.json").read_text("utf-8"))
    assert result["verdict"] == "accepted"
    values = tomllib.loads(truth)["values"]
    flat = {f"{n}[{k + 1}]": v for n, x in values.items() for k, v in enumerate(x)}
    z = [
        (entry["mean"] - flat[name]) / entry["sd"]
        for name, entry in result["parameters"].items()
    ]
    assert len(z) == 24
    assert np.abs(z).max() < 4.2  # 1e-3 of such 24 are further off
    assert {r["rule"] for r in result["rules"]} & {
        "linewidth",
        "hyperfine_windows",
    } == set()
    pictures = {p.name for p in (tmp_path / "run" / "figures").iterdir()}
    assert {"spectrum_1.png", "spectrum_2.png", "spectrum_3.png"} <= pictures
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "mm/s" not in page
    assert "Q.FWHM (deg)" in page
    _same_in_the_table(tmp_path / "run" / "tables" / "out" / "features.csv", result)


def _same_in_the_table(path, result):
    """A row for each stage; mean and sd as in the result, a symbol for each peak."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["stage"] for row in rows] == ["1", "2", "3"]
    columns = ["P.xc (deg)", "Q.xc (deg)", "Q.FWHM (deg)", "c0 (counts)"]
    assert list(rows[0]) == ["stage", *(c + e for c in columns for e in ("", " sd"))]
    known = {**result["parameters"], **result["derived"]}
    for row in rows:
        for column in columns:
            entry = known[f"{column.partition(' ')[0]}[{row['stage']}]"]
            assert float(row[column]) == pytest.approx(entry["mean"], rel=1e-9)
            assert float(row[f"{column} sd"]) == pytest.approx(entry["sd"], rel=1e-9)


def test_a_list_of_the_wrong_length_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.spec").write_text(SPEC, encoding="utf-8")
    short = TRUTH.replace("[17.0, 17.4, 19.0]", "[17.0, 17.4]")
    (tmp_path / "t.toml").write_text(short, encoding="utf-8")
    assert main(["simulate", "m.spec", "--truth", "t.toml", "--out", "data"]) == 2
    assert "3 levels" in capsys.readouterr().err


CURVE = """specfit 1
data d : table { file = "d.txt"; t = column(1) s; y = column(2) }
model fit : curve on d {
  a ~ free in [0, 100]
  k ~ free in [0.1, 100] s
  observe d.y ~ normal(a * exp(-d.t / k), halfnormal(1))
}
"""


def test_a_curve_of_a_table(tmp_path, monkeypatch, capsys):
    """Rows in any order; the picture has its column as the axis."""
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(1)
    t = g.uniform(0, 20, 60)
    y = 40.0 * np.exp(-t / 5.0) + g.normal(0, 0.5, 60)
    np.savetxt("d.txt", np.column_stack([t, y]))
    (tmp_path / "m.spec").write_text(CURVE, encoding="utf-8")
    assert main(["run", "m.spec", "--out", "run", "--quiet"]) == 0
    printed = capsys.readouterr().out
    assert "flat spectrum" not in printed
    result = json.loads((tmp_path / "run" / "result.json").read_text("utf-8"))
    for name, true in (("a", 40.0), ("k", 5.0), ("d.sd", 0.5)):
        entry = result["parameters"][name]
        assert abs(entry["mean"] - true) < 4 * entry["sd"]
    assert result["diagnostics"]["chi2_reduced"] == pytest.approx(1.0, abs=0.25)
