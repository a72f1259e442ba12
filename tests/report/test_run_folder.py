"""What a run leaves on disk."""

from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from specfit import report
from specfit.report import writing


@pytest.fixture(scope="module")
def run(build):
    written, strategies = build.standard_rules()
    return build.Scene(rules=written, strategies=strategies).run()


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("runs") / "例"
    report.write(run, target)
    return target


@pytest.fixture(scope="module")
def result(folder):
    return json.loads((folder / "result.json").read_text("utf-8"))


def test_every_file_of_the_contract_is_there(folder):
    names = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    assert names == {
        *("result.json", "result.schema.json", "posterior.nc", "report.html"),
        *("model.json", "model.spec", "figures", "tables"),
        *("figures/spectrum.png", "figures/prior_vs_posterior.png"),
        "figures/correlations.png",
        *("tables/parameters.csv", "tables/rules.csv", "tables/table4.csv"),
    }
    assert [p for p in folder.parent.iterdir() if p != folder] == []


def test_the_keys_that_scripts_rely_on(result):
    assert result["verdict"] == "accepted"
    wanted = {"unit", "mean", "sd", "median", "q05", "q95"}
    wanted |= {"rhat", "ess_bulk", "ess_tail"}
    for table in ("parameters", "derived"):
        assert result[table]
        for entry in result[table].values():
            assert wanted <= set(entry)
    rule_keys = {"kind", "line", "text", "because", "outcome", "probability"}
    assert all(rule_keys <= set(rule) for rule in result["rules"])
    assert set(result["log_evidence"]) == {"value", "sd"}
    assert {"divergences", "rhat_max", "ess_min", "chi2_reduced"} <= set(
        result["diagnostics"]
    )
    assert result["timings_s"]["total"] == 12.4


def test_the_numbers_are_those_of_the_draws(result, run):
    entry = result["parameters"]["B.Bint"]
    draws = run.fit.draws["B.Bint"]
    assert entry["mean"] == pytest.approx(draws.mean())
    assert entry["sd"] == pytest.approx(draws.std(ddof=1))
    assert entry["q05"] == pytest.approx(np.quantile(draws, 0.05))
    total = run.fit.draws["B.I"] + run.fit.draws["A.I"]
    assert result["derived"]["magnetite"]["mean"] == pytest.approx(total.mean())
    ratio = (run.fit.draws["B.I"] / run.fit.draws["A.I"]).mean()
    assert result["derived"]["B.I / A.I"]["mean"] == pytest.approx(ratio)
    assert set(result["parameters"]) >= {"N0", "Γ", "B.I", "A.I", "Fe.I", "Fe.Bint"}
    assert "Fe.QS" not in result["derived"]


def test_a_widened_prior_keeps_its_sources_and_its_conflict(result):
    origin = result["parameters"]["B.Bint"]["database"]
    assert origin["widen"] == 4.0
    assert origin["conflict_sd_records"] > 2 > 1 > origin["conflict_sd"] > 0.5
    assert origin["sources"][0]["citation"].startswith("R. M. Cornell")
    assert result["parameters"]["N0"]["database"] is None


def test_hashes_versions_and_no_place_of_this_machine(result, run, folder):
    assert result["hashes"] == {
        "spec": run.text_sha256,
        "model": run.model.digest(),
        "data": ["ab" * 32],
        "identity": run.identity,
    }
    assert result["seed"] == 7
    assert result["spec_file"] == "m.spec"
    assert (folder / "model.spec").read_text("utf-8") == run.text
    assert json.loads((folder / "model.json").read_text("utf-8"))["name"] == "mixture"
    for name in ("result.json", "report.html", "model.json"):
        text = (folder / name).read_text("utf-8")
        assert str(Path.home()) not in text
        assert str(folder.parent) not in text


def test_result_and_schema_agree(folder):
    schema = json.loads((folder / "result.schema.json").read_text("utf-8"))
    assert schema == report.result_schema()
    assert schema["properties"]["schema_version"]["const"] == report.SCHEMA_VERSION
    text = (folder / "result.json").read_text("utf-8")
    again = report.RunResult.model_validate_json(text)
    assert again.verdict == "accepted"
    result = json.loads(text)
    required = set(schema["required"])
    assert required <= set(result) <= set(schema["properties"])


def test_the_schema_refuses_what_is_not_a_result(result):
    from pydantic import ValidationError

    for change in ({"verdict": "fine"}, {"schema_version": "2"}, {"more": 1}):
        with pytest.raises(ValidationError):
            report.RunResult.model_validate({**result, **change})


def test_not_a_number_becomes_null(build, tmp_path):
    run = build.Scene().run()
    run.fit.rhat["N0"] = float("nan")
    report.write(run, tmp_path / "r")
    text = (tmp_path / "r" / "result.json").read_text("utf-8")
    assert "NaN" not in text
    assert json.loads(text)["parameters"]["N0"]["rhat"] is None


def test_tables_hold_the_numbers(folder, run):
    with (folder / "tables" / "table4.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["title"] for row in rows[:3]] == [
        "Fe₃O₄ Fe2.5+ (octahedral)",
        "Fe₃O₄ Fe3+ (tetrahedral)",
        "α-Fe 金属鉄",
    ]
    field = run.fit.draws["B.Bint"]
    assert float(rows[0]["Bint (T)"]) == pytest.approx(field.mean())
    assert float(rows[0]["Bint (T) sd"]) == pytest.approx(field.std(ddof=1))
    assert rows[3]["site"] == "B.I + A.I"
    assert rows[3]["IS (mm/s)"] == ""
    assert float(rows[3]["value"]) > 0.0


# ------------------------------------------------------------------ posterior.nc


@pytest.mark.filterwarnings("ignore")
def test_the_posterior_opens_in_arviz(folder, run):
    import arviz

    data = arviz.from_netcdf(str(folder / "posterior.nc"))
    assert set(data.groups()) == {
        *("posterior", "sample_stats", "prior", "posterior_predictive"),
        *("observed_data", "log_likelihood"),
    }
    assert data.posterior["B.IS"].dims == ("chain", "draw")
    np.testing.assert_array_equal(data.posterior["Γ"].values, run.fit.draws["Γ"])
    assert data.posterior["B.Bint"].attrs["units"] == "T"
    assert data.sample_stats["diverging"].dtype == bool
    table = arviz.summary(data, var_names=["B.IS"])
    assert table.loc["B.IS", "mean"] == pytest.approx(0.67, abs=0.01)
    assert np.isfinite(arviz.loo(data).elpd_loo)


@pytest.mark.filterwarnings("ignore")
def test_the_posterior_opens_in_plain_xarray(folder, run):
    import xarray

    tree = xarray.open_datatree(folder / "posterior.nc", engine="h5netcdf")
    seen = tree["observed_data"].to_dataset()
    np.testing.assert_array_equal(
        seen["spectrum.counts"].values, run.measurements[0].values
    )
    assert seen["spectrum.velocity"].attrs["units"] == "mm/s"
    assert "spectrum.velocity" in seen.coords
    assert tree.attrs["field_scale"] == "33.04 T @ 5.3123 mm/s"
    assert tree["log_likelihood"].dataset.sizes["draw"] == 50
    tree.close()


# --------------------------------------------------------------------- atomicity


class Painted:
    """A painter whose pictures are ready: here they are only written and moved."""

    def __init__(self, folder):
        pictures = (folder / "figures").glob("*.png")
        self._images = {path.stem: path.read_bytes() for path in pictures}

    def begin(self, run):
        """All is painted."""

    def images(self):
        return self._images


@pytest.fixture(scope="module")
def painted(folder):
    return Painted(folder)


def test_a_failure_while_writing_leaves_the_older_run(
    build, painted, tmp_path, monkeypatch
):
    target = tmp_path / "run"
    first = build.Scene(seed=1).run()
    report.write(first, target, painter=painted)
    before = (target / "result.json").read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "write_posterior", fail)
    with pytest.raises(OSError, match="No space left"):
        report.write(build.Scene(seed=2).run(), target, painter=painted)
    assert (target / "result.json").read_bytes() == before
    assert os.listdir(tmp_path) == ["run"]


WRITTEN = ["result.json", "result.schema.json", "model.json", "model.spec",
           "posterior.nc", "parameters.csv", "spectrum.png", "report.html"]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *((name, errno.ENOSPC) for name in WRITTEN),
        ("posterior.nc", errno.EACCES),
        ("spectrum.png", errno.EROFS),
    ],
)
def test_a_file_that_cannot_be_written_leaves_everything(
    run, painted, tmp_path, monkeypatch, name, code
):
    target, beside = tmp_path / "run", tmp_path / ".run.partial"
    beside.mkdir()
    target.mkdir()
    (target / "result.json").write_text("{}")
    tried = []

    def refusing(every):
        def write(self, *arguments, **more):
            if self.name == name:
                tried.append(self)
                raise OSError(code, os.strerror(code), str(self))
            return every(self, *arguments, **more)

        return write

    for how in ("open", "write_bytes"):
        monkeypatch.setattr(Path, how, refusing(getattr(Path, how)))
    with pytest.raises(OSError, match=os.strerror(code)):
        report.write(run, target, beside, painted)
    monkeypatch.undo()
    assert tried[0].is_relative_to(beside)
    assert sorted(p.name for p in tmp_path.rglob("*")) == [
        *(".run.partial", "result.json", "run")
    ]
    assert (target / "result.json").read_text() == "{}"


def test_a_failed_swap_puts_the_older_run_back(build, painted, tmp_path, monkeypatch):
    target = tmp_path / "run"
    run = build.Scene().run()
    report.write(run, target, painter=painted)
    replace = os.replace

    def fail(source, destination):
        if Path(destination) == target and Path(source).name != "old":
            raise OSError("renaming failed")
        replace(source, destination)

    monkeypatch.setattr(writing.os, "replace", fail)
    with pytest.raises(OSError, match="renaming failed"):
        report.write(run, target, painter=painted)
    assert (target / "result.json").exists()


def test_a_second_run_replaces_the_first_and_keeps_notes(build, painted, tmp_path):
    target = tmp_path / "run"
    report.write(build.Scene(seed=1).run(), target, painter=painted)
    (target / "notes.txt").write_text("mine")
    (target / "tables" / "stale.csv").write_text("old")
    report.write(build.Scene(seed=2).run(), target, painter=painted)
    assert json.loads((target / "result.json").read_text("utf-8"))["seed"] == 2
    assert (target / "notes.txt").read_text() == "mine"
    assert not (target / "tables" / "stale.csv").exists()
    assert os.listdir(tmp_path) == ["run"]


def test_a_folder_of_something_else_is_never_replaced(build, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="holds no run"):
        report.write(build.Scene().run(), tmp_path)
    assert (tmp_path / "thesis.txt").exists()
    with pytest.raises(FileExistsError, match="is a file"):
        report.write(build.Scene().run(), tmp_path / "thesis.txt")


def test_importing_the_report_is_light():
    heavy = "('jax', 'matplotlib', 'jinja2', 'xarray', 'h5netcdf', 'pandas')"
    code = (
        f"import sys, specfit.report; print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
