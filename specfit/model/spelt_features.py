"""Statements of a regression that speak of every feature, spelt out feature by feature.

`β[ncm.feature] ~ prior` becomes one statement for each column; a regularised horseshoe
becomes what it stands for, β = z τ λ √(s / (s + τ²λ²)) with z ~ normal(0, 1) and
λ ~ halfcauchy(1) of each feature (J. Piironen, A. Vehtari, Electron. J. Stat. 11, 5018
(2017), doi:10.1214/17-EJS1337SI, equation 2.8); `slab` is their c², the variance of the
slab in the unit of β squared.  `sum(β[feature] * standardized(ncm.feature) over
feature)` becomes one sum of columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from specfit.diagnostics import Span
from specfit.language import tree
from specfit.model.data_columns import DataBlock
from specfit.model.faults import Faults
from specfit.model.feature_columns import FEATURE, feature_labels
from specfit.model.functions import HORSESHOE, WEIGHTED_SUM
from specfit.model.kinds import ModelKind
from specfit.model.names import plain
from specfit.model.quantities import counted
from specfit.model.regression_kinds import REGRESSION

LOCAL, UNIT = "_local", "_unit"
"""What the scale of a coefficient and its standard normal are called after it."""


def is_scale(name: str) -> bool:
    """Is it what a coefficient is made of, `β_local[1]` or `β_unit[1]`?"""
    return name.partition("[")[0].endswith((LOCAL, UNIT)) and name.endswith("]")


def spelt_features(
    block: tree.Block, kind: ModelKind, data: DataBlock, faults: Faults
) -> tree.Block:
    """The model block with every statement about features spelt out."""
    labels = feature_labels(data.sources[0].options) if data.sources else ()
    if kind is not REGRESSION or not labels or block.body is None:
        return block
    column = f"{data.name}.{FEATURE}"
    items: list[tree.AnyStatement] = []
    for item in block.body.items:
        if isinstance(item, tree.Sample) and _indexed(item, column):
            items += _each(item, labels, faults)
        elif isinstance(item, tree.Observe):
            items += _observed(item, column, labels, faults)
        else:
            items.append(item)
    return replace(block, body=replace(block.body, items=tuple(items)))


def _indexed(item: tree.Sample, column: str) -> bool:
    """Is it `β[ncm.feature] ~ …`?"""
    if len(item.targets) != 1 or len(item.targets[0].parts) != 1:
        return False
    index = item.targets[0].parts[0].index or ()
    found = [plain(one) for one in index if isinstance(one, tree.Path)]
    return found in ([column], [FEATURE])


def _each(
    item: tree.Sample, labels: Sequence[str], faults: Faults
) -> list[tree.AnyStatement]:
    name, law = item.targets[0].parts[0].name, item.prior.centre
    if not (isinstance(law, tree.Call) and law.function.text == HORSESHOE):
        return [
            replace(item, targets=(_path(f"{name}[{label}]", item),))
            for label in labels
        ]
    if len(law.arguments) != 2 or item.prior.bounds is not None:
        usage = f"{HORSESHOE}(τ, slab)"
        words = {"name": HORSESHOE, "count": counted(2), "usage": usage}
        faults.say("argument-count", law.span, words)
        for label in labels:
            faults.lose(f"{name}[{label}]")
        return []
    return [one for label in labels for one in _horseshoe(item, law, name, label)]


def _horseshoe(
    item: tree.Sample, law: tree.Call, name: str, label: str
) -> list[tree.AnyStatement]:
    """Scale, standard normal and value of one coefficient."""
    span = item.span
    unit, local = (_path(f"{name}{word}[{label}]", item) for word in (UNIT, LOCAL))
    one = tree.Number(1.0, "1", law.unit, span=law.span, unit_span=law.unit_span)
    arguments = (*map(tree.Argument, (unit, local)), *law.arguments, tree.Argument(one))
    value = tree.Call(law.function, arguments, span=law.span)
    target = _path(f"{name}[{label}]", item)
    return [
        tree.Sample((local,), _prior("halfcauchy", "1", span=law.span), span=span),
        tree.Sample((unit,), _prior("normal", "0", "1", span=law.span), span=span),
        tree.Let(target, value, because=item.because, span=span),
    ]


def _prior(family: str, *numbers: str, span: Span) -> tree.Prior:
    given = tuple(
        tree.Argument(tree.Number(float(text), text, span=span)) for text in numbers
    )
    function = tree.Path((tree.Part(family),), span=span)
    return tree.Prior(tree.Call(function, given, span=span), span=span)


def _path(name: str, item: tree.Sample) -> tree.Path:
    return tree.Path((tree.Part(name),), span=item.targets[0].span)


# ------------------------------------------------------------------------- the sum


def _observed(
    item: tree.Observe, column: str, labels: Sequence[str], faults: Faults
) -> list[tree.Observe]:
    """The statement with its sum spelt out; none where that is at fault."""
    law = item.prior.centre
    if not isinstance(law, tree.Call) or not law.arguments:
        return [item]
    mean, *rest = law.arguments
    value = _spelt(mean.value, column, labels, faults)
    if value is None:
        faults.lose("observe")
        return []
    law = replace(law, arguments=(replace(mean, value=value), *rest))
    return [replace(item, prior=replace(item.prior, centre=law))]


def _spelt(
    node: tree.Expr, column: str, labels: Sequence[str], faults: Faults
) -> tree.Expr | None:
    """The expression with the sum over features as one sum of columns, if it is right."""
    if isinstance(node, tree.Binary):
        left, right = (
            _spelt(side, column, labels, faults) for side in (node.left, node.right)
        )
        if left is None or right is None:
            return None
        return replace(node, left=left, right=right)
    if not (isinstance(node, tree.Call) and any(a.over for a in node.arguments)):
        return node
    name = _coefficient(node, column)
    if name is None:
        faults.add("features-sum", node.span, column=column)
        return None
    names = [column, *(f"{name}[{label}]" for label in labels)]
    parts = [tree.Path((tree.Part(one),), span=node.span) for one in names]
    function = tree.Path((tree.Part(WEIGHTED_SUM),), span=node.span)
    return tree.Call(function, tuple(map(tree.Argument, parts)), span=node.span)


def _coefficient(node: tree.Call, column: str) -> str | None:
    """`β` of `sum(β[feature] * standardized(ncm.feature) over feature)`."""
    (argument, *others) = node.arguments
    product = argument.value
    one_sum = node.function.text == "sum" and argument.over == (FEATURE,)
    if not one_sum or others or not isinstance(product, tree.Binary):
        return None
    for one, other in (
        (product.left, product.right),
        (product.right, product.left),
    ):
        scaled = isinstance(other, tree.Call) and other.function.text == "standardized"
        if product.operator != "*" or not scaled or not isinstance(one, tree.Path):
            continue
        assert isinstance(other, tree.Call)
        given = [
            plain(a.value) for a in other.arguments if isinstance(a.value, tree.Path)
        ]
        index = one.parts[-1].index or ()
        words = [plain(i) for i in index if isinstance(i, tree.Path)]
        if given == [column] and words in ([FEATURE], [column]) and len(one.parts) == 1:
            return one.parts[0].name
    return None
