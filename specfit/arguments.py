"""What may be written after `specfit`: commands, their arguments, their help.

Each command is named by its module below `commands` and its function there, imported
only when it runs: `--help` stays instant.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="specfit",
        description="Spectra to material values: priors with sources, rules with "
        "reasons, no starting values.",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.set_defaults(command=("common", "version"), parser=parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_run(commands)
    _add_compare(commands)
    _add_batch(commands)
    _add_reading(commands)
    _add_simulate(commands)
    _add_identify(commands)
    _add_import(commands)
    _add_database(commands)
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    """An integer of the command line that is not below `least`."""

    def whole(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is below {least}")
        return value

    whole.__name__ = "whole number"  # argparse names the type by it
    return whole


_Commands = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _add_run(commands: _Commands) -> None:  # type: ignore[valid-type]
    run = commands.add_parser("run", help="find the answer, judge it, report")  # type: ignore[attr-defined]
    run.add_argument("file", type=Path, help="the .spec file")
    run.add_argument("--out", type=Path, help="run folder (default runs/NAME)")
    run.add_argument("--variant", help="run this variant of the model")
    run.add_argument("--json", action="store_true", help="print result.json")
    resume = "go on where an interrupted run of the same file stopped"
    run.add_argument("--resume", action="store_true", help=resume)
    _add_sampling(run)
    run.set_defaults(command=("run", "run"))


def _add_compare(commands: _Commands) -> None:  # type: ignore[valid-type]
    text = "rank models of the same data, files and their variants"
    compare = commands.add_parser("compare", help=text)  # type: ignore[attr-defined]
    compare.add_argument("files", type=Path, nargs="+", help=".spec files")
    compare.add_argument("--out", type=Path, help="folder (default runs/NAME.compare)")
    compare.add_argument("--json", action="store_true", help="print comparison.json")
    resume = "go on where an interrupted comparison of the same files stopped"
    compare.add_argument("--resume", action="store_true", help=resume)
    _add_sampling(compare)
    compare.set_defaults(command=("compare", "compare"))


def _add_sampling(command: argparse.ArgumentParser) -> None:
    """The options of every command that samples."""
    command.add_argument("--seed", type=_at_least(0))
    command.add_argument("--chains", type=_at_least(1))
    command.add_argument("--draws", type=_at_least(4), help="of each chain, kept")
    warmup = "steps before draws are kept"
    command.add_argument("--warmup", type=_at_least(20), help=warmup)
    command.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto")
    command.add_argument("--quiet", action="store_true", help="no progress")
    command.add_argument("--allow-outside", action="store_true", help=_OUTSIDE)


_OUTSIDE = "let the file read data outside its own folder"


def _add_batch(commands: _Commands) -> None:  # type: ignore[valid-type]
    text = "fit one model to many files: one table, a bad file stops nothing"
    batch = commands.add_parser("batch", help=text)  # type: ignore[attr-defined]
    batch.add_argument("file", type=Path, help="the .spec file")
    batch.add_argument("files", type=Path, nargs="+", help="data files, or folders")
    batch.add_argument("--out", type=Path, help="folder (default runs/NAME.batch)")
    sample = (
        "sample with NUTS where the normal approximation fails (default), or always"
    )
    batch.add_argument(
        "--sample",
        choices=("flagged", "never", "always"),
        default="flagged",
        help=sample,
    )
    shard = "do the I-th of N parts of the files; `merge` joins them"
    batch.add_argument(
        "--shard", type=_shard, default=(1, 1), metavar="I/N", help=shard
    )
    dask = "share the work on the Dask cluster at ADDRESS, or on one started here"
    batch.add_argument("--dask", nargs="?", const="", metavar="ADDRESS", help=dask)
    resume = "go on where an interrupted batch of the same files stopped"
    batch.add_argument("--resume", action="store_true", help=resume)
    batch.add_argument("--json", action="store_true", help="print batch.json")
    _add_sampling(batch)
    batch.set_defaults(command=("batch", "batch"))
    merge = commands.add_parser("merge", help="join the shards of a batch")  # type: ignore[attr-defined]
    merge.add_argument("folders", type=Path, nargs="+", help="folders of all shards")
    merge.add_argument("--out", type=Path, help="folder (default runs/merged.batch)")
    merge.add_argument("--json", action="store_true", help="print batch.json")
    merge.set_defaults(command=("batch", "merge"))


def _shard(text: str) -> tuple[int, int]:
    """`2/8` as numbers, 1 ≤ I ≤ N."""
    part, _, whole = text.partition("/")
    if not (part.isdecimal() and whole.isdecimal() and int(whole)):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 2/8, the second of 8")
    if not 1 <= int(part) <= int(whole):
        there = f"the parts of {whole} are 1/{whole} to {whole}/{whole}"
        raise argparse.ArgumentTypeError(f"there is no part {text}: {there}")
    return int(part), int(whole)


def _add_reading(commands: _Commands) -> None:  # type: ignore[valid-type]
    for name, text, room in (
        ("check", "find every fault without running anything", "reading"),
        ("fmt", "rewrite the file in its standard form, in place", "reading"),
        (
            "explain",
            "say what each parameter or kind is and where its prior comes from",
            "explain",
        ),
        ("show", "print an intermediate value: tree, model, priors, density", "show"),
    ):
        command = commands.add_parser(name, help=text)  # type: ignore[attr-defined]
        if name == "show":
            stages = ("tree", "model", "priors", "density")
            command.add_argument("stage", choices=stages)
        command.add_argument("file", type=Path)
        if name == "explain":
            command.add_argument(
                "name", nargs="?", help="one parameter, site, rule or kind"
            )
        if name == "check":
            command.add_argument("--fix", action="store_true", help="apply safe fixes")
            command.add_argument("--json", action="store_true")
        if name == "fmt":
            either = command.add_mutually_exclusive_group()
            only = "only say whether it would change"
            either.add_argument("--check", action="store_true", help=only)
            instead = "print it, and leave the file as it is"
            either.add_argument("--stdout", action="store_true", help=instead)
        command.add_argument("--allow-outside", action="store_true", help=_OUTSIDE)
        command.set_defaults(command=(room, name))


def _add_simulate(commands: _Commands) -> None:  # type: ignore[valid-type]
    simulate = commands.add_parser("simulate", help="make synthetic data of a model")  # type: ignore[attr-defined]
    simulate.add_argument("file", type=Path)
    truth = (
        "TOML: seed = 1, [axis] low, high, channels, [values] N0, area, A.IS …; of a map "
        "seed, [particle] pixels, radius, skin, projected, dose, background, exponent, "
        "drift, rough, core, shell, and [energy] low, high, channels"
    )
    simulate.add_argument("--truth", type=Path, required=True, help=truth)
    simulate.add_argument("--out", type=Path, required=True, help="folder")
    simulate.add_argument(
        "--seed", type=_at_least(0), help="overrides the one in the truth"
    )
    simulate.set_defaults(command=("simulate", "simulate"), allow_outside=False)


def _add_identify(commands: _Commands) -> None:  # type: ignore[valid-type]
    text = "say which phases of the database a spectrum shows"
    command = commands.add_parser("identify", help=text)  # type: ignore[attr-defined]
    command.add_argument("file", type=Path, help=".spec file with a data block")
    command.add_argument("--out", type=Path, help="folder (default runs/NAME.identify)")
    only = 'only these, as in "magnetite, hematite"'
    command.add_argument("--phases", default="", metavar="NAMES", help=only)
    made = (
        'only phases made of these, as in "Fe, O, Na!"; ! marks what one of them holds'
    )
    command.add_argument("--elements", default="", metavar="SYMBOLS", help=made)
    command.add_argument("--json", action="store_true", help="print identify.json")
    command.add_argument("--quiet", action="store_true", help="no progress")
    command.add_argument("--allow-outside", action="store_true", help=_OUTSIDE)
    command.set_defaults(command=("identify", "identify"))


def _add_import(commands: _Commands) -> None:  # type: ignore[valid-type]
    text = "write a model of another program (NORMOS .JOB, SYNCmoss .mdl) as a .spec"
    command = commands.add_parser("import", help=text, description=text)  # type: ignore[attr-defined]
    command.add_argument("file", type=Path, help="the model, known by its content")
    command.add_argument("-o", "--out", type=Path, help="the .spec (default NAME.spec)")
    instead = "the spectrum, where the model names none or another"
    command.add_argument("--data", type=Path, metavar="FILE", help=instead)
    zero = 'what its shifts count from in NORMOS (default "57Co(Rh)")'
    command.add_argument("--source", default="57Co(Rh)", metavar="NAME", help=zero)
    command.add_argument(
        "--temperature", type=_kelvin, metavar="K", help="of the sample"
    )
    command.set_defaults(command=("importing", "import_model"))


def _kelvin(text: str) -> float:
    """A temperature above zero."""
    value = float(text)
    if not 0 < value < 1e5:
        raise argparse.ArgumentTypeError(f"{text} is no temperature in K")
    return value


def _add_database(commands: _Commands) -> None:  # type: ignore[valid-type]
    database = commands.add_parser("db", help="look into the prior database")  # type: ignore[attr-defined]
    actions = database.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="all phases")
    listing.set_defaults(command=("database", "database"), action="list", text="")
    values = 'a name, a formula or values: 51.7 T, "IS=0.36 QS=0.8", "0.37 mm/s 80 K"'
    for name, text, what in (
        ("show", "one phase, or one of its sites", "as in magnetite, magnetite.A"),
        ("search", "by name, formula or value", values),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("text", nargs="+", help=what)
        action.set_defaults(command=("database", "database"), action=name)
