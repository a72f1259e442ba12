"""The elements in a formula as the records write it."""

from __future__ import annotations

import re

_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga "
    "Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr "
    "Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr "
    "Ra Ac Th Pa U Np Pu Am"
)
ELEMENTS = frozenset(_SYMBOLS.split())


_REMARK = re.compile(r"\([^()]*([a-z]{3}|[_<%])[^()]*\)")
"""Words in brackets, as in `FeS2 (cubic)`, and structures, as in `FeNi (L1_0)`."""
_WORDS = re.compile(
    r"(alpha|beta|gamma|delta|epsilon|eps|zeta|theta|chi)(-prime|')?-?"
    r"|\b(nano|bcc|fcc|bct|hcp|frozen|low moment|high moment)\b|[nx]?H2O"
)
"""What stands before or after a formula, and water."""


def elements_in(formula: str) -> frozenset[str]:
    """The symbols in a formula; none where it cannot be read."""
    bare = _REMARK.sub(" ", formula).replace("LDH", "(OH)2")  # a layered hydroxide
    dry = _WORDS.sub(" ", bare)
    symbols = re.findall(r"[A-Z][a-z]?", dry)
    symbols += ["H", "O"] if "H2O" in bare else []
    rest = re.sub(r"[A-Z][a-z]?", "", dry)
    if re.search(r"[a-wyz]{2}", rest) or not ELEMENTS.issuperset(symbols):
        return frozenset()
    return frozenset(symbols)
