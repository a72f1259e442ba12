"""`report.html`: the sections in one self-contained page.

No JavaScript and a policy that forbids it, images as data: what a laboratory sends to a
customer must open anywhere and load nothing.  Jinja2 escapes every value; an unknown
name in the template is an error, not an empty string.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from importlib.resources import files
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from specfit.report.blocks import Block, Page
from specfit.report.sections import SECTIONS
from specfit.report.terminal import headline
from specfit.report.text import clean
from specfit.report.words import number_of_components

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class Shown:
    """A section ready for the template."""

    name: str
    title: str
    blocks: tuple[Block, ...]


def render(page: Page) -> str:
    """The whole page of a run."""
    run = page.found.run
    shown = [
        Shown(section.name, section.title, tuple(section.build(page)))
        for section in SECTIONS
    ]
    return rendered(
        run.document.title or run.model.title or run.model.name,
        headline(run).lower(),
        _subtitle(page),
        shown,
        page.figures,
        f"specfit {run.versions.get('specfit', '')} · result.json holds every "
        "number, posterior.nc every draw.",
    )


def rendered(
    title: str,
    word: str,
    subtitle: str,
    shown: Sequence[Shown],
    figures: Mapping[str, bytes],
    footer: str,
) -> str:
    """A page of any sections; those without blocks are left out."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=False
    )
    environment.filters["prose"] = prose
    source = files("specfit.report").joinpath("page.html.j2").read_text("utf-8")
    cleaned = [replace(s, blocks=tuple(map(_clean, s.blocks))) for s in shown]
    return environment.from_string(source).render(
        title=clean(title),
        word=word,
        subtitle=subtitle,
        sections=[section for section in cleaned if section.blocks],
        images=_images(figures),
        footer=footer,
    )


def prose(text: str) -> Markup:
    """Text with what stands between backticks set as code; everything is escaped."""
    from markupsafe import Markup, escape

    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    code = Markup("<code>{}</code>")
    pieces = [code.format(p) if i % 2 else escape(p) for i, p in enumerate(parts)]
    return Markup("").join(pieces)


def _subtitle(page: Page) -> str:
    run = page.found.run
    name = clean(PurePath(run.document.file).name)
    parts = (
        name,
        f"{run.model.kind} model",
        number_of_components(run),
        run.started,
    )
    return " · ".join(part for part in parts if part)


def _images(figures: Mapping[str, bytes]) -> dict[str, str]:
    return {
        name: f"data:image/png;base64,{base64.b64encode(content).decode()}"
        for name, content in figures.items()
    }


def _clean(value: Any) -> Any:
    """A block with every string in it cleaned, whatever section made it."""
    if isinstance(value, str):
        return clean(value, keep="\t")
    if isinstance(value, tuple | list):
        return tuple(_clean(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{f.name: _clean(getattr(value, f.name)) for f in fields(value)}
        )
    return value
