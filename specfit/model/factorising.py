"""`model NAME : nmf on cube { … }`, typed: what is asked of a factorisation.

Counts of pixel n and channel e are expected as background[n, e] + Σ C[n, k] · S[k, e].
Every spectrum S has unit area; every map C is in counts.  Energies in eV.
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from specfit.model.pieces import DataSource, Frozen, Place


class Curve(Frozen):
    """A spectrum known from elsewhere: of a file of the user's, or of the database.

    file: relative to the .spec file; record: "MnO.L23", made of the lines that the
    database has.  text: as written.
    """

    file: str = ""
    record: str = ""
    text: str = ""
    place: Place = Place()


class SpectrumPrior(Frozen):
    """What is known of one basis spectrum.

    free: every spectrum of unit area is as likely.  smooth: over `width` eV.  like: a
    curve; the data say how much that counts.
    """

    kind: Literal["free", "smooth", "like"] = "free"
    width: float = 0.0
    curve: Curve | None = None
    place: Place = Place()


class Relevance(Frozen):
    """`λ[k] ~ inverse_gamma(shape, scale)`: the level of each map is learned.

    scale: in counts, or in means of the data (`0.5 * mean(cube.counts)`).
    """

    symbol: str = "λ"
    shape: float
    scale: float
    of_mean: bool
    place: Place = Place()


class Scale(Frozen):
    """`C[cube.pixel, k] ~ exponential(1000 counts)`: the scale of every map, known.

    value: in the unit of the data, or in their means.
    """

    value: float
    of_mean: bool = False
    place: Place = Place()


class Overlap(Frozen):
    """`expect overlap(C) ~ mean ± sd`: how much maps share their pixels."""

    mean: float
    sd: float
    because: str = ""
    place: Place = Place()


class Roughness(Frozen):
    """`expect roughness(C) ~ 0 ± sd`: by how much neighbouring pixels differ.

    sd: of the difference of their weights, as a share of all weights of a mean pixel.
    """

    sd: float
    because: str = ""
    place: Place = Place()


class Order(Frozen):
    """`require increasing(centroid(S, along = energy))`."""

    rising: bool = True
    because: str = ""
    place: Place = Place()


class MapCheck(Frozen):
    """`check match(S[1], db("MnO.L23")) > 0.95`: a figure against a bound.

    component: from 1, 0 where the figure is of the whole.
    """

    figure: Literal["match", "centroid", "share", "overlap", "components", "chi2"]
    component: int = 0
    curve: Curve | None = None
    comparison: Literal["<", "<=", ">", ">=", "=="]
    bound: float
    because: str = ""
    place: Place = Place()


class MapRun(Frozen):
    """`run map { restarts = 32; … }`: how to look, never what to find."""

    restarts: int = 8
    steps: int = 2000
    optimizer: Literal["multiplicative", "ard_so", "scikit_learn"] = "multiplicative"
    seed: int = 0
    then: Literal["laplace", "none"] = "laplace"
    place: Place = Place()


class MapReport(Frozen):
    """`report maps { … }`: which figures, and the folder that arrays are saved in."""

    plots: tuple[str, ...] = ()
    save: str = "maps"


class Factorising(Frozen):
    """A factorisation of one cube.

    names: of maps and spectra; number and baseline: what the user calls the number of a
    component and the background.  components: how many, or at most how many where
    `relevance` is learned.  maps: the shape of their gamma prior, 1 is exponential, whose
    scale is learned by `relevance` or known by `scale`; any weight is as likely without both.
    background: of every pixel; fit: where nothing else is expected, eV.  shift, drift:
    sd of the offset between the library's energies and the data's, and of each pixel's
    own, eV; 0 is none.
    sd: of the noise, where it is `normal`.  places: of statements, by what they define.
    """

    name: str
    title: str = ""
    kind: str = "nmf"
    source: DataSource
    names: tuple[str, str] = ("C", "S")
    number: str = "k"
    baseline: str = ""
    components: int
    spectra: tuple[SpectrumPrior, ...]
    relevance: Relevance | None = None
    scale: Scale | None = None
    maps: float = 1.0
    background: Literal["none", "constant", "powerlaw"] = "none"
    fit: tuple[float, float] | None = None
    likelihood: Literal["poisson", "normal"] = "poisson"
    sd: float = 0.0
    overlap: Overlap | None = None
    roughness: Roughness | None = None
    order: Order | None = None
    shift: float = 0.0
    drift: float = 0.0
    checks: tuple[MapCheck, ...] = ()
    run: MapRun = MapRun()
    report: MapReport = MapReport()
    place: Place = Place()
    places: tuple[tuple[str, Place], ...] = ()

    def canonical(self) -> str:
        """Canonical JSON of what is asked, whatever way it is looked for and shown."""
        said = self.model_dump(mode="json", exclude=_BESIDE)
        return json.dumps(
            _essence(said), sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )

    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


_BESIDE = {
    *("run", "report", "place", "title"),
    *("name", "names", "number", "baseline"),
}
_REMARKS = {"place", "places", "because", "text", "title"}


def _essence(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, list):
        return [_essence(item) for item in value]
    if isinstance(value, dict):
        return {k: _essence(v) for k, v in value.items() if k not in _REMARKS}
    return value
