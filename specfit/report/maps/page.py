"""The sections of the page of a factorisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from specfit.mapped import MapDone
from specfit.report.blocks import (
    Banner,
    Block,
    Cell,
    Facts,
    Figure,
    Paragraph,
    Table,
    Tone,
)
from specfit.report.maps.result import ComponentResult, MapRunResult
from specfit.report.page import Shown
from specfit.report.sections.verdict import RESERVED

CAPTIONS = {
    "map": "Share of each component in the counts of the components, half the width of "
    "its 90 % interval (counting and spectra together), and its weight. Grey: next to "
    "nothing there.",
    "uncertainty": "The two parts of the standard deviation of the first fraction, and "
    "how far the data alone leave it open.",
    "spectra": "Basis spectra of unit area. Dashed: what they were said to be like, "
    "moved by the shift that was found.",
    "relevance": "Left, the components of the answer: one without counts was switched "
    "off. Middle, what speaks against each number of components, a background being one; "
    "the least is best, and dashed is what relevance (ARD) leaves. Right, by how much each "
    "step was below the last.",
    "drift": "By how much the energies of every pixel are moved; what that leaves unsure is "
    "in the bands.",
    "residual_image": "Reduced χ²: 1 where what is left of a pixel is as large as its "
    "noise. Black: beyond the scale. Grey: no counts.",
    "residual_spectrum": "The sum of all pixels; below, what is left of it, and the root "
    "mean square of what is left in the parts of the image that are judged: 1 is noise.",
    "overlay": "White where nothing is; colours are those of the spectra.",
    "windows": "Above, what integrating two windows would say; below, the factorisation.",
}
_SENTENCES = {
    "accepted": "Every rule of the file holds.",
    "rejected": "This factorisation is not one to rely on:",
    "not_converged": "The factorisation has not come to rest; nothing is called a result.",
}


def sections(
    done: MapDone, result: MapRunResult, images: Mapping[str, bytes]
) -> list[Shown]:
    """Everything the page shows."""

    def shown(*names: str) -> list[Block]:
        drawn = [name for name in names if name in images]
        return [Figure(n, n.replace("_", " "), CAPTIONS[n]) for n in drawn]

    parts: list[tuple[str, str, Sequence[Block]]] = [
        ("verdict", "Verdict", [_banner(result), *_remarks(result)]),
        ("maps", "Maps", shown("map", "uncertainty", "overlay", "windows")),
        ("spectra", "Basis spectra", [*shown("spectra"), _components(result)]),
        ("components", "How many components", [*shown("relevance"), _counted(result)]),
        (
            "residuals",
            "Residuals",
            shown("residual_image", "residual_spectrum", "drift"),
        ),
        ("rules", "Rules", _rules(result)),
        ("record", "Record", [_record(done, result)]),
    ]
    return [Shown(name, title, tuple(blocks)) for name, title, blocks in parts]


def _banner(result: MapRunResult) -> Banner:
    tones: dict[str, Tone] = {"accepted": "good", "rejected": "bad"}
    sentence = _SENTENCES[result.verdict]
    own = [rule for rule in result.rules if rule.kind in ("require", "expect", "check")]
    if result.verdict == "accepted" and not own:
        sentence = "The file states no rule."
    warned = [rule for rule in result.rules if rule.outcome == "warned"]
    if result.verdict == "accepted" and warned:
        said = [f"{rule.text}: {rule.detail}" for rule in warned]
        missed = any(rule.kind == "residual" for rule in warned)
        word = RESERVED if missed else "accepted"
        return Banner(word, "warn", f"{sentence} But this is to be known:", said)
    tone = tones.get(result.verdict, "warn")
    return Banner(result.verdict.replace("_", " "), tone, sentence, result.reasons)


def _remarks(result: MapRunResult) -> list[Block]:
    """What must be known before a map is believed."""
    blocks: list[Block] = []
    feasible = result.feasible
    if feasible is not None and not feasible.decided:
        text = (
            "Other pairs of spectra explain these counts as well. Between them a fraction "
            f"may differ by {feasible.mean_width:.2f} on average and {feasible.widest:.2f} "
            "at most; what narrows this is the library."
        )
        blocks.append(Paragraph(text, "The data alone do not decide.", "warn"))
    blocks += [
        Paragraph(
            f"{one.library} is {one.library_note}.", "A curve of the library.", "warn"
        )
        for one in result.components
        if one.library_note and not any(one.library_note in n for n in result.notes)
    ]
    blocks += [Paragraph(note) for note in result.notes]
    return blocks


def _counted(result: MapRunResult) -> Paragraph:
    """The number of components that the map has by itself."""
    found, asked = result.how_many, len(result.components)
    text = f"By itself the map holds {found.best} components above its noise"
    text += f"; relevance leaves {found.ard or 'none'} after a few hundred steps"
    text += f" and decides nothing. The answer has {asked}."
    return Paragraph(text + " A background counts as one of the former.")


def _components(result: MapRunResult) -> Table:
    head = ["component", "peak (eV)", "centroid (eV)", "share of counts",
            "mean fraction", "± counting", "± spectra", "library"]  # fmt: skip
    rows = [
        [
            Cell(str(one.number)),
            *(
                Cell(f"{value:.{digits}f}", numeric=True)
                for value, digits in (
                    (one.peak, 2), (one.centroid, 2), (one.share, 3),
                    (one.mean_fraction, 3), (one.fraction_sd_counting, 3),
                    (one.fraction_sd_spectra, 3),
                )
            ),
            Cell(one.library or "–", _library(one)),
        ]
        for one in result.components
    ]  # fmt: skip
    return Table(head, rows)


def _library(one: ComponentResult) -> str:
    parts = [one.library_note]
    if one.strength is not None:
        parts.append(f"counts as {100 * one.strength:.2g} % of its counts")
    if one.shift is not None:
        parts.append(f"moved by {one.shift:+.2f} eV")
    return ", ".join(part for part in parts if part)


def _rules(result: MapRunResult) -> list[Block]:
    tones: dict[str, Tone] = {"passed": "good", "failed": "bad", "warned": "warn"}
    rows = [
        [
            Cell(rule.kind, f"line {rule.line}" if rule.line else ""),
            Cell(rule.text, rule.because),
            Cell(rule.detail, rule.source),
            Cell(rule.outcome, tone=tones[rule.outcome]),
        ]
        for rule in result.rules
    ]
    return [Table(["rule", "as written", "found", "outcome"], rows)] if rows else []


def _record(done: MapDone, result: MapRunResult) -> Facts:
    run = done.factorising.run
    pairs = [
        ("arrays", f"tables/{done.factorising.report.save}.npz, .h5"),
        ("steps", f"{result.diagnostics['steps']:.0f} of at most {run.steps}"),
        ("restarts", str(run.restarts)),
        ("optimizer", run.optimizer),
        ("seed", str(result.seed)),
        ("reduced χ²", f"{result.diagnostics['chi2_reduced']:.3f}"),
        *((label, text) for label, text in result.data_found),
        ("data", f"SHA-256 {done.measurement.sha256[:16]}…"),
        ("model", f"SHA-256 {result.model_sha256[:16]}…"),
        *((f"seconds, {name}", f"{s:.1f}") for name, s in result.timings_s.items()),
        *((name, text) for name, text in result.versions.items()),
    ]
    return Facts(pairs)
