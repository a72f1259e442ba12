"""`specfit identify`, from a file with nothing but data to a model that runs."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).parents[3] / "shared" / "data" / "mossbauer"
SLOPES = np.array([5.3123, 3.0760, 0.8397]) / 33.04
SPEC = """specfit 1
data spectrum : transmission {{
  file = "sample.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  {more}
  IS_zero = "alpha-Fe"
}}
"""


def write(folder, sextets=(), doublets=(), more="T = 295 K", name="sample"):
    """A synthetic spectrum: (IS, QS, Bint, area), (IS, QS, area), 10⁶ counts."""
    velocity = np.linspace(-10.0, 10.0, 400)
    dip = np.zeros_like(velocity)
    lines = [
        (shift + half * q / 2 + sign * slope * field, area * part / 12)
        for shift, q, field, area in sextets
        for sign, half, slope, part in zip(
            (-1, -1, -1, 1, 1, 1),
            (1, -1, -1, -1, -1, 1),
            SLOPES[[0, 1, 2, 2, 1, 0]],
            (3, 2, 1, 1, 2, 3),
            strict=True,
        )
    ]
    lines += [(s + h * q / 2, a / 2) for s, q, a in doublets for h in (-1, 1)]
    for where, area in lines:
        dip += area * 0.14 / np.pi / ((velocity - where) ** 2 + 0.14**2)
    counts = np.random.default_rng(8).poisson(1e6 * (1.0 - dip))
    rows = [f"{v:.6f},{n}" for v, n in zip(velocity, counts, strict=True)]
    (folder / "sample.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    path = folder / f"{name}.spec"
    path.write_text(SPEC.format(more=more), encoding="utf-8")
    return path


HEMATITE, PYRITE = (0.37, -0.20, 51.2, 0.2), (0.32, 0.60, 0.1)


def record(folder):
    return json.loads((folder / "identify.json").read_text(encoding="utf-8"))


def test_a_mixture_becomes_a_model(specfit, tmp_path):
    few = 'T = 295 K\n  phases = "hematite, magnetite, pyrite, siderite, goethite"'
    path = write(tmp_path, [HEMATITE], [PYRITE], few)
    code, out, err = specfit("identify", path, "--out", tmp_path / "found")
    assert code == 0, out + err
    found = record(tmp_path / "found")
    assert found["verdict"] == "identified"
    assert len(found["considered"]) == 5
    first = found["answers"][0]
    assert [p["name"] for p in first["phases"]] == ["hematite", "pyrite"]
    assert first["phases"][0]["share"] == pytest.approx(2 / 3, abs=0.02)
    assert first["probability"] > 0.9
    assert "hematite" in out
    assert "left over: nothing beyond the noise" in out
    assert "[" in err  # progress
    assert (tmp_path / "found" / "phases.png").read_bytes().startswith(b"\x89PNG")
    model = tmp_path / "sample.identified.spec"
    text = model.read_text(encoding="utf-8")
    assert 'from db("hematite", T = spectrum.T)' in text
    assert "baseline = parabola" in text
    assert "# - it also let the lines be saturated" in text
    assert first["tail_probability"] > 0.001
    assert first["phases"][0]["probability"] > 0.99
    code, out, err = specfit("check", model)
    assert code == 0, out + err
    again = specfit("identify", path, "--out", tmp_path / "found", "--quiet", "--json")
    assert again[0] == 0
    assert json.loads(again[1])["answers"][0]["probability"] == first["probability"]


@pytest.mark.slow
def test_the_model_runs(specfit, result_of, tmp_path):
    path = write(tmp_path, [HEMATITE], [PYRITE])
    options = ("--phases", "hematite, pyrite, goethite", "--quiet")
    code, out, err = specfit("identify", path, *options)
    assert code == 0, out + err
    model = tmp_path / "sample.identified.spec"
    code, out, err = specfit("run", model, "--out", tmp_path / "run", "--quiet")
    assert code == 0, out + err
    result = result_of(tmp_path / "run")
    assert result["parameters"]["hematite.I"]["mean"] == pytest.approx(2 / 3, abs=0.02)


def test_what_no_phase_explains_is_not_in_the_database(specfit, tmp_path):
    path = write(tmp_path, [], [(0.9, 3.9, 0.2)])
    options = ("--phases", "hematite, pyrite", "--quiet", "--out", tmp_path / "found")
    code, out, err = specfit("identify", path, *options)
    assert code == 3, out + err
    assert "not in the database: no phase" in out
    doublet = (
        r"IS 0\.\d+ ± 0\.000\d+ mm/s, QS 3\.\d+ ± 0\.00\d+ mm/s, 100 % of the area"
    )
    assert re.search(doublet, out), out
    assert "there with probability > 0.99" in out
    assert record(tmp_path / "found")["verdict"] == "not_in_database"
    assert not (tmp_path / "sample.identified.spec").exists()
    code, out, _ = specfit("identify", path, *options, language="ja")
    assert code == 3
    assert "データベースにない成分: 常磁性ダブレット" in out


@pytest.mark.parametrize(
    ("more", "options", "said"),
    [
        ("", (), "identify-no-temperature"),
        ("T = 295 K", ("--phases", "hematight"), "db-unknown-phase"),
        ("T = 295 K", ("--elements", "Fe, Qq"), "identify-element"),
        ("T = 295 K", ("--phases", "magnetite", "--elements", "Fe"), "no-phase"),
    ],
)
def test_faults_are_said(specfit, tmp_path, more, options, said):
    path = write(tmp_path, [HEMATITE], more=more)
    code, _, err = specfit("identify", path, *options)
    assert code == 2
    assert said in err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("more", "options", "shown"),
    [
        ("", (), "data spectrum : transmission {"),
        ("T = 295 K", ("--elements", "Fe, Oo"), ""),
        ('T = 295 K; elements = "Fe, Oo"', (), "elements = "),
        ('T = 295 K; phases = "hematight"', (), "phases = "),
    ],
)
def test_a_fault_is_shown_where_it_was_said(specfit, tmp_path, more, options, shown):
    """Nothing of the file is underlined for what the command line says."""
    path = write(tmp_path, [HEMATITE], more=more)
    _, _, err = specfit("identify", path, *options)
    *above, carets = [line for line in err.splitlines() if " | " in line] or [""]
    assert (shown in above[-1]) if shown else not carets
    if shown.endswith("= "):
        place = above[-1].index(shown)
        assert carets.index("^") == place


def test_nothing_of_the_user_is_written_over(specfit, tmp_path):
    path = write(tmp_path, [HEMATITE])
    mine = tmp_path / "sample.identified.spec"
    mine.write_text("specfit 1\n", encoding="utf-8")
    code, _, err = specfit("identify", path)
    assert code == 2
    assert "identify-would-overwrite" in err
    assert mine.read_text(encoding="utf-8") == "specfit 1\n"
    mine.unlink()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("x", encoding="utf-8")
    code, _, err = specfit("identify", path, "--out", tmp_path / "notes")
    assert code == 2
    assert "holds no identification" in err


def test_what_to_doubt_is_said(specfit, tmp_path):
    """A doublet on the inner lines of iron; a phase recorded at 4.2 K alone."""
    iron, on_its_lines = (0.0, 0.0, 33.04, 0.2), (0.0, 1.68, 0.02)
    path = write(tmp_path, [iron], [on_its_lines])
    names = "iron, kamacite, FeIVoxo_heme"
    options = ("--quiet", "--out", tmp_path / "found")
    code, out, err = specfit("identify", path, "--phases", names, *options)
    assert code == 0, out + err
    assert "FeIVoxo_heme: all its lines lie on lines of iron.alpha" in out
    assert "FeIVoxo_heme: recorded at 4.2 K" in out
    assert "iron.alpha: recorded" not in out
    assert "iron.alpha: this spectrum cannot tell it from kamacite" in out
    assert "--elements" not in out


def test_elements_are_asked_for_where_they_would_help(specfit, tmp_path):
    path = write(tmp_path, [(0.0, 0.0, 33.04, 0.2)])
    options = ("--quiet", "--out", tmp_path / "found")
    code, out, err = specfit("identify", path, *options)
    assert code == 0, out + err
    assert "iron.alpha: this spectrum cannot tell it from" in out
    assert '`--elements "Fe, O, H"`, with the elements' in out


def measured(tmp_path, *names):
    for name in names:
        if not (SHARED / name).exists():
            pytest.skip("shared data absent")
        shutil.copy(SHARED / name, tmp_path / Path(name).name)


@pytest.mark.slow
def test_magnetite_from_raw_channels(specfit, tmp_path):
    """A commercial powder: magnetite, half of it on the way to maghemite."""
    measured(tmp_path, "fitbauer/Fe3O4.adt", "fitbauer/calibration.adt")
    path = tmp_path / "powder.spec"
    path.write_text(
        'specfit 1\ndata spectrum : transmission {\n  file = "Fe3O4.adt"\n'
        '  calibration = "calibration.adt"\n  source = "57Co(Rh)"\n  T = 295 K\n}\n',
        encoding="utf-8",
    )
    for elements, others in (("", set()), ("Fe, O, H", {"maghemite"})):
        options = ("--elements", elements, "--quiet", "--out", tmp_path / "found")
        code, out, err = specfit("identify", path, *options)
        assert code == 0, out + err
        phases = record(tmp_path / "found")["answers"][0]["phases"]
        share = {phase["name"]: phase["share"] for phase in phases}
        assert {"magnetite"} | others <= set(share)
        assert 0.4 < share["magnetite"] < 0.6


@pytest.mark.slow
def test_a_thick_iron_foil(specfit, tmp_path):
    measured(tmp_path, "syncmoss/Standard_CMS.dat")
    path = tmp_path / "foil.spec"
    text = SPEC.format(more="T = 295 K").replace("sample.csv", "Standard_CMS.dat")
    path.write_text(text, encoding="utf-8")
    options = ("--quiet", "--out", tmp_path / "found")
    code, out, err = specfit("identify", path, *options)
    assert code == 0, out + err
    (first, *_) = record(tmp_path / "found")["answers"]
    assert first["phases"][0]["name"] == "iron.alpha"
    assert first["phases"][0]["share"] > 0.95
    assert "saturated" in out
    assert "all its lines lie on lines of iron.alpha" in out
