"""`pixel = grid(x, y, step = 0.5 nm)`, `energy = axis(3) eV`, `counts = values() counts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from specfit import units
from specfit.diagnostics import Span
from specfit.language import tree
from specfit.model.constants import Quantity, constant
from specfit.model.faults import Faults
from specfit.model.kind import DataKind
from specfit.model.quantities import wrong_unit

Option = str | float | tuple[float, ...]
_USAGE = {
    "pixel": "pixel = grid(x, y, step = 0.5 nm)",
    "energy": "energy = axis(3) eV",
    "counts": "counts = values() counts",
    "intensity": "intensity = values()",
}


@dataclass(frozen=True)
class ImageSaid:
    """What a statement says of a map: a column as (axis, unit), and options."""

    columns: dict[str, tuple[int, str]] = field(default_factory=dict)
    options: dict[str, Option] = field(default_factory=dict)


class ImageKeys:
    """Reads the statements of a data block that only maps have."""

    def __init__(
        self, kind: DataKind, constants: Mapping[str, Any], faults: Faults
    ) -> None:
        self.kind, self.constants, self.faults = kind, constants, faults

    def read(self, key: str, value: tree.Expr) -> ImageSaid:
        """What `key = value` says; nothing where it is at fault, which is reported."""
        made = None
        if isinstance(value, tree.Call):
            readers = {"pixel": self._pixel, "energy": self._energy}
            made = readers.get(key, self._values)(key, value)
        else:
            self._usage(key, value)
        return made or ImageSaid()

    def knows(self, key: str) -> bool:
        """Is it one of them?"""
        return self.kind.image and key in _USAGE

    def missing(self, seen: Iterable[str], span: Span, name: str) -> None:
        """Report what every map must say."""
        for key in ("pixel", "energy") if self.kind.image else ():
            if key not in seen and not self.faults.excuses(key):
                words = {"key": key, "name": name, "usage": _USAGE[key]}
                self.faults.say("image-missing", span, words)

    def _usage(self, key: str, value: tree.Expr) -> None:
        if not self.faults.within(value.span):
            self.faults.add("image-usage", value.span, key=key, usage=_USAGE[key])

    def _pixel(self, key: str, call: tree.Call) -> ImageSaid | None:
        """Names of the image's axes in the order of the array, and their steps."""
        names = [
            a.value.text
            for a in call.arguments
            if a.name is None and isinstance(a.value, tree.Path)
        ]
        named = {a.name: a.value for a in call.arguments if a.name}
        plain = len(names) + len(named) == len(call.arguments)
        right = call.function.text == "grid" and sorted(names) == ["x", "y"]
        if not (plain and right and named.keys() <= {"step"}) or call.unit:
            self._usage(key, call)
            return None
        options: dict[str, Option] = {"pixel": ", ".join(names)}
        if "step" in named:
            steps = self._steps(named["step"])
            if steps is None:
                self._usage(key, call)
                return None
            options["step"] = steps
        return ImageSaid(options=options)

    def _steps(self, value: tree.Expr) -> tuple[float, ...] | None:
        """`0.5 nm`, or `[0.5, 0.4] nm` where the axes differ; Å."""
        items: tuple[tree.Expr, ...] = (value,)
        unit = None
        if isinstance(value, tree.ListOf):
            items, unit = value.items, value.unit
        found = []
        for item in items:
            if unit and isinstance(item, tree.Number) and item.unit is None:
                item = tree.Number(item.value, item.text, unit, span=item.span)
            number = self._quantity("step", item, "length")
            if number is None or number <= 0:
                return None
            found.append(number)
        return tuple(found) if len(found) in (1, 2) else None

    def _energy(self, key: str, call: tree.Call) -> ImageSaid | None:
        """`axis(3) eV`, `axis(3, "E") keV`, `axis(3, start = 600 eV, step = 0.1 eV) eV`."""
        plain = [a.value for a in call.arguments if not a.name]
        named = {a.name: a.value for a in call.arguments if a.name}
        number = constant(plain[0], self.constants) if plain else None
        word = plain[1] if len(plain) == 2 else None
        whole = isinstance(number, Quantity) and float(number) in (1.0, 2.0, 3.0)
        known = call.function.text == "axis"
        if known and isinstance(number, Quantity) and not whole:
            words = {"axis": f"{float(number):g}", "key": key}
            self.faults.say("image-axis", plain[0].span, words)
            return None
        right = known and whole and len(plain) <= 2
        titled = word is None or isinstance(word, tree.String)
        if not (right and titled) or named.keys() not in ({"start", "step"}, set()):
            self._usage(key, call)
            return None
        if not self._unit(key, call):
            return None
        options: dict[str, Option] = {}
        if isinstance(word, tree.String):
            options["energy_array"] = word.value
        for name, value in named.items():
            stated = self._quantity(name or "", value, "energy")
            if stated is None or (name == "step" and stated <= 0):
                self._usage(key, call)
                return None
            options[f"energy_{name}"] = float(stated)
        axis = int(number or 1)
        return ImageSaid({key: (axis, call.unit or "")}, options)

    def _values(self, key: str, call: tree.Call) -> ImageSaid | None:
        """`values() counts` of the only cube, `values("data") counts` of a named one."""
        given = [a.value for a in call.arguments]
        named = [g.value for g in given if isinstance(g, tree.String)]
        if call.function.text != "values" or len(named) != len(given) or len(given) > 1:
            self._usage(key, call)
            return None
        if not self._unit(key, call):
            return None
        options: dict[str, Option] = {"array": named[0]} if named else {}
        return ImageSaid({key: (0, call.unit or "")}, options)

    def _unit(self, key: str, call: tree.Call) -> bool:
        """Has the column the unit that it must have?"""
        wanted = units.DIMENSIONS[self.kind.columns[key]]
        if call.unit is None and wanted:
            unit = units.canonical_unit(wanted)
            self.faults.add("unit-missing", call.span, unit=unit)
            return False
        made = tree.Number(1.0, "1", call.unit, span=call.unit_span)
        return call.unit is None or self._right(key, made, wanted) is not None

    def _quantity(self, key: str, value: tree.Expr, dimension: str) -> float | None:
        return self._right(key, value, units.DIMENSIONS[dimension])

    def _right(
        self, key: str, value: tree.Expr, wanted: units.Dimension
    ) -> float | None:
        number = constant(value, self.constants)
        if not isinstance(number, Quantity):
            return None
        if number.dimension != wanted:
            said = (value.span, key, key, wanted, number.dimension)
            lengths = wanted == units.DIMENSIONS["length"]
            wrong_unit(self.faults, *said, unit="nm" if lengths else "")
            return None
        return number
