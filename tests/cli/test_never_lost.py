"""A run that was killed or interrupted goes on, and ends as if it had never stopped."""

import itertools
import json
import random
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from specfit.cli import main
from specfit.commands.finished import finished

pytest.importorskip("xarray")
STAGES = ("", "compile the model", "search", "sampling", "prediction", "report")
KILLS = 5
"""Of one run, before it is let end."""


def at_random(number):
    """When to kill a run: so many seconds after it began a stage."""
    generator = random.Random(number)
    while True:
        yield generator.choice(STAGES), generator.uniform(0.0, 1.5)


def in_turn(number):
    """The first run at the beginning of each stage, further ones somewhere in it."""
    generator = random.Random(number)
    for stage in itertools.cycle(STAGES[1:]):
        yield stage, number * generator.uniform(0.0, 0.5)


def killed_and_finished(place, name, moments):
    """The stages in which a run was killed; its draws are those of `whole`."""
    stages, kept = [], 0
    while len(stages) < KILLS:
        asked = ["--resume"] if stages else []
        found = place.kill(name, *next(moments), *asked)
        if found is None:  # it ended first: a run of its own, and the next is another
            assert place.digest(name) == place.digest("whole")
            name, kept = f"{name}+", 0
            continue
        stages.append(found)
        # what is kept is never thrown away: no run begins anew for ever
        assert place.steps(name) >= kept
        kept = place.steps(name)
    assert place.ended(name, "--quiet", "--resume")[0] == 0
    assert place.digest(name) == place.digest("whole")
    left = {path.name for path in place.folder.iterdir() if name in path.name}
    assert left == {name}
    return stages


def kill_many(place, prefix, runs, when):
    with ThreadPoolExecutor(2) as pool:
        names = [f"{prefix}{number}" for number in range(runs)]
        moments = [when(number) for number in range(runs)]
        found = pool.map(partial(killed_and_finished, place), names, moments)
        stages = Counter(stage for stages in found for stage in stages)
    print(f"{sum(stages.values())} kills: {dict(stages)}")
    return stages


def test_ten_kills_change_no_draw(place):
    stages = kill_many(place, "killed", 2, in_turn)
    assert sum(stages.values()) == 10
    assert {"search", "sampling", "report"} <= set(stages)


@pytest.mark.slow
def test_a_hundred_kills_change_no_draw(place):
    stages = kill_many(place, "hundred", 20, at_random)
    assert sum(stages.values()) == 100
    assert {"start", "compile the model", "prediction"} <= set(stages)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_signal_stops_at_the_end_of_a_step_and_keeps_it(place, number):
    name = f"stopped{int(number)}"
    process = place.begin(name)
    place.wait_for(name, "nuts*.step")
    process.send_signal(number)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert "go on with --resume" in said
    code, said = place.ended(name, "--resume")
    assert code == 0
    assert "finished steps" in said
    assert place.digest(name) == place.digest("whole")


def test_a_finished_run_is_left_as_it_is(place):
    page = place.folder / "whole" / "report.html"
    before = page.stat().st_mtime_ns
    code, said = place.ended("whole", "--resume", "--quiet")
    assert code == 0
    assert "is finished and left as it is" in said
    assert page.stat().st_mtime_ns == before
    # of any other identity (data, settings, versions) this is not the finished run
    known = json.loads((page.parent / "result.json").read_text())["hashes"]["identity"]
    assert finished(page.parent, known) == "accepted"
    assert finished(page.parent, known[::-1]) is None
    assert finished(place.folder / "nothing", known) is None


def test_what_is_left_of_another_run_is_not_gone_on_with(place, capsys):
    process = place.begin("other")
    place.wait_for("other", "*.step")
    process.kill()
    process.communicate()
    asked = ["run", str(place.spec), "--out", str(place.folder / "other")]
    assert main([*asked, "--resume", "--quiet", "--seed", "9"]) == 2
    said = capsys.readouterr().err
    assert "error[resume-other]" in said
    assert "options" in said
    # half an identity is of no run at all
    (place.kept("other") / "identity.json").unlink()
    (place.kept("other") / "identity.new").write_text('{"texts"')
    code, said = place.ended("other", "--resume", "--quiet")
    assert code == 0
    assert "beginning anew" in said


def test_one_run_at_a_time_in_a_folder(place):
    first = place.begin("busy", "--quiet")
    place.wait_for("busy", "*.step")
    first.send_signal(signal.SIGSTOP)  # it would end before the others are asked
    code, said = place.ended("busy", "--resume", "--quiet")
    assert code == 2
    assert "error[folder-busy]" in said
    assert f"process {first.pid}" in said
    assert "--out" in said
    assert main(["run", str(place.spec), "--out", str(place.folder / "busy")]) == 2
    first.kill()
    first.communicate()
    # the lock has gone with its process, and what was kept has not
    assert (place.folder / ".busy.lock").exists()
    code, said = place.ended("busy", "--resume", "--quiet")
    assert code == 0
    assert "finished steps" in said
    assert place.digest("busy") == place.digest("whole")
    assert not (place.folder / ".busy.lock").exists()


def digests(place, name):
    return [place.digest(f"{name}/{model}") for model in ("line", "line.wide")]


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_comparison_goes_on_where_it_stopped(place, number):
    if not (place.folder / "ranked").exists():
        assert place.ended("ranked", "--quiet", command="compare") == (0, "")
    name = f"compared{int(number)}"
    process = place.begin(name, command="compare")
    place.wait_for(name, "line_wide.nuts*.step")
    process.send_signal(number)
    said = process.communicate()[1]
    assert process.returncode == (-9 if number == signal.SIGKILL else 130)
    assert number == signal.SIGKILL or "go on with --resume" in said
    steps = place.steps(name)
    assert not (place.folder / name / "comparison.json").exists()
    code, said = place.ended(name, "--resume", command="compare")
    assert code == 0
    assert f"going on after {steps} finished steps" in said
    assert digests(place, name) == digests(place, "ranked")
    ranked, again = (
        (place.folder / n / "comparison.json").read_text() for n in ("ranked", name)
    )
    assert ranked == again
    assert not place.kept(name).exists()


def test_a_comparison_of_other_files_is_not_gone_on_with(place):
    process = place.begin("mixed", "--quiet", command="compare")
    place.wait_for("mixed", "*.step")
    process.kill()
    process.communicate()
    text = place.spec.read_text(encoding="utf-8")
    other = place.folder / "other.spec"
    other.write_text(text.replace("-1.5, 1.5", "-1.6, 1.6"), encoding="utf-8")
    more = (str(other), "--resume", "--quiet")
    code, said = place.ended("mixed", *more, command="compare")
    assert code == 2
    assert "error[resume-other]" in said
    assert "models" in said
