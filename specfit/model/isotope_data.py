"""Whether a data block suits the isotope of its model: what its velocities count from."""

from __future__ import annotations

from specfit.diagnostics import Span
from specfit.isotopes import IRON, OTHER_REFERENCES
from specfit.model.data_columns import DataBlock
from specfit.model.faults import Faults
from specfit.model.kinds import REFERENCES, ModelKind


def suits(kind: ModelKind, data: DataBlock, span: Span, faults: Faults) -> None:
    """Report a zero of another isotope, or none; and raw channels of any but iron.

    Raw channels are put on the scale of the α-Fe lines, whose centre is the zero of iron
    and of nothing else.
    """
    if not data.sources or not data.sound or not kind.isotope:
        return
    options, columns = data.sources[0].options, data.sources[0].columns
    wanted, zero = REFERENCES[kind.name], options.get("IS_zero")
    words = {"isotope": kind.isotope, "wanted": wanted, "data": data.name}
    stated = str(zero or "").split(",")[0].strip()
    if kind.isotope == IRON:
        if stated in OTHER_REFERENCES:
            faults.say("isotope-reference", span, words)
    elif "velocity" not in columns:
        faults.say("isotope-raw", span, words)
    elif stated != wanted:
        faults.say("isotope-reference", span, words)
