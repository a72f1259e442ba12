"""The names of one model: what each stands for, and how a path in the text finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from specfit.contracts import ParameterSignature
from specfit.diagnostics import NOWHERE, Span
from specfit.indices import at_level
from specfit.language import tree
from specfit.language.parse import parse
from specfit.language.printer import print_expression
from specfit.model.faults import Faults, nearest
from specfit.model.levels import Levels
from specfit.model.substitution import OUTER
from specfit.units import Dimension


@dataclass(frozen=True)
class Entry:
    """One name: a parameter of a component, or a name of the model itself.

    `statement` is where it is said (None: a member of a joint prior, or a nuisance).
    `local`: it has a value of its own for each level of the data's dimension; None
    until its expression is known.  `scope` is where names inside its statement are
    looked up first.
    """

    name: str
    role: str
    scope: str = ""
    statement: tree.Let | tree.Sample | None = None
    signature: ParameterSignature | None = None
    convention: str | None = None
    origin: str = "explicit"
    title: str = ""
    local: bool | None = False
    record: str | None = None
    dimension: Dimension | None = None

    @property
    def span(self) -> Span:
        """Where it was said."""
        return self.statement.span if self.statement else NOWHERE


@dataclass
class Names:
    """All names of a model, and the data constants around it.

    bases: columns of spectra that others are made of, with what they are; axis: of both.
    """

    faults: Faults
    data: str
    columns: Mapping[str, Dimension]
    levels: Levels
    constants: Mapping[str, tuple[float, Dimension]]
    entries: dict[str, Entry] = field(default_factory=dict)
    components: dict[str, tuple[str, ...]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    bases: Mapping[str, Dimension] = field(default_factory=dict)
    axis: Dimension = ()

    def add(self, entry: Entry) -> None:
        """Enter a name; a second explicit statement of the same name is a fault."""
        first = self.entries.get(entry.name)
        if first is not None and _rank(first) > _rank(entry):
            return
        signature = first.signature if first is not None else None
        if signature is not None and signature.computed:
            if entry.origin in ("explicit", "template") and says(
                entry.statement, signature.default
            ):
                return
            formula = (signature.default or "").removeprefix("= ")
            words = {"name": entry.name, "symbol": entry.role, "formula": formula}
            self.faults.say("computed-parameter", _target(entry), words)
            return
        if first is not None and _rank(first) == _rank(entry) == EXPLICIT:
            self.faults.add(
                "duplicate-statement",
                entry.span,
                name=entry.name,
                note=(first.span, "first-here", {}),
            )
            return
        if first is not None:
            entry = replace(
                entry,
                signature=first.signature,
                convention=first.convention,
                title=first.title,
                record=first.record,
                role=first.role,
            )
        self.entries[entry.name] = entry

    def qualified(self, entry: Entry, level: int | None) -> str:
        """The name of its scalar at a level: `B.Bint[77]`, or the plain name."""
        if not entry.local or level is None or not self.levels.labels[level]:
            return entry.name
        return at_level(entry.name, self.levels.labels[level])

    def find(self, path: tree.Path, scope: str) -> Entry | None:
        """The entry a path means, looked up in its own component first."""
        text = plain(path)
        if text.startswith(OUTER):
            return self.entries.get(text[len(OUTER) :])
        own = self.entries.get(f"{scope}.{text}") if scope else None
        return own or self.entries.get(text)

    def known_before(self, path: tree.Path, level: int | None) -> bool:
        """Is it a constant of the file, or a condition of the data?"""
        text = plain(path).removeprefix(OUTER)
        block, _, key = text.partition(".")
        conditions = self.levels.conditions[level or 0]
        return text in self.constants or (block == self.data and key in conditions)

    def is_column(self, text: str) -> bool:
        """Is it a whole column of the data, as `spectrum.counts`?"""
        block, _, key = text.partition(".")
        return block == self.data and key in self.columns

    def unknown(self, path: tree.Path, scope: str) -> None:
        """Report a name that means nothing, with the nearest that does."""
        text = plain(path).removeprefix(OUTER)
        if self.faults.excuses(text) or self.faults.excuses(f"{scope}.{text}"):
            return
        base, bracket, label = text.partition("[")
        if bracket and base in self.entries:
            self._no_level(path, base, label.rstrip("]"))
            return
        head, _, rest = text.partition(".")
        if rest and head in self.components:
            known = nearest(rest, self.components[head])
            self.faults.add(
                "unknown-parameter", path.span, name=rest, component=head, known=known
            )
            return
        visible = [*self.entries, *self.constants, *self.components]
        visible += [f"{self.data}.{column}" for column in self.columns]
        if scope:
            visible += self.components.get(scope, ())
        self.faults.add(
            "unknown-name", path.span, name=text, known=nearest(text, visible)
        )

    def _no_level(self, path: tree.Path, name: str, label: str) -> None:
        """`B.Bint[80]`, where `B.Bint` has no such level."""
        if not self.entries[name].local:
            self.faults.add("no-levels", path.span, name=name)
            return
        known = nearest(label, self.levels.labels)
        self.faults.add("unknown-level", path.span, name=name, label=label, known=known)


def says(item: tree.AnyStatement | None, formula: str | None) -> bool:
    """Whether a statement says no more than a formula does: `FWHM = voigt_fwhm(wG, wL)`."""
    if not isinstance(item, tree.Let) or not formula:
        return False
    spec, _ = parse(f"specfit 1\nx {formula}\n", "")
    known = spec.items[0] if spec.items else None
    return isinstance(known, tree.Let) and _bare(known.value) == _bare(item.value)


def _bare(node: tree.Expr) -> str:
    """An expression as text, wherever it stands."""
    return print_expression(node).replace(OUTER, "")


EXPLICIT = 3
_RANKS = dict.fromkeys(("default", "file", "calibration"), 0)
_RANKS |= {"database": 1, "template": 2, "explicit": EXPLICIT}


def _rank(entry: Entry) -> int:
    return _RANKS.get(entry.origin, EXPLICIT)


def _target(entry: Entry) -> Span:
    """The name in the statement of an entry."""
    match entry.statement:
        case tree.Let(target=target) | tree.Sample(targets=(target, *_)):
            return target.span
    return entry.span


def plain(path: tree.Path) -> str:
    """The dotted text of a path, indices written as labels: `B.Bint[77]`."""
    return ".".join(_part(part) for part in path.parts)


def _part(part: tree.Part) -> str:
    if part.index is None:
        return part.name
    labels = ",".join(_label(item) for item in part.index)
    return f"{part.name}[{labels}]"


def _label(item: tree.Expr) -> str:
    match item:
        case tree.Number(text=text):
            return text
        case tree.String(value=value):
            return value
        case tree.Path():
            return plain(item)
        case tree.Star():
            return "*"
    return "…"
