"""Synthetic data: made again from their truth, and never over what was measured."""

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from specfit.checking import check_with_data, measure
from specfit.cli import main

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture
def iron(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPECFIT_LANG", "en")
    (tmp_path / "iron.spec").write_text(
        """specfit 1
data s : transmission {
  file = "iron.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
}
model m : mossbauer57Fe on s {
  site Fe : sextet from db("iron.alpha") { QS = 0 mm/s }
  observe s.counts ~ poisson
}
""",
        encoding="utf-8",
    )
    return tmp_path


def simulate(truth, out="out"):
    Path("t.toml").write_text(truth, encoding="utf-8")
    return main(["simulate", "iron.spec", "--truth", "t.toml", "--out", out])


GALLERY = (
    *("siderite_crystal", "tin_powder", "hematite_unfolded", "neel_arrhenius"),
    *("field_gaussians", "textured_film", "exafs_shells"),
)


@pytest.mark.parametrize(
    "name",
    [
        "magnetite_iron",
        "magnetite_iron_noisy",
        *(pytest.param(name, marks=pytest.mark.slow) for name in GALLERY),
    ],
)
def test_the_shipped_data_are_made_from_their_truth(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    truth = MODELS / "data" / f"{name}.truth.toml"
    spec = MODELS / f"{name}.spec"
    out = tmp_path / "out"
    assert main(["simulate", str(spec), "--truth", str(truth), "--out", str(out)]) == 0
    made = [path for path in out.iterdir() if path.suffix != ".toml"]
    assert made
    for path in made:
        assert path.read_bytes() == (MODELS / "data" / path.name).read_bytes()


def test_the_truth_that_is_written_makes_the_same_data(iron, capsys):
    axis = "[axis]\nlow = -8\nhigh = 8\nchannels = 200\n"
    assert simulate(f"seed = 3\n{axis}[values]\nN0 = 1e5\n") == 0
    said = capsys.readouterr()
    assert "drawn from the prior" in said.err
    assert "Fe.Bint = " in said.err
    assert "N0" not in said.err
    first = Path("out/iron.csv").read_bytes()
    shutil.move("out/iron.truth.toml", "t.toml")
    again = Path("t.toml").read_text(encoding="utf-8")
    assert tomllib.loads(again)["axis"]["channels"] == 200
    assert simulate(again, "again") == 0
    assert Path("again/iron.csv").read_bytes() == first


def test_measured_data_are_not_written_over(iron, capsys):
    Path("iron.csv").write_text("my measurement", encoding="utf-8")
    assert simulate("[values]\nN0 = 1e5\n", ".") == 2
    assert "nothing was written" in capsys.readouterr().err
    assert Path("iron.csv").read_text(encoding="utf-8") == "my measurement"


def test_a_truth_that_somebody_wrote_is_not_written_over(iron, capsys):
    Path("iron.truth.toml").write_text("[values]\nN0 = 1e5\n", encoding="utf-8")
    asked = ["simulate", "iron.spec", "--truth", "iron.truth.toml", "--out", "."]
    assert main(asked) == 2
    assert "error[would-overwrite]" in capsys.readouterr().err
    assert not Path("iron.csv").exists()


def test_simulated_data_are_written_over_with_a_word(iron, capsys):
    assert simulate("[values]\nN0 = 1e5\n") == 0
    assert "writing over" not in capsys.readouterr().err
    assert simulate("seed = 2\n[values]\nN0 = 1e5\n") == 0
    said = capsys.readouterr().err
    assert "writing over the simulated data in `out`: iron.csv, iron.truth.toml" in said


@pytest.mark.parametrize("out", ["/proc/x", "/dev/null/x", "taken", "taken/x"])
@pytest.mark.parametrize("command", ["simulate", "run"])
def test_a_place_that_takes_no_folder_is_named_with_a_remedy(
    iron, capsys, command, out
):
    Path("taken").write_text("mine", encoding="utf-8")
    assert simulate("[values]\nN0 = 1e5\n", ".") == 0
    if command == "simulate":
        code = simulate("[values]\nN0 = 1e5\n", out)
    else:
        code = main(["run", "iron.spec", "--quiet", "--out", out])
    said = capsys.readouterr().err
    assert code == 2
    if (command, out) == ("run", "taken"):
        assert "taken is a file, not a run folder" in said
    else:
        assert "error[cannot-write]: cannot write `" in said
        assert "--out" in said
    assert "Errno" not in said
    assert Path("taken").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("value", "name"), [("N0 = -5", "N0"), ('"Fe.width" = nan', "Fe.width")]
)
def test_a_truth_outside_its_prior_is_a_plain_fault(iron, capsys, value, name):
    assert simulate(f"[values]\n{value}\n") == 2
    said = capsys.readouterr().err
    assert f"error[truth-outside]: the truth `{name}` = " in said
    assert "would become" not in said


@pytest.mark.parametrize(
    "axis", ["channels = -4", 'low = "a"', "low = 9\nhigh = 8", "channels = 3"]
)
def test_an_axis_that_cannot_be(iron, capsys, axis):
    assert simulate(f"[axis]\n{axis}\n[values]\nN0 = 1e5\n") == 2
    assert "[axis]" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [("--draws", "-5"), ("--chains", "0"), ("--seed", "-1")]
)
def test_numbers_of_the_command_line_are_checked(iron, capsys, option):
    with pytest.raises(SystemExit) as stop:
        main(["run", "iron.spec", *option])
    assert stop.value.code == 2
    assert "is below" in capsys.readouterr().err


RAW = """specfit 1
data s : transmission {
  file = "raw.adt"
  calibration = "foil.adt"
  source = "57Co(Rh)"
  fold = none
}
model m : mossbauer57Fe on s {
  baseline = parabola
  site A : sextet {
    IS ~ 0.3 ± 0.2 mm/s
    QS ~ 0.0 ± 0.1 mm/s
    Bint ~ free in [40, 55] T
    width ~ free in [0.194, 0.6] mm/s
  }
  observe s.counts ~ poisson
}
run laplace { seed = 1 }
"""
DRIVEN = """seed = 4
[drive]
mirror = 257.2
halves_bend = -0.013
velocity_cubic = 0.01
[values]
N0 = 2e5
area = 0.25
geometry = 0.002
half_slope = 0.0
slope = 0.0
curvature = 0.002
A = { IS = 0.30, QS = 0.0, Bint = 49.0, width = 0.3 }
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """What asks for raw channels of a crooked drive and its α-Fe."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPECFIT_LANG", "en")
    Path("raw.spec").write_text(RAW, encoding="utf-8")
    Path("t.toml").write_text(DRIVEN, encoding="utf-8")
    return ["simulate", "raw.spec", "--truth", "t.toml", "--out", "."]


@pytest.fixture
def raw(written):
    assert main(written) == 0
    return written


def readings(path):
    checked = check_with_data(path)
    (found,) = measure(checked.require().models[0], checked)
    return found, {
        r.label: (r.value, np.linalg.norm(r.weights)) for r in found.readings
    }


def test_raw_channels_hold_the_drive_that_made_them(raw):
    """The reader finds the drive; the truth that is written makes the same bytes."""
    found, drive = readings(Path("raw.spec"))
    assert found.values.size == 512
    late = -0.013 * 128 * (5.3123 / 12) ** 2
    mirror, first, second = (
        drive[n]
        for n in (
            "mirror point",
            "drive's bend, first half",
            "drive's bend, second half",
        )
    )
    assert abs(mirror[0] - 257.2) < 0.1
    assert abs(first[0] - late) < 4 * first[1] < 0.3
    assert abs(second[0] - late) < 4 * second[1] < 0.3
    first_made = [Path(name).read_bytes() for name in ("raw.adt", "foil.adt")]
    written = tomllib.loads(Path("raw.truth.toml").read_text("utf-8"))
    assert written["drive"]["halves_bend"] == -0.013
    assert not any("velocity" in name for name in written["values"])
    shutil.copy("raw.truth.toml", "t.toml")
    assert main(raw) == 0
    assert first_made == [Path(name).read_bytes() for name in ("raw.adt", "foil.adt")]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("mirror = 257.2", "mirror = 900", "truth-drive"),
        ("mirror = 257.2", "wobble = 1.0", "truth-drive"),
        ("mirror = 257.2", 'direction = "up"', "truth-drive"),
        ("N0 = 2e5", '"s.velocity_scale" = 1.0', "unknown-name"),
    ],
)
def test_a_drive_that_cannot_be_is_refused(written, old, new, code, capsys):
    Path("t.toml").write_text(DRIVEN.replace(old, new), encoding="utf-8")
    assert main(written) == 2
    assert f"error[{code}]" in capsys.readouterr().err


@pytest.mark.slow
def test_a_bent_drive_is_found_with_the_sample(raw):
    """Unfolded everything within its error; folded, the field is off by six of them."""
    truth = {"A.IS": 0.30, "A.QS": 0.0, "A.Bint": 49.0, "geometry": 0.002}
    found = {}
    for fold in ("none", "auto"):
        path = Path(f"{fold}.spec")
        path.write_text(RAW.replace("fold = none", f"fold = {fold}"), encoding="utf-8")
        main(["run", str(path), "--out", fold, "--quiet"])
        result = json.loads(Path(fold, "result.json").read_text("utf-8"))
        found[fold] = result["parameters"], dict(result["spectra"][0]["found"])
    parameters, said = found["none"]
    for name, value in truth.items():
        assert abs(parameters[name]["mean"] - value) < 3.5 * parameters[name]["sd"]
    mirror, sd = said["mirror point, fitted"].split(" channel")[0].split(" ± ")
    assert abs(float(mirror) - 257.2) < 3.5 * float(sd) < 0.1
    assert "±" in said["baseline of the first half, fitted"]
    field = found["auto"][0]["A.Bint"]
    assert abs(field["mean"] - 49.0) > 4 * field["sd"]
    assert "mirror point, fitted" not in found["auto"][1]
