"""The truth file of `simulate`: read, shared out among the models, held against them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specfit.commands.truth_values import fault
from specfit.model import ir
from specfit.model.linear import support_of
from specfit.model.wording import prior_text


def truth_in(path: Path) -> dict[str, Any]:
    """What a truth file says."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise fault("truth-missing", path, path=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise fault(
            "truth-unreadable", path, path=str(path), reason=str(error)
        ) from None


def truth_of(
    model: ir.Model[ir.Prior],
    models: Sequence[ir.Model[ir.Prior]],
    truth: Mapping[str, Any],
    path: Path,
) -> Mapping[str, Any]:
    """The truth of one model: all of the file, or its table where there are several."""
    if len(models) == 1:
        return truth
    found = truth.get(model.name)
    if not isinstance(found, dict):
        raise fault("truth-of", path, name=model.name)
    return found


def refuse_outside(
    model: ir.Model[ir.Prior], given: Mapping[str, float], path: Path
) -> None:
    """A value where the prior of its parameter is nothing is a fault of the truth."""
    for parameter in model.parameters:
        value, dist = given.get(parameter.name), parameter.prior.dist
        low, high = support_of(dist)
        if value is None or low <= value <= high:
            continue
        allowed = prior_text(dist, parameter.unit)
        words = {"name": parameter.name, "value": f"{value:g}", "prior": allowed}
        raise fault("truth-outside", path, **words)


def refuse_bent(
    given: Mapping[str, float], used: Mapping[str, float], path: Path
) -> None:
    """A truth that the model's own rules forbid is refused, not bent."""
    for name, value in given.items():
        if abs(used[name] - value) > 1e-6 * max(1.0, abs(value)):
            words = {"name": name, "value": f"{value:g}", "used": f"{used[name]:g}"}
            raise fault("truth-forbidden", path, **words)
