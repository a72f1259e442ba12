"""Many files of one model: the figures, what stops nothing, and how they are shared out."""

import csv
import json
import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial

import jax
import numpy as np
import pytest

from specfit import batching, inference, pipeline, rules
from specfit.batching import folder, workshop
from specfit.batching.judging import Judge
from specfit.cli import main
from specfit.inference import batch, levenberg
from specfit.inference.journal import Journal
from specfit.rules.block import OPEN

SHIFTS = (0.31, 0.33, 0.36, 0.38, 0.40, 0.35, 0.34)


def same_bits(one, other):
    for name, values in one.arrays().items():
        np.testing.assert_array_equal(values, other.arrays()[name], err_msg=name)


def said(*_):
    """Progress that nobody hears."""


def run(tmp_path, spec, files, *options, name="out"):
    place = tmp_path / name
    code = main(
        ["batch", str(spec), *map(str, files), "--out", str(place), "--quiet", *options]
    )
    return code, place


def test_every_file_has_its_row(series, tmp_path, table_of, capsys):
    spec, files, bad = series
    code, place = run(tmp_path, spec, [*files[:3], bad, *files[3:]])
    assert code == 1
    assert "quarantined: 1" in capsys.readouterr().out
    table = table_of(place)
    assert list(table.verdict) == [*["accepted"] * 3, "quarantined", *["accepted"] * 4]
    assert "no numbers" in str(table.reasons[3])
    assert np.isnan(table.values[3]).all()
    shifts = table.values[:, [c.name for c in table.columns].index("D.IS")]
    np.testing.assert_allclose(np.delete(shifts, 3), SHIFTS, atol=0.02)
    half, qs = (
        table.values[:, [c.name for c in table.columns].index(name)]
        for name in ("half", "D.QS")
    )
    np.testing.assert_allclose(half, qs / 2)
    with (place / "table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == list(table.file)
    assert float(rows[0]["D.IS (mm/s)"]) == pytest.approx(shifts[0], rel=1e-8)
    assert json.loads((place / "batch.json").read_text())["verdicts"] == {
        "accepted": 7,
        "quarantined": 1,
    }
    assert (place / "series.png").read_bytes().startswith(b"\x89PNG")


def test_a_row_is_what_a_run_of_that_file_gives(series, tmp_path, table_of):
    """Mode and curvature against the draws of NUTS, evidence against the run's own."""
    spec, files, _ = series
    _, place = run(tmp_path, spec, files[:2])
    table = table_of(place)
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "sample.spec").write_text(spec.read_text())
    (alone / "spectrum.csv").write_text(files[1].read_text())
    checked = pipeline.check_with_data(alone / "sample.spec")
    done = pipeline.run(checked, pipeline.Options(seed=3, draws=2000))
    for i, column in enumerate(table.columns):
        draws = done.fit.draws[column.name]
        sd = float(draws.std())
        assert abs(table.values[1, i] - draws.mean()) < 0.15 * sd, column.name
        assert table.sd[1, i] == pytest.approx(sd, rel=0.08), column.name
    value, error = done.fit.log_evidence
    assert table.log_evidence[1] == pytest.approx(value, abs=0.2 + 3 * error)


@pytest.fixture(scope="module")
def shop(series):
    """One workshop of all files: what is traced once serves every test."""
    spec, files, bad = series
    asked = batching.Asked(tuple(map(str, [*files, bad])))
    return batching.Workshop(pipeline.check(spec), asked)


def work(shop, shard=(1, 1), journal=None, progress=said):
    return batching.work(shop, shard, progress, journal or Journal())


@pytest.mark.slow
def test_shards_and_their_merger_agree_with_the_whole(shop, tmp_path, table_of):
    whole, record = work(shop)
    folders = []
    for i in (1, 2, 3):
        folders.append(tmp_path / f"part{i}")
        folder.write(*work(shop, (i, 3)), folders[-1])
    merged = tmp_path / "merged"
    assert main(["merge", *map(str, reversed(folders)), "--out", str(merged)]) == 1
    same_bits(whole, table_of(merged))
    assert record["n_files"] == 8


def test_shards_that_do_not_belong_together_are_refused(shop, tmp_path, capsys):
    one, other = tmp_path / "one", tmp_path / "other"
    table, record = work(shop, (1, 2))
    folder.write(table, record, one)
    folder.write(table, {**record, "files_sha256": "of other files"}, other)
    assert main(["merge", str(one), "--out", str(tmp_path / "m")]) == 2
    assert "missing 2" in capsys.readouterr().err
    assert main(["merge", str(one), str(other), "--out", str(tmp_path / "m")]) == 2
    assert "files_sha256" in capsys.readouterr().err
    (other / "batch.nc").write_bytes(b"torn")
    for place, code in (
        (tmp_path / "nowhere", "merge-missing"),
        (tmp_path, "merge-unfinished"),
        (other, "merge-unreadable"),
    ):
        assert main(["merge", str(place), "--out", str(tmp_path / "m")]) == 2
        said = capsys.readouterr().err
        assert f"error[{code}]" in said
        assert str(place) in said


def test_what_is_finished_is_kept(shop, tmp_path, monkeypatch):
    """Stopped after any chunk and begun again: the same bits, nothing done twice."""
    monkeypatch.setattr(workshop.pieces, "__defaults__", (3,))
    whole, _ = work(shop)
    journal = Journal(tmp_path)

    def stop(stage, done, detail):
        if stage == "fits" and done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(shop, journal=journal, progress=stop)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.step")}
    assert any(path.name.startswith("chunk") for path in kept)
    again, _ = work(shop, journal=journal)
    same_bits(whole, again)
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())


def test_neighbours_and_their_lengths_change_nothing(shop, series, tmp_path):
    """A shorter spectrum among the others; each as if it were alone."""
    _, files, _ = series
    lines = files[2].read_text().splitlines()
    short = tmp_path / "short.csv"
    short.write_text("\n".join(lines[14:114]) + "\n")
    work(shop)  # finds the pilots
    names = [str(files[0]), str(files[1]), str(short), str(files[3])]
    with pipeline.float64():
        one = shop.chunk(names, [shop.read(name) for name in names], said)
        other = shop.chunk(names[2:3], [shop.read(names[2])], said)
    for name in ("values", "sd", "pareto_k", "log_evidence", "verdict"):
        np.testing.assert_array_equal(one[name][2:3], other[name])
    assert one["verdict"][2] == "accepted"


def test_another_answer_is_searched_for(shop, tmp_path):
    """The pilots know nothing of it: its lines are elsewhere."""
    import spectra

    work(shop)
    odd = tmp_path / "odd.csv"
    lines = spectra.doublet(0.45, 1.30, 0.4)
    spectra.write(odd, lines, seed=5, channels=128, limit=3.0)
    heard = []
    with pipeline.float64():
        found = shop.chunk(
            [str(odd)], [shop.read(str(odd))], lambda row, words: heard.append(words)
        )
    at = [c.name for c in shop.columns].index("D.QS")
    assert found["values"][0, at] == pytest.approx(1.30, abs=0.03)
    assert found["verdict"][0] == "accepted"


@pytest.mark.slow
def test_a_posterior_that_is_not_normal_is_sampled(tmp_path, table_of):
    """Next to no counts: importance weights say so, NUTS takes over."""
    import spectra

    body = """  N0 ~ normal(20, 5) counts
  area ~ free in [0.001, 2.0] mm/s
  site D : doublet {
    IS ~ free in [-1.0, 1.5] mm/s
    QS ~ free in [0.0, 3.0] mm/s
    width ~ 0.30(2) mm/s
  }"""
    faint = spectra.doublet(0.35, 0.8, 0.06)
    spec = spectra.spec(
        tmp_path, body, faint, counts=20, channels=64, limit=3.0, engine="nuts"
    )
    file = tmp_path / "spectrum.csv"
    code, place = run(tmp_path, spec, [file], "--sample", "never")
    table = table_of(place)
    assert code == 3
    assert (table.pareto_k[0] > 0.7) == (table.verdict[0] == "not_converged")
    assert table.pareto_k[0] > 0.7
    _, sampled = run(tmp_path, spec, [file], "--draws", "200", name="sampled")
    assert table_of(sampled).method[0] == "nuts"


def test_draws_of_any_engine_say_whose_they_are(series, tmp_path, table_of):
    spec, files, _ = series
    other = tmp_path / "laplace.spec"
    text = spec.read_text(encoding="utf-8")
    assert "run auto" in text
    other.write_text(text.replace("run auto", "run laplace"), encoding="utf-8")
    _, place = run(tmp_path, other, files[:1], "--sample", "always")
    table = table_of(place)
    assert (table.verdict[0], table.method[0]) == ("accepted", "laplace")


def test_searches_under_way_end_when_the_pilots_are_interrupted(shop):
    """Neither waits for the other's end, and nothing is left running."""

    def stop(done, words):
        raise KeyboardInterrupt

    with pipeline.float64(), pytest.raises(KeyboardInterrupt):
        shop.prepare(stop, Journal())
    assert not [t for t in threading.enumerate() if "ThreadPool" in t.name]


def test_a_spectrum_that_cannot_be_sampled_stops_no_other(shop, monkeypatch):
    work(shop)

    def nowhere(*_):
        raise inference.NonFiniteStart(("prior of D.IS",), 100)

    monkeypatch.setattr(inference, "find", nowhere)
    monkeypatch.setattr(shop, "desk", replace(shop.desk, sample="always"))
    names = list(shop.asked.files[:2])
    with pipeline.float64():
        found = shop.chunk(names, [shop.read(name) for name in names], said)
    assert list(found["method"]) == ["laplace", "laplace"]
    assert np.isfinite(found["values"]).all()


@pytest.mark.slow
def test_a_pilot_that_cannot_be_searched_is_done_without(shop, monkeypatch):
    whole, _ = work(shop)
    searched, tried = workshop.pilot, []

    def first_fails(problem, settings, rounds):
        tried.append(problem)
        if len(tried) == 1:
            raise inference.NonFiniteStart(("prior of D.IS",), 100)
        return searched(problem, settings, rounds)

    monkeypatch.setattr(workshop, "pilot", first_fails)
    table, _ = work(shop)
    assert len(tried) > 1
    assert list(table.verdict) == list(whole.verdict)
    monkeypatch.undo()
    work(shop)


def test_a_fault_in_one_spectrum_stops_no_other(shop, monkeypatch):
    work(shop)
    judged = Judge.verdict

    def faulty(self, spectrum, fit):
        if spectrum.path.endswith("s1.csv"):
            raise IndexError("no such peak")
        return judged(self, spectrum, fit)

    def faulty_block(self, found, spectra):
        raise IndexError("no such peak")

    monkeypatch.setattr(Judge, "verdict", faulty)
    monkeypatch.setattr(Judge, "block", faulty_block)
    names = list(shop.asked.files[:3])
    with pipeline.float64():
        found = shop.chunk(names, [shop.read(name) for name in names], said)
    assert list(found["verdict"]) == ["accepted", "not_converged", "accepted"]
    assert "IndexError: no such peak" in found["reasons"][1]
    assert np.isnan(found["values"][1]).all()


def test_rows_done_together_are_those_done_one_by_one(shop):
    work(shop)
    names = list(shop.asked.files[:5])
    spectra_read = [shop.read(name) for name in names]
    with pipeline.float64():
        data, found = shop._fit(spectra_read)
        plain = shop.desk._plain(partial(shop._own, data), found, spectra_read)
        assert plain
        for i, row in plain.items():
            alone = shop.desk.row(
                shop._own(data, i), found.only(i), spectra_read[i], said
            )
            for name, value in vars(alone).items():
                np.testing.assert_array_equal(getattr(row, name), value, err_msg=name)


WORST = {"passed": 0, "warned": 1, "failed": 2}


@pytest.mark.parametrize("seed", range(4))
def test_a_rule_says_of_many_spectra_what_it_says_of_each(shop, seed):
    """Draws and curves moved about, so that rules fail."""
    work(shop)
    names = list(shop.asked.files[:7])
    spectra_read = [shop.read(name) for name in names]
    generator = np.random.default_rng(seed)
    with pipeline.float64():
        data, found = shop._fit(spectra_read)
        factor = generator.lognormal(0.0, 0.7, (7, 1, len(found.names)))
        curve = found.expected * generator.lognormal(0.0, 0.02, (7, 1, 1))
        found = replace(found, draws=found.draws * factor, expected=curve)
        grades = rules.grades(shop.judge.block(found, spectra_read))
        for i, one in enumerate(spectra_read):
            fit = shop.judge.fit(
                found.only(i), one, shop._own(data, i)._replace(holds=None)
            )
            verdict = shop.judge.verdict(one, fit)
            known: dict = {}
            for item in verdict.findings:
                known[item.rule] = max(WORST[item.outcome], known.get(item.rule, 0))
            for name, outcomes in grades.items():
                if outcomes[i] != OPEN:
                    assert outcomes[i] == known.get(name, 0), name


@pytest.mark.parametrize(("crooked", "enough"), [(0.1, batch.SOME), (0.9, batch.MORE)])
def test_few_weights_that_look_bad_are_looked_at_again(
    shop, monkeypatch, crooked, enough
):
    """The tail of so few says little: a file is sampled only where many agree.

    What is far from a normal is looked at with many, whatever some say of its tail.
    """
    work(shop)
    asked = []
    ratios = batch._ratios

    def heard(problem, names, frames, volume, data, count):
        asked.append(count)
        return ratios(problem, names, frames, volume, data, count)

    def alarmed(row):
        return 0.9 if len(row) == batch.FEW else 0.1

    monkeypatch.setattr(batch, "_ratios", heard)
    monkeypatch.setattr(batch, "pareto_k", alarmed)
    monkeypatch.setattr(batch, "_crooked", lambda rows, _: np.full(len(rows), crooked))
    with pipeline.float64():
        _, found = shop._fit([shop.read(name) for name in shop.asked.files[:2]])
    assert max(asked) == enough
    assert (found.pareto_k == 0.1).all()


def test_a_tail_that_some_weights_cannot_vouch_for_is_looked_at_with_many(
    shop, monkeypatch
):
    """Below 0.7, but above what so few can tell."""
    work(shop)

    def alarmed(row):
        return {batch.FEW: 0.9, batch.SOME: 0.65}.get(len(row), 0.8)

    monkeypatch.setattr(batch, "pareto_k", alarmed)
    with pipeline.float64():
        _, found = shop._fit([shop.read(name) for name in shop.asked.files[:2]])
    assert (found.pareto_k == 0.8).all()


PAIRS = """  N0 ~ normal(max(spectrum.counts), 2000) counts
  area ~ free in [0.01, 5] mm/s
  site A : doublet {
    IS ~ free in [-0.5, 1.5] mm/s; QS ~ free in [0.1, 3] mm/s; width = 0.3 mm/s
  }
  site B : doublet {
    IS ~ free in [-0.5, 1.5] mm/s; QS ~ free in [0.1, 3] mm/s; width = 0.3 mm/s
  }
  (A.I, B.I) ~ dirichlet(1, 1)"""


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: out of memory")]
)
@pytest.mark.parametrize("asked", ["block", "residuals"])
def test_want_of_memory_is_no_fault_of_a_spectrum(shop, monkeypatch, asked, error):
    """Neither where a block is judged, nor where a spectrum is judged alone."""
    work(shop)

    def starved(*_):
        raise error

    monkeypatch.setattr(Judge, "block", lambda *_: None)
    monkeypatch.setattr(Judge, asked, starved)
    names = list(shop.asked.files[:1])
    with pipeline.float64(), pytest.raises(type(error)):
        shop.chunk(names, [shop.read(names[0])], said)


@pytest.mark.slow
def test_several_answers_are_not_one_and_keep_their_labels(tmp_path, table_of):
    """Four lines that two doublets of any order may share in three ways."""
    import spectra

    lines = spectra.doublet(0.2, 0.6, 0.15) + spectra.doublet(0.9, 1.5, 0.15)
    size = {"counts": 1e5, "channels": 128, "limit": 4.0}
    spec = spectra.spec(tmp_path, PAIRS, lines, **size)
    files = []
    for number in range(3):
        files.append(tmp_path / f"s{number}.csv")
        spectra.write(files[-1], lines, seed=number, **size)
    code, place = run(tmp_path, spec, files, "--sample", "never")
    assert code == 3
    table = table_of(place)
    assert list(table.verdict) == ["not_converged"] * 3
    assert all("weight of other answers" in str(why) for why in table.reasons)
    asked = batching.Asked(tuple(map(str, files)), "never")
    shop = batching.Workshop(pipeline.check(spec), asked)
    work(shop)
    (group,) = shop.desk.fitter.change.groups
    with pipeline.float64():
        spectra_read = [shop.read(str(file)) for file in files]
        data, found = shop._fit(spectra_read)
        for row in range(3):
            one = shop.desk.fitter.relabelled(shop._own(data, row), found.only(row))
            keys = [one.values[0, one.names.index(name)] for name in group.keys]
            assert keys[0] > keys[1]


@pytest.mark.parametrize(
    ("files", "options", "code"),
    [
        (("",), (), "batch-folder"),
        (("s0.csv", "s0.csv"), (), "batch-twice"),
        (("s0.csv", "../{here}/s0.csv"), (), "batch-twice"),
        (("s0.csv", "none.csv"), (), "batch-missing"),
        (("s0.csv", "s1.csv"), ("--shard", "1/3"), "batch-shards"),
        (("bad.csv",), (), "batch-none"),
    ],
)
def test_faults_are_said(series, tmp_path, capsys, files, options, code):
    spec, every, _ = series
    home = every[0].parent
    given = [f"{home}/{name.format(here=home.name)}" for name in files]
    if files == ("",):
        given = [tmp_path / "empty"]
        given[0].mkdir()
    done, place = run(tmp_path, spec, given, *options)
    assert done == 2
    assert f"error[{code}]" in capsys.readouterr().err
    assert not list(tmp_path.glob("out*")) + list(tmp_path.glob(".out*"))
    assert not place.exists()


# ------------------------------------------------------------------- the numbers


@pytest.fixture
def problem(shop):
    work(shop)
    with pipeline.float64():
        yield shop.problem


def test_the_curvature_is_that_of_the_expected_information(problem):
    """Gradient by automatic differentiation; curvature where data equal expectation."""
    draws = problem.sample_prior(jax.random.key(1), 3, problem.data)
    for i in range(2):
        at = {name: values[i] for name, values in draws.items()}
        z = problem.unconstrain(at, problem.data)["z"]
        counts = problem.predict({"z": z}, problem.data)
        data = {**problem.data, "counts": counts}
        found = levenberg.local(problem, z, data)
        value, gradient = jax.value_and_grad(
            lambda x, d=data: problem.logdensity({"z": x}, d)
        )(z)
        assert float(found.value) == pytest.approx(float(value), rel=1e-12)
        np.testing.assert_allclose(found.gradient, gradient, rtol=1e-7, atol=1e-5)
        exact = -jax.jit(
            jax.hessian(lambda x, d=data: problem.logdensity({"z": x}, d))
        )(z)
        np.testing.assert_allclose(found.hessian, exact, rtol=1e-5, atol=1e-4)


def test_an_ascent_from_nowhere_says_so(problem):
    """A start without a finite density is no maximum."""
    nan = {**problem.data, "counts": np.nan * np.asarray(problem.data["counts"])}
    found = levenberg.ascend(problem, np.zeros(problem.dimension), nan)
    assert not float(found.gain) < batch.REACHED


def test_the_gain_does_not_depend_on_the_damping(problem):
    """However short the damped step is, the maximum is as far as it is."""
    draws = problem.sample_prior(jax.random.key(2), 1, problem.data)
    z = problem.unconstrain({n: v[0] for n, v in draws.items()}, problem.data)["z"]
    here = levenberg.local(problem, z, problem.data)
    short, whole, gain = levenberg._steps(here, 1e6)
    other = levenberg._steps(here, 1e-9)
    assert float(gain) == float(other[2])
    assert np.linalg.norm(short) < 1e-3 * np.linalg.norm(whole)


def test_the_student_draws_have_the_density_that_is_claimed(problem):
    """The mean of p / q over draws of q is one for any density p."""
    heavy, logs, _ = batch._white(3, 100_000)
    normal = -0.5 * np.sum(heavy**2, axis=1) - 1.5 * np.log(2 * np.pi)
    assert np.mean(np.exp(normal - logs)) == pytest.approx(1.0, abs=0.02)


# --------------------------------------------------------------------- the cluster


def test_a_killed_worker_loses_nothing(series, tmp_path, table_of, monkeypatch):
    """Two workers, one killed while it works: the table is that of one process."""
    distributed = pytest.importorskip("distributed")
    spec, files, bad = series
    _, whole = run(tmp_path, spec, [*files, bad])
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit=0
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        killed = threading.Event()

        def kill():
            while not any(client.processing().values()):
                time.sleep(0.02)
            time.sleep(1.0)
            for workers in [w for w, jobs in client.processing().items() if jobs][:1]:
                os.kill(
                    client.run(os.getpid, workers=[workers], nanny=False)[workers],
                    signal.SIGKILL,
                )
                killed.set()

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        address = cluster.scheduler_address
        _, place = run(tmp_path, spec, [*files, bad], "--dask", address, name="shared")
        killer.join(30)
    assert killed.is_set()
    same_bits(table_of(whole), table_of(place))
