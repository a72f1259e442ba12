"""Curves that cover a part of a map, or are none; windows where the background is alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from specfit.cli import main
from specfit.readers import ReaderError
from specfit.readers.curves import on_axis, reach

Project = Callable[..., Path]
AXIS = np.linspace(600.0, 665.0, 261)
OWN = np.linspace(630.0, 670.0, 161)
PEAK = np.exp(-0.5 * ((OWN - 642.0) / 1.5) ** 2)
FIT = "fit = [600, 632] eV"
MN4 = 'like file("data/eels_valence_mn4.msa")'


def fault(energy: np.ndarray, values: np.ndarray) -> str:
    with pytest.raises(ReaderError) as caught:
        on_axis(energy, values, AXIS, "a.csv")
    return caught.value.code


def test_what_is_no_curve_is_refused() -> None:
    assert fault(OWN, -PEAK) == "data-curve-negative"
    assert fault(OWN, np.ones_like(OWN)) == "data-curve-flat"
    assert fault(OWN[:60], PEAK[:60]) == "data-curve-short"
    assert fault(OWN[:10], PEAK[:10]) == "data-curve-few"
    assert fault(OWN + 90.0, PEAK) == "data-curve-apart"


def test_noise_about_zero_is_a_curve() -> None:
    noisy = PEAK + np.random.default_rng(0).normal(0.0, 0.02, PEAK.size)
    assert on_axis(OWN, noisy, AXIS, "a.csv").sum() == pytest.approx(1.0)


def test_what_a_curve_does_not_reach_is_said() -> None:
    assert reach(OWN, PEAK, AXIS) == ""
    cut = OWN < 655.0
    assert reach(OWN[cut], PEAK[cut], AXIS) == "level above 654.75 eV, where it ends"
    late = OWN > 640.1
    assert reach(OWN[late], PEAK[late], AXIS) == "zero below 640.25 eV, where it begins"


def curve(folder: Path, keep: np.ndarray) -> None:
    rows = [f"{e},{v}" for e, v in zip(OWN[keep], PEAK[keep], strict=True)]
    (folder / "data" / "own.csv").write_text("energy,intensity\n" + "\n".join(rows))


@pytest.mark.usefixtures("fake")
def test_a_curve_that_ends_early_is_a_note_of_check_and_of_the_run(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project((MN4, 'like file("data/own.csv")'))
    curve(path.parent, OWN < 655.0)
    assert main(["check", str(path)]) == 0
    said = capsys.readouterr()
    assert "note[curve-reach]" in said.out + said.err
    out = path.parent / "out"
    assert main(["run", str(path), "--out", str(out), "--quiet"]) in (0, 1)
    assert "level above 654.75 eV, where it ends" in (out / "result.json").read_text()
    curve(path.parent, OWN < 645.0)
    assert main(["check", str(path)]) == 2
    said = capsys.readouterr()
    assert "error[data-curve-short]" in said.out + said.err


@pytest.mark.parametrize(
    ("window", "code", "result"),
    [
        ("[500, 590] eV", "error[fit-outside]", 2),
        ("[600, 650] eV", "warning[fit-over-edge]", 0),
        ("[600, 630] eV", "", 0),
    ],
)
def test_the_window_of_the_background_is_looked_at(
    window: str,
    code: str,
    result: int,
    project: Project,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = project((FIT, f"fit = {window}"))
    assert main(["check", str(path)]) == result
    said = capsys.readouterr()
    assert code in said.out + said.err
    assert ("[fit-" in said.out + said.err) == bool(code)
