"""Statements of a model that mean something elsewhere: another block, another setting."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import ParameterSignature
from specfit.diagnostics import Span
from specfit.language import tree
from specfit.model.belonging import block_of, is_amount, setting_for
from specfit.model.faults import Faults, closest, listing, nearest
from specfit.model.kinds import DATA_KINDS, ModelKind

_WORDS = {
    word
    for kind in DATA_KINDS.values()
    for words in kind.texts.values()
    for word in words
}
"""What options of data say without quotes, as in `fold = none`."""

Own = Sequence[ParameterSignature]


def misplaced(
    item: tree.Let | tree.Sample,
    target: tree.Path,
    kind: ModelKind,
    own: Own,
    faults: Faults,
) -> bool:
    """Is this statement of a name that the model has not misplaced?  It is reported.

    `area = A.I * thickness` is a result of the user's; `area = 0.3 mm/s` is a slip.
    """
    name, value = target.text, item.value if isinstance(item, tree.Let) else None
    plain = value is None or isinstance(value, tree.Number)
    if plain and is_amount(kind, name):
        report_setting(name, target.span, kind, own, faults)
    elif _is_word(value) and block_of(name) == "data":
        faults.add("key-elsewhere", target.span, key=name, block="data")
    elif isinstance(value, tree.String | tree.ListOf) and closest(name, kind.words):
        near = nearest(name, kind.words)
        faults.add("unknown-key", target.span, key=name, known=near)
    else:
        return False
    faults.lose(name)
    return True


def unused_number(
    name: str, span: Span, kind: ModelKind, own: Own, faults: Faults
) -> None:
    """Report a number of the model's own that nothing uses."""
    block = block_of(name)
    if block in ("data", "run"):
        faults.add("key-elsewhere", span, key=name, block=block)
    elif setting_for(kind, name):
        report_setting(name, span, kind, own, faults)
    else:
        near = nearest(name, [p.symbol for p in own])
        faults.add("unused-number", span, name=name, known=near)


def report_setting(
    name: str, span: Span, kind: ModelKind, own: Own, faults: Faults
) -> None:
    """Report a parameter that the model has under another setting."""
    known = listing(p.symbol for p in own)
    where = setting_for(kind, name)
    faults.add("parameter-elsewhere", span, name=name, where=where, known=known)


def _is_word(value: tree.Expr | None) -> bool:
    """Is it a text or a word?  No result of the user's is a text; a word may be one."""
    if isinstance(value, tree.Path):
        return value.text in _WORDS
    return isinstance(value, tree.String)
