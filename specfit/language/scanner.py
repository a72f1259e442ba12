"""Characters to tokens: strings, comments, brackets, line ends, and everything else.

The first of three looks at the text.  It decides what is a string and what is a
comment, and puts right the characters that a keyboard for East Asian text, a word
processor or an editor may slip in (full-width signs, typographic dashes, odd spaces, a
byte-order mark).  Each such character becomes exactly one plain character, so a place
in the clean text is the same place in the text as it was written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

from specfit.diagnostics import Diagnostic, Fix, Span

_TYPOGRAPHIC = {
    **dict.fromkeys("−–—‐‑‒﹣", "-"),
    **dict.fromkeys("×⋅∙✕", "*"),
    **dict.fromkeys("÷∕⁄", "/"),
    **dict.fromkeys("∼〜˜", "~"),
    **dict.fromkeys("、﹐", ","),
}
_SPACES = "\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_INVISIBLE = "".join(
    map(
        chr,
        [0xAD, *range(0x200B, 0x2010), *range(0x2028, 0x202F)]
        + [*range(0x2060, 0x206A), *range(0x7F, 0xA0)]
        + [code for code in range(0x20) if code not in b"\t\n\r"],
    )
)
_BYTE_ORDER_MARK = "\ufeff"
# The whole full-width block; letters in it are folded without a word, as names are.
# The full-width quotation mark is left to the smart quotes, and stays as it is.
_FULL_WIDTH = {chr(c + 0xFEE0): chr(c) for c in range(0x21, 0x7F) if chr(c) != '"'}

_CODES: dict[str, str] = {
    **{c: "full-width-character" for c, plain in _FULL_WIDTH.items()},
    **dict.fromkeys(_TYPOGRAPHIC, "typographic-character"),
    **dict.fromkeys(_SPACES, "wide-space"),
    **dict.fromkeys(_INVISIBLE, "invisible-character"),
    _BYTE_ORDER_MARK: "byte-order-mark",
}
for _wide, _plain in _FULL_WIDTH.items():
    if _plain.isalpha() or _plain == "_":
        del _CODES[_wide]
_PLAIN = str.maketrans(
    _FULL_WIDTH
    | _TYPOGRAPHIC
    | dict.fromkeys(_SPACES + _INVISIBLE + _BYTE_ORDER_MARK, " ")
)
_DROPPED = {"invisible-character", "byte-order-mark"}

_TOKEN = re.compile(
    r"""
    (?P<string>"[^"\n]*")
  | (?P<smart_string>[“”„＂][^“”„＂"\n]*[“”„＂"])
  | (?P<open_string>["“”„＂][^"\n]*)
  | (?P<comment>(?:\#|//)[^\n]*)
  | (?P<newline>\n)
  | (?P<bracket>[\[\](){}])
  | (?P<semicolon>;)
  | (?P<blank>[ \t\r]+)
  | (?P<other>[^"“”„＂\#/\n\[\](){};\ \t\r]+|/)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text: its kind (a group of `_TOKEN`) and its place."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Scan:
    """The tokens, and the text with its odd characters put right, place for place."""

    text: str
    clean: str
    tokens: tuple[Token, ...]
    diagnostics: tuple[Diagnostic, ...]


def scan(text: str, file: str) -> Scan:
    """Cut `text` into tokens that cover all of it.

    A string keeps its characters as they are, whatever they are; a string that is not
    closed ends with its line, or before the `{` that the line ends with.
    """
    plain = text.translate(_PLAIN)
    tokens: list[Token] = []
    clean: list[str] = []
    found: list[Diagnostic] = []
    place = 0
    while match := _TOKEN.match(plain, place):
        kind = match.lastgroup or "other"
        end = _string_end(match) if kind == "open_string" else match.end()
        token = Token(kind, place, end)
        tokens.append(token)
        clean.append(_cleaned(token, text, plain))
        found += _faults(token, text, plain, file)
        place = end
    return Scan(text, "".join(clean), tuple(tokens), tuple(found))


def _string_end(match: re.Match[str]) -> int:
    line = match.group().rstrip()
    if line.endswith("{"):
        return match.start() + len(line) - 1
    return match.start() + len(line)


def _cleaned(token: Token, text: str, plain: str) -> str:
    size = token.end - token.start
    if token.kind == "comment":
        return " " * size
    if token.kind == "smart_string":
        return f'"{text[token.start + 1 : token.end - 1]}"'
    original = token.kind in ("string", "open_string")
    return (text if original else plain)[token.start : token.end]


def _faults(token: Token, text: str, plain: str, file: str) -> list[Diagnostic]:
    """What is wrong with the characters of one token."""
    span = Span(file, token.start, token.end)
    if token.kind == "string":
        return []
    if token.kind == "open_string":
        quote = Span(file, token.start, token.start + 1)
        return [Diagnostic("unclosed-string", quote)]
    if token.kind == "smart_string":
        return [_smart_quotes(span, text[token.start : token.end])]
    if token.kind == "comment":
        return _comment_faults(token, text, plain, file)
    return _odd_characters(span, text)


def _smart_quotes(span: Span, found: str) -> Diagnostic:
    fix = Fix(span, f'"{found[1:-1]}"', safe=True)
    return Diagnostic("smart-quotes", span, {"found": found}, fix=fix)


def _comment_faults(token: Token, text: str, plain: str, file: str) -> list[Diagnostic]:
    if plain[token.start] == "#":
        return _odd_characters(Span(file, token.start, token.start + 1), text)
    span = Span(file, token.start, token.start + 2)
    return [Diagnostic("slash-comment", span, {}, fix=Fix(span, "#", safe=True))]


def _odd_characters(span: Span, text: str) -> list[Diagnostic]:
    """One diagnostic for each run of odd characters of the same sort."""
    piece = text[span.start : span.end]
    if piece.isascii() and piece.isprintable():
        return []
    found, place = [], span.start
    for code, run in groupby(piece, key=lambda character: _CODES.get(character, "")):
        odd = "".join(run)
        here = Span(span.file, place, place + len(odd))
        place = here.end
        if code:
            found.append(_odd_run(code, here, odd))
    return found


def _odd_run(code: str, span: Span, odd: str) -> Diagnostic:
    fixed = "" if code in _DROPPED else odd.translate(_PLAIN)
    named = " ".join(f"U+{ord(character):04X}" for character in odd[:4])
    words = {"found": odd, "fixed": fixed, "named": named}
    return Diagnostic(code, span, words, fix=Fix(span, fixed, safe=True))
