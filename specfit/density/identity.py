"""Who a density is: problems of equal identity are the same functions of their data."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from specfit.density.coordinates import Coordinates
from specfit.model.expressions import references
from specfit.model.ir import Model, Prior
from specfit.model.known import conditions, expressions_of

_REMARKS = frozenset(
    {"place", "title", "because", "origin", "provenance", "offered", "sources"}
)


def identity_of(model: Model[Prior], decided: Any, where: Coordinates) -> str:
    """All that the functions are made from: the model, and what the data say of it.

    decided: by the data, of the curve.  Where its statements stood in the text, and why,
    makes no difference.
    """
    remarkable = _unremarked(model.model_dump(mode="json"))
    named = {n for e in expressions_of(model) for n in references(e)}
    said = {n: None if n in named else v for n, v in conditions(model).items()}
    whole = [remarkable, said, decided]
    known = [one.own for one in where.standards]
    whole += [[None if own is None else own.tolist() for own in known]]
    whole += [[list(one.names) for one in where.standards]]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def _unremarked(part: Any) -> Any:
    if isinstance(part, dict):
        return {n: _unremarked(x) for n, x in part.items() if n not in _REMARKS}
    return [_unremarked(one) for one in part] if isinstance(part, list) else part
