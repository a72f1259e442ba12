"""Runs that must be accepted, rejected or refused, each with its reason."""

import pytest

from .spectra import doublet, sextet, spec

IRON = sextet(0.0, 0.0, 33.0, 0.40)
# one model for several tests, which then compile it once
FOIL = '  site Fe "α-鉄" : sextet from db("iron.alpha") { QS = 0 mm/s }'
NARROW = "  site D : doublet { width ~ 0.20 ± 0.05 mm/s in [0.05, 1.0] mm/s }"


def test_a_clean_sextet_is_accepted(specfit, result_of, tmp_path):
    path = spec(tmp_path, FOIL, IRON, title="標準試料")
    code, out, err = specfit("run", path, "--out", tmp_path / "run", "--quiet")
    assert code == 0, err + out
    result = result_of(tmp_path / "run")
    assert result["verdict"] == "accepted"
    assert abs(result["parameters"]["Fe.Bint"]["mean"] - 33.0) < 0.02
    assert "α-鉄" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "α-鉄" in out


@pytest.mark.slow
def test_siderite_as_a_sextet_at_room_temperature(specfit, result_of, tmp_path):
    body = '  site S : sextet from db("siderite") { Bint ~ free in [5, 55] T }'
    path = spec(tmp_path, body, sextet(1.2, 0.2, 30.0, 0.4))
    code, out, err = specfit("run", path, "--out", tmp_path / "run", "--quiet")
    assert code == 1, err + out
    reasons = " ".join(result_of(tmp_path / "run")["reasons"])
    assert "siderite" in reasons
    assert "38 K" in reasons


def test_a_line_narrower_than_nature_allows(specfit, result_of, tmp_path):
    path = spec(tmp_path, NARROW, doublet(0.37, 0.7, 0.2, fwhm=0.14))
    code, out, err = specfit("run", path, "--out", tmp_path / "run", "--quiet")
    assert code == 1, err + out
    assert "natural" in " ".join(result_of(tmp_path / "run")["reasons"])


def test_fractions_that_a_require_forbids(specfit, result_of, tmp_path):
    body = """  site A : sextet { Bint ~ 49.0 ± 1.0 T in [46, 52] T }
  site B : sextet { Bint ~ 33.0 ± 1.0 T in [30, 36] T }
  require A.I / B.I > 1.5 because "two A for each B in this compound" """
    lines = sextet(0.3, 0.0, 49.0, 0.2) + sextet(0.0, 0.0, 33.0, 0.3)
    path = spec(tmp_path, body, lines, engine="nuts")
    code, out, err = specfit("run", path, "--out", tmp_path / "run", "--quiet")
    assert code == 1, err + out
    reasons = " ".join(result_of(tmp_path / "run")["reasons"])
    assert "A.I / B.I > 1.5" in reasons
    assert "χ²" in reasons


@pytest.mark.slow
def test_sites_that_changed_places_are_not_accepted(specfit, result_of, tmp_path):
    """A forbidden ratio is kept by a swap of names; the stated fields are then 16 sd off."""
    body = """  site A : sextet { Bint ~ 49.0 ± 1.0 T }
  site B : sextet { Bint ~ 33.0 ± 1.0 T }
  require A.I / B.I > 1.5 because "two A for each B in this compound" """
    lines = sextet(0.3, 0.0, 49.0, 0.2) + sextet(0.0, 0.0, 33.0, 0.3)
    path = spec(tmp_path, body, lines, engine="nuts")
    code, out, err = specfit("run", path, "--out", tmp_path / "run", "--quiet")
    assert code == 1, err + out
    reasons = " ".join(result_of(tmp_path / "run")["reasons"])
    assert "stated prior" in reasons or "A.I / B.I > 1.5" in reasons


def test_a_prior_that_the_data_contradict(specfit, result_of, tmp_path):
    lines = sextet(0.0, 0.0, 35.5, 0.40)
    path = spec(tmp_path, FOIL, lines, title="標準試料")
    code, out, err = specfit("run", path, "--out", tmp_path / "run", "--quiet")
    assert code == 1, err + out
    reasons = " ".join(result_of(tmp_path / "run")["reasons"])
    assert "iron.alpha" in reasons


@pytest.mark.slow
def test_an_unidentified_model_gives_no_result(specfit, result_of, tmp_path):
    body = """  site A : sextet { Bint ~ 33.0 ± 3.0 T }
  site B : sextet { Bint ~ 33.0 ± 3.0 T }"""
    path = spec(tmp_path, body, IRON, counts=2e4, engine="nuts")
    code, out, err = specfit("run", path, "--out", tmp_path / "run", "--quiet")
    assert code == 3, err + out
    assert result_of(tmp_path / "run")["verdict"] == "not_converged"


@pytest.mark.slow
def test_a_weak_absorber_with_default_priors_is_accepted(specfit, tmp_path):
    path = spec(tmp_path, "  site D : doublet", doublet(0.37, 0.7, 0.03), counts=1e6)
    code, out, err = specfit("run", path, "--out", tmp_path / "run", "--quiet")
    assert code == 0, err + out


def test_a_width_at_the_natural_floor_is_rejected_not_lost(
    specfit, result_of, tmp_path
):
    lines = doublet(0.37, 0.7, 0.2, fwhm=0.15)
    path = spec(tmp_path, "  site D : doublet", lines)
    code, out, err = specfit("run", path, "--out", tmp_path / "run", "--quiet")
    assert code == 1, err + out
    assert "natural" in " ".join(result_of(tmp_path / "run")["reasons"])


@pytest.mark.slow
def test_a_phase_named_but_overridden_is_still_judged(specfit, result_of, tmp_path):
    body = """  site S : sextet from db("siderite") {
    IS ~ 1.2 ± 0.1 mm/s; QS ~ 0.2 ± 0.1 mm/s; Bint ~ 30 ± 3 T
  }"""
    path = spec(tmp_path, body, sextet(1.2, 0.2, 30.0, 0.4))
    code, out, err = specfit("run", path, "--out", tmp_path / "run", "--quiet")
    assert code == 1, err + out
    assert "38 K" in " ".join(result_of(tmp_path / "run")["reasons"])


def test_a_point_is_no_result(specfit, result_of, tmp_path):
    path = spec(tmp_path, NARROW, doublet(0.37, 0.7, 0.2))
    text = path.read_text(encoding="utf-8").replace("run auto", "run map")
    path.write_text(text, encoding="utf-8")
    code, out, err = specfit("run", path, "--out", tmp_path / "run", "--quiet")
    assert code == 3, err + out
    assert result_of(tmp_path / "run")["verdict"] == "not_converged"


def test_a_foreign_folder_is_refused_before_the_work(specfit, tmp_path):
    path = spec(tmp_path, "  site D : doublet", doublet(0.37, 0.7, 0.2))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious", encoding="utf-8")
    code, out, err = specfit("run", path, "--out", tmp_path / "mine")
    assert code == 2, err + out
    assert "not empty" in err
    assert "search" not in err
