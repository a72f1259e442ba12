"""The series and the populations of the gallery, from text to fit: their truth is found."""

import json
import tomllib
from pathlib import Path

import pytest

from specfit.cli import main

MODELS = Path(__file__).parents[2] / "models"


def fitted(name: str, folder: Path) -> dict[str, tuple[float, float]]:
    """Mean and sd of every quantity."""
    out = folder / name
    assert (
        main(["run", str(MODELS / f"{name}.spec"), "--out", str(out), "--quiet"]) == 0
    )
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    both = {**result["parameters"], **result["derived"]}
    return {key: (entry["mean"], entry["sd"]) for key, entry in both.items()}


def truth(name: str) -> dict[str, float]:
    """Every scalar of the truth that has a prior of its own."""
    text = (MODELS / "data" / f"{name}.truth.toml").read_text(encoding="utf-8")
    flat: dict[str, float] = {}
    for key, value in tomllib.loads(text)["values"].items():
        inner = value if isinstance(value, dict) else {"": value}
        flat |= {f"{key}.{k}".rstrip("."): v for k, v in inner.items()}
    return flat


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "derived"),
    [
        ("temperature_series", {"iron_salt": 0.45, "f_oxide": 0.768, "f_salt": 0.361}),
        (
            "magnetite_populations",
            {"δ": 0.05, "Fe2_Fe3": 0.85 / 2.1, "in_hematite": 0.25},
        ),
    ],
)
def test_the_truth_is_found_without_starting_values(name, derived, tmp_path):
    """Normal deviates of seeds that are fixed: 4 sd has a false alarm of 6e-5 each."""
    found = fitted(name, tmp_path)
    for key, value in {**truth(name), **derived}.items():
        mean, sd = found[key]
        assert abs(mean - value) < 4 * sd + 1e-9, (key, mean, sd, value)
