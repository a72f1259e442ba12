"""What a run of inference may be told, and how it says that it cannot start."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]


class Settings(BaseModel):
    """How much to draw, from which seed, with which engine; frozen and closed.

    warmup: steps, or independent proposals, per chain before draws are kept.  200 is
        enough because the sampler starts in coordinates whitened by the curvature at the
        mode.
    atoms: draws of the prior that search chooses from.
    chunk: at most so many steps between two progress reports, fewer where they are slow
        (see `pace`): what a run may lose; the draws do not depend on it.  Independent
        proposals, which cost a hundredth, go by 250 draws.
    thinned: at most so many draws carry curves and pointwise likelihoods.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: str = "auto"
    chains: Positive = 4
    warmup: Annotated[int, Field(ge=20)] = 200
    draws: Annotated[int, Field(ge=4)] = 1000
    seed: Annotated[int, Field(ge=0)] = 0
    target_accept: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.8
    atoms: Positive = 2048
    beams: Positive = 6
    chunk: Positive = 250
    prior_draws: Positive = 1000
    replicates: Positive = 200
    thinned: Positive = 500


class NonFiniteStart(Exception):
    """The density or its gradient is not finite anywhere it was tried.

    `terms` names the terms of the density at fault; `tried` counts the positions.
    """

    def __init__(self, terms: tuple[str, ...], tried: int) -> None:
        names = ", ".join(terms) or "no single term"
        super().__init__(
            f"log-density or gradient not finite at {tried} starts; at fault: {names}"
        )
        self.terms = terms
        self.tried = tried
