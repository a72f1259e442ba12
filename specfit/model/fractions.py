"""Area fractions: a share of the total for every component, summing to one.

Unless the user says otherwise they have one flat Dirichlet prior.  What is said must
determine the sum, or the total area and the fractions could trade against each other
without any change of the curve.
"""

from __future__ import annotations

from collections.abc import Mapping

from specfit.language import tree
from specfit.model import ir
from specfit.model.faults import Faults, listing
from specfit.model.kinds import ModelKind
from specfit.model.names import Entry, Names
from specfit.model.places import place
from specfit.model.quantities import Context
from specfit.model.typed import Typer
from specfit.units import DIMENSIONLESS


class Fractions:
    """Joint priors of a model, the default one of its fractions among them."""

    def __init__(
        self,
        kind: ModelKind,
        names: Names,
        faults: Faults,
        typer: Typer,
        texts: Mapping[str, str],
    ) -> None:
        self.kind, self.names, self.faults = kind, names, faults
        self.typer, self.texts = typer, texts
        self.joints: list[tuple[tuple[str, ...], tuple[float, ...], ir.Joint]] = []

    def joint(self, item: tree.Sample, local: bool | None) -> None:
        """Enter `(A.I, B.I) ~ dirichlet(1, 1)`."""
        names = tuple(target.text for target in item.targets)
        concentrations = self._concentrations(item, len(names))
        if item.prior.bounds is not None:
            self.faults.add("joint-bounds", item.prior.bounds.span)
        for target in item.targets if not self.kind.basis else ():
            head, _, rest = target.text.partition(".")
            if rest not in self.names.components.get(head, ()):
                self.names.unknown(target, "")
                return
            if rest != self.kind.fraction:
                symbol = self.kind.fraction
                self.faults.add(
                    "joint-not-fraction", target.span, name=rest, symbol=symbol
                )
                return
        if concentrations is None:
            return
        for name in names:
            self._enter(name, item, "explicit", bool(local))
        made = ir.Joint(
            names=names,
            role=self.kind.fraction or names[0].partition("[")[0],
            concentrations=concentrations,
            because=item.because or "",
            place=place(item.span, self.texts),
        )
        self.joints.append((names, concentrations, made))

    def forget(self, name: str) -> tuple[str, ...]:
        """Take back the joint prior that `name` is in; the names that were in it."""
        kept = [joint for joint in self.joints if name not in joint[0]]
        gone = [joint for joint in self.joints if name in joint[0]]
        self.joints = kept
        return tuple(other for names, _, _ in gone for other in names if other != name)

    def _enter(
        self, name: str, item: tree.Sample | None, origin: str, local: bool
    ) -> None:
        first = self.names.entries.get(name)
        taken = first is not None and first.origin == "explicit"
        if taken and first is not None and item is not None:
            note = (first.span, "first-here", dict[str, str]())
            self.faults.add("duplicate-statement", item.span, name=name, note=note)
            return
        signature = first.signature if first else None
        title = first.title if first else ""
        self.names.entries[name] = Entry(
            name=name,
            role=self.kind.fraction or name,
            statement=item,
            signature=signature,
            title=title,
            origin=origin,
            local=local,
            record="joint",
        )

    def _concentrations(
        self, item: tree.Sample, count: int
    ) -> tuple[float, ...] | None:
        centre = item.prior.centre
        if not isinstance(centre, tree.Call) or centre.function.text != "dirichlet":
            self.faults.add("dirichlet-expected", item.prior.span)
            return None
        values: list[float] = []
        for argument in centre.arguments:
            typed = self.typer.expression(argument.value, Context())
            if typed is None:
                return None
            number = typed.value
            if not isinstance(number, ir.Const) or typed.dimension != DIMENSIONLESS:
                self.faults.add("concentration-expected", argument.span)
                return None
            if number.value <= 0:
                self.faults.add("concentration-expected", argument.span)
                return None
            values.append(number.value)
        if len(values) == 1:
            values *= count
        if len(values) != count:
            self.faults.add(
                "dirichlet-count",
                centre.span,
                names=str(count),
                numbers=str(len(values)),
            )
            return None
        return tuple(values)

    # ------------------------------------------------------------------ defaults

    def complete(self, components: list[str]) -> None:
        """Give the fractions that nobody spoke of their default."""
        entries = [f"{name}.{self.kind.fraction}" for name in components]
        silent = [
            name
            for name in entries
            if name in self.names.entries and not self._spoken(name)
        ]
        if not silent:
            return
        several = bool(self.names.levels.dimension)
        if len(entries) == 1:
            self._define(silent[0], tree.Number(1.0, "1"), several)
        elif len(silent) == 1:
            self._define(silent[0], self._rest(entries, silent[0]), several)
        elif len(silent) == len(entries):
            for name in silent:
                self._enter(name, None, "default", several)
            made = ir.Joint(
                names=tuple(silent),
                role=self.kind.fraction,
                concentrations=(1.0,) * len(silent),
                origin="default",
            )
            self.joints.append((tuple(silent), made.concentrations, made))
        else:
            self.faults.add(
                "fractions-incomplete",
                self.names.entries[entries[0]].span,
                names=listing(silent),
                plain=", ".join(entries),
            )

    def _spoken(self, name: str) -> bool:
        return self.names.entries[name].origin in ("explicit", "template")

    def _define(self, name: str, value: tree.Expr, local: bool) -> None:
        entry = self.names.entries[name]
        statement = tree.Let(_path(name), value)
        self.names.entries[name] = Entry(
            name=name,
            role=entry.role,
            statement=statement,
            signature=entry.signature,
            title=entry.title,
            origin="default",
            local=None if local else False,
        )

    def _rest(self, entries: list[str], name: str) -> tree.Expr:
        """One minus the fractions of all the others."""
        rest: tree.Expr = tree.Number(1.0, "1")
        for other in entries:
            if other != name:
                rest = tree.Binary("-", rest, _path(other))
        return rest


def _path(name: str) -> tree.Path:
    return tree.Path(tuple(tree.Part(part) for part in name.split(".")))
