"""Which of two unknown sites of one kind is the first: by falling values of one of theirs.

Their densities are equal, so that the spectrum says nothing of which is which; the value
that differs most between them, in standard deviations, gives them an order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from specfit.contracts import FloatArray
from specfit.identify.mixture import Mixture
from specfit.identify.patterns import SYMBOLS
from specfit.identify.unknown import is_unknown


@dataclass(frozen=True)
class Order:
    """The unknown sites of one kind, by name, in falling order of a value."""

    kind: str
    symbol: str
    names: tuple[str, ...]


def orders(found: Mixture) -> tuple[Order, ...]:
    """Of each kind of which a set has any unknown site."""
    kinds: dict[str, list[int]] = {}
    for index, phase in enumerate(found.phases):
        if is_unknown(phase):
            kinds.setdefault(phase.sites[0].kind, []).append(index)
    return tuple(_order(found, kind, members) for kind, members in kinds.items())


def labels(found: Mixture) -> dict[str, str]:
    """`sextet`, or `sextet 1` and `sextet 2` where there are two, by the site's name."""
    return {
        name: f"{order.kind} {number}" if len(order.names) > 1 else order.kind
        for order in orders(found)
        for number, name in enumerate(order.names, start=1)
    }


def _order(found: Mixture, kind: str, members: Sequence[int]) -> Order:
    places = [found.layout.sites_of(index)[0] for index in members]
    values = np.stack([found.theta[place] for place in places])
    if kind == "doublet":
        values[:, 1] = np.abs(values[:, 1])  # its sign moves no line
    spreads = np.stack([found.deviations[place] for place in places])
    column = int(np.argmax(_apart(values, spreads)))
    falling = np.argsort(-values[:, column])
    names = tuple(found.phases[members[int(i)]].name for i in falling)
    return Order(kind, SYMBOLS[column], names)


def _apart(values: FloatArray, spreads: FloatArray) -> FloatArray:
    """The least distance of two neighbours in each column, in standard deviations."""
    if len(values) == 1:
        return np.zeros(values.shape[1])
    by_size = np.argsort(values, axis=0)
    rising = np.take_along_axis(values, by_size, axis=0)
    room = np.take_along_axis(spreads, by_size, axis=0)
    far: FloatArray = np.diff(rising, axis=0) / np.hypot(room[1:], room[:-1])
    least: FloatArray = far.min(axis=0)
    return least
