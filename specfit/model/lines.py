"""Calls that speak of reflections: their indices, wavelengths by name, angles that exist."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.language import tree
from specfit.model import ir
from specfit.model.diffraction import SPACINGS
from specfit.model.faults import Faults, nearest
from specfit.model.lattices import wavelengths
from specfit.model.quantities import Typed, counted
from specfit.units import DIMENSIONS


def quoted(node: tree.Call) -> tree.String | None:
    """The only argument of a call, where that is a text: `wavelength("CuKa1")`."""
    values = [argument.value for argument in node.arguments]
    (first, *rest) = values or (None,)
    return first if isinstance(first, tree.String) and not rest else None


def wavelength_called(faults: Faults, line: tree.String) -> Typed | None:
    """A wavelength of the database by its name."""
    known = wavelengths()
    if line.value not in known:
        near = nearest(line.value, known)
        faults.add("unknown-wavelength", line.span, name=line.value, known=near)
        return None
    return Typed(ir.Const(value=known[line.value]), DIMENSIONS["length"])


def reflection(
    faults: Faults, name: str, node: tree.Call, values: Sequence[ir.Expression]
) -> bool:
    """Whether a call makes sense as far as its arguments are known numbers."""
    if name in SPACINGS:
        indices = [v.value if isinstance(v, ir.Const) else 0.5 for v in values[:3]]
        if any(x != int(x) for x in indices) or not any(indices):
            faults.add("indices-needed", node.span, name=name)
            return False
        return True
    if len(values) == 4:  # a displacement without the radius that it is a share of
        usage = "two_theta(d, λ, zero, s, R)"
        words = {"name": name, "count": counted(5), "usage": usage}
        faults.say("argument-count", node.span, words)
        return False
    spacing, wavelength = values[:2]
    if not (isinstance(spacing, ir.Const) and isinstance(wavelength, ir.Const)):
        return True
    if not 0.0 < wavelength.value < 2.0 * spacing.value:
        words = {
            "spacing": f"{spacing.value:.6g} Å",
            "half": f"{wavelength.value / 2:g}",
        }
        faults.say("no-reflection", node.span, words)
        return False
    return True
