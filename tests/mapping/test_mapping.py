"""From a text with a factorisation to its folder, the numerics stood in for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from specfit.checking import check, check_with_data
from specfit.cli import main
from specfit.map_background import POWERS, exponents
from specfit.map_components import as_many
from specfit.mapping import request_of
from specfit.maps import Levels
from specfit.model.factorising import Factorising
from specfit.model.white_lines import known_records, white_lines
from specfit.rules.map_likeness import likeness
from specfit.rules.maps import overlap, roughness

Project = Callable[..., Path]
EXPECT = (
    "  require increasing",
    '  expect overlap(C) ~ 0.0 ± 0.1 because "one phase in a pixel"\n  require increasing',
)
ROUGH = (
    "  require increasing",
    '  expect roughness(C) ~ 0.0 ± 0.1 because "a skin of 3 pixels"\n'
    "  require increasing",
)


def asked(path: Path) -> Factorising:
    checked = check_with_data(path)
    assert checked.errors == []
    return checked.require().maps[0]


def ran(path: Path, *more: str) -> tuple[int, dict]:
    out = path.parent / "out"
    code = main(["run", str(path), "--out", str(out), "--quiet", *more])
    return code, json.loads((out / "result.json").read_text(encoding="utf-8"))


@pytest.mark.usefixtures("fake")
def test_a_map_runs_to_its_report(project: Project) -> None:
    path = project(EXPECT)
    code, result = ran(path)
    assert code == 0
    assert result["verdict"] == "accepted"
    keys = {
        "parameters",
        "derived",
        "rules",
        "log_evidence",
        "diagnostics",
        "timings_s",
    }
    assert keys <= result.keys()
    kinds = [(rule["kind"], rule["outcome"]) for rule in result["rules"]]
    assert ("expect", "warned") in kinds
    assert kinds.count(("check", "passed")) == 3
    assert [one["number"] for one in result["components"]] == [1, 2]
    assert result["components"][1]["library"] == 'file("data/eels_valence_mn4.msa")'
    assert result["feasible"]["decided"] is False
    assert result["pixels"] == [24, 24]
    assert result["step_nm"] == [0.5, 0.5]
    folder = path.parent / "out"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "The data alone do not decide." in page
    assert page.count("data:image/png") == 8
    drawn = {"map", "uncertainty", "spectra", "relevance", "overlay", "windows"}
    assert drawn <= {one.stem for one in (folder / "figures").iterdir()}


@pytest.mark.usefixtures("fake")
def test_arrays_are_the_same_in_both_files(project: Project) -> None:
    path = project(('save = "maps"', 'save = "out/valence"'))
    ran(path)
    stem = path.parent / "out" / "tables" / "out" / "valence"
    with (
        np.load(f"{stem}.npz", allow_pickle=False) as plain,
        h5py.File(f"{stem}.h5") as h5,
    ):
        assert set(plain.files) == set(h5)
        for name in plain.files:
            assert np.array_equal(plain[name], h5[name][()], equal_nan=True), name
        assert h5["energy"].attrs["unit"] == "eV"
        assert plain["fraction"].shape == (2, 24, 24)


@pytest.mark.usefixtures("fake")
def test_a_check_that_fails_rejects(project: Project) -> None:
    path = project(("components == 2", "chi2 < 0.5"))
    code, result = ran(path)
    assert code == 1
    assert result["verdict"] == "rejected"
    assert "reduced chi-square" in result["reasons"][0]


@pytest.mark.usefixtures("fake")
def test_an_order_that_does_not_hold_rejects(project: Project) -> None:
    code, result = ran(project(("increasing", "decreasing")))
    assert code == 1
    assert result["rules"][0]["kind"] == "require"
    assert result["rules"][0]["outcome"] == "failed"


@pytest.mark.usefixtures("fake")
def test_the_page_shows_what_is_asked_for(project: Project) -> None:
    path = project(('save = "maps"', "plots = [map(C), residual_image]"))
    ran(path)
    drawn = {one.stem for one in (path.parent / "out" / "figures").iterdir()}
    assert drawn == {"map", "residual_image"}


@pytest.mark.usefixtures("fake")
def test_a_curve_of_the_database_says_that_it_is_none(project: Project) -> None:
    path = project(('like file("data/eels_valence_mn4.msa")', 'like db("MnO2.L23")'))
    ran(path)
    page = (path.parent / "out" / "report.html").read_text(encoding="utf-8")
    assert "without multiplets" in page


def test_no_convergence_is_no_result(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    import specfit.maps.factorising
    from tests.mapping.conftest import stand_in

    real = stand_in()
    unsettled = lambda *given: replace(real(*given), converged=False)  # noqa: E731
    monkeypatch.setattr(specfit.maps.factorising, "factorise", unsettled)
    code, result = ran(project())
    assert code == 3
    assert result["verdict"] == "not_converged"


def test_what_the_numerics_refuse_is_said_at_the_model(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import specfit.maps.factorising
    from specfit.maps.found import MapError

    def refuse(*given: object) -> None:
        raise MapError("there are more components than channels")

    monkeypatch.setattr(specfit.maps.factorising, "factorise", refuse)
    path = project()
    assert main(["run", str(path), "--out", str(path.parent / "o"), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "error[map-refused]" in said
    assert "more components than channels" in said


def test_check_says_the_size_before_anything_runs(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(project())]) == 0
    said = capsys.readouterr().out
    assert "a factorisation of 576 spectra into at most 2 components" in said
    assert "24 × 24 pixels, 111 kB of uint16" in said


@pytest.mark.parametrize("command", [["batch"], ["compare"]])
def test_commands_that_sample_say_that_a_map_is_not(
    command: list[str], project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project()
    other = str(path.parent / "data" / "eels_valence.npz")
    more = [other] if command == ["batch"] else [str(path)]
    out = ["--out", str(path.parent / "o")]
    assert main([*command, str(path), *more, *out]) == 2
    assert "error[map-sampled]" in capsys.readouterr().err


def test_every_name_is_explained(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project(('like file("data/eels_valence_mn4.msa")', 'like db("MnO2.L23")'))
    for command in (["explain", str(path)], ["show", "priors", str(path)]):
        assert main(command) == 0
        said = capsys.readouterr().out
        assert "S[1]" in said
        assert "without multiplets" in said
        assert "source mnedgenet2023" in said
    assert main(["explain", str(path), "shift"]) == 0
    assert capsys.readouterr().out.count("\n") == 1
    assert main(["show", "density", str(path)]) == 0


def test_what_is_asked_reaches_the_numerics(project: Project) -> None:
    path = project(
        ("k = 1..2", "k = 1..3"),
        (
            "  shift ~ 0 ± 0.5 eV",
            "  S[3] ~ smooth(2 eV)\n  drift ~ 0 ± 0.1 eV per pixel",
        ),
        ("restarts = 2", "restarts = 3; optimizer = ard_so"),
    )
    rows = np.full((3, 90), np.nan)
    document = check(path).document
    assert document is not None
    request = request_of(document.maps[0], rows, (24, 24))
    assert (request.components, request.engine, request.restarts) == (3, "ard_so", 3)
    assert (request.shift_sd, request.drift_sd) == (0.0, 0.1)
    assert request.relevance
    assert request.library is None
    assert request.background
    assert request.grid == (24, 24)


def test_components_that_the_map_does_not_hold_are_switched_off(
    project: Project,
) -> None:
    free = (
        '  S[1] ~ like file("data/eels_valence_mn2.msa")',
        "  S[*, k] ~ dirichlet(1.0)",
    )
    said = asked(project(("k = 1..2", "k = 1..6"), free))
    request = request_of(said, np.full((6, 90), np.nan), (24, 24))
    assert as_many(said, request, 4).components == 3  # the background is one of four
    assert as_many(said, request, 1).components == 2  # S[2] is like a curve
    assert as_many(said, request, 20).components == 6
    fixed = said.model_copy(update={"relevance": None})
    assert as_many(fixed, request, 1).components == 6


def test_rules_and_reports_do_not_change_what_is_asked(project: Project) -> None:
    first = asked(project())
    other = asked(project(("seed = 1", "seed = 2"), ('save = "maps"', 'save = "m"')))
    assert first.digest() == other.digest()
    third = asked(project(("0.5 eV", "0.4 eV")))
    assert first.digest() != third.digest()


# ------------------------------------------------------------------ parts of it


def test_the_window_of_the_background_says_how_it_falls(project: Project) -> None:
    energy = np.linspace(600.0, 660.0, 90)
    total = 1e5 * (energy / 600.0) ** -3.0
    said = asked(project())
    assert exponents(said, energy, total) == pytest.approx((1.0, 5.0), abs=0.01)
    assert exponents(said, energy + 100.0, total) == POWERS
    rising = exponents(said, energy, total[::-1])
    assert rising == (0.0, 4.0)
    constant = project(("powerlaw(fit = [600, 632] eV)", "constant"))
    assert exponents(asked(constant), energy, total) == (0.0,)


def test_overlap_is_none_for_maps_that_never_meet() -> None:
    apart = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]])
    assert overlap(apart) == 0.0
    assert overlap(np.ones((5, 3))) == pytest.approx(1.0)
    assert overlap(np.ones((5, 1))) == 0.0


def test_likeness_finds_the_shift() -> None:
    energy = np.linspace(630.0, 660.0, 301)
    curve = np.exp(-0.5 * (energy - 640.0) ** 2)
    moved = np.exp(-0.5 * (energy - 640.5) ** 2)
    value, shift = likeness(moved, curve, energy, 1.0)
    assert value == pytest.approx(1.0, abs=1e-4)
    assert shift == pytest.approx(0.5, abs=0.02)
    assert likeness(moved, curve, energy, 0.0)[0] < 0.97


def test_a_curve_of_the_database_has_what_the_database_says() -> None:
    energy = np.linspace(620.0, 670.0, 2001)
    for record in known_records():
        lines = white_lines(record)
        curve = lines.curve(energy)
        assert curve.sum() == pytest.approx(1.0)
        assert energy[np.argmax(curve)] == pytest.approx(lines.l3, abs=0.1)
        assert lines.sources
        assert 10.0 <= lines.l2 - lines.l3 <= 12.0
    assert white_lines("MnO2.L23").l3 > white_lines("MnO.L23").l3


# ------------------------------------------------- written, and not used


UNUSED = [
    (("  shift ~ 0 ± 0.5 eV", "  drift ~ 0 ± 0.1 eV per pixel"),
     ("seed = 1", "seed = 1; optimizer = ard_so"),
     "error[map-engine]", "drift ~ 0 ± 0.1 eV"),
    (('S[2] ~ like file("data/eels_valence_mn4.msa")', "S[2] ~ smooth(2 eV)"),
     ("seed = 1", "seed = 1; optimizer = ard_so"), "error[map-engine]", "smooth(2 eV)"),
    (ROUGH, ("seed = 1", "seed = 1; optimizer = ard_so"),
     "error[map-engine]", "expect roughness(C)"),
    (ROUGH, ("  shift ~ 0 ± 0.5 eV", "  drift ~ 0 ± 0.1 eV per pixel"),
     "error[map-drift-roughness]", "expect roughness(C)"),
    (("seed = 1", "seed = 1; optimizer = ard_so"), "error[map-engine]", "baseline pre"),
    (("exponential(λ[k])", "gamma(2, λ[k])"),
     ("  shift ~ 0 ± 0.5 eV", "  drift ~ 0 ± 0.1 eV per pixel"),
     "note[map-drift-level]", "gamma(2"),
]  # fmt: skip


@pytest.mark.parametrize("case", UNUSED)
def test_check_tells_what_would_not_be_used(
    case: tuple, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    *changes, code, where = case
    result = main(["check", str(project(*changes))])
    told = capsys.readouterr()
    said = told.out + told.err
    assert result == (2 if code.startswith("error") else 0)
    assert code in said
    assert where in said.partition(code)[2]
    assert "help:" in said.partition(code)[2]


@pytest.mark.usefixtures("fake")
def test_a_run_tells_which_priors_it_did_not_use(project: Project) -> None:
    drift = ("  shift ~ 0 ± 0.5 eV", "  drift ~ 0 ± 0.1 eV per pixel")
    path = project(drift, ("seed = 1", "seed = 1; then = laplace"))
    code, result = ran(path)
    assert code == 0
    run = [note for note in result["notes"] if "changes nothing" in note]
    assert [note.split("`")[1] for note in run] == ["restarts", "then = laplace"]
    (rest,) = [note for note in result["notes"] if note not in run]
    assert "inverse_gamma(1.5" in rest
    assert "is not used where every pixel drifts" in rest
    page = (path.parent / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("is not used where every pixel drifts") == 1


@pytest.mark.usefixtures("fake")
def test_a_run_uses_every_prior_that_it_can(project: Project) -> None:
    code, result = ran(project(EXPECT, ROUGH))
    assert code in (0, 1)
    assert not [note for note in result["notes"] if "not used" in note]


def test_roughness_is_of_neighbours_that_hold_something() -> None:
    image = np.zeros((3, 4, 2))
    image[..., 0] = [1.0, 2.0, 3.0, 0.0]
    image[:2, :3, 1] = 1.0
    maps = image.reshape(-1, 2)
    apart = np.array([1.0, 1.0, 0.0, 0.0] * 2 + [1.0, 1.0, 0.0, 0.0])
    down = np.array([0.0, 0.0] * 3 + [0.0, 1.0] * 3)
    expected = np.sqrt(np.mean(np.concatenate([apart, down]) ** 2))
    mean = maps.sum() / 9
    assert roughness(maps, (3, 4)) == pytest.approx(expected / mean)
    assert roughness(maps[:1], (1, 1)) == 0.0


@pytest.mark.parametrize(
    ("moved", "outcome"), [(0.0, "passed"), (1.2, "warned"), (4.0, "failed")]
)
def test_a_component_that_is_not_like_its_curve_is_told(
    moved: float,
    outcome: str,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dataclasses import replace

    import specfit.maps.factorising
    from tests.mapping.conftest import stand_in

    def off(counts: object, energy: np.ndarray, asked: object, *more: object) -> object:
        found = stand_in()(counts, energy, asked, *more)
        rows = np.array([np.interp(energy - moved, energy, s) for s in asked.library])
        return replace(found, spectra=rows / rows.sum(axis=1, keepdims=True))

    monkeypatch.setattr(specfit.maps.factorising, "factorise", off)
    code, result = ran(project(("  shift ~ 0 ± 0.5 eV\n", "")))
    told = [rule for rule in result["rules"] if rule["rule"] == "library"]
    worst = min(told, key=lambda rule: rule["value"])
    assert worst["outcome"] == outcome
    assert ("moved by" in worst["detail"]) == (outcome != "passed")
    assert code == 1 or outcome != "failed"


def test_what_an_engine_does_not_use_is_not_asked_of_it(project: Project) -> None:
    nothing = np.full((2, 90), np.nan)
    request = request_of(asked(project(EXPECT)), nothing, (24, 24), mean=6.0)
    assert (request.relevance, request.overlap) == (False, 0.0)
    assert request.apart == (0.0, 0.1)
    assert request.levels == Levels(1.5, 3.0, 1.0)
    drift = ("  shift ~ 0 ± 0.5 eV", "  drift ~ 0 ± 0.1 eV per pixel")
    assert request_of(asked(project(drift)), nothing, (24, 24)).levels is None


def test_one_pixel_and_energies_about_zero_are_told(project: Project) -> None:
    from specfit.map_components import counted
    from specfit.maps import Factorisation, MapError

    energy = np.linspace(600.0, 660.0, 90)
    with pytest.raises(MapError, match="components"):
        counted(np.ones((1, 90)), energy, Factorisation(2))
    low = asked(project()).model_copy(update={"fit": (-5.0, 30.0)})
    assert exponents(low, energy - 605.0, np.ones(90)) == (0.0, 4.0)


@pytest.mark.usefixtures("fake")
def test_one_component_leaves_nothing_to_order(project: Project) -> None:
    path = project(
        ("k = 1..2", "k = 1..1"),
        ('  S[2] ~ like file("data/eels_valence_mn4.msa")\n', ""),
        ('  check match(S[2], db("MnO2.L23")) > 0.9 because "the core is Mn4+"\n', ""),
        ("  check components == 2\n", ""),
    )
    _, result = ran(path)
    rule = next(one for one in result["rules"] if one["rule"] == "centroid")
    assert rule["outcome"] == "warned"
    assert "nothing to order" in rule["detail"]


@pytest.mark.parametrize(
    ("counts", "missed", "outcome"),
    [(400.0, 0.0, "passed"), (4000.0, 0.025, "warned"), (400.0, 0.1, "failed")],
)
def test_parts_that_are_missed_and_lines_left_open_are_told(
    counts: float,
    missed: float,
    outcome: str,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dataclasses import replace

    import specfit.maps.factorising
    from tests.mapping.conftest import stand_in

    def off(*given: object) -> object:
        found = stand_in()(*given)
        made = np.full((36, found.spectra.shape[1]), counts)
        # of the whole image nothing is missing, of its halves a part
        half = np.where(np.arange(36) < 18, -1.0, 1.0)[:, None]
        noise = np.random.default_rng(0).normal(0.0, np.sqrt(counts), made.shape)
        seen = made * (1.0 + missed * half) + noise
        return replace(
            found, parts=np.stack([seen, made, made]), feasible=None, open_by=0.4
        )

    monkeypatch.setattr(specfit.maps.factorising, "factorise", off)
    path = project()
    code, result = ran(path)
    assert code == (1 if outcome == "failed" else 0)
    told = {rule["rule"]: rule for rule in result["rules"]}
    assert told["sum"]["outcome"] == outcome
    assert told["ambiguity"]["value"] == 0.4
    page = (path.parent / "out" / "report.html").read_text(encoding="utf-8")
    assert ("with reservations" in page) == (outcome == "warned")


@pytest.mark.usefixtures("fake")
def test_a_map_without_room_is_refused_before_anything_is_made(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from specfit.readers import memory

    path = project()
    monkeypatch.setattr(memory, "free", lambda: 500_000)  # enough to read it
    assert main(["run", str(path), "--out", str(path.parent / "o"), "--quiet"]) == 2
    assert "are free: narrow its `window`" in capsys.readouterr().err


def test_a_background_that_is_nowhere_alone_is_told_beside_free_spectra(
    project: Project,
) -> None:
    from specfit.model.map_unused import notes

    free = ('like file("data/eels_valence_mn4.msa")', "dirichlet(1.0)")
    anywhere = ("powerlaw(fit = [600, 632] eV)", "constant")
    told = [
        any("where it is alone" in note for note in notes(asked(project(*changes))))
        for changes in ((free, anywhere), (free,), (anywhere,))
    ]
    assert told == [True, False, False]


NORMAL = (
    "~ poisson(pre + sum(C[*, k] * S[*, k] over k))",
    "~ normal(pre + sum(C[*, k] * S[*, k] over k), 7 counts)",
)


def test_noise_that_is_normal_runs_to_a_report(project: Project) -> None:
    code, result = ran(project(NORMAL))
    assert code in (0, 1)
    assert result["diagnostics"]["chi2_reduced"] > 0.0
    assert [one["number"] for one in result["components"]] == [1, 2]
    assert not result["notes"] or "still rise" not in result["notes"][0]


def test_a_drift_runs_to_a_report_with_its_image(project: Project) -> None:
    said = (
        "  shift ~ 0 ± 0.5 eV",
        "  shift ~ 0 ± 0.5 eV\n  drift ~ 0 ± 0.1 eV per pixel",
    )
    path = project(said)
    code, result = ran(path)
    assert code in (0, 1)
    assert result["parameters"]["drift"]["unit"] == "eV"
    with np.load(path.parent / "out" / "tables" / "maps.npz") as made:
        assert made["drift"].shape == made["drift_sd"].shape == (24, 24)
    assert (path.parent / "out" / "figures" / "drift.png").exists()


@pytest.mark.usefixtures("fake")
def test_components_checks_and_verdict_stand_in_the_terminal(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project()
    code = main(["run", str(path), "--out", str(path.parent / "o"), "--quiet"])
    said = capsys.readouterr().out
    assert "fraction   " in said
    assert "±" in said
    assert "verdict: " + ("ACCEPTED" if code == 0 else "") in said
    assert said.rstrip().endswith("report.html")
