"""What a NORMOS job says besides its sites: the spectrum, the drive, the baseline."""

from __future__ import annotations

from collections.abc import Collection

from specfit.importing.draft import Remarks, number
from specfit.importing.namelist import Entry, Job

GLOBALS, EACH = 13, 15
"""Parameters before the first subspectrum in the numbering of constraints, and in each."""
PLACES = {
    1: "WID",
    2: "DEP",
    3: "ISO",
    4: "QUA",
    5: "BHF",
    6: "ETA",
    7: "THE",
    8: "PHI",
}
OUTPUTS = (".job", ".res", ".plt", ".lst")
RUNNING = frozenset(
    {"NSUB", "NDEX", "FACTOR", "CONST", "HAMILT", "IFTRAN", "WDS", "NLINE", "VMAX"}
    | {"TRIANG", "PFP", "NLTEXT", "MXCFUN", "REMOTE", "PLTDAT", "PLTSUB", "FOLD"}
    | {"BKG", "SIMULT"}
)
"""What is read elsewhere here, or says how to run and plot and changes no model."""


def counted(index: int) -> tuple[int, str]:
    """Subspectrum and name of a parameter in the numbering of constraints."""
    site, place = divmod(index - GLOBALS - 1, EACH)
    return site + 1, PLACES.get(place + 1, "")


def spectrum(job: Job) -> str:
    """The spectrum that a job names: its first file that is none of the outputs."""
    named = [name for name in job.files if not name.lower().endswith(OUTPUTS)]
    return named[0] if named else ""


def axis(job: Job, source: str, remarks: Remarks) -> tuple[str, ...]:
    """Statements of the `data` block for raw counts."""
    lines = [f'source = "{source}"']
    entry = job.data.get(("VMAX", 1))
    maximum = entry.number() if entry else 0.0
    if maximum:
        lines.append(f"velocity_max = {number(abs(maximum))} mm/s")
        lines.append(f'direction = "{"falling" if maximum > 0 else "rising"}"')
    else:
        remarks.add("import-no-velocity")
    triangular = job.data.get(("TRIANG", 1))
    if triangular and not triangular.switch():
        lines += ['drive = "sinusoidal"', 'fold = "none"']
    folding = job.data.get(("PFP", 1))
    if folding:
        remarks.add("import-fold", value=number(folding.number()))
    return tuple(lines)


def shape(job: Job, remarks: Remarks) -> str:
    """The shape of the baseline; its coefficients are normalised otherwise."""
    entries = [e for (name, _), e in job.param.items() if name == "BKG"]
    highest = max((e.index for e in entries if e.index > 1 and e.number()), default=1)
    if highest == 1:
        return "constant"
    remarks.add("import-baseline")
    return "linear" if highest == 2 else "parabola"


def leftovers(job: Job, used: Collection[str], remarks: Remarks) -> None:
    """A remark for everything that nothing has read and that is not switched off."""
    known = {*used, *RUNNING}
    for entry in (*job.data.values(), *job.param.values()):
        if {entry.name, entry.name.removesuffix("FIT")} & known or _off(entry):
            continue
        remarks.add("import-unmapped", text=f"{entry.key} = {entry.text}")


def _off(entry: Entry) -> bool:
    """Whether a value switches nothing on."""
    text = entry.text.strip(".").upper()
    return text in ("F", "FALSE", "0", "0.0") or entry.name.endswith("FIT")
