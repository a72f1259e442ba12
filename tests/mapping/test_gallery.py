"""The gallery's map with the real numerics: what is found lies near the truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from specfit.cli import main

MODELS = Path(__file__).parents[2] / "models"


def test_the_fraction_of_the_gallery_is_found(tmp_path: Path) -> None:
    out = tmp_path / "run"
    spec = str(MODELS / "eels_valence.spec")
    assert main(["run", spec, "--out", str(out), "--quiet"]) == 0
    with np.load(out / "tables" / "maps.npz") as found:
        fraction, low, high = (
            found[name][0] for name in ("fraction", "fraction_q05", "fraction_q95")
        )
    with np.load(MODELS / "data" / "eels_valence.truth.npz") as truth:
        true, inside = truth["fraction"], truth["maps"].sum(axis=0) > 300.0
    off = (fraction - true)[inside]
    assert np.sqrt(np.mean(off**2)) < 0.06
    assert abs(off.mean()) < 0.03
    assert np.mean((low <= true)[inside] & (true <= high)[inside]) > 0.85
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["verdict"] == "accepted"
    assert result["how_many"]["best"] == 3  # two phases and the background
    assert result["diagnostics"]["chi2_reduced"] < 1.1
