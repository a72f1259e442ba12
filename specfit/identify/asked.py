"""What an identification is asked for: one spectrum, its temperature, which phases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from specfit.identify.patterns import PhasePattern, patterns
from specfit.model import records

_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga "
    "Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr "
    "Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr "
    "Ra Ac Th Pa U Np Pu Am"
)
ELEMENTS = frozenset(_SYMBOLS.split())


class NotAnElement(Exception):
    """A symbol that is none of an element."""


def listed(text: str) -> tuple[str, ...]:
    """The words of "a, b c"."""
    return tuple(word for word in re.split(r"[,;\s]+", text) if word)


def candidates(
    temperature: float, names: Sequence[str], elements: Iterable[str]
) -> tuple[PhasePattern, ...]:
    """The phases to consider at a temperature (K).

    names: only these; all where it is empty.  elements: only phases whose formula holds
    no other; phases without a formula that can be read are then left out.  Raises
    `RecordError` for an unknown phase, `NotAnElement`.
    """
    allowed = frozenset(elements)
    for symbol in sorted(allowed - ELEMENTS):
        raise NotAnElement(symbol)
    entries = [records.aliases().get(name, name).partition(".")[0] for name in names]
    found, _ = patterns(temperature, tuple(dict.fromkeys(entries)))
    if not allowed:
        return found
    return tuple(p for p in found if _within(_formula(p), allowed | {"Fe"}))


def _formula(phase: PhasePattern) -> str:
    return records.phase(phase.name.partition(".")[0]).formula


def _within(formula: str, allowed: frozenset[str]) -> bool:
    """Whether a formula can be read and holds nothing but some elements."""
    symbols = re.findall(r"[A-Z][a-z]?", formula)
    rest = re.sub(
        r"[A-Z][a-z]?|alpha|beta|gamma|delta|eps|zeta|nano|[nx]?H2O", "", formula
    )
    readable = bool(symbols) and not re.search(r"[a-wyz]{2}", rest)
    return readable and set(symbols) <= allowed
