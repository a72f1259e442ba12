"""What no spectrum of a model could tell apart is said before one is fitted."""

import pytest

from specfit import pipeline
from specfit.rendering import message

FRAME = """specfit 1
data s{dims} : transmission {{
  file = "s{level}.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  {temperature}
}}
model m : mossbauer57Fe on s {{
  {model}
  site A : {site}
  observe s.counts ~ poisson
}}
"""
CODES = {
    "asymmetry-undecided",
    "gradient-undecided",
    "orientation-undecided",
    "source-undecided",
    "without-effect",
}


def warned(folder, site, model="", dims=""):
    path = folder / "case.spec"
    level = "{T}" if dims else ""
    temperature = "" if dims else "T = 295 K"
    words = {"site": site, "model": model, "dims": dims}
    text = FRAME.format(level=level, temperature=temperature, **words)
    path.write_text(text, encoding="utf-8")
    checked = pipeline.check(path)
    assert not checked.errors, checked.errors
    found = [d for d in checked.diagnostics if d.code in CODES]
    for one in found:
        assert one.severity == "warning"
        assert one.span.start < one.span.end
        for language in ("en", "ja"):
            assert "{" not in message(one.code, one.words, language)
    return {one.code: one for one in found}


BOTH = "texture ~ free in [-5, 5]; f_anisotropy ~ free in [-3, 3]"


def test_texture_and_an_anisotropic_f_are_told(tmp_path):
    found = warned(tmp_path, f"doublet {{ {BOTH} }}")
    assert found["asymmetry-undecided"].words["names"] == "`texture`, `f_anisotropy`"


@pytest.mark.parametrize(
    "inside",
    [
        "texture ~ free in [-5, 5]",
        "texture ~ 0.5 ± 0.1; f_anisotropy ~ free in [-3, 3]",
        "ratio ~ free in [0.5, 2]",
        "",
    ],
)
def test_one_cause_or_a_known_other_is_let_be(tmp_path, inside):
    assert not warned(tmp_path, f"doublet {{ {inside} }}")


@pytest.mark.parametrize(
    ("texture", "told"),
    [("~ free in [-5, 5]", False), ("~ free in [-5, 5] per T", True)],
)
def test_two_temperatures_tell_a_texture_that_stays(tmp_path, texture, told):
    model = "soft ~ free in [-0.02, 0.02]"
    site = f"doublet {{ texture {texture}; f_anisotropy = soft * s.T / 1 K }}"
    found = warned(tmp_path, site, model, "[T = [77, 295] K]")
    assert ("asymmetry-undecided" in found) == told


@pytest.mark.parametrize(
    ("inside", "codes"),
    [
        ("Bint = 0 T; theta = 0 deg", {"gradient-undecided"}),
        ("Bint = 0 T; eQVzz ~ 1.2 ± 0.1 mm/s; theta = 0 deg", set()),
        (
            "Bint = 0 T; eQVzz ~ 1.2 ± 0.1 mm/s; theta = 0 deg; eta ~ free in [0, 1]",
            {"gradient-undecided"},
        ),
        ("Bint = 0 T; eQVzz ~ 1.2 ± 0.1 mm/s", {"without-effect"}),
        ("eQVzz = 0 mm/s", {"without-effect"}),
        ("Bint = 0 T; theta = 0 deg; f_anisotropy = 2", set()),
        ("eQVzz = 0 mm/s; f_anisotropy = 2", set()),
        ("phi ~ free in [0, 90] deg; theta = 90 deg", {"without-effect"}),
    ],
)
def test_a_gradient_without_a_field_and_angles_without_effect(tmp_path, inside, codes):
    assert set(warned(tmp_path, f"hamiltonian {{ {inside} }}")) == codes


STRONG = "Bint ~ free in [45, 55] T"
WEAK = "Bint ~ free in [10, 20] T"
SMALL = "eQVzz ~ free in [-0.8, 0.8] mm/s"


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        (f"{STRONG}; {SMALL}; width = 0.28 mm/s", True),
        (f"{STRONG}; {SMALL}; theta ~ 90 ± 3 deg; width = 0.28 mm/s", False),
        (f"{STRONG}; {SMALL}; theta = 90 deg; width = 0.28 mm/s", False),
        (f"{STRONG}; eQVzz ~ free in [-4, 4] mm/s; width = 0.28 mm/s", False),
        (f"{WEAK}; {SMALL}; width = 0.20 mm/s", False),
    ],
)
def test_angle_and_gradient_of_a_strong_field_are_told(tmp_path, inside, told):
    found = warned(tmp_path, f"hamiltonian {{ {inside} }}")
    assert ("orientation-undecided" in found) == told


def test_a_crystal_shows_its_angles(tmp_path):
    angles = "beam_theta = 20 deg; beam_phi = 0 deg; phi ~ free in [0, 90] deg"
    assert not warned(tmp_path, f"hamiltonian_crystal {{ {STRONG}; {angles} }}")


def test_a_source_and_a_background_are_told(tmp_path):
    thick = 'absorber = "thick"; f_source ~ {}; background ~ free in [0, 0.5]'
    found = warned(tmp_path, "sextet {}", thick.format("free in [0.5, 0.9]"))
    assert "source-undecided" in found
    assert not warned(tmp_path, "sextet {}", thick.format("0.75 ± 0.02"))
