import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "cli"))
import spectra

BODY = """  N0 ~ normal(max(spectrum.counts), 2000) counts
  area ~ free in [0.001, 2.0] mm/s
  site D "ferric doublet" : doublet {
    IS ~ 0.35(5) mm/s
    QS ~ 0.80(15) mm/s
    width ~ 0.30(4) mm/s in [0.194, 0.60] mm/s
  }
  require D.QS > 0.2 mm/s because "the lines are apart"
  half = D.QS / 2"""
SHIFTS = (0.31, 0.33, 0.36, 0.38, 0.40, 0.35, 0.34)


@pytest.fixture(scope="session")
def series(tmp_path_factory):
    """A .spec file, seven spectra of it, and a file that holds none."""
    folder = tmp_path_factory.mktemp("series")
    spec = spectra.spec(
        folder, BODY, spectra.doublet(0.35, 0.80, 0.2), channels=128, limit=3.0
    )
    files = []
    for number, shift in enumerate(SHIFTS):
        path = folder / f"s{number}.csv"
        lines = spectra.doublet(shift, 0.7 + 0.05 * number, 0.2)
        spectra.write(path, lines, seed=10 + number, channels=128, limit=3.0)
        files.append(path)
    (folder / "bad.csv").write_text("not a spectrum\n")
    return spec, files, folder / "bad.csv"


@pytest.fixture
def table_of():
    from specfit.batching import folder

    return lambda place: folder.read(place)[0]


@pytest.fixture(scope="module", autouse=True)
def compiled_once_here(jax_cache_of_module):
    """Every command of these tests compiles the same; the first leaves it on disk."""
