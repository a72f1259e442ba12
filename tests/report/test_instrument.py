"""What is said of the instrument after the fit, from draws of what was left open."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from specfit.contracts import Measurement, Reading
from specfit.report.figures.spectrum import draw
from specfit.report.instrument import after_the_fit
from specfit.report.quantities import Findings

NAMES = ("mirror_point", "velocity_scale")


def said(readings=(), **more):
    """What is found where every scalar is drawn about a mean with its sd."""
    generator = np.random.default_rng(2)
    means = {"mirror_point": (0.4, 0.1), "velocity_scale": (0.0, 1.0), **more}
    draws = {name: generator.normal(*m, 20_000) for name, m in means.items()}
    found = SimpleNamespace(
        quantity=lambda name: SimpleNamespace(draws=draws[name[2:]])
    )
    spectrum = SimpleNamespace(scalars={name: f"s.{name}" for name in means})
    measured = Measurement(
        np.zeros(2), np.zeros(2), nuisance_names=NAMES, readings=readings
    )
    return dict(after_the_fit(found, spectrum, measured))


def figures(text):
    value, _, rest = text.partition(" ± ")
    return float(value), float(rest.split()[0])


def test_a_reading_follows_the_nuisances():
    """257 + 0.5 z₁ + 0.02 z₂ with z₁ = 0.4 ± 0.1, z₂ = 0 ± 1."""
    reading = Reading("mirror point", "channel", 257.0, np.array([0.5, 0.02]))
    text = said((reading,), geometry=(0.002, 0.0001))["mirror point, fitted"]
    value, sd = figures(text)
    assert value == pytest.approx(257.2, abs=0.002)
    assert sd == pytest.approx(np.hypot(0.05, 0.02), rel=0.05)
    assert text.endswith("channel")


def test_each_half_has_its_own_parabola():
    reading = Reading("mirror point", "channel", 257.0, np.zeros(2))
    parts = {"geometry": 0.002, "slope": 0.001, "half_slope": 0.003, "curvature": 0.004}
    found = said((reading,), **{name: (mean, 1e-4) for name, mean in parts.items()})
    wanted = {"first": (-0.2, -0.2, 0.6), "second": (0.2, 0.4, 0.2)}
    for half, means in wanted.items():
        text = found[f"baseline of the {half} half, fitted"]
        for part, mean in zip(text.split(", "), means, strict=True):
            value = figures(
                part.split("%")[0].split(maxsplit=part.startswith("at") + 1)[-1]
            )
            assert value[0] == pytest.approx(mean, abs=0.01)


def test_a_folded_spectrum_has_nothing_to_say():
    assert said() == {}


def test_the_halves_of_a_sweep_are_drawn_apart(build, monkeypatch):
    """Channels of the halves alternate along the axis: one line through all zigzags, and
    two in one panel hide each other."""
    run = build.Scene().run()
    (measured,) = run.measurements
    turns = np.where(np.arange(measured.axis.size) % 2, 1.0, -1.0)
    run = replace(run, measurements=(replace(measured, position=turns),))
    drawn = []
    monkeypatch.setattr(
        "matplotlib.axes.Axes.plot",
        lambda self, x, *_, **more: (
            drawn.append((self, len(x), more.get("label"))) or []
        ),
    )
    monkeypatch.setattr("matplotlib.figure.Figure.legend", lambda *a, **k: None)
    draw(Findings(run), 0)
    for label in ("model, 5–95 %", "data"):
        lines = [(panel, size) for panel, size, name in drawn if name == label]
        assert [size for _, size in lines] == [np.sum(turns < 0), np.sum(turns > 0)]
        assert lines[0][0] is not lines[1][0]
