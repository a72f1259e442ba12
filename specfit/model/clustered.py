"""`cluster = kmeans(xanes)`: bases that are made of the series itself.

The means of groups of like spectra (k-means), or the parts that all of them are sums of
(NMF), as many as the dimension of the block has levels.  A stage that is in a group is
its own basis to some part: the report says so.
"""

from __future__ import annotations

from dataclasses import replace

from specfit.language import tree
from specfit.model.data_columns import DataBlock
from specfit.model.faults import Faults, nearest

CLUSTER, SERIES = "cluster", "series"
METHODS = ("kmeans", "nmf")


def clustering(value: tree.Expr, faults: Faults) -> dict[str, str]:
    """The options that say how bases are made, and of which series."""
    called = value if isinstance(value, tree.Call) else None
    word = called.function.text if called else ""
    if word not in METHODS:
        span = called.function.span if called else value.span
        faults.add("cluster-method", span, name=word, known=nearest(word, METHODS))
        return {}
    given = [a.value for a in called.arguments] if called else []
    if len(given) != 1 or not isinstance(given[0], tree.Path):
        faults.add("cluster-usage", value.span, usage=f"{word}(xanes)")
        return {}
    return {CLUSTER: word, SERIES: given[0].text}


def is_clustered(basis: DataBlock) -> bool:
    """Is it made of a series, and no file?"""
    return CLUSTER in basis.sources[0].options


def like_its_series(basis: DataBlock, data: DataBlock, faults: Faults) -> DataBlock:
    """A block of bases with the columns of the series that it is made of."""
    source = basis.sources[0]
    if source.options[SERIES] != data.name:
        words = {"name": str(source.options[SERIES]), "data": data.name}
        faults.say("cluster-other", basis.span, words)
    columns = data.sources[0].columns
    return replace(
        basis,
        columns=data.columns,
        axis=data.axis,
        reading=data.reading,
        sources=tuple(
            one.model_copy(update={"columns": columns}) for one in basis.sources
        ),
    )
