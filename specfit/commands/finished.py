"""A run that has ended already: `--resume` has nothing to do for it."""

from __future__ import annotations

import json
from pathlib import Path

from specfit.checking import Checked
from specfit.pipeline import Options, settings_of
from specfit.record import sha256


def finished(folder: Path, checked: Checked, options: Options) -> str | None:
    """The verdict of the finished run of this file that `folder` holds; None without one.

    It is of this file where model, text and data have the same hashes, and where the
    settings asked for are those it was made with.
    """
    try:
        text = (folder / "result.json").read_text(encoding="utf-8")
        result = json.loads(text)
        hashes, settings = result["hashes"], result["settings"]
    except (OSError, KeyError, ValueError):
        return None  # no run, or one that only says why it could not begin
    cut = any(g["name"] == "interrupted" and not g["passed"] for g in result["gates"])
    asked = settings_of(checked.require().run, options)
    same = (
        hashes["spec"] == sha256(checked.text)
        and hashes["model"] in _models(checked, options.variant)
        and set(hashes["data"]) <= {one.sha256 for _, one in checked.measured}
        and all(settings.get(key) == value for key, value in asked.items())
    )
    return str(result["verdict"]) if same and not cut else None


def _models(checked: Checked, variant: str | None) -> set[str]:
    """The hashes of what a run of this file may be a run of."""
    document = checked.require()
    if variant:
        every = [m for name, m in document.variants.items() if name == variant]
    else:
        every = [*(document.variants.values() if document.counts else document.models)]
    return {model.digest() for model in every}
