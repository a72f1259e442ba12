"""What is said of peaks on axes that do not fit them, and of the files of a series."""

import numpy as np
import pytest

from specfit import pipeline
from specfit.rendering import render

FRAME = """specfit 1
data d{dims} : pattern {{ file = "{file}"; {axis}; counts = column(2) counts }}
model m : peaks on d{per} {{
  {baseline}
  {peak}
  observe d.counts ~ poisson
}}
"""
Q, THETA = "q = column(1) nm^-1", "theta2 = column(1) deg"


def faults(
    folder,
    peak="peak p : gaussian { xc ~ 4 ± 1 deg }",
    axis=THETA,
    baseline="baseline bg : constant",
    low=1.0,
    file="d.txt",
    series=False,
):
    x = np.linspace(low, 20.0, 60)
    np.savetxt(folder / "d.txt", np.column_stack([x, np.full(60, 7.0)]))
    path = folder / "m.spec"
    dims, per = ("[stage = 1..16]", " per stage") if series else ("", "")
    text = FRAME.format(
        dims=dims, per=per, file=file, axis=axis, baseline=baseline, peak=peak
    )
    path.write_text(text, encoding="utf-8")
    checked = pipeline.check_with_data(path)
    for language in ("en", "ja"):
        said = render(checked.diagnostics, checked.texts, language)
        assert "@" not in said
    return [(d.code, d.severity) for d in checked.diagnostics]


def test_a_doublet_of_k_alpha_needs_an_angle(tmp_path):
    peak = "peak p : doublet_ka {{ xc ~ 4 ± 1 {} }}"
    wrong = faults(tmp_path, peak.format("nm^-1"), Q)
    assert wrong == [("doublet-axis", "error")]
    assert faults(tmp_path, peak.format("deg")) == []


@pytest.mark.parametrize(("low", "said"), [(0.0, True), (-1.0, True), (0.5, False)])
def test_a_power_law_needs_an_axis_above_zero(low, said, tmp_path):
    found = faults(tmp_path, baseline="baseline bg : powerlaw", low=low)
    assert found == ([("powerlaw-axis", "error")] if said else [])


@pytest.mark.parametrize(("at", "said"), [(400, True), (-8, True), (19, False)])
def test_a_peak_expected_where_nothing_is_measured_is_told(at, said, tmp_path):
    found = faults(tmp_path, f"peak p : gaussian {{ xc ~ {at} ± 1 deg }}")
    assert found == ([("peak-outside", "warning")] if said else [])


def test_files_that_are_missing_together_are_one_message(tmp_path):
    assert faults(tmp_path, file="no_{stage}.dat", series=True) == [
        ("data-missing-several", "error")
    ]


def test_a_unit_of_another_dimension_names_the_parameter(tmp_path):
    found = faults(tmp_path, "peak p : gaussian { xc ~ 4 ± 1 nm^-1 }")
    assert found == [("unit-mismatch", "error")]
