"""The folder of a study: what each part left, and all of it joined.

`parts/NAME/` is the run folder of a part; `result.json` joins their verdicts, their
parameters (by `part.name`) and their rules; `report.html` is the way to them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specfit.report.blocks import (
    Banner,
    Block,
    Bullets,
    Cell,
    Figure,
    Links,
    Paragraph,
    Table,
)
from specfit.report.numbers import short
from specfit.report.page import Shown, rendered
from specfit.report.result import SCHEMA_VERSION
from specfit.report.sections.verdict import TONES, WORDS
from specfit.report.writing import replacing, text_file

PARTS = "parts"
HEADLINES = ("heatmap", "predicted_vs_measured", "weights", "series")
"""How figures of a part begin that the page of the study shows besides."""


@dataclass(frozen=True)
class Head:
    """What is known of the study as a whole."""

    title: str
    spec: str  # the text
    spec_file: str
    started: str
    seconds: float
    identity: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """A part: its name, title, kind, what it rests on, and why it was not run."""

    name: str
    title: str
    kind: str
    rests_on: Sequence[str] = ()
    reason: str = ""


class StudyFolder:
    """A study's folder while it is filled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def part(self, name: str) -> Path:
        """The empty folder of a part."""
        folder = self.place / PARTS / name
        folder.mkdir(parents=True)
        return folder

    def close(self, head: Head, told: Sequence[Told]) -> dict[str, Any]:
        """Write what joins the parts; the joined result."""
        results = {one.name: self._result(one.name) for one in told}
        joined = join(head, told, results)
        text = json.dumps(joined, ensure_ascii=False, indent=2)
        text_file(self.place / "result.json", text)
        text_file(self.place / "model.spec", head.spec)
        text_file(self.place / "report.html", self._page(head, told, joined))
        return joined

    def _result(self, name: str) -> dict[str, Any] | None:
        path = self.place / PARTS / name / "result.json"
        if not path.exists():
            return None
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def _page(self, head: Head, told: Sequence[Told], joined: Mapping[str, Any]) -> str:
        folders = {one.name: self.place / PARTS / one.name / "figures" for one in told}
        images = {
            f"{name}.{path.stem}": path.read_bytes()
            for name, folder in folders.items()
            for path in sorted(folder.glob("*.png"))
            if path.stem.startswith(HEADLINES)
        }
        return rendered(
            head.title,
            WORDS[joined["verdict"]].lower(),
            f"{head.spec_file} · {len(told)} parts · {head.started}",
            _sections(told, joined, images),
            images,
            f"specfit {head.versions.get('specfit', '')} · result.json joins the numbers "
            "of the parts; each has a folder of its own.",
        )


@contextmanager
def study_folder(folder: Path, beside: Path | None = None) -> Any:
    """A study's folder, filled inside this context; it takes its place at the end."""
    with replacing(folder, beside) as temporary:
        yield StudyFolder(temporary)


# ------------------------------------------------------------------------- joining


def join(
    head: Head,
    told: Sequence[Told],
    results: Mapping[str, Mapping[str, Any] | None],
) -> dict[str, Any]:
    """The joined result: keys as those of one run, names as `part.name`."""
    order = ("accepted", "rejected", "not_converged")
    found = {name: one for name, one in results.items() if one is not None}
    parts = [_part(one, results[one.name]) for one in told]
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": max((p["verdict"] for p in parts), key=order.index),
        "reasons": [f"{p['name']}: {why}" for p in parts for why in p["reasons"]],
        "title": head.title,
        "spec_file": head.spec_file,
        "started": head.started,
        "parts": parts,
        "parameters": _named(found, "parameters"),
        "derived": _named(found, "derived"),
        "rules": [{**r, "part": n} for n, one in found.items() for r in one["rules"]],
        "log_evidence": None,
        "diagnostics": _worst([one["diagnostics"] for one in found.values()]),
        "hashes": {"identity": head.identity},
        "versions": dict(head.versions),
        "timings_s": {
            **{n: one["timings_s"].get("total", 0.0) for n, one in found.items()},
            "total": head.seconds,
        },
    }


def _part(told: Told, result: Mapping[str, Any] | None) -> dict[str, Any]:
    reasons = list(result["reasons"]) if result else [told.reason]
    return {
        "name": told.name,
        "title": told.title,
        "kind": told.kind,
        "rests_on": list(told.rests_on),
        "folder": f"{PARTS}/{told.name}",
        "verdict": result["verdict"] if result else "not_converged",
        "reasons": reasons,
    }


def _named(found: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, Any]:
    return {f"{n}.{k}": v for n, one in found.items() for k, v in one[key].items()}


def _worst(each: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Of convergence and fit, the worst of all parts that have any."""
    rows = list(each)

    def of(key: str) -> list[float]:
        return [row[key] for row in rows if row.get(key) is not None]

    return {
        "divergences": sum(of("divergences")),
        "rhat_max": max(of("rhat_max"), default=None),
        "ess_min": min(of("ess_min"), default=None),
        "chi2_reduced": max(of("chi2_reduced"), default=None),
    }


# --------------------------------------------------------------------------- page

_SENTENCES = {
    "accepted": "Every part is accepted.",
    "rejected": "Every part has an answer, but not all of them are to be relied on:",
    "not_converged": "A part has no answer; nothing that rests on it is a result:",
}


def _sections(
    told: Sequence[Told], joined: Mapping[str, Any], images: Mapping[str, bytes]
) -> list[Shown]:
    verdict = joined["verdict"]
    banner = Banner(
        word=WORDS[verdict],
        tone=TONES[verdict],
        sentence=_SENTENCES[verdict],
        reasons=joined["reasons"],
    )
    blocks: list[Block] = [_table(joined)]
    blocks.append(
        Links([(one.title or one.name, f"{PARTS}/{one.name}/report.html")
               for one in told if not one.reason])
    )  # fmt: skip
    shown = [
        Shown("verdict", "Verdict", (banner,)),
        Shown("parts", "Parts", tuple(blocks)),
    ]
    for one in told:
        mine = [n for n in images if n.startswith(f"{one.name}.")]
        if mine:
            pictures = tuple(Figure(n, alt=f"{one.title or one.name}") for n in mine)
            shown.append(Shown(one.name, one.title or one.name, pictures))
    shown.append(Shown("rules", "Requirements and checks", _rules(joined)))
    return [section for section in shown if section.blocks]


def _table(joined: Mapping[str, Any]) -> Table:
    seconds = joined["timings_s"]
    rows = [
        (
            Cell(p["name"], p["title"]),
            Cell(p["kind"]),
            Cell(", ".join(p["rests_on"]) or "data"),
            Cell(WORDS[p["verdict"]], tone=TONES[p["verdict"]]),
            Cell(short(seconds.get(p["name"]), 3), numeric=True),
        )
        for p in joined["parts"]
    ]
    return Table(("part", "kind", "rests on", "verdict", "seconds"), rows)


def _rules(joined: Mapping[str, Any]) -> tuple[Block, ...]:
    kept = [r for r in joined["rules"] if r["outcome"] != "passed"]
    own = [r for r in joined["rules"] if r["kind"] in ("require", "expect", "check")]
    said = f"{len(joined['rules'])} rules were judged, {len(own)} of them of this file."
    if not kept:
        return (Paragraph(f"{said} All hold."),)
    lines = dict.fromkeys(f"{r['part']}: {r['outcome']}: {r['text']}" for r in kept)
    return Paragraph(f"{said} Not all hold:"), Bullets(list(lines))
