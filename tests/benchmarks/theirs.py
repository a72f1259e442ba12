"""SYNCmoss's forward functions, called without its windows, with specfit's values.

Its conventions, from its description of models: ε is half our QS and Q is eQVzz; L is the
Lorentzian width of the absorber alone, 0.098 mm/s less than what the source broadens; G
and GH are the FWHM of Gaussians; T counts optical depth of a line 0.098 mm/s wide; texture
is an axis and its order A.  Its slopes follow from its g factors and the α-Fe field.
"""

from __future__ import annotations

import time
from contextlib import contextmanager

import numpy as np

WANTED = (
    "SYNCmoss is not installed, or not with what it needs. Its forward models want no "
    "windows:\n    python -m pip install numba scipy && "
    "python -m pip install --no-deps syncmoss==0.6.0"
)
try:
    import syncmoss.models as models
    from syncmoss import constants
except ImportError as fault:
    raise SystemExit(f"{WANTED}\n({fault})") from None

SLOPES = (constants.LINE_SHIFT_16, constants.LINE_SHIFT_25, constants.LINE_SHIFT_34)
SOURCE = constants.NAT_WIDTH  # mm/s
STRETCH = 0.28  # MulCoCMS, the scale of a radioactive source's grid
NODES = 64  # the program's default for a radioactive source
POINT = 1e-6  # mm/s: a Gaussian without width divides by zero
FWHM = np.sqrt(8 * np.log(2))
PER_SECOND = 7.3041e7  # of 1 mm/s at 14.4 keV
NATURAL = 0.097  # mm/s: ours, in terms of which a thickness is an optical depth


class Alone:
    """Stands for its pool of processes."""

    def starmap(self, function, arguments):
        return [function(*each) for each in arguments]


@contextmanager
def faddeeva():
    """Its own switch: the exact Voigt in place of a sum of four simpler shapes."""
    before = models.COMPLEX_VOIGT_METHOD
    models.COMPLEX_VOIGT_METHOD = "wofz"
    yield
    models.COMPLEX_VOIGT_METHOD = before


# ------------------------------------------------------------------------ parameters


def row(kind, v, thickness, source):
    """Name and numbers of a component that is our site of these values.

    source: of the width, what is not the absorber's, mm/s.
    """
    v = {"QS": 0.0, "sigma_IS": 0.0, "sigma_Bint": 0.0, "x": 2.0, "ratio": 1.0} | v
    depth, width = thickness * NATURAL / SOURCE, v["width"] - source
    wide = max(FWHM * v["sigma_IS"], POINT)
    head = (depth, v["IS"], 0.5 * v["QS"])
    if kind == "singlet":
        return "Singlet", (depth, v["IS"], width, wide)
    if kind == "doublet":
        cos = np.sqrt((5 * v["ratio"] / 3 - 1) / (1 + v["ratio"]))
        order = 0 if v["ratio"] == 1 else 1  # both are a powder's, but not if thick
        return "Doublet", (*head, width, wide, _degrees(cos), 0, order, 1)
    if kind == "sextet":
        return _sextet(v, head, width, wide)
    if kind in ("hamiltonian", "hamiltonian_crystal"):
        order = 1 if kind == "hamiltonian_crystal" else 0
        beam = (v.get("beam_theta", 0), v.get("beam_phi", 0), 0)
        tensor = (v["eQVzz"], v["Bint"], width, wide, v["eta"], v["theta"], v["phi"])
        return "Hamiltonian", (depth, v["IS"], *tensor, *beam, order, order, order)
    if kind == "relaxing":
        return _relaxing(v, head, width)
    raise ValueError(kind)


def _sextet(v, head, width, wide):
    """Texture: crystals along one axis, seen from where they give this x."""
    cos = np.sqrt((4 - v["x"]) / (4 + v["x"]))
    order = 0 if v["x"] == 2 else 1
    texture, wide_field = (_degrees(cos), 0, order, 0), FWHM * v["sigma_Bint"]
    if not {"IS_slope", "QS_slope"} & v.keys():
        return "Sextet", (*head, v["Bint"], width, wide, *texture, 0, 0, wide_field, 3)
    moving = (v.get("IS_slope", 0.0), 0.5 * v.get("QS_slope", 0.0))  # never both
    own = FWHM * np.hypot(v["sigma_IS"], max(map(abs, moving)) * v["sigma_Bint"])
    tied = tuple(m * wide_field / own for m in moving)
    return "MDGD", (
        *head,
        v["Bint"],
        width,
        own,
        wide_field,
        0,
        *tied,
        *texture,
        0,
        0,
        3,
    )


def _relaxing(v, head, width):
    """Two states of one field and its opposite; W leaves the first, R W the second."""
    occupied = np.array([1 + v["polarisation"], 1 - v["polarisation"]]) / 2
    rate = 10 ** v["log_rate"] / PER_SECOND  # mm/s
    leave, ratio = 2 * rate * occupied[1], occupied[0] / occupied[1]
    second = (v["IS"], 0.5 * v["QS"], -v["Bint"])
    return "Relax_2S", (*head, v["Bint"], *second, width, 0, 0, 0, 0, leave, ratio)


def _degrees(cos):
    return float(np.degrees(np.arccos(cos)))


def distributed(kind, v, spread, thickness, source):
    """A component, its copies along one parameter, and what moves with it.

    spread: name, least and most, number of copies, density of X, {name: text of X}.
    """
    name, low, high, count, density, tied = spread
    places = {"IS": 1, "QS": 2, "Bint": 3}
    component, numbers = row(kind, v, thickness, source)
    rows, cells, texts = [component, "Distr"], [*numbers], []
    cells += [places[name], low, high, count, 0]
    for other, text in tied.items():
        rows.append("Corr")
        cells += [places[other], 0]
        texts.append(text)
    return rows, cells, [density], texts


# --------------------------------------------------------------------------- spectra


def depth(components, at):
    """Optical depth of thin components, that of an unpolarised beam, at `at`."""
    rows, cells, density, tied = _joined(components)
    given = (at, np.array(cells, dtype=float), np.array(rows), at, 0.0, 1.0, 1.0)
    passed = models.TImod(*given, density or [0], tied or [0], Met=-1, Mett=1)
    return -np.log(np.asarray(passed, dtype=float))


def dip(components, at, nodes=NODES):
    """1 − transmission of a source of natural width, all of it recoil-free."""
    rows, cells, density, tied = _joined(components)
    flat = np.zeros(8)
    flat[0] = 1.0
    given = (nodes, Alone(), 0.0, STRETCH, POINT)
    norm = models.TI(np.array([1000.0]), flat, [], *given, [0], [0], Met=1)[0]
    numbers = np.concatenate([flat, cells])
    seen = models.TI(
        at, numbers, rows, *given, density or [0], tied or [0], Met=1, Norm=norm
    )
    return 1.0 - np.asarray(seen, dtype=float)


def _joined(components):
    rows, cells, density, tied = [], [], [], []
    for each in components:
        names, numbers, *texts = each
        rows += [names] if isinstance(names, str) else names
        cells += numbers
        if texts:
            density += texts[0]
            tied += texts[1]
    return rows, cells, density, tied


def seconds(work, repeats=5):
    """CPU seconds of one call, the least of several; the first one compiles."""
    work()
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)
