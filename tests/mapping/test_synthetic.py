"""Synthetic particles: what is seen through what, and files that make the same again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from specfit.checking import check_with_data
from specfit.cli import main
from specfit.synthetic_map import LINES, Scene, edge, simulated

ENERGY = np.linspace(600.0, 666.5, 96)
MODELS = Path(__file__).parents[2] / "models"


@pytest.mark.parametrize("valence", LINES)
def test_edges_have_unit_area_and_their_l3_first(valence: str) -> None:
    energy = np.linspace(600.0, 680.0, 4001)
    made = edge(valence, energy)
    assert made.sum() == pytest.approx(1.0)
    assert (made >= 0.0).all()
    assert (
        abs(energy[np.argmax(made)] - max(LINES[valence], key=lambda g: g[1])[0]) < 0.5
    )
    moved = edge(valence, energy, 1.0)
    assert np.interp(energy - 1.0, energy, made)[500:3500] == pytest.approx(
        moved[500:3500], rel=0.05
    )


def test_the_core_is_never_seen_without_the_skin() -> None:
    made = simulated(Scene(pixels=(48, 48), skin=0.3, rough=0.0), ENERGY, 1)
    assert np.nanmin(made.fraction) == pytest.approx(0.3, abs=0.01)
    bare = simulated(Scene(pixels=(48, 48), skin=0.3, projected=False), ENERGY, 1)
    assert np.nanmin(bare.fraction) == 0.0
    assert np.nanmax(bare.fraction) == 1.0


def test_counts_are_those_that_are_expected() -> None:
    scene = Scene(pixels=(32, 32), dose=5000.0, background=2000.0)
    made = simulated(scene, ENERGY, 2)
    mean = made.background + np.einsum("kab,ke->abe", made.maps, made.spectra)
    z = (made.counts - mean) / np.sqrt(np.maximum(mean, 1e-9))
    assert abs(z[mean > 5].mean()) < 0.02
    assert z[mean > 5].std() == pytest.approx(1.0, abs=0.03)
    assert np.array_equal(made.counts, simulated(scene, ENERGY, 2).counts)


def test_drift_moves_every_pixel_by_its_own() -> None:
    made = simulated(Scene(pixels=(8, 8), drift=0.3, dose=1e6), ENERGY, 3)
    assert made.drift.std() == pytest.approx(0.3, rel=0.4)
    assert (made.counts >= 0).all()


def test_simulate_makes_the_gallery_again(tmp_path: Path) -> None:
    truth = MODELS / "data" / "eels_valence.truth.toml"
    spec = str(MODELS / "eels_valence.spec")
    said = ["simulate", spec, "--truth", str(truth), "--out", str(tmp_path)]
    assert main(said) == 0
    for name in ("eels_valence.npz", "eels_valence.truth.npz"):
        with np.load(tmp_path / name) as made, np.load(MODELS / "data" / name) as kept:
            for key in kept.files:
                assert np.array_equal(made[key], kept[key], equal_nan=True), key
    assert (tmp_path / truth.name).read_text() == truth.read_text()
    assert main(said) == 0  # its own files are written over
    np.savez(tmp_path / "eels_valence.npz", mine=np.ones(3))
    assert main(said) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[partikel]\n", "truth-map-key"),
        ("[particle]\nskins = 0.3\n", "truth-map-key"),
        ("[particle]\npixels = [2, 24]\n", "truth-map-value"),
        ("[particle]\ndose = -1\n", "truth-map-range"),
        ('[particle]\ncore = "Mn5+"\n', "truth-map-value"),
        ("[energy]\nlow = 700\n", "truth-map-energy"),
        ("[energy]\nlow = -5\n", "truth-map-energy"),
        ("[energy]\nchannels = 96.5\n", "truth-map-energy"),
        ("[energy]\nstep = 1\n", "truth-map-energy"),
        ("[particle]\nskin = 2\n", "truth-map-range"),
        ("[particle]\nradius = 0\n", "truth-map-range"),
        ("seed = -3\n", "truth-map-seed"),
        ("seed = 1.5\n", "truth-map-seed"),
    ],
)
def test_what_is_wrong_with_a_truth(
    text: str, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "t.toml"
    truth.write_text(text, encoding="utf-8")
    spec = str(MODELS / "eels_valence.spec")
    out = str(tmp_path / "out")
    assert main(["simulate", spec, "--truth", str(truth), "--out", out]) == 2
    assert f"error[{code}]" in capsys.readouterr().err


@pytest.mark.parametrize("skin", [0.0, 0.6, 1.0])
def test_a_skin_as_thick_as_the_particle_leaves_no_core(skin: float) -> None:
    made = simulated(Scene(pixels=(8, 8), skin=skin, rough=3.0), ENERGY, 1)
    assert (made.maps >= 0.0).all()
    assert np.isfinite(made.counts).all()


NAMED = [
    ('"map.npz"', "grid(y, x, ", "axis(3) eV"),
    ('"map.npy"', "grid(y, x, ", "axis(3) eV"),
    ('"map.npz"', "grid(x, y, ", "axis(1) eV"),
    ('"map.npz"', "grid(y, x, ", 'axis(2, "losses") keV'),
    ('"map.npy"', "grid(x, y, ", "axis(1) eV"),
    ('"map.npz"', "grid(y, x, ", "axis(3, start = 600 eV, step = 0.5 eV) eV"),
]


def named(folder: Path, file: str, pixel: str, energy: str) -> Path:
    """The gallery's .spec with another file and other axes."""
    text = (MODELS / "eels_valence.spec").read_text(encoding="utf-8")
    for old, new in (
        ('"data/eels_valence.npz"', file), ("grid(y, x, ", pixel),
        ("axis(3) eV", energy), ("data/", f"{MODELS}/data/"),
    ):  # fmt: skip
        text = text.replace(old, new)
    path = folder / "m.spec"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("said", NAMED)
def test_the_spec_reads_what_simulate_wrote_for_it(
    said: tuple[str, str, str], tmp_path: Path
) -> None:
    spec = named(tmp_path, *said)
    truth = tmp_path / "t.toml"
    truth.write_text("[particle]\npixels = [6, 9]\n", encoding="utf-8")
    command = ["simulate", str(spec), "--truth", str(truth), "--out", str(tmp_path)]
    assert main(command) == 0
    assert main(command) == 0  # its own files are written over
    checked = check_with_data(spec, allow_outside=True)
    assert not checked.errors, checked.errors
    ((_, measured),) = checked.measured
    assert measured.cube is not None
    with np.load(tmp_path / "map.truth.npz") as kept:
        thick = kept["maps"].sum(axis=0)
    counts = np.asarray(measured.cube.counts, dtype=float).sum(axis=2)
    seen = measured.cube.image(counts.ravel())
    assert seen.shape == thick.shape == (6, 9)
    assert np.corrcoef(seen.ravel(), thick.ravel())[0, 1] > 0.99
    step = 0.5 if "start" in said[2] else 0.7
    np.testing.assert_allclose(np.diff(measured.axis), step, rtol=1e-6)


def test_formats_that_are_not_written_and_other_energies_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "t.toml"
    truth.write_text("[energy]\nlow = 601.0\n", encoding="utf-8")
    for said, code in (
        (('"map.hspy"', "grid(y, x, ", "axis(3) eV"), "simulate-map-format"),
        (NAMED[-1], "truth-map-axis"),
    ):
        spec = str(named(tmp_path, *said))
        out = str(tmp_path / "out")
        assert main(["simulate", spec, "--truth", str(truth), "--out", out]) == 2
        assert f"error[{code}]" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()
