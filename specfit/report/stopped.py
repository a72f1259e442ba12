"""What to say of a run that the user interrupted."""

from __future__ import annotations

from specfit.contracts import Fit, Run

_ON = "Give the same command with `--resume` to go on where it stopped."


def cut_short(fit: Fit) -> bool:
    """Whether the sampling itself was interrupted, so that its numbers are provisional."""
    return any(name == "interrupted" and not passed for name, *_, passed in fit.gates)


def interruption(run: Run) -> str:
    """That the run was interrupted, when, and how to go on; "" where it was not."""
    if cut_short(run.fit):
        chains, draws = next(iter(run.fit.draws.values())).shape
        return (
            f"The run was interrupted after {draws} draws of each of {chains} chains: "
            f"the numbers are provisional and no result. {_ON}"
        )
    if run.fit.settings.get("interrupted"):
        return (
            "The run was interrupted after all draws were made, while the rules at "
            f"their boundary were judged. {_ON}"
        )
    return ""
