"""`check` and `fmt`: what can be said of a file without running it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from math import isnan
from pathlib import Path

from specfit import exits, pipeline
from specfit.commands.common import say, show_diagnostics
from specfit.contracts import Measurement, RequireStrategy
from specfit.diagnostics import Diagnostic, Span
from specfit.language.parse import parse
from specfit.language.printer import print_spec
from specfit.model import ir
from specfit.model.factorising import Factorising
from specfit.rendering import apply_fixes, to_json

MAP_NOTES = ("cube", "pixel step", "energies", "empty pixels", "dead channels")
"""What is said of a map before it is factorised."""
MANY = 6
"""Files of which all are listed."""


def check(arguments: argparse.Namespace) -> int:
    """Report every fault; with none, how each rule is kept and what it costs."""
    checked = pipeline.check_with_data(arguments.file, arguments.allow_outside)
    if arguments.fix and checked.text:
        file = str(arguments.file)
        fixed, count = apply_fixes(checked.text, checked.diagnostics, file)
        if count:
            replace_text(arguments.file, fixed)
            print(say("fixes-made", path=file, count=str(count)), file=sys.stderr)
            checked = pipeline.check_with_data(arguments.file, arguments.allow_outside)
    _git_ignored(checked)
    summary = "" if checked.errors else _summary(checked)
    if arguments.json:
        listed = to_json(checked.diagnostics, checked.texts)
        print(json.dumps(listed, ensure_ascii=False, indent=2))
    else:
        show_diagnostics(checked.diagnostics, checked.texts)
        if summary:
            print(summary)
    return exits.FAULT if checked.errors else exits.ACCEPTED


def _git_ignored(checked: pipeline.Checked) -> None:
    """Warn when git would not keep the file: a common template ignores `*.spec`."""
    try:
        done = subprocess.run(
            ["git", "check-ignore", "-q", checked.path.name],
            cwd=checked.path.resolve().parent,
            capture_output=True,
            timeout=2,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return  # no git here: nothing to warn of
    if done.returncode == 0:
        span = Span(str(checked.path))
        checked.diagnostics.append(Diagnostic("git-ignored", span, severity="warning"))


def _summary(checked: pipeline.Checked) -> str:
    """What was understood, and what keeping each `require` costs the prior."""
    file = checked.path.name
    lines = []
    for model in checked.require().models:
        unknowns = len(model.parameters) + sum(len(j.names) - 1 for j in model.joints)
        counts = {
            "spectra": str(len(model.spectra)),
            "sites": str(len(model.spectra[0].sites)),
            "unknowns": str(unknowns),
        }
        lines.append(say("no-faults", file=file, kind=model.kind, **counts))
        counts_open = checked.require().counts
        if counts_open:
            numbers, last = ", ".join(counts_open), counts_open[-1]
            lines.append(f"  {say('counts-open', numbers=numbers, last=last)}")
        names = {source.data for source in model.sources}
        mine = [pair for pair in checked.measured if pair[0].data in names]
        _few(mine, unknowns, checked)
        seen = [_seen(*pair) for pair in mine]
        if len(seen) > MANY:
            seen = [*seen[:2], f"  … and {len(seen) - 3} more", seen[-1]]
        lines += seen
        lines += dict.fromkeys(_rules_kept(model, checked))
    lines += [line for one in checked.require().maps for line in _of_map(one, checked)]
    return "\n".join(lines or [say("no-model", file=file)])


def _of_map(asked: Factorising, checked: pipeline.Checked) -> list[str]:
    """What a factorisation is of, the size of its map and what curves stand behind it."""
    mine = [pair for pair in checked.measured if pair[0] == asked.source]
    source, measured = mine[0]
    count = measured.cube.pixels if measured.cube else 0
    words = {"pixels": str(count), "components": str(asked.components)}
    head = say("map-seen", file=checked.path.name, **words)
    found = dict(measured.found)
    notes = [f"  {key}: {found[key]}" for key in MAP_NOTES if key in found]
    return [head, _seen(source, measured), *notes]


def _seen(source: ir.DataSource, measurement: Measurement) -> str:
    """The span and the number of channels of one measured spectrum."""
    axis, scattering = measurement.axis, measurement.scattering
    if scattering is not None and scattering.distances is not None:
        low, high = (f"{end:g}" for end in scattering.distances)
        words = {"low": low, "high": high, "count": str(axis.size)}
        return say("exafs-seen", file=source.file, **words)
    ends = {"low": f"{axis.min():.4g}", "high": f"{axis.max():.4g}"}
    unit, channels = measurement.axis_unit, str(axis.size)
    return say("data-seen", file=source.file, unit=unit, channels=channels, **ends)


def _few(
    measured: list[tuple[ir.DataSource, Measurement]],
    unknowns: int,
    checked: pipeline.Checked,
) -> None:
    """Warn where what is compared of χ(k) is no more than what is unknown."""
    filtered = [
        (source, one.values.size)
        for source, one in measured
        if one.scattering is not None and one.scattering.distances is not None
    ]
    count = sum(size for _, size in filtered)
    if filtered and count <= unknowns:
        place = filtered[0][0].places.get("R_range", filtered[0][0].place)
        words = {"count": str(count), "unknowns": str(unknowns)}
        fault = pipeline.at_place("exafs-few", words, place)
        checked.diagnostics.append(replace(fault, severity="warning"))


def _rules_kept(model: ir.Model[ir.Prior], checked: pipeline.Checked) -> list[str]:
    """What each `require` costs, and a warning of one that leaves next to nothing.

    Without a `require` nothing is drawn from the prior.
    """
    if all(rule.kind != "require" for rule in model.rules):
        return []
    measured = pipeline.measure(model, checked, shapes_only=True)
    kept = pipeline.strategies(model, measured)
    rare = [("require-rare", found) for found in kept if found.alone == 0.0]
    if not rare and kept and not any(found.mass_kept > 0.0 for found in kept):
        known = [found for found in kept if not isnan(found.alone)]
        rare = [("require-rare-together", found) for found in known[:1]]
    for code, found in rare:
        fault = pipeline.at_place(code, {}, model.rules[found.index].place)
        checked.diagnostics.append(replace(fault, severity="warning"))
    return [f"  {_kept(model.rules[found.index], found)}" for found in kept]


def _kept(rule: ir.Rule, strategy: RequireStrategy) -> str:
    words = {
        "line": str(rule.place.line),
        "rule": rule.place.text.split(" because")[0],
        "strategy": "@strategy-" + strategy.strategy.replace(" ", "-"),
    }
    if isnan(strategy.mass_kept):
        return say("rule-kept-unknown", **words)
    return say("rule-kept", share=f"{100 * strategy.mass_kept:.3g}", **words)


def fmt(arguments: argparse.Namespace) -> int:
    """Rewrite the file in its standard form; `--check` and `--stdout` leave it alone."""
    path: Path = arguments.file
    checked = pipeline.Checked(path)
    text = pipeline.read_text(path, checked)
    if text is None:
        show_diagnostics(checked.diagnostics, checked.texts)
        return exits.FAULT
    spec, faults = parse(text, str(path))
    if any(d.severity == "error" for d in faults):
        show_diagnostics(faults, {str(path): text})
        return exits.FAULT
    formatted = print_spec(spec)
    if arguments.stdout:
        print(formatted, end="")
        return exits.ACCEPTED
    if formatted == text:
        print(f"{path}: unchanged", file=sys.stderr)
        return exits.ACCEPTED
    if arguments.check:
        print(f"{path}: would be rewritten", file=sys.stderr)
        return exits.REJECTED
    replace_text(path, formatted)
    print(f"{path}: rewritten", file=sys.stderr)
    return exits.ACCEPTED


def replace_text(path: Path, text: str) -> None:
    """Replace a file's text atomically, keeping its permissions."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(path.stat().st_mode & 0o777)
    os.replace(name, path)
