"""Which bracket closes which, and which were never closed.

Settled before the text is cut into statements, because a bracket may span lines: only
when its partner is known to be missing may the line end close it instead.  A brace that
is never closed swallows what follows; where the count is wrong, the indentation tells
which brace was meant, so that the fault is shown at the right one and the rest of the
text is read as it was meant.  (Nothing else ever looks at indentation.)
"""

from __future__ import annotations

from dataclasses import dataclass, field

from specfit.diagnostics import Diagnostic, Span
from specfit.language.scanner import Scan

MAXIMUM_NESTING = 64


@dataclass
class Pairs:
    """Places of brackets and braces, by their role.

    `closes`: a closing brace → the opening one; `unclosed`: opening brackets and braces
    without partner; `stray`: closing braces without partner; `too_deep`: the opening
    bracket or brace at which the text nests more than 64 deep.
    """

    closes: dict[int, int] = field(default_factory=dict)
    unclosed: set[int] = field(default_factory=set)
    stray: set[int] = field(default_factory=set)
    too_deep: int | None = None

    def diagnostics(self, scan: Scan, file: str) -> list[Diagnostic]:
        """One fault for each bracket without partner."""
        found = [
            Diagnostic(
                "unclosed-brace" if scan.clean[at] == "{" else "unclosed-bracket",
                Span(file, at, at + 1),
                {"found": scan.clean[at]},
            )
            for at in sorted(self.unclosed)
        ]
        found += [
            Diagnostic("stray-brace", Span(file, at, at + 1))
            for at in sorted(self.stray)
        ]
        if self.too_deep is not None:
            place = Span(file, self.too_deep, self.too_deep + 1)
            found.append(
                Diagnostic("nesting-too-deep", place, {"most": str(MAXIMUM_NESTING)})
            )
        return found


def pair(scan: Scan) -> Pairs:
    """Match the brackets of a text."""
    plain = _Matcher(scan, by_indentation=False).run()
    if not any(scan.clean[at] == "{" for at in plain.unclosed):
        return plain
    guided = _Matcher(scan, by_indentation=True).run()
    return guided if len(guided.unclosed) <= len(plain.unclosed) else plain


@dataclass
class _Matcher:
    scan: Scan
    by_indentation: bool
    pairs: Pairs = field(default_factory=Pairs)
    stack: list[tuple[str, int, int]] = field(default_factory=list)
    indentation: int = 0

    def run(self) -> Pairs:
        line_start, first = 0, True
        for token in self.scan.tokens:
            if token.kind == "newline":
                line_start, first = token.end, True
            elif token.kind != "blank":
                if first:
                    self.indentation = token.start - line_start
                if token.kind == "bracket":
                    self.bracket(self.scan.clean[token.start], token.start, first)
                first = False
            if self.pairs.too_deep is not None:
                return self.pairs
        self.pairs.unclosed.update(at for _, at, _ in self.stack)
        return self.pairs

    def bracket(self, sign: str, at: int, first: bool) -> None:
        if sign in "([{":
            if sign == "{":
                self.drop_brackets()
            self.stack.append((sign, at, self.indentation))
            if len(self.stack) > MAXIMUM_NESTING:
                self.pairs.too_deep = at
        elif sign == "}":
            self.drop_brackets()
            if first and self.by_indentation:
                self.drop_deeper_braces()
            if self.stack:
                self.pairs.closes[at] = self.stack.pop()[1]
            else:
                self.pairs.stray.add(at)
        elif self.stack and self.stack[-1][0] != "{":
            self.stack.pop()

    def drop_brackets(self) -> None:
        """A brace may not stand inside brackets: what is open there is unclosed."""
        while self.stack and self.stack[-1][0] != "{":
            self.pairs.unclosed.add(self.stack.pop()[1])

    def drop_deeper_braces(self) -> None:
        """A brace further right than this closing one, if one further out fits it."""
        if all(indentation != self.indentation for _, _, indentation in self.stack):
            return
        while self.stack[-1][2] > self.indentation:
            self.pairs.unclosed.add(self.stack.pop()[1])
