"""Sextets whose priors put them where first order in the field gradient fails."""

import pytest

from specfit import pipeline
from specfit.rendering import message

FRAME = """specfit 1
data s : transmission {{
  file = "s.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
}}
model m : mossbauer57Fe on s {{
  w ~ 0.28(3) mm/s
  site P : doublet {{ width = w }}
  {site}
  observe s.counts ~ poisson
}}
"""


def warned(folder, site):
    path = folder / "case.spec"
    path.write_text(FRAME.format(site=site), encoding="utf-8")
    checked = pipeline.check(path)
    assert not checked.errors, checked.errors
    return [d for d in checked.diagnostics if d.code == "sextet-first-order"]


@pytest.mark.parametrize(
    "site",
    [
        "site A : sextet { QS ~ -0.6(1) mm/s; Bint ~ 18(2) T; width = w }",
        "site A : sextet { QS = 0.7 mm/s; Bint ~ free in [15, 20] T }",
    ],
)
def test_a_weak_field_and_a_large_splitting_are_told(tmp_path, site):
    (found,) = warned(tmp_path, site)
    assert found.severity == "warning"
    assert found.words["site"] == "A"
    assert 0.1 < float(found.words["off"]) < 0.4
    for language in ("en", "ja"):
        assert "`A`" in message(found.code, found.words, language)
    assert found.span.start < found.span.end


@pytest.mark.parametrize(
    "site",
    [
        'site A : sextet from db("hematite", T = 295 K) {}',
        "site A : sextet {}",
        "site A : hamiltonian { eQVzz = 2.4 mm/s; Bint ~ 18(2) T }",
        # what hangs on another unknown has no median of its own
        "site A : sextet { QS = -2 * w; Bint ~ 18(2) T; width = w }",
    ],
)
def test_others_are_let_be(tmp_path, site):
    assert not warned(tmp_path, site)
