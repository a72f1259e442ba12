"""Several answers that fit: where they differ, how much each weighs, what speaks against.

The tables of a report mix all answers by weight; a mean between two answers is none of
them, so each is also shown by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from specfit.contracts import Counted, Run, Verdict
from specfit.report.numbers import Summary, plus_minus
from specfit.report.quantities import Findings, Quantity

APART = 2.0
"""Standard deviations by which answers must differ in a quantity for it to be shown."""


@dataclass(frozen=True)
class Row:
    """A quantity in which answers differ, and what it is in each."""

    name: str
    unit: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Answers:
    """The answers side by side: weights, verdicts, and the rows that differ."""

    weights: tuple[float, ...]
    verdicts: tuple[Verdict, ...]
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """What the reader must know first."""
        return (
            f"{len(self.weights)} answers fit these data; the results above mix them "
            "by weight. Each by itself, where they differ:"
        )

    def verdict_words(self, number: int) -> str:
        """The verdict of one answer, with the reason where it is not accepted."""
        verdict = self.verdicts[number]
        reason = f": {verdict.reasons[0]}" if verdict.reasons else ""
        return verdict.outcome.replace("_", " ") + reason


def answers(run: Run) -> Answers | None:
    """The answers of a run; None where there is one."""
    if not run.answers:
        return None
    each = [_quantities(run, number) for number in range(len(run.answers))]
    rows = []
    for name, first in each[0].items():
        summaries = [found[name].summary for found in each]
        if _apart(summaries):
            values = tuple(plus_minus(summary) for summary in summaries)
            rows.append(Row(name, first.unit, values))
    weights = tuple(answer.weight for answer in run.fit.answers)
    return Answers(weights, run.answers, tuple(rows))


def ranking(run: Run) -> list[list[str]]:
    """The numbers of components that were tried, as rows under a header."""
    if not run.counted:
        return []
    header = ["", "log-evidence", "behind", "probability", "LOO", "verdict"]
    return [header, *(_counted(one) for one in run.counted)]


def _counted(one: Counted) -> list[str]:
    return [
        one.name,
        _pair(one.log_evidence),
        _pair(one.behind),
        "–" if one.probability is None else f"{one.probability:.3f}",
        "–" if one.elpd is None else f"{one.elpd[0]:.1f}",
        one.outcome.replace("_", " "),
    ]


def _pair(pair: tuple[float, float] | None) -> str:
    if pair is None:
        return "–"
    return "0" if pair == (0.0, 0.0) else f"{pair[0]:.2f} ± {pair[1]:.2f}"


def _quantities(run: Run, number: int) -> dict[str, Quantity]:
    """Parameters and derived quantities of one answer."""
    own = replace(
        run,
        fit=run.fit.answers[number].fit,
        verdict=run.answers[number],
        answers=(),
    )
    found = Findings(own)
    return {**found.parameters, **found.derived}


def _apart(summaries: Sequence[Summary]) -> bool:
    """Whether two answers differ by more than their widths."""
    return any(
        abs(one.mean - other.mean) > APART * max(one.sd, other.sd)
        for one in summaries
        for other in summaries
    )
