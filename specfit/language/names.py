"""Names: folded to one spelling, and refused where they only look like another.

Two names that print alike must be one name.  NFKC makes full-width letters, the micro
sign and ligatures equal to their plain forms; what it leaves apart are letters of other
scripts with the same shape, such as the Cyrillic `А`.  A name is refused when it mixes
such letters with Latin ones, or has no other letters, since then nobody can see which
alphabet it is in.  Greek symbols of the field (`Γ`, `σ`, `ΔEQ`) pass.
"""

from __future__ import annotations

import re
import unicodedata

RESERVED = frozenset({"in", "per", "over", "because", "and", "or", "not", "free"})

_LATIN_SHAPE = str.maketrans(
    # Cyrillic, then Greek
    "асеорхуіјѕһԁԛԝАВЕКМНОРСТХІЈЅУ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "aceopxyijshdqwABEKMHOPCTXIJSY" + "ABEZHIKMNOPTYXo",
)
SUPERSCRIPT = re.compile("[⁰¹²³⁴-⁹]")  # x² is a square; folding would make it x2
_NAME = re.compile(r"(?!\d)\w+")


def fold(name: str) -> str:
    """The one spelling of a name (NFKC)."""
    return unicodedata.normalize("NFKC", str(name))


def is_name(name: str) -> bool:
    """Whether a folded text can stand as a name."""
    return bool(_NAME.fullmatch(name)) and name not in RESERVED


def latin_twin(name: str) -> str | None:
    """The Latin spelling that `name` could be taken for, or None if it is plain."""
    twin = name.translate(_LATIN_SHAPE)
    if twin == name:
        return None
    pairs = zip(name, twin, strict=True)
    others = [letter for letter, latin in pairs if letter == latin and letter.isalpha()]
    latin = [letter for letter in others if "LATIN" in unicodedata.name(letter, "")]
    return twin if latin or not others else None


def script(letter: str) -> str:
    """The script of a look-alike letter, as a term of `messages.toml`."""
    return "@" + unicodedata.name(letter).split(" ", maxsplit=1)[0].lower()
