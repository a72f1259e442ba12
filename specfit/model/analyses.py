"""`analysis NAME : regression on table { … }` → `ir.Analysis`, and its faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from specfit.diagnostics import Span
from specfit.language import tree
from specfit.model import ir
from specfit.model.constants import Quantity, constant
from specfit.model.data_columns import DataBlock
from specfit.model.faults import Faults, listing, nearest
from specfit.model.feature_columns import feature_labels
from specfit.model.methods import MethodReader
from specfit.model.outline import kind_word
from specfit.model.places import place
from specfit.model.regression_kinds import REGRESSION
from specfit.permuting import beyond, least_p

_WORDS = {
    "scale": ("standardize", "none"),
    "tuning": ("nested", "same_folds"),
}
_COUNTS = {"permutations": (0, 100_000), "resamples": (0, 100_000)}
_FOLDS = ("leave_one_out", "leave_block_out", "leave_group_out")
_SCORES = ("R2", "Q2")
_FIGURES = ("permutation_p", *_SCORES)
_KEYS = (*_WORDS, *_COUNTS, "folds", "score")
_COMPARISONS = {"≤": "<=", "≥": ">="}


def usable(block: tree.Block, data: DataBlock, faults: Faults) -> bool:
    """Has the table a target and features, as a regression needs?"""
    lacking = [] if "target" in data.columns else ["target"]
    told = "posterior" in data.sources[0].options  # of what is wrong with those
    known = bool(feature_labels(data.sources[0].options))
    lacking += [] if known or told else ["feature"]
    lacking = [key for key in lacking if not faults.excuses(key)]
    if lacking and data.sound:
        words = {"data": data.name, "keys": listing(lacking)}
        faults.say("features-missing", block.name_span, words)
    if data.levels.dimension:
        faults.add("regression-levels", data.span, name=data.name)
    return data.sound and known and not lacking and not data.levels.dimension


def analyses(
    blocks: Mapping[str, tree.Block],
    tables: Mapping[str, DataBlock | None],
    constants: Mapping[str, Any],
    faults: Faults,
    texts: Mapping[str, str],
) -> tuple[ir.Analysis, ...]:
    """Every analysis of a file that is sound, on the table it names."""
    found = []
    for name, block in blocks.items():
        word, table = kind_word(block), tables[name]
        if word != REGRESSION.name:
            code = "unknown-kind" if block.kind else "kind-missing"
            span = block.kind.span if block.kind else block.name_span
            known = listing([REGRESSION.name])
            near = nearest(word, [REGRESSION.name]) if block.kind else known
            words = {"name": word or name, "known": near}
            faults.say(code, span, words)
        elif table is not None and usable(block, table, faults):
            found.append(AnalysisReader(block, table, constants, faults, texts).read())
    return tuple(one for one in found if one is not None)


class AnalysisReader:
    """Reads the statements of one analysis on its table."""

    def __init__(
        self,
        block: tree.Block,
        data: DataBlock,
        constants: Mapping[str, Any],
        faults: Faults,
        texts: Mapping[str, str],
    ) -> None:
        self.block, self.data, self.faults = block, data, faults
        self.constants, self.texts = constants, texts
        self.values: dict[str, Any] = {}
        self.seen: dict[str, Span] = {}
        self.methods = MethodReader(constants, faults, texts)
        self.checks: list[ir.AnalysisCheck] = []

    def read(self) -> ir.Analysis | None:
        """The analysis, None where anything in it is at fault."""
        for item in self.block.body.items if self.block.body else ():
            self._statement(item)
        if not self.methods.found and not self.methods.faulty:
            span, name = self.block.name_span, self.block.name or ""
            self.faults.add("methods-missing", span, name=name)
        self._reachable()
        if self.faults.within(self.block.span):
            return None
        values = {"folds": "leave_one_out", **self.values}
        return ir.Analysis(
            name=self.block.name or "",
            title=self.block.title or "",
            source=self.data.sources[0],
            methods=tuple(self.methods.found.values()),
            checks=tuple(self.checks),
            place=place(self.block.span, self.texts),
            **values,
        )

    def _reachable(self) -> None:
        """A bound on p that is beyond what so many shuffles can give is at fault."""
        count = self.values.get(
            "permutations", ir.Analysis.model_fields["permutations"].default
        )
        for check in self.checks:
            if beyond(check, count):
                span = Span(check.place.file, check.place.start, check.place.end)
                words = {"count": str(count), "least": f"{least_p(count):.3g}"}
                self.faults.say("permutations-few", span, words)

    def _statement(self, item: tree.AnyStatement) -> None:
        match item:
            case tree.Block(keyword="method"):
                self.methods.read(item)
            case tree.RuleStatement(keyword="check"):
                self._check(item)
            case tree.Let() if self._first(item.target.text, item.span):
                self._key(item.target, item.value)
            case tree.Let():
                return
            case _:
                self.faults.add("not-in-analysis", item.span)

    def _first(self, key: str, span: Span) -> bool:
        first = self.seen.setdefault(key, span)
        if first is not span:
            note = (first, "first-here", dict[str, str]())
            self.faults.add("duplicate-statement", span, name=key, note=note)
        return first is span

    def _key(self, target: tree.Path, value: tree.Expr) -> None:
        key = target.text
        if key in _WORDS:
            self._word(key, value)
        elif key in _COUNTS:
            self._count(key, value)
        elif key == "folds":
            self._folds(value)
        elif key == "score":
            self._score(value)
        else:
            near = nearest(key, _KEYS)
            self.faults.add("unknown-key", target.span, key=key, known=near)

    def _word(self, key: str, value: tree.Expr) -> None:
        word = _text(value)
        if word in _WORDS[key]:
            self.values[key] = word
            return
        known = nearest(word, _WORDS[key])
        self.faults.add("unknown-word", value.span, key=key, word=word, known=known)

    def _count(self, key: str, value: tree.Expr) -> None:
        low, high = _COUNTS[key]
        number = constant(value, self.constants)
        plain = isinstance(number, Quantity) and not number.dimension
        if plain and low <= number <= high and number == int(number):
            self.values[key] = int(number)
            return
        words = {"key": key, "low": str(low), "high": str(high)}
        self.faults.say("whole-number", value.span, words)

    def _folds(self, value: tree.Expr) -> None:
        """`leave_one_out`, `leave_block_out(4)` or `leave_group_out(composition)`."""
        word = _text(value)
        if word not in _FOLDS:
            known = nearest(word, _FOLDS)
            words = {"key": "folds", "word": word, "known": known}
            self.faults.say("unknown-word", value.span, words)
            return
        given = value.arguments if isinstance(value, tree.Call) else ()
        self.values["folds"] = word
        if word == "leave_block_out" and len(given) == 1:
            size = constant(given[0].value, self.constants)
            if isinstance(size, float) and 1 <= size <= 1000 and size == int(size):
                self.values["block"] = int(size)
                return
        elif word == "leave_group_out" and len(given) == 1:
            self._group(given[0].value)
            return
        elif word == "leave_one_out" and not given:
            return
        self.faults.add("folds-expected", value.span, word=word)

    def _group(self, column: tree.Expr) -> None:
        """The column of which each value makes a fold."""
        told = column.arguments if isinstance(column, tree.Call) else ()
        said = _text(told[0].value if len(told) == 1 else column)
        name = said.removeprefix(f"{self.data.name}.")
        if (
            not isinstance(column, tree.Path)
            or name not in self.data.sources[0].columns
        ):
            words = {"name": name, "data": self.data.name}
            self.faults.say("folds-column", column.span, words)
        self.values["by"] = name

    def _score(self, value: tree.Expr) -> None:
        given = value.arguments if isinstance(value, tree.Call) else ()
        pooled = [_text(one.value) for one in given] == ["pooled"]
        if _text(value) in _SCORES and pooled:
            self.values["score"] = f"{_text(value)}(pooled)"
            return
        self.faults.add("score-expected", value.span)

    def _check(self, item: tree.RuleStatement) -> None:
        """`permutation_p(score) < 0.01` or `R2 > 0.5`, of every method."""
        test = item.expression
        if isinstance(test, tree.Compare) and len(test.operators) == 1:
            figure, bound = test.operands
            number = constant(bound, self.constants)
            sign = _COMPARISONS.get(test.operators[0], test.operators[0])
            plain = isinstance(number, Quantity) and not number.dimension
            if plain and _is_figure(figure) and sign in ("<", "<=", ">", ">="):
                self.checks.append(
                    ir.AnalysisCheck(
                        figure=cast(Literal["permutation_p"], _text(figure)),
                        comparison=cast(Literal["<"], sign),
                        bound=float(number),
                        because=item.because or "",
                        place=place(item.span, self.texts),
                    )
                )
                return
        self.faults.add("analysis-check", test.span, known=listing(_FIGURES))


def _is_figure(node: tree.Expr) -> bool:
    """A score by itself, or the p-value of one."""
    if isinstance(node, tree.Call):
        given = [_text(one.value) for one in node.arguments]
        return node.function.text == "permutation_p" and given == ["score"]
    return _text(node) in _SCORES


def _text(node: tree.Expr) -> str:
    match node:
        case tree.Path():
            return node.text
        case tree.Call():
            return node.function.text
        case tree.String(value=value):
            return value
        case tree.Number(text=text):
            return text
    return "…"
