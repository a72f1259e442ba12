"""What the commands share: showing diagnostics and progress."""

from __future__ import annotations

import argparse
import errno
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from specfit import exits
from specfit.contracts import Progress
from specfit.diagnostics import Diagnostic
from specfit.rendering import message, preferred_language, render

if TYPE_CHECKING:
    from specfit.pipeline import Options


def writable(folder: Path) -> None:
    """Raise PermissionError where a folder cannot be made or written: before the work.

    By trying: rights alone do not tell of a file system that takes no files.
    """
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    try:
        tempfile.TemporaryDirectory(dir=there).cleanup()
    except OSError as error:
        why = error.strerror
        if isinstance(error, FileNotFoundError):
            why = "no file can be made there"
        raise PermissionError(errno.EACCES, why, str(there)) from error


SHOWN = 20
"""Diagnostics printed at a time; of very many most come from the first."""


def show_diagnostics(
    diagnostics: Sequence[Diagnostic], sources: Mapping[str, str]
) -> None:
    """Print diagnostics to stderr in the user's language."""
    if not diagnostics:
        return
    color = sys.stderr.isatty()
    shown = list(diagnostics[:SHOWN])
    text = render(shown, dict(sources), preferred_language(), color)
    print(text.rstrip("\n"), file=sys.stderr)
    if len(diagnostics) > SHOWN:
        count = str(len(diagnostics) - SHOWN)
        print(f"\n{say('more-errors', count=count)}", file=sys.stderr)
    errors = sum(d.severity == "error" for d in diagnostics)
    if errors > 1:
        print(f"\n{say('several-errors', count=str(errors))}", file=sys.stderr)


def say(code: str, **words: str) -> str:
    """A sentence of `messages.toml` in the user's language."""
    return message(code, words, preferred_language()) or code


class Reporter:
    """Progress on stderr: one living line on a terminal, plain lines in a pipe."""

    def __init__(self) -> None:
        self.alive = sys.stderr.isatty()
        self.stage = ""
        self.begin = self.stage_begin = time.perf_counter()

    def __call__(self, stage: str, done: float, detail: str) -> None:
        """Say where the work is; `done` in [0, 1]."""
        now = time.perf_counter()
        if stage != self.stage:
            self.stage, self.stage_begin = stage, now
            if not self.alive:
                print(f"[{now - self.begin:6.1f} s] {stage}", file=sys.stderr)
        if self.alive:
            left = (now - self.stage_begin) * (1 - done) / done if done > 0.02 else None
            words = [f"[{now - self.begin:6.1f} s]", stage]
            if 0 < done < 1:
                words.append(f"{100 * done:3.0f} %")
            if left is not None and left > 1:
                words.append(f"about {left:.0f} s left")
            if detail:
                words.append(f"({detail})")
            print("\r\x1b[2K" + " ".join(words), end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the living line."""
        if self.alive:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def named(progress: Progress | None, name: str) -> Progress | None:
    """Progress of one of several models, its name before every stage."""
    if progress is None:
        return None

    def tell(stage: str, done: float, detail: str) -> None:
        progress(f"{name}: {stage}", done, detail)

    return tell


def sampling(arguments: argparse.Namespace) -> Options:
    """What the command line says of sampling."""
    from specfit.pipeline import Options

    return Options(
        seed=arguments.seed,
        chains=arguments.chains,
        draws=arguments.draws,
        warmup=arguments.warmup,
    )


def version(arguments: argparse.Namespace) -> int:
    """The version; without `--version`, how specfit is used."""
    if not arguments.version:
        arguments.parser.print_help()
        return exits.FAULT
    from importlib.metadata import version as installed

    print(f"specfit {installed('specfit')}")
    return exits.ACCEPTED
