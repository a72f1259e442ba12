"""Runs that are not the usual one: several spectra, a point estimate, no table."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from specfit import report, rules
from specfit.report.quantities import Findings


def doubled(run):
    """The same run measured twice, at levels 77 and 295/b of one dimension."""
    spectra = tuple(
        run.model.spectra[0].model_copy(update={"label": label})
        for label in ("77", "295/b")
    )
    sources = tuple(
        run.model.sources[0].model_copy(update={"label": label, "file": f"{n}.csv"})
        for n, label in enumerate(("77", "295/b"))
    )
    model = run.model.model_copy(update={"spectra": spectra, "sources": sources})
    fit = replace(
        run.fit,
        curve=np.repeat(run.fit.curve, 2, axis=0),
        band=np.repeat(run.fit.band, 2, axis=1),
        components=np.repeat(run.fit.components, 2, axis=0),
        replicated=np.repeat(run.fit.replicated, 2, axis=1),
        pointwise=np.repeat(run.fit.pointwise, 2, axis=2),
    )
    measurements = run.measurements * 2
    verdict = rules.judge(model, measurements, fit, ())
    return replace(
        run, model=model, fit=fit, measurements=measurements, verdict=verdict
    )


def test_several_spectra_are_told_apart(build, tmp_path):
    import h5netcdf

    report.write(doubled(build.Scene().run()), tmp_path / "run")
    figures = {path.name for path in (tmp_path / "run" / "figures").iterdir()}
    assert {"spectrum_77.png", "spectrum_295_b.png"} <= figures
    html = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert html.count("<img") == 4
    assert "B [77]" in html
    result = json.loads((tmp_path / "run" / "result.json").read_text("utf-8"))
    assert [entry["label"] for entry in result["spectra"]] == ["77", "295/b"]
    assert [entry["file"] for entry in result["spectra"]] == ["0.csv", "1.csv"]
    with h5netcdf.File(tmp_path / "run" / "posterior.nc") as file:
        names = set(file["observed_data"].variables)
    assert {"spectrum[77].counts", "spectrum[295_b].counts"} <= names
    assert "[77]" in report.terminal(doubled(build.Scene().run()))


def test_a_point_estimate_makes_a_page_too(build, tmp_path):
    run = build.Scene().run()
    fit = replace(
        run.fit,
        draws={name: draws[:1, :1] for name, draws in run.fit.draws.items()},
        positions=run.fit.positions[:1, :1],
        statistics={},
        pointwise=run.fit.pointwise[:1, :1],
        log_evidence=None,
    )
    report.write(replace(run, fit=fit), tmp_path / "run")
    assert (tmp_path / "run" / "report.html").exists()
    assert not (tmp_path / "run" / "figures" / "correlations.png").exists()
    result = json.loads((tmp_path / "run" / "result.json").read_text("utf-8"))
    assert result["log_evidence"] is None
    assert result["parameters"]["B.IS"]["sd"] is None


def test_without_a_report_block_the_table_shows_what_was_inferred(build):
    sites = tuple(
        replace(site, values={**site.values, "x": 2.0}) for site in build.DEFAULT_SITES
    )
    run = build.Scene(sites=sites, reports=()).run()
    (table,) = Findings(run).tables
    symbols = [symbol for symbol, _ in table.columns]
    assert symbols == ["IS", "QS", "Bint", "I", "width"]
    assert [name for name, *_ in table.rows] == ["B", "A", "Fe"]


def test_nuisances_of_the_calibration_are_reported(build):
    scene = build.Scene()
    drift = np.random.default_rng(5).normal(0, 1, (4, scene.draws))
    run = replace(scene, overrides={"spectrum.velocity_scale": drift}).run()
    quantity = Findings(run).parameters["spectrum.velocity_scale"]
    assert quantity.origin == "calibration"
    assert quantity.summary.sd == pytest.approx(1, abs=0.1)
