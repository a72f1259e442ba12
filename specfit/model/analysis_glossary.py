"""What the words of an `analysis` mean, and what one of a file asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from specfit.model import ir
from specfit.model.catalog import table
from specfit.model.regression_kinds import ESTIMATORS, Setting
from specfit.text import pad

Block = tuple[str, list[str]]
ANALYSIS = "analysis"

_ESTIMATORS = {
    "lasso": "half the mean square with a penalty alpha Σ|β|, which leaves "
    "coefficients at zero",
    "elastic_net": "half the mean square with a penalty alpha (l1_ratio Σ|β| + "
    "(1 − l1_ratio) Σβ²/2), which shares among features that say the same",
    "random_forest": "mean of trees grown on resampled rows; cannot reach beyond the data",
    "extra_trees": "mean of trees split at random; cannot reach beyond the data",
}
_ARGUMENTS = {
    "alpha": "strength of the penalty, tuned: grid(low, high, count, log), a list or a "
    "number, in units of the target",
    "l1_ratio": "share of Σ|β| in the penalty, tuned: a list or a number",
    "trees": "how many trees",
}


def _usual(key: str) -> str:
    return str(ir.Analysis.model_fields[key].default)


_SETTINGS = {
    "scale": ("standardize", "standardize or none, learned inside every fold"),
    "folds": (
        "leave_one_out",
        "or leave_block_out(4), rows that are neighbours; or leave_group_out(column)",
    ),
    "tuning": (
        "nested",
        "inside the folds; same_folds tunes on those that are reported, is optimistic",
    ),
    "score": ("R2(pooled)", "or Q2(pooled): what shuffled targets are compared by"),
    "permutations": (
        _usual("permutations"),
        "shuffled targets that the score is compared with",
    ),
    "resamples": (
        _usual("resamples"),
        "halves of the rows that tell how often a feature is selected",
    ),
    "check": (
        "none",
        "permutation_p(score) < 0.01, R2 > 0.5 or Q2 > 0.5, of each method",
    ),
}


def explain(word: str) -> list[str]:
    """What `analysis`, one of its estimators or one of its keys is; else empty."""
    if word == ANALYSIS:
        head = "analysis: estimators of a column of a table, judged by rows left out"
        keys = [(key, *said) for key, said in _SETTINGS.items()]
        return [head, *_indented(keys), "  methods", *_indented(_ESTIMATORS.items())]
    if word in ESTIMATORS:
        rows = [_argument(key, one) for key, one in ESTIMATORS[word].items()]
        return [f"{word}: {_ESTIMATORS[word]}", *_indented(rows)]
    if word in _SETTINGS:
        usual, meaning = _SETTINGS[word]
        more = "; of a model a rule in its names" if word == "check" else ""
        return [f"{word}: of an analysis, {usual} unless said; {meaning}{more}"]
    return []


def blocks(analysis: ir.Analysis) -> Iterator[Block]:
    """The analysis and each of its methods, with the lines that explain it."""
    folds: str = analysis.folds
    folds += f"({analysis.block})" if folds == "leave_block_out" else ""
    folds += f"({analysis.by})" if analysis.by else ""
    said = (
        f"    folds {folds}, tuning {analysis.tuning}, scale {analysis.scale}, "
        f"score {analysis.score}, {analysis.permutations} permutations, "
        f"{analysis.resamples} resamples"
    )
    head = f"{pad(analysis.name, 12)} analysis: {', '.join(m.name for m in analysis.methods)}"
    yield analysis.name, [head, said]
    for method in analysis.methods:
        text = ", ".join(f"{k} = {_values(v)}" for k, v in method.arguments.items())
        lines = [
            f"{pad(method.name, 12)} {_ESTIMATORS[method.function]}",
            f"    {text}",
        ]
        yield method.name, lines


def _argument(key: str, setting: Setting) -> tuple[str, ...]:
    usual = ", ".join(f"{x:g}" for x in setting.usual) or "must be said"
    return key, usual, f"{_ARGUMENTS[key]}; {setting.low:g} … {setting.high:g}"


def _values(given: ir.Grid | tuple[float, ...]) -> str:
    if isinstance(given, ir.Grid):
        log = ", log" if given.logarithmic else ""
        return f"grid({given.low:g}, {given.high:g}, {given.count}{log})"
    return ", ".join(f"{x:g}" for x in given)


def _indented(rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"    {line}" for line in table(rows)]
