"""What to say of a run that the user stopped, or that was asked for a maximum alone."""

from __future__ import annotations

from specfit.contracts import Fit, Run

MAXIMUM = (
    "The best values alone, as `run map` and `run likelihood` ask for: no errors and no "
    "samples, so that nothing here is a result. `run auto` goes on from there."
)
_ON = "Give the same command with `--resume` to go on where it stopped."


def cut_short(fit: Fit) -> bool:
    """Whether the sampling itself was interrupted, so that its numbers are provisional."""
    return any(name == "interrupted" and not passed for name, *_, passed in fit.gates)


def maximum_alone(fit: Fit) -> bool:
    """Whether nothing is amiss but that the maximum was all that was asked for."""
    return [gate[0] for gate in fit.gates if not gate[3]] == ["no_uncertainty"]


def one_point(fit: Fit) -> bool:
    """Whether it has a single draw, of which no spread is known."""
    return tuple(fit.positions.shape[:2]) == (1, 1)


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
