"""Who a density is: problems of equal identity are the same functions of their data."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from specfit.density.coordinates import Coordinates
from specfit.density.curve import Curve
from specfit.model.ir import Model, Prior
from specfit.model.known import conditions

_REMARKS = frozenset(
    {"place", "title", "because", "origin", "provenance", "offered", "sources"}
)


def identity_of(model: Model[Prior], curve: Curve, where: Coordinates) -> str:
    """All that the functions are made from: the model, and what the data say of it.

    Where its statements stood in the text, and why, makes no difference.
    """
    nuisances = None if curve.nuisances is None else curve.nuisances.tolist()
    remarkable = _unremarked(model.model_dump(mode="json"))
    whole = [remarkable, conditions(model), curve.folded, nuisances]
    whole += [curve.grid, [stack.grid for stack in curve.stacks]]
    known = [one.own for one in where.standards]
    whole += [[None if own is None else own.tolist() for own in known]]
    whole += [[list(one.names) for one in where.standards]]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def _unremarked(part: Any) -> Any:
    if isinstance(part, dict):
        return {n: _unremarked(x) for n, x in part.items() if n not in _REMARKS}
    return [_unremarked(one) for one in part] if isinstance(part, list) else part
