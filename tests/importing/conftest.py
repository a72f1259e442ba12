"""Jobs and models as other programs write them, made here, and the lines they mean."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from specfit.constants import FIELD_SCALES
from specfit.importing import PROGRAMS, drafted
from specfit.rendering import message
from specfit.sites import SITES

RHODIUM = -0.108
DEFAULTS = {"x": 2.0, "ratio": 1.0, "sigma_IS": 0.0, "sigma_QS": 0.0}
DEFAULTS |= {"IS_slope": 0.0, "QS_slope": 0.0, "QS_random": 0.0}
DEFAULTS |= {"texture": 0.0, "f_anisotropy": 0.0, "sign_eQVzz": 1.0}
DEFAULTS |= {"sigma_Bint": 0.0, "sigma_eQVzz": 0.0, "I": 1.0}


@pytest.fixture(scope="session")
def imported():
    """The draft of a text, for a source of rhodium."""
    return lambda text: drafted(text, "a/Some.JOB", "57Co(Rh)", RHODIUM)


@pytest.fixture(scope="session")
def lines():
    """Position, area and Gaussian sigma of the lines of a drafted site, by position."""

    def of(draft, site):
        kind = SITES[site.kind]
        slopes = np.array(FIELD_SCALES[draft.data.field_scale].slopes)
        values = DEFAULTS | {p.symbol: p.value for p in site.parameters}
        with jax.enable_x64(True):
            given = {name: jnp.asarray(value) for name, value in values.items()}
            found = kind.lines(given, jnp.asarray(slopes))
            table = np.stack([found.position, found.area, found.gauss_sigma])
        return table[:, np.argsort(table[0])]

    return of


@pytest.fixture(scope="session")
def say():
    return lambda code, **words: message(code, words, "en")


@pytest.fixture(scope="session")
def program():
    return {entry.name: entry for entry in PROGRAMS}


@pytest.fixture(scope="session")
def job():
    """A NORMOS job with these namelists."""

    def build(param, data="VMAX=12.0, TRIANG=.TRUE.,", spectrum="FOIL.CSV"):
        head = f"{spectrum}\nA.JOB\nA.RES\nA.PLT\n &DATA\n {data}\n &END\n"
        return head + f"a title\nin two lines\n &PARAM\n {param}\n &END\n"

    return build


@pytest.fixture(scope="session")
def model():
    """A SYNCmoss model: rows of (kind, cells), a cell `value` or `value!` if fixed."""

    def row(cells, padding=3):
        groups = []
        for cell in map(str, cells):
            value, _, bounds = cell.rstrip("!").partition("|")
            low, _, high = bounds.partition("|")
            groups.append(f"{value}\t{low}\t{high}\t\t{cell.endswith('!')}")
        return "\t".join([*groups, *["\t\t\t\tFalse"] * padding])

    def build(*rows, baseline=("1e4", *["0!"] * 7), colours=True, head=""):
        kinds = "\t".join(["baseline", *(kind for kind, _ in rows)])
        paint = "\t".join(["red"] * (len(rows) + 1))
        table = [kinds, *([paint] if colours else []), row(baseline)]
        return head + "\n".join([*table, *(row(cells) for _, cells in rows)]) + "\n"

    return build
