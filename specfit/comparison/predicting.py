"""The models that a report compares: `compare = loo(ni, no_overcharge)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from specfit import pipeline
from specfit.checking import Checked
from specfit.comparison.contenders import Contender, refuse_several
from specfit.comparison.ranking import Comparison, compare, counted_of
from specfit.contracts import Progress, Run
from specfit.inference.journal import Journal


def compared(
    checked: Checked,
    options: pipeline.Options,
    progress: Callable[[str], Progress | None],
    journal: Journal | None = None,
) -> Run:
    """The run of the first model that the reports compare, and how all of them rank.

    They rank by how well each predicts: the weights of priors are not asked for.
    """
    document = checked.require()
    refuse_several(checked)
    own = document.models[0].name
    names = dict.fromkeys(n for r in document.reports for n in r.compare)
    found = [Contender(n, checked, None if n == own else n) for n in names]
    ranked = compare(found, options, progress, journal)
    first = ranked.entries[0]
    shown = first if first.run else next(e for e in ranked.entries if e.run)
    assert shown.run is not None
    said = (_predicting(ranked), *ranked.failures, f"Shown is {shown.name}.")
    return replace(
        shown.run,
        counted=tuple(counted_of(ranked, entry) for entry in ranked.entries),
        conclusion=" ".join(said),
    )


def _predicting(ranked: Comparison) -> str:
    """Which predicts best, leaving every datum out once."""
    able = [(entry, ranked.prediction_behind(entry)) for entry in ranked.entries]
    known = sorted(
        ((b, entry.name) for entry, b in able if b), key=lambda pair: -pair[0][0]
    )
    if len(known) < 2:
        return "Nothing can be ranked: fewer than two of the models converged."
    first = known[0][1]
    behind = [f"{name} by {-b[0]:.1f} ± {b[1]:.1f}" for b, name in known[1:]]
    return f"{first} predicts best by leave-one-out; behind it: {', '.join(behind)}."
