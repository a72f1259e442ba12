"""The last words on the terminal: the results like a paper's table, checks, verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import floor, log10

from specfit.contracts import Finding, Run, Verdict
from specfit.model.rule_library import instead_of, where, words
from specfit.report.answers import answers, ranking
from specfit.report.numbers import plus_minus
from specfit.report.quantities import Cell, Findings, Quantity, ResultTable
from specfit.report.sections.verdict import reservation
from specfit.report.stopped import (
    MAXIMUM,
    cut_short,
    interruption,
    maximum_alone,
)
from specfit.report.text import clean, pad, width

_COLOURS = {
    "accepted": "32",
    "rejected": "31",
    "not_converged": "33",
    "passed": "32",
    "warned": "33",
    "failed": "31",
}
_MARKS = {"passed": "✓", "warned": "!", "failed": "✗"}
WORDS = {
    "accepted": "ACCEPTED",
    "rejected": "REJECTED",
    "not_converged": "NOT CONVERGED",
}
_LINE = 88


def terminal(run: Run, colour: bool = False) -> str:
    """What a run found, as plain text; `colour` adds ANSI colours."""
    found = Findings(run)
    title = clean(run.document.title or run.model.title or run.model.name)
    blocks = [title, *(_table(table) for table in found.tables)]
    if opening := interruption(run) or _warning(run):
        blocks.insert(1, "\n".join(wrapped(opening, "")))
    blocks += [
        _numbers(run),
        _answers(run),
        checks(run.verdict, colour),
        _overrides(run),
        _verdict(run, colour),
    ]
    return "\n\n".join(block for block in blocks if block)


def _warning(run: Run) -> str:
    if run.verdict.outcome != "not_converged":
        return ""
    if maximum_alone(run.fit):
        return MAXIMUM
    return "The sampler did not converge: the numbers are no result."


def _table(table: ResultTable) -> str:
    columns = (f"{symbol}  {unit}".rstrip() for symbol, unit in table.columns)
    header = [table.levels, *columns]
    places = [
        _places(column) for column in zip(*(c for *_, c in table.rows), strict=True)
    ]
    rows = [
        [clean(title), *map(_cell, cells, places)] for _, title, cells in table.rows
    ]
    lines = (
        aligned([header, *rows])
        if rows
        else []
        if table.curve
        else ["no component: a flat spectrum"]
    )
    further = [f"{called(item)} = {_value(item)}" for item in table.also]
    return "\n".join([*lines, *([""] if further and lines else []), *further])


def _numbers(run: Run) -> str:
    """Which number of components the data want; empty where none was open."""
    rows = ranking(run)
    if not rows:
        return ""
    return "\n".join([*aligned(rows), "", *wrapped(run.conclusion, "")])


def _answers(run: Run) -> str:
    """Several answers side by side; empty where there is one."""
    found = answers(run)
    if found is None:
        return ""
    header = ["", *(f"answer {i + 1}" for i in range(len(found.weights)))]
    weights = ["weight", *(f"{weight:.3f}" for weight in found.weights)]
    rows = [[f"{clean(r.name)}  {r.unit}".rstrip(), *r.values] for r in found.rows]
    verdicts = [
        line
        for i in range(len(found.weights))
        for line in wrapped(f"answer {i + 1} is {clean(found.verdict_words(i))}", "  ")
    ]
    title = "\n".join(wrapped(found.title, ""))
    return "\n".join([title, "", *aligned([header, weights, *rows]), *verdicts])


def _places(column: Sequence[Cell]) -> int:
    """Decimals for a whole column: one digit of its smallest uncertainty."""
    inferred = [c.quantity.summary for c in column if c.quantity]
    smallest = min((s.sd for s in inferred if not s.fixed), default=1.0)
    return max(0, -floor(log10(smallest)))


def _cell(cell: Cell, places: int) -> str:
    return "" if cell.quantity is None else plus_minus(cell.quantity.summary, places)


def called(item: Quantity) -> str:
    """A name, and of a coefficient the feature it belongs to: `β[2] Ni-O`."""
    more = f" {item.title}" if item.name.endswith("]") and item.title else ""
    return clean(item.name + more)


def _value(item: Quantity) -> str:
    text = plus_minus(item.summary)
    return f"{text} {item.unit}" if item.unit else text


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines: names left, numbers by their ±, header over them, ruled."""
    columns = list(zip(*rows, strict=True))
    blocks = [_left(columns[0])] + [_by_sign(column) for column in columns[1:]]
    lines = ["   ".join(parts).rstrip() for parts in zip(*blocks, strict=True)]
    rule = "─" * max(width(line) for line in lines)
    return [lines[0], rule, *lines[1:]]


def _left(column: Sequence[str]) -> list[str]:
    size = max(width(text) for text in column)
    return [pad(text, size) for text in column]


def _by_sign(column: Sequence[str]) -> list[str]:
    """A column of `a ± s` with the signs under one another."""
    split = [text.partition(" ± ") for text in column[1:]]
    left = max((width(a) for a, _, _ in split), default=0)
    right = max((width(b) for _, _, b in split), default=0)
    texts = [
        pad(a, left, right=True) + (f" ± {pad(b, right)}" if b else "")
        for a, _, b in split
    ]
    size = max([width(column[0]), *(width(text) for text in texts)])
    return [pad(column[0], size), *(pad(text, size) for text in texts)]


def summary(title: str, found: str, verdict: Verdict) -> str:
    """Title, what was found, checks, and the verdict with its reasons."""
    reasons = [line for r in verdict.reasons for line in wrapped(f"· {r}", "  ")]
    word = WORDS[verdict.outcome]
    if reserved := reservation(verdict):
        word += f", with reservations: {reserved}"
    last = "\n".join([*wrapped(f"verdict: {word}", ""), *reasons])
    blocks = [clean(title), found, checks(verdict, colour=False), last]
    return "\n\n".join(block for block in blocks if block)


def checks(verdict: Verdict, colour: bool) -> str:
    """The findings worth a line, those of physics that hold counted."""
    shown = [
        finding
        for finding in verdict.findings
        if finding.kind in ("require", "expect", "check") or finding.outcome != "passed"
    ]
    silent = len(verdict.findings) - len(shown)
    blocks = Counter("\n".join(_finding(finding, colour)) for finding in shown)
    lines = [
        block if count == 1 else f"{block}\n      so in each of {count}"
        for block, count in blocks.items()
    ]
    if silent:
        lines.append(
            f"  {_MARKS['passed']} {silent} rules of physics and residuals hold"
        )
    return "\n".join(lines)


def _overrides(run: Run) -> str:
    """The rules of the library that the file judges otherwise; empty without any."""
    lines = []
    for said in run.model.overrides:
        text = f"{words(said)}, in place of {instead_of(said)}{where(said)}"
        text += f": “{clean(said.because)}”"
        broken = wrapped(text, "    ")
        lines += [f"  ~ {broken[0].strip()}", *broken[1:]]
    return "\n".join(["rules that the file overrides:", *lines]) if lines else ""


def _finding(finding: Finding, colour: bool) -> list[str]:
    mark = _painted(_MARKS[finding.outcome], finding.outcome, colour)
    words = clean(finding.text)
    if finding.kind != "require" and finding.detail:
        words += f" — {clean(finding.detail)}"
    elif finding.probability is not None:
        words += f" — holds in {100 * finding.probability:.3g} % of the posterior"
    lines = wrapped(words, "    ")
    lines[0] = f"  {mark} {lines[0].strip()}"
    if finding.because and finding.because not in finding.text:
        lines += wrapped(f"because “{clean(finding.because)}”", "      ")
    return lines


def headline(run: Run) -> str:
    """The verdict in a word or two."""
    if cut_short(run.fit):
        return "INTERRUPTED"
    return "MAXIMUM ALONE" if maximum_alone(run.fit) else WORDS[run.verdict.outcome]


def _verdict(run: Run, colour: bool) -> str:
    verdict = run.verdict
    word = _painted(headline(run), verdict.outcome, colour)
    if reserved := reservation(verdict):
        word += f", with reservations: {reserved}"
    reasons = [wrapped(f"· {clean(reason)}", "  ") for reason in verdict.reasons]
    return "\n".join([f"verdict: {word}", *(line for r in reasons for line in r)])


def wrapped(text: str, indent: str) -> list[str]:
    """`text` broken at blanks into lines of at most 88 columns."""
    lines, current = [], indent
    for word in text.split():
        if width(current) + width(word) + 1 > _LINE and current.strip():
            lines.append(current.rstrip())
            current = indent
        current += f"{word} "
    return [*lines, current.rstrip()]


def _painted(text: str, outcome: str, colour: bool) -> str:
    return f"\x1b[1;{_COLOURS[outcome]}m{text}\x1b[0m" if colour else text
