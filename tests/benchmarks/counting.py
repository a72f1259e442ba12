"""How many sites?  The number of sextets that the evidence picks, against the truth.

What `site X[n = 1..5] : sextet` asks: every number is a model of its own, found, weighed
and ranked.  A lead of less than `UNDECIDED` is a tie, and no answer; so is a ranking in
which a model that converged has no evidence.
"""

from __future__ import annotations

import numpy as np

from specfit import inference, pipeline
from tests.benchmarks import cases
from tests.benchmarks.evidence import WINDOW, case_of
from tests.benchmarks.kept import Kept
from tests.benchmarks.meter import now

MOST = 5
LEVEL = 1e5
"""Counts a channel: enough that three sextets more or less are not a matter of taste."""
UNDECIDED = 1.0  # nats, as `specfit compare` has it
SPECTRA = {True: 5, False: 100}
APART, LEAST = 3.0, 0.08
"""Tesla between two fields, and the least share of a site."""


def truth(count: int, seed: int) -> cases.Case:
    """`count` sextets at random, far enough apart and strong enough to be decidable."""
    generator = np.random.default_rng([seed, count])
    while True:
        fields = np.sort(generator.uniform(20.0, 55.0, count))
        shares = generator.dirichlet(np.full(count, 4.0))
        if (np.diff(fields) > APART).all() and shares.min() > LEAST:
            break
    values = zip(shares, generator.uniform(0.0, 0.7, count), fields, strict=True)
    sites = [
        cases.sextet(f"S{i}", float(share), float(shift), 0.0, float(field), WINDOW)
        for i, (share, shift, field) in enumerate(values)
    ]
    return cases.Case(f"{count} sextets", tuple(sites))


def ranked(problems: dict, counts: np.ndarray, seed: int) -> str:
    """What is said of the number of sextets: a number, "tie" or "open"."""
    logs = {}
    for count, problem in problems.items():
        one = problem._replace(data={**problem.data, "counts": counts})
        fit = inference.find(one, inference.Settings(seed=seed, draws=250))
        if fit.converged and fit.log_evidence is None:
            return "open"
        if fit.converged:
            logs[count] = fit.log_evidence[0]
    order = sorted(logs, key=lambda count: -logs[count])
    if len(order) < 2:
        return "open"
    return "tie" if logs[order[0]] - logs[order[1]] < UNDECIDED else str(order[0])


def measure(quick: bool, kept: Kept) -> dict:
    """What was said of spectra of one to five sextets, by the true number."""
    said: dict[str, list[str]] = {str(count): [] for count in range(1, MOST + 1)}
    spent = 0.0
    with pipeline.float64():
        problems = {n: cases.build(case_of(n), LEVEL) for n in range(1, MOST + 1)}
        for number in range(SPECTRA[quick]):
            count = 1 + number % MOST
            row = kept.once(
                f"{count} sextets, {number}", lambda n=number: _one(problems, n)
            )
            said[str(count)].append(row[0])
            spent += row[1]
    right = sum(words.count(count) for count, words in said.items())
    return {
        "spectra": SPECTRA[quick], "right": right, "cpu": spent / SPECTRA[quick],
        "ties": sum(words.count("tie") for words in said.values()),
        "open": sum(words.count("open") for words in said.values()), "said": said,
    }  # fmt: skip


def _one(problems: dict, number: int) -> tuple[str, float]:
    """What is said of one spectrum, and CPU seconds."""
    begin, case = now(), truth(1 + number % MOST, number)
    one = cases.simulated(problems[len(case.sites)], case.truth(LEVEL), number)
    said = ranked(problems, one.data["counts"], number)
    return said, (now() - begin).cpu
