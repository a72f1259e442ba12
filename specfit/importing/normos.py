"""A job of NORMOS-SITE → a model in our conventions.

What NORMOS means, as measured on the program itself: WID is the FWHM of lines 3 and 4
(W13, W23: of the others against it); QUA moves lines 1 and 6 of a sextet by +QUA/2 and
the others by −QUA/2, so that it is 2ε, and is the splitting of a doublet and of the full
Hamiltonian (eQVzz = 2 QUA); DEP, earlier ARE, is the integrated area in mm/s; D13, D23,
D21 are ratios of areas; ISO counts from the source; BHF is on the scale of NORMOS's own
nuclear moments; VMAX > 0 means that velocity falls with the channel in the first half.

Source: Fitbauer 5.1, validation report, section 3 and appendix on constraints (411
spectra of the program against theory); the direction was found here from a published
α-Fe run that NORMOS fits with VMAX = 12 and ISO = −0.110 mm/s.
"""

from __future__ import annotations

from dataclasses import dataclass

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
from specfit.importing.namelist import Entries, Entry, Job, is_job, parse_job
from specfit.importing.normos_data import axis, counted, leftovers, shape, spectrum
from specfit.importing.ties import Link, Scale, tied

FIELD_SCALE = "NORMOS"
SOURCE_FWHM = 0.097
"""mm/s: width of the source (WDS) where a transmission integral states none."""
KINDS = {1: "singlet", 2: "doublet", 6: "sextet", 8: "sextet"}
ANGLES = {"ETA": "eta", "THE": "theta", "PHI": "phi"}
AREAS, OUTER, MIDDLE, SECOND = (
    ("DEP", "ARE"), ("D13", "A13"), ("D23", "A23"), ("D21", "A21")
)  # fmt: skip
WIDTHS = ("W13", "W23", "W21")
DISTRIBUTION = frozenset(
    {
        "DISTRI",
        "METHOD",
        "NSB",
        "LAMDA",
        "LAMBDA",
        "BETA1",
        "BETA2",
        "DTB",
        "DTI",
        "DTQ",
    }
    | {"NXLS", "NXLL", "AVG", "STG", "CONC"}
)
"""Names that only NORMOS-DIST knows: its subspectra are a grid, not sites."""


def recognises(text: str) -> bool:
    """By its namelist, whatever the file is called."""
    return is_job(text)


def draft(text: str, path: str, source: str, shift: float) -> Draft:
    """The model of a job.

    source: what the velocity counts from; shift: α-Fe on that scale, mm/s.
    """
    job = parse_job(text, path)
    for name, index in job.param:
        if name in DISTRIBUTION:
            span = job.param[name, index].span
            raise ImportFault("import-distribution", {"name": name}, span)
    reading = _Reading(job, Remarks(), shift)
    sites, remarks = reading.sites(), reading.remarks
    if shift:
        remarks.add("import-zero", source=source, shift=number(-shift))
    if reading.thick:
        remarks.add("import-transmission", width=number(reading.source_fwhm))
    area = None if reading.thick else sum(site.area for site in sites)
    data = Data(spectrum(job), axis(job, source, remarks), source, FIELD_SCALE)
    baseline = shape(job, remarks)
    leftovers(job, reading.used, remarks)
    title, found = " ".join(job.titles) or stem(path), tuple(remarks.found)
    area = area if area and area > 0 else None
    return Draft("NORMOS", title, data, sites, area, baseline, found)


@dataclass
class _Reading:
    """A job under translation."""

    job: Job
    remarks: Remarks
    shift: float

    def __post_init__(self) -> None:
        self.used = {*OUTER, *MIDDLE, *SECOND, *WIDTHS, *ANGLES}
        param = self.job.param
        self.thick = self._on(param, "IFTRAN")
        wide = param.get(("WDS", 1))
        self.source_fwhm = (wide.number() if wide else 0.0) or SOURCE_FWHM
        self.scales: dict[int, dict[str, Scale]] = {}
        self.each = any(name == "HAMILT" and index > 1 for name, index in param)
        self.place: dict[int, int] = {}  # number of a subspectrum → its site

    def _on(self, entries: Entries, name: str, index: int = 1) -> bool:
        entry = entries.get((name, index))
        return entry is not None and entry.switch()

    def _entry(self, names: tuple[str, ...], index: int) -> Entry | None:
        self.used.update(names)
        self.used.update(f"{name}FIT" for name in names)
        for name in names:
            if (name, index) in self.job.param:
                return self.job.param[name, index]
        return None

    def _free(self, entry: Entry) -> bool:
        """Whether a value was to be fitted; where nothing says so it is free."""
        flag = self.job.param.get((f"{entry.name}FIT", entry.index))
        if flag is None:
            self.remarks.add("import-flag", name=entry.key)
            return True
        return flag.switch()

    # ------------------------------------------------------------------- sites

    def sites(self) -> tuple[Site, ...]:
        """All subspectra that are sites here, with what ties them."""
        param = self.job.param
        stated = param.get(("NSUB", 1))
        lines = [index for name, index in param if name == "NLINE"]
        count = stated.whole() if stated else max(lines, default=1)
        found: list[Site] = []
        stated_here = {index for _, index in param}
        for index in sorted(i for i in stated_here if 1 <= i <= count):
            site = self._site(index)
            if site is not None:
                self.place[index] = len(found)
                found.append(site)
        if not found:
            raise ImportFault("import-no-site")
        return tied(found, self._links(), self.remarks)

    def _site(self, index: int) -> Site | None:
        entry = self.job.param.get(("NLINE", index))
        lines = entry.whole() if entry else 6
        if lines not in KINDS:
            words = {"site": str(index), "kind": f"NLINE = {lines}"}
            self.remarks.add("import-kind", **words)
            return None
        whole = self._on(self.job.param, "HAMILT", index if self.each else 1)
        kind = "hamiltonian" if whole and lines in (6, 8) else KINDS[lines]
        if lines == 8 and kind == "sextet":
            self.remarks.add("import-octet", site=str(index))
        flipped = kind == "doublet" and self._value("QUA", index) < 0
        self.scales[index] = self._scales(kind, flipped)
        parameters = self._hyperfine(kind, index) + self._angles(kind, index)
        parameters += self._intensities(kind, index, flipped)
        self._unequal_widths(index)
        area = self._entry(AREAS, index)
        value, free = (area.number(), self._free(area)) if area else (1.0, True)
        return Site(f"subspectrum {index}", kind, tuple(parameters), value, free)

    def _scales(self, kind: str, flipped: bool) -> dict[str, Scale]:
        """Our value of each parameter as factor · theirs + offset."""
        splitting = Scale("QS", -1.0 if flipped else 1.0)
        if kind == "hamiltonian":
            splitting = Scale(
                "eQVzz", 2.0
            )  # QUA = eQVzz / 2, as for a doublet with η = 0
        scales = {
            "ISO": Scale("IS", 1.0, -self.shift),
            "WID": Scale("width", 1.0, self.source_fwhm if self.thick else 0.0),
        }
        if kind != "singlet":
            scales["QUA"] = splitting
        if kind in ("sextet", "hamiltonian"):
            scales["BHF"] = Scale("Bint", 1.0)
        return scales

    def _value(self, name: str, index: int) -> float:
        entry = self.job.param.get((name, index))
        return entry.number() if entry else 0.0

    def _hyperfine(self, kind: str, index: int) -> list[Parameter]:
        found = []
        for name, scale in self.scales[index].items():
            entry = self._entry((name,), index)
            if entry is None:
                words = {"name": f"{name}({index})", "symbol": scale.symbol}
                self.remarks.add("import-not-stated", **words)
                continue
            value = scale.ours(entry.number())
            if scale.symbol == "Bint":
                value = abs(value)
            elif scale.symbol == "width" and entry.number() <= 0:
                words = {"name": entry.key, "symbol": "width"}
                self.remarks.add("import-not-stated", **words)
                continue
            found.append(Parameter(scale.symbol, value, self._free(entry)))
        return found

    def _angles(self, kind: str, index: int) -> list[Parameter]:
        if kind != "hamiltonian":
            return []
        found = []
        for name, symbol in ANGLES.items():
            entry = self._entry((name,), index)
            value = entry.number() if entry else 0.0
            if symbol != "eta":
                value = first_quarter(value)
            free = entry is not None and self._free(entry)
            found.append(Parameter(symbol, value, free))
        return found

    def _intensities(self, kind: str, index: int, flipped: bool) -> list[Parameter]:
        if kind == "doublet":
            entry = self._entry(SECOND, index)
            ratio = entry.number() if entry else 1.0
            if entry is None or ratio <= 0:
                return []
            free = self._stated(entry)
            if free or ratio != 1.0:
                return [Parameter("ratio", 1.0 / ratio if flipped else ratio, free)]
        if kind in ("sextet", "hamiltonian"):
            outer, middle = self._entry(OUTER, index), self._entry(MIDDLE, index)
            if outer and (outer.number() != 3.0 or self._stated(outer)):
                words = {"site": str(index), "ratio": number(outer.number())}
                self.remarks.add("import-outer", **words)
            if middle and (middle.number() != 2.0 or self._stated(middle)):
                if kind == "sextet":
                    return [Parameter("x", middle.number(), self._stated(middle))]
                text = f"{middle.key} = {middle.text}"
                self.remarks.add("import-unmapped", text=text)
        return []

    def _stated(self, entry: Entry) -> bool:
        """Whether a ratio was to be fitted; it is fixed where nothing says so."""
        flag = self.job.param.get((f"{entry.name}FIT", entry.index))
        return flag is not None and flag.switch()

    def _unequal_widths(self, index: int) -> None:
        for name in WIDTHS:
            entry = self._entry((name,), index)
            if entry and (entry.number() != 1.0 or self._stated(entry)):
                words = {"name": entry.key, "value": number(entry.number())}
                self.remarks.add("import-widths", **words)

    # -------------------------------------------------------------------- ties

    def _links(self) -> list[Link]:
        """The constraints NDEX, FACTOR, CONST, in our units."""
        found = []
        for (name, target), entry in self.job.param.items():
            if name != "NDEX":
                continue
            link = self._link(target, entry.whole())
            if link is None:
                words = {"text": f"NDEX({target})={entry.text}"}
                self.remarks.add("import-tie", **words)
            else:
                found.append(link)
        return found

    def _link(self, target: int, origin: int) -> Link | None:
        (site, name), (other, other_name) = counted(target), counted(origin)
        if site == other or not {site, other} <= self.place.keys():
            return None
        factor = self._constant("FACTOR", target, 1.0)
        offset = self._constant("CONST", target, 0.0)
        if name == other_name == "DEP":
            tie = Tie(self.place[other], factor) if offset == 0 else None
            return Link(self.place[site], "I", tie) if tie else None
        own, theirs = self.scales[site].get(name), self.scales[other].get(other_name)
        if own is None or theirs is None or own.symbol != theirs.symbol:
            return None
        factor, offset = own.tied(theirs, factor, offset)
        return Link(
            self.place[site], own.symbol, Tie(self.place[other], factor, offset)
        )

    def _constant(self, name: str, index: int, default: float) -> float:
        entry = self.job.param.get((name, index))
        return entry.number() if entry else default
