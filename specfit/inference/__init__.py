"""Inference: from a Problem to a Fit, knowing nothing of what the numbers mean.

`find` searches the modes without a starting value (beam search over component curves
where the problem is separable, polished prior draws otherwise), weighs them, samples
them with independent proposals where the posterior is nearly normal and with NUTS in
coordinates whitened by its curvature where it is not, and lists every gate that draws
must pass before they may be called a posterior.  It runs in the floating
point precision that the caller has opened; posteriors of high counts need float64.
"""

from __future__ import annotations

from collections.abc import Mapping

from specfit.contracts import Fit, Problem, Progress
from specfit.inference.joined import joined
from specfit.inference.journal import Journal
from specfit.inference.settings import NonFiniteStart, Settings

__all__ = [
    "Journal",
    "NonFiniteStart",
    "Settings",
    "engine_names",
    "find",
    "joined",
    "of_part",
    "use_cores",
]


def find(
    problem: Problem,
    settings: Settings,
    progress: Progress | None = None,
    journal: Journal | None = None,
    near: Mapping[str, float] | None = None,
) -> Fit:
    """The posterior of `problem`, found and sampled as `settings` say.

    near: the answer of a like problem, from which search begins; kept if it fits.
    What `journal` holds of an earlier run of the same problem is not computed again.

    Raises ValueError for an engine that does not exist, NonFiniteStart where the
    density is finite nowhere, KeyboardInterrupt when interrupted before any draw was
    kept (later, the draws are kept and the gate `interrupted` fails).
    """
    from specfit.inference.engines import ENGINES
    from specfit.inference.ground import finish, survey
    from specfit.inference.room import make_room
    from specfit.inference.walk import prepare

    if settings.engine not in ENGINES:
        known = ", ".join(ENGINES)
        raise ValueError(f"unknown engine `{settings.engine}`; engines are {known}")
    make_room()
    prepare(problem, settings)
    ground = survey(problem, settings, progress or _silent, journal or Journal(), near)
    return finish(*ENGINES[settings.engine](ground))


def of_part(
    progress: Progress | None, label: str, number: int, count: int
) -> Progress | None:
    """Progress of one of many parts, told as that of the whole."""
    if progress is None:
        return None

    def tell(stage: str, fraction: float, detail: str) -> None:
        said = f"[{label}] {detail}".rstrip()
        progress(stage, (number + fraction) / count, said)

    return tell


def engine_names() -> tuple[str, ...]:
    """The names that `Settings.engine` may have."""
    from specfit.inference.engines import ENGINES

    return tuple(ENGINES)


def use_cores(n_cores: int | None = None) -> int:
    """Let JAX see `n_cores` CPU devices; see `backend.use_cores`.  Call it first."""
    from specfit.inference.backend import use_cores as apply

    return apply(n_cores)


def _silent(stage: str, fraction: float, detail: str) -> None:
    """Progress that nobody watches."""
