"""From the tree of a file to its typed document, with every fault found on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from specfit.diagnostics import Diagnostic
from specfit.language import tree
from specfit.model import ir
from specfit.model.assemble import assemble
from specfit.model.datablocks import DataBlock, DataReader
from specfit.model.elaborate import Elaborator
from specfit.model.expand import Expander, Load
from specfit.model.faults import Faults, nearest
from specfit.model.kinds import (
    DATA_KINDS,
    MODEL_KINDS,
    PLANNED_DATA,
    PLANNED_MODELS,
    ModelKind,
)
from specfit.model.names import Levels, Names
from specfit.model.settings import report_settings, run_settings
from specfit.model.typed import Context, Typer
from specfit.model.walk import paths
from specfit.units import DIMENSIONLESS, Dimension


@dataclass
class Blocks:
    """The top-level statements of a file, by what they are."""

    title: str = ""
    data: dict[str, tree.Block] = field(default_factory=dict)
    models: dict[str, tree.Block] = field(default_factory=dict)
    variants: dict[str, tree.Block] = field(default_factory=dict)
    runs: list[tree.Block] = field(default_factory=list)
    reports: list[tree.Block] = field(default_factory=list)
    constants: dict[str, tree.Let] = field(default_factory=dict)


def check(
    spec: tree.Spec,
    file: str,
    load: Load,
    texts: Mapping[str, str],
    earlier: list[Diagnostic],
) -> tuple[ir.Document[ir.Declared] | None, list[Diagnostic]]:
    """The document that `spec` declares, and all faults.

    `earlier` are the parser's; with any of them the document is None, but everything
    that can be checked is checked.  `load` reads the files named by `use`; it adds
    their text to `texts`, which is used to quote lines.
    """
    faults = Faults(earlier)
    work = _Check(faults, texts, file)
    document = work.document(spec, load)
    return (None if faults.errors else document), faults.found


class _Check:
    """The checking of one file."""

    def __init__(self, faults: Faults, texts: Mapping[str, str], file: str) -> None:
        self.faults, self.texts, self.file = faults, texts, file
        self.templates: Mapping[str, tree.Block] = {}
        self.used_templates: set[str] = set()
        self.used_constants: set[str] = set()

    def document(self, spec: tree.Spec, load: Load) -> ir.Document[ir.Declared] | None:
        expander = Expander(self.faults, load)
        expanded = expander.expand(spec, self.file)
        self.templates = expanded.templates
        blocks = self._sort(expanded.statements)
        if self._planned(blocks, expanded.statements):
            return None
        self._hygiene(blocks)
        data = {
            name: self._data(block, expander.constants)
            for name, block in blocks.data.items()
        }
        known = {name: block for name, block in data.items() if block is not None}
        constants = self._constants(blocks, known)
        models: list[ir.Model[ir.Declared]] = []
        variants: dict[str, ir.Model[ir.Declared]] = {}
        typer: Typer | None = None
        for block in blocks.models.values():
            worked = self._model(block, known, constants, ())
            if worked is None:
                continue
            typer = typer or worked[0].typer
            if worked[1] is not None:
                models.append(worked[1])
            for name, variant in blocks.variants.items():
                self._variant(name, variant, block, known, constants, variants)
        run, reports = self._settings(blocks, typer)
        self._unused(blocks)
        if self.faults.errors:
            return None
        return ir.Document[ir.Declared](
            file=self.file,
            title=blocks.title,
            models=tuple(models),
            variants=variants,
            run=run,
            reports=tuple(reports),
        )

    # ------------------------------------------------------------------- sorting

    def _sort(self, statements: tuple[tree.AnyStatement, ...]) -> Blocks:
        blocks = Blocks()
        titles = 0
        for item in statements:
            match item:
                case tree.Title(value=value):
                    titles += 1
                    blocks.title = value
                    if titles > 1:
                        self.faults.add("duplicate-statement", item.span, name="title")
                case tree.Let() if len(item.target.parts) == 1:
                    self._once(blocks.constants, item.target.text, item, item.span)
                case tree.Block(keyword="data"):
                    self._once(blocks.data, item.name or "", item, item.name_span)
                case tree.Block(keyword="model" | "analysis"):
                    self._once(blocks.models, item.name or "", item, item.name_span)
                case tree.Block(keyword="variant"):
                    self._once(blocks.variants, item.name or "", item, item.name_span)
                case tree.Block(keyword="run"):
                    blocks.runs.append(item)
                case tree.Block(keyword="report"):
                    blocks.reports.append(item)
                case _:
                    self.faults.add("not-at-top", item.span)
        return blocks

    def _once(
        self, into: dict[str, tree.Block] | dict[str, tree.Let], name: str,
        item: tree.Block | tree.Let, span: tree.Span,
    ) -> None:  # fmt: skip
        if name in into:
            first = into[name]
            place = first.name_span if isinstance(first, tree.Block) else first.span
            note = (place, "first-here", dict[str, str]())
            self.faults.add("duplicate-definition", span, name=name, note=note)
            return
        into[name] = item  # type: ignore[assignment]

    def _planned(
        self, blocks: Blocks, statements: tuple[tree.AnyStatement, ...]
    ) -> bool:
        """One clear sentence for a kind that this version cannot run."""
        for block in [*blocks.models.values(), *blocks.data.values()]:
            word = _word(block)
            if word in PLANNED_MODELS or word in PLANNED_DATA:
                span = block.kind.span if block.kind else block.span
                known = ", ".join(f"`{name}`" for name in [*MODEL_KINDS, *DATA_KINDS])
                self.faults.add("kind-planned", span, name=word, known=known)
                return True
        return False

    # ---------------------------------------------------------------------- data

    def _data(
        self, block: tree.Block, constants: Mapping[str, object]
    ) -> DataBlock | None:
        word = _word(block)
        kind = DATA_KINDS.get(word)
        if kind is None:
            span = block.kind.span if block.kind else block.name_span
            known = nearest(word, [*DATA_KINDS, *PLANNED_DATA])
            code = "unknown-kind" if block.kind else "kind-missing"
            self.faults.add(code, span, name=word or block.name or "", known=known)
            return None
        reader = DataReader(block, kind, constants, self.faults, self.texts)
        return reader.read()

    def _constants(
        self, blocks: Blocks, data: Mapping[str, DataBlock]
    ) -> dict[str, tuple[float, Dimension]]:
        """Numbers said at the top of the file, and those that data blocks offer."""
        known: dict[str, tuple[float, Dimension]] = {}
        for name, block in data.items():
            if len(block.levels.labels) == 1:
                for key, value in block.levels.conditions[0].items():
                    known[f"{name}.{key}"] = value
        waiting = {
            name: item
            for name, item in blocks.constants.items()
            if not isinstance(item.value, tree.String | tree.ListOf | tree.Range)
        }
        progress = True
        while waiting and progress:
            progress = False
            for name, item in list(waiting.items()):
                if any(path.text in waiting for path in paths(item.value)):
                    continue
                del waiting[name]
                progress = True
                names = Names(self.faults, "", {}, Levels(), known)
                typer = Typer(names, self.faults, lambda entry: DIMENSIONLESS)
                typed = typer.expression(item.value, Context())
                self.used_constants |= names.used
                if typed is None:
                    continue
                if isinstance(typed.value, ir.Const):
                    known[name] = (typed.value.value, typed.dimension)
                else:
                    self.faults.add("not-constant", item.value.span, name=name)
        for name, item in waiting.items():
            chain = " → ".join([*waiting, name])
            self.faults.add("circular-definition", item.span, chain=chain)
        return known

    # -------------------------------------------------------------------- models

    def _model(
        self,
        block: tree.Block,
        data: Mapping[str, DataBlock],
        constants: Mapping[str, tuple[float, Dimension]],
        overrides: tuple[tree.AnyStatement, ...],
    ) -> tuple[Elaborator, ir.Model[ir.Declared] | None] | None:
        word = _word(block)
        kind = MODEL_KINDS.get(word)
        if kind is None:
            span = block.kind.span if block.kind else block.name_span
            known = nearest(word, [*MODEL_KINDS, *PLANNED_MODELS])
            code = "unknown-kind" if block.kind else "kind-missing"
            self.faults.add(code, span, name=word or block.name or "", known=known)
            return None
        source = self._on(block, kind, data)
        if source is None:
            return None
        others = {
            key: value
            for key, value in constants.items()
            if not key.startswith(f"{source.name}.")
        }
        work = Elaborator(
            block,
            kind,
            source,
            self.templates,
            others,
            self.faults,
            self.texts,
            overrides,
        )
        model = assemble(work)
        self.used_templates |= work.components.used_templates
        self.used_constants |= work.names.used
        return work, model

    def _on(
        self, block: tree.Block, kind: ModelKind, data: Mapping[str, DataBlock]
    ) -> DataBlock | None:
        if len(block.on) != 1:
            self.faults.add("on-one-data", block.name_span, name=block.name or "")
            return None
        source = data.get(block.on[0])
        if source is None and self.faults.excuses(block.on[0]):
            return None
        if source is None:
            known = nearest(block.on[0], data)
            self.faults.add("unknown-data", block.span, name=block.on[0], known=known)
            return None
        if source.kind.name != kind.data:
            self.faults.add("data-kind", block.span, name=source.name, kind=kind.data)
            return None
        return source

    def _variant(
        self,
        name: str,
        variant: tree.Block,
        block: tree.Block,
        data: Mapping[str, DataBlock],
        constants: Mapping[str, tuple[float, Dimension]],
        into: dict[str, ir.Model[ir.Declared]],
    ) -> None:
        items = variant.body.items if variant.body else ()
        worked = self._model(block, data, constants, items)
        if worked is not None and worked[1] is not None and name not in into:
            into[name] = worked[1]

    # ------------------------------------------------------------ run and report

    def _settings(
        self, blocks: Blocks, typer: Typer | None
    ) -> tuple[ir.RunSettings, list[ir.ReportSettings]]:
        for extra in blocks.runs[1:]:
            note = (blocks.runs[0].span, "first-here", dict[str, str]())
            self.faults.add("duplicate-statement", extra.span, name="run", note=note)
        run = ir.RunSettings()
        if blocks.runs:
            run = run_settings(blocks.runs[0], self.faults, self.texts)
        reports = []
        if typer is not None:
            reports = [report_settings(b, self.faults, typer) for b in blocks.reports]
        return run, reports

    # ------------------------------------------------------------ unused, hygiene

    def _unused(self, blocks: Blocks) -> None:
        for name, template in self.templates.items():
            if name not in self.used_templates and blocks.models:
                span = template.name_span
                self.faults.add("unused-template", span, severity="warning", name=name)
        spoken = {
            path.text.lstrip("^")
            for block in [
                *blocks.data.values(),
                *blocks.models.values(),
                *self.templates.values(),
            ]
            for path in paths(block.body)
        }
        for name, item in blocks.constants.items():
            if name not in self.used_constants | spoken and blocks.models:
                loop_only = not isinstance(item.value, tree.Number | tree.Binary)
                if not loop_only:
                    self.faults.add("unused-definition", item.span, name=name)

    def _hygiene(self, blocks: Blocks) -> None:
        """A template may only use its arguments, its own names and constants."""
        symbols = {
            parameter.symbol
            for kind in MODEL_KINDS.values()
            for signature in kind.components.values()
            for parameter in signature.parameters
        }
        top = {*blocks.constants, *blocks.data, "db"}
        for template in self.templates.values():
            items = template.body.items if template.body else ()
            own = {*template.parameters, *symbols, *top, *_targets(items)}
            for path in paths(items):
                if path.parts[0].name not in own:
                    self.faults.add(
                        "template-free-name",
                        path.span,
                        name=path.text,
                        template=template.name or "",
                    )


def _targets(items: tuple[tree.AnyStatement, ...]) -> set[str]:
    targets = set()
    for item in items:
        if isinstance(item, tree.Let):
            targets.add(item.target.parts[0].name)
        elif isinstance(item, tree.Sample):
            targets |= {target.parts[0].name for target in item.targets}
    return targets


def _word(block: tree.Block) -> str:
    if isinstance(block.kind, tree.Call):
        return block.kind.function.text
    if block.kind is None and block.keyword == "model":
        return block.name or ""  # `model peaks on xrd` names its kind
    return block.kind.text if block.kind else ""
