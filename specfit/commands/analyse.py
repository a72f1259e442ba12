"""`specfit run` of a file that holds an analysis and no model."""

from __future__ import annotations

import argparse
from pathlib import Path

from specfit import exits
from specfit.checking import Checked
from specfit.commands.common import Reporter
from specfit.model import ir


def only_analysis(checked: Checked) -> ir.Analysis | None:
    """The one analysis of a file without models."""
    document = checked.require()
    alone = len(document.analyses) == 1 and not document.models
    return document.analyses[0] if alone else None


def run(arguments: argparse.Namespace, checked: Checked, analysis: ir.Analysis) -> int:
    """Do it, write its folder, say what was found; the exit code is its verdict."""
    from specfit.analysing import run_analysis
    from specfit.report.regression.terminal import terminal
    from specfit.report.regression.writing import write_analysis
    from specfit.report.writing import refuse_foreign

    folder = arguments.out or Path("runs") / arguments.file.stem
    refuse_foreign(folder)
    asked = checked.require().run.seed
    seed = asked if arguments.seed is None else arguments.seed
    reporter = None if arguments.quiet else Reporter()
    try:
        done = run_analysis(checked, analysis, seed, reporter)
    finally:
        if reporter:
            reporter.close()
    write_analysis(done, folder)
    if arguments.json:
        print((folder / "result.json").read_text(encoding="utf-8").rstrip())
    else:
        print(terminal(done))
        print(f"\n{folder / 'report.html'}")
    return exits.VERDICTS[done.verdict.outcome]
