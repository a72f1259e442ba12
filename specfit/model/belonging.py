"""Where words of the language belong: the block, or the setting that a model needs."""

from __future__ import annotations

from collections.abc import Iterator

from specfit.contracts import ParameterSignature
from specfit.model.kinds import DATA_KINDS, MODEL_KINDS, ModelKind

RUN_KEYS = ("chains", "warmup", "draws", "seed", "target_accept")


def own_parameters(kind: ModelKind) -> Iterator[tuple[ParameterSignature, str]]:
    """The parameters of a model itself, each once, with the setting that gives it."""
    found = [(p, "") for p in kind.scalars]
    for word, amounts in kind.amounts.items():
        when = f'absorber = "{word}"' if len(kind.amounts) > 1 else ""
        found += [(p, when) for p in amounts]
    for word, slopes in kind.baselines.items():
        found += [(p, f"baseline = {word}") for p in slopes]
    for slopes in kind.halves.values():
        found += [(p, "fold = none") for p in slopes]
    seen: set[str] = set()
    for parameter, when in found:
        if parameter.symbol not in seen:
            yield parameter, when
        seen.add(parameter.symbol)


def setting_for(kind: ModelKind, name: str) -> str:
    """The setting under which a model has the parameter `name`; "" for any other."""
    return next((w for p, w in own_parameters(kind) if p.symbol == name), "")


def is_amount(kind: ModelKind, name: str) -> bool:
    """Does `name` say how much is absorbed, in some kind of absorber?"""
    return any(p.symbol == name for ps in kind.amounts.values() for p in ps)


def block_of(key: str) -> str:
    """The keyword of the block that `key` is a statement of; "" for any other word."""
    for kind in MODEL_KINDS.values():
        if key in kind.settings or any(
            p.symbol == key for p, _ in own_parameters(kind)
        ):
            return "model"
    if any(key in (*kind.texts, *kind.quantities) for kind in DATA_KINDS.values()):
        return "data"
    return "run" if key in RUN_KEYS else ""
