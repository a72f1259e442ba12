"""A SYNCmoss model → a model in our conventions.

What SYNCmoss means: ε is half the splitting of a doublet, and of a sextet the shift of
lines 1 and 6, so that QS = 2 ε for both; Q is eQVzz; L is the Lorentzian width of the
absorber alone (FWHM), to which the source adds its own; G and GH are Gaussian FWHM, of
velocity and of field; T is an effective thickness, here only a share of the area; θk, φh
and A give axis and order of a texture.  Its field scale, 5.3123 mm/s at 33.04 T, is ours.

Source: SYNCmoss 0.6.0 (MIT), description of models, constants and line shapes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from specfit.constants import DEFAULT_FIELD_SCALE
from specfit.importing.draft import (
    Data,
    Draft,
    ImportFault,
    Parameter,
    Remarks,
    Site,
    Tie,
    first_quarter,
    number,
    stem,
)
from specfit.importing.mdl import OTHERS, Cell, Row, Table, is_table, parse_table
from specfit.importing.ties import Link, Scale, tied

SOURCE_FWHM = 0.098
"""mm/s: the natural width that SYNCmoss uses, the least that a source adds."""
GAUSS = 1 / math.sqrt(8 * math.log(2))
"""Standard deviation of a Gaussian over its FWHM."""
_DOUBLET = ("T", "δ", "ε", "L", "G")
_SEXTET = ("T", "δ", "ε", "H", "L", "G")
_HAMILTONIAN = ("T", "δ", "Q", "H", "L", "G", "η", "θH", "φH")
_SEXTET_END = ("a+", "a-", "GH", "I1/I3")
LAYOUTS: Mapping[tuple[str, int], tuple[str, ...]] = {
    ("Singlet", 4): ("T", "δ", "L", "G"),
    ("Doublet", 9): (*_DOUBLET, "θk", "φh", "A", "G2/G1"),
    ("Doublet", 7): (*_DOUBLET, "asymmetry", "G2/G1"),
    ("Sextet", 14): (*_SEXTET, "θk", "φh", "A", "Am", *_SEXTET_END),
    ("Sextet", 13): (*_SEXTET, "θk", "φh", "A", *_SEXTET_END),
    ("Sextet", 11): (*_SEXTET, "asymmetry", *_SEXTET_END),
    ("Hamilton_pc", 9): _HAMILTONIAN,
    ("Hamiltonian", 15): (*_HAMILTONIAN, "θ", "φ", "αk", "A", "Am", "Ah"),
    ("MDGD", 17): (
        *_SEXTET, "GH", "Dδε", "DδH", "DεH", "θk", "φh", "A", "Am", "a+", "a-", "I1/I3"
    ),
}  # fmt: skip
"""Parameters in their order, by kind and number: files of older versions have fewer."""
KINDS = {
    "Singlet": "singlet", "Doublet": "doublet", "Sextet": "sextet", "MDGD": "sextet",
    "Hamiltonian": "hamiltonian", "Hamilton_pc": "hamiltonian",
}  # fmt: skip
NEUTRAL = {"asymmetry": 0.5, "G2/G1": 1.0, "I1/I3": 3.0}
"""Values of what has no counterpart at which it does nothing; 0 of all others."""
SCALES = {
    "δ": Scale("IS", 1.0),
    "ε": Scale("QS", 2.0),
    "Q": Scale("eQVzz", 1.0),
    "η": Scale("eta", 1.0),
    "H": Scale("Bint", 1.0),
    "L": Scale("width", 1.0, SOURCE_FWHM),
    "G": Scale("sigma_IS", GAUSS),
    "GH": Scale("sigma_Bint", GAUSS),
}
ANGLES = {"θH": "theta", "φH": "phi"}
TEXTURE = ("θk", "A")
BEAM = ("φh", "θ", "φ", "αk")
"""Where the beam comes from round an axis or into a crystal: nothing in a powder."""
_SITE = re.compile(r"\s{2,}(.+?) \[\w+\]: ")
"""A site in the remarks of a library model."""


def recognises(text: str) -> bool:
    """By its first row of kinds, whatever the file is called."""
    return is_table(text)


def draft(text: str, path: str, source: str, shift: float) -> Draft:
    """The model of a file; its shifts are relative to α-Fe, whatever the source."""
    del source, shift
    table, remarks = parse_table(text, path), Remarks()
    rows = [row for row in table.rows if row.kind in KINDS]
    for row in table.rows:
        if row.kind in OTHERS:
            remarks.add("import-no-component", kind=row.kind)
        elif row.kind not in (*KINDS, "baseline"):
            words = {"site": str(row.first), "kind": row.kind}
            remarks.add("import-kind", **words)
    if not rows:
        raise ImportFault("import-no-site")
    remarks.add("import-thickness")
    remarks.add("import-source-width", width=number(SOURCE_FWHM))
    titles = _titles(table, len(rows))
    sites = [_site(row, name, remarks) for row, name in zip(rows, titles, strict=True)]
    baseline = _baseline(table.rows[0], remarks)
    found = tied(sites, _links(rows, remarks), remarks)
    data = Data("", (), "alpha-Fe", DEFAULT_FIELD_SCALE)
    title = dict(table.known).get("Chemical composition") or stem(path)
    return Draft("SYNCmoss", title, data, found, None, baseline, tuple(remarks.found))


def _titles(table: Table, count: int) -> list[str]:
    """Names of the sites: those that a library model states, else their numbers."""
    matches = (_SITE.match(f" {said}") for key, said in table.known if key == "Comment")
    stated = [match[1] for match in matches if match]
    return stated if len(stated) == count else [f"site {i + 1}" for i in range(count)]


def _names(row: Row) -> tuple[str, ...]:
    names = LAYOUTS.get((row.kind, len(row.cells)))
    if names is None:
        words = {"kind": row.kind, "number": str(len(row.cells))}
        raise ImportFault("import-row", words, row.span)
    return names


def _site(row: Row, title: str, remarks: Remarks) -> Site:
    cells = dict(zip(_names(row), row.cells, strict=True))
    parameters = []
    for name, scale in SCALES.items():
        cell = cells.get(name)
        if cell is not None:
            parameters += _parameter(row.kind, name, cell, scale)
    parameters += _intensity(row.kind, cells) + _angles(title, cells, remarks)
    mapped = {*SCALES, *ANGLES, *BEAM, "T", "θk"}
    mapped |= {"A"} if "θk" in cells else set()
    for name, cell in cells.items():
        if name not in mapped and _matters(cell, NEUTRAL.get(name, 0.0)):
            remarks.add("import-unmapped", text=f"{title}: {name} = {cell.text}")
    area = cells["T"]
    value = 1.0 if area.link else abs(area.number())
    return Site(title, KINDS[row.kind], tuple(parameters), value, not area.fixed)


def _matters(cell: Cell, neutral: float) -> bool:
    return cell.link is not None or not cell.fixed or cell.number() != neutral


def _parameter(kind: str, name: str, cell: Cell, scale: Scale) -> list[Parameter]:
    """A parameter in our convention; a Gaussian of no width is none."""
    theirs = 0.0 if cell.link else cell.number()
    if (kind == "Doublet" and name == "ε") or name in ("L", "G", "H", "GH"):
        theirs = abs(theirs)
    spread = name in ("G", "GH")
    if spread and theirs == 0 and cell.fixed and not cell.link:
        return []
    bounds = None if spread or name == "L" else cell.interval()
    if bounds is not None:
        bounds = (scale.ours(bounds[0]), scale.ours(bounds[1]))
    free = not cell.fixed or name == "L"  # the source is not known: nor is the sum
    return [Parameter(scale.symbol, scale.ours(theirs), free, bounds)]


def _angles(title: str, cells: Mapping[str, Cell], remarks: Remarks) -> list[Parameter]:
    """Of the field in the gradient's axes."""
    found = []
    for name, symbol in ANGLES.items():
        cell = cells.get(name)
        if cell is not None and cell.link:
            remarks.add("import-tie", text=f"{title}: {name} = {cell.text}")
        elif cell is not None:
            value = first_quarter(cell.number())
            found.append(Parameter(symbol, value, not cell.fixed))
    return found


def _intensity(kind: str, cells: Mapping[str, Cell]) -> list[Parameter]:
    """The ratio of areas that a texture gives, where there is or may be one.

    An axis at θ from the beam, ordered to A = ⟨P2⟩ about it, mixes the powder with one
    crystal: Δm = 0 lines have the weight (1 − A) + A (3/2) sin²θ, the others
    (1 − A) + A (3/4) (1 + cos²θ).
    """
    used = [cells[name] for name in TEXTURE if name in cells]
    if len(used) < len(TEXTURE) or any(cell.link for cell in used):
        return []
    free = any(not cell.fixed for cell in used)
    angle, order = (cell.number() for cell in used)
    if not free and order == 0:
        return []
    sin2 = math.sin(math.radians(angle)) ** 2
    across = 1 - order + 0.75 * order * (2 - sin2)
    if kind == "Doublet":
        along = 1 - order + order * (0.5 + 0.75 * sin2)
        ratio = across / max(along, 1e-6)
        flipped = not cells["ε"].link and cells["ε"].number() < 0
        return [Parameter("ratio", 1 / ratio if flipped else ratio, free)]
    middle = 1 - order + 1.5 * order * sin2
    return [Parameter("x", 2 * middle / max(across, 1e-6), free)]


def _baseline(row: Row, remarks: Remarks) -> str:
    """Its shape: the velocity terms of the counts off resonance, where there are any."""
    cells = row.cells[:4]  # Ns, Os, c²s, lins
    if len(row.cells) > 4 and _matters(row.cells[4], 0.0):
        remarks.add("import-unmapped", text=f"Nnr = {row.cells[4].text}")
    square, slope = (
        len(cells) > i and _matters(cells[i], 0.0) for i in (2, 3)
    )  # fmt: skip
    if square or slope:
        remarks.add("import-baseline")
    return "parabola" if square else "linear" if slope else "constant"


def _links(rows: list[Row], remarks: Remarks) -> list[Link]:
    """All `=[X,Y]` between like parameters of the sites."""
    places = {
        row.first + i: (site, name)
        for site, row in enumerate(rows)
        for i, name in enumerate(_names(row))
    }
    found = []
    for index, (site, name) in places.items():
        row = rows[site]
        link = row.cells[index - row.first].link
        if link is None:
            continue
        other = places.get(link[0])
        if other is None or other[1] != name or other[0] == site:
            remarks.add("import-tie", text=f"{name} of {row.kind} = {link}")
        elif name == "T":
            found.append(Link(site, "I", Tie(other[0], link[1])))
        elif name in SCALES:
            factor, offset = SCALES[name].tied(SCALES[name], link[1], 0.0)
            tie = Tie(other[0], factor, offset)
            found.append(Link(site, SCALES[name].symbol, tie))
    return found
