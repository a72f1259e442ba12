"""`specfit import`: a model of another program as a .spec."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from specfit import exits
from specfit.commands.common import say, show_diagnostics, writable
from specfit.diagnostics import NOWHERE, Diagnostic, Span, SpecError
from specfit.importing import Block, Draft, ImportFault, drafted, model_text

MARK = "Written by `specfit import`"
"""What the .spec begins with; no other file of its name is written over."""
PLACEHOLDER = "spectrum.csv"


def import_model(arguments: argparse.Namespace) -> int:
    """Write the .spec and tell what could not be carried over."""
    path: Path = arguments.file
    target: Path = arguments.out or path.with_suffix(".spec")
    draft = _draft(path, arguments.source)
    _refuse(target)
    data = arguments.data or _beside(path, draft.data.file)
    block, remarks = _block(draft, data, target, arguments.temperature)
    remarks = [*(say(r.code, **r.words) for r in draft.remarks), *remarks]
    heading = [f"{MARK}: {say('import-from', path=path.name, program=draft.program)}"]
    heading += [say("import-priors"), *(f"- {remark}" for remark in remarks), ""]
    text = model_text(draft, block, heading, say)
    target.write_text(text, encoding="utf-8")
    for remark in remarks:
        print(f"{path.name}: {remark}", file=sys.stderr)
    print(say("import-written", path=str(target), sites=str(len(draft.sites))))
    return _checked(target)


def _draft(path: Path, source: str) -> Draft:
    from specfit.readers import ReaderError, load
    from specfit.readers.reference import reference
    from specfit.readers.tables import decode

    try:
        key, shift, _ = reference(source)
        content = load(path.name, path.parent, allow_outside=True)
        text, _ = decode(content.data, str(path))
    except ReaderError as error:
        raise SpecError([Diagnostic(error.code, NOWHERE, error.words)]) from error
    try:
        return drafted(text, str(path), key, shift)
    except ImportFault as error:
        span = error.span if error.span.file else Span(str(path))
        fault = Diagnostic(error.code, span, error.words)
        raise SpecError([fault], {str(path): text}) from error


def _refuse(target: Path) -> None:
    """Stop where something else than an import would be written over."""
    writable(target.parent)
    if target.is_dir():
        raise FileExistsError(f"{target} is a folder, not a file")
    if target.exists() and not target.read_bytes().startswith(f"# {MARK}".encode()):
        words = {"path": str(target)}
        fault = Diagnostic("import-would-overwrite", Span(str(target)), words)
        raise SpecError([fault])


def _beside(path: Path, name: str) -> Path | None:
    """The spectrum of that name beside the model; letters great and small are alike."""
    wanted = _name(name).lower()
    found = [p for p in path.parent.iterdir() if wanted and p.name.lower() == wanted]
    return min(found, default=None)


def _name(text: str) -> str:
    """A file's name without the folders it had, and without what would end a text."""
    return Path(text.replace("\\", "/").replace('"', "'")).name


def _block(
    draft: Draft, data: Path | None, target: Path, temperature: float | None
) -> tuple[Block, list[str]]:
    """The data block, and remarks on it."""
    from specfit.readers import ReaderError, detect_raw

    remarks = []
    shown = _name(draft.data.file) or PLACEHOLDER
    raw = bool(draft.data.axis)
    if data is None:
        remarks.append(say("import-no-data", name=shown))
    else:
        try:
            raw = detect_raw(data)
        except ReaderError as error:
            raise SpecError([Diagnostic(error.code, NOWHERE, error.words)]) from error
        if raw and not draft.data.axis:
            fault = Diagnostic("import-raw", NOWHERE, {"file": str(data)})
            raise SpecError([fault])
    if data is not None:
        shown = Path(os.path.relpath(data, target.parent)).as_posix()
    lines = [f'file = "{shown}"']
    if raw:
        lines += draft.data.axis
    else:
        lines += ["velocity = column(1) mm/s", "counts = column(2) counts"]
        lines.append(f'IS_zero = "{draft.data.zero}"')
    if temperature is not None:
        lines.append(f"T = {temperature:g} K")
    lines.append(f'field_scale = "{draft.data.field_scale}"')
    return Block(tuple(lines)), remarks


def _checked(target: Path) -> int:
    """The faults that `specfit check` finds in what was written; a missing file aside."""
    from specfit import checking

    checked = checking.check_with_data(target)
    absent = ("data-missing", "data-misspelt")
    left = [d for d in checked.diagnostics if d.code not in absent]
    show_diagnostics(left, checked.texts)
    faults = any(d.severity == "error" for d in left)
    return exits.FAULT if faults else exits.ACCEPTED
