"""From the tree of a file to its typed document, with every fault found on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from specfit.diagnostics import Diagnostic, Span
from specfit.language import tree
from specfit.language.printer import print_expression
from specfit.model import ir
from specfit.model.analyses import analyses, usable
from specfit.model.assemble import assemble
from specfit.model.chained import in_order, with_features
from specfit.model.constant_definitions import Constants, constants_of
from specfit.model.counting import spelt_out
from specfit.model.data_columns import DataBlock
from specfit.model.datablocks import DataReader
from specfit.model.document_settings import settings_of
from specfit.model.elaborate import Elaborator
from specfit.model.expand import Expander, Load
from specfit.model.faults import Faults, closest, listing, nearest
from specfit.model.isotope_data import suits
from specfit.model.kinds import DATA_KINDS, MAP_KINDS, MODEL_KINDS
from specfit.model.looked_up import Tables, no_tables
from specfit.model.loose_ends import hygiene, unused
from specfit.model.map_models import factorisations
from specfit.model.outline import Outline, kind_word, outline
from specfit.model.overrides import OverrideReader, judged
from specfit.model.regression_kinds import REGRESSION
from specfit.model.spelt_features import spelt_features
from specfit.model.standing import standing


class Found(NamedTuple):
    """What a file declares: the document if nothing is at fault, and what was found."""

    document: ir.Document[ir.Declared] | None
    diagnostics: list[Diagnostic]
    sources: tuple[ir.DataSource, ...]  # of every data block that was understood
    unsound: tuple[ir.DataSource, ...]  # of blocks with a fault: the file may be right


def check(
    spec: tree.Spec,
    file: str,
    load: Load,
    texts: Mapping[str, str],
    earlier: list[Diagnostic],
    tables: Tables = no_tables,
) -> Found:
    """The document that `spec` declares, and all faults, in the order of the text.

    `earlier` are the parser's, and it may grow while `load` reads the files named by
    `use`; with any error the document is None, but everything that can be checked is
    checked.  `load` adds the text of what it reads to `texts`, which is used to quote
    lines.  `tables` reads those that the text looks values up in.
    """
    faults = Faults(earlier)
    expander = Expander(faults, load)
    expanded = expander.expand(spec, file)
    faults.adopt(earlier)
    found = outline(expanded.statements, faults)
    work = _Check(faults, texts, file, found, expanded.templates, tables)
    data = work.data(expander.constants)
    document = work.document(expander.constants, data)
    reader = OverrideReader(expanded.libraries, expander.constants, faults, texts)
    document = judged(document, reader, found.overrides, work.states)
    document = None if faults.errors else document
    sources = _sources(data, sound=True)
    unsound = _sources(data, sound=False)
    ordered = sorted(faults.found, key=lambda d: (d.span.file != file, d.span))
    return Found(None if faults.errors else document, ordered, sources, unsound)


def _sources(data: Mapping[str, DataBlock], sound: bool) -> tuple[ir.DataSource, ...]:
    blocks = [block for block in data.values() if block.sound == sound]
    return tuple(source for block in blocks for source in block.sources)


@dataclass
class _Made:
    """What the models of a file turn into."""

    works: list[Elaborator] = field(default_factory=list)
    models: list[ir.Model[ir.Declared]] = field(default_factory=list)
    variants: dict[str, ir.Model[ir.Declared]] = field(default_factory=dict)
    counts: tuple[str, ...] = ()


@dataclass
class _Check:
    """The checking of one file."""

    faults: Faults
    texts: Mapping[str, str]
    file: str
    found: Outline
    templates: Mapping[str, tree.Block]
    tables: Tables
    states: list[Span] = field(default_factory=list)  # where a site states one

    def data(self, values: Mapping[str, object]) -> dict[str, DataBlock]:
        hygiene(self.found, self.templates, self.faults)
        return {
            name: made
            for name, block in self.found.data.items()
            if (made := self._data(block, values)) is not None
        }

    def document(
        self, values: Mapping[str, object], data: Mapping[str, DataBlock]
    ) -> ir.Document[ir.Declared] | None:
        constants, used = constants_of(self.found.constants, data, self.faults)
        if self.found.maps:
            return self._mapped(values, data)
        made = _Made()
        first, later = in_order(self.found.models.values(), data)
        self._models(first, values, data, constants, made)
        data = with_features(data, made.models, self.found.models, self.faults)
        self._models(later, values, data, constants, made)
        run, reports = settings_of(self.found, made.works, self.faults, self.texts)
        unused(self.found, self.templates, made.works, used, self.faults)
        self._one_model(made)
        if self.faults.errors:
            return None
        return ir.Document[ir.Declared](
            file=self.file,
            title=self.found.title,
            models=tuple(made.models),
            analyses=self._analyses(data, values),
            variants=made.variants,
            counts=made.counts,
            run=run,
            reports=reports,
        )

    def _mapped(
        self, values: Mapping[str, object], data: Mapping[str, DataBlock]
    ) -> ir.Document[ir.Declared] | None:
        """A file whose one model is a factorisation of a map."""
        unused(self.found, self.templates, (), set(), self.faults)
        maps = factorisations(self.found, data, values, self.faults, self.texts)
        if self.faults.errors:
            return None
        return ir.Document[ir.Declared](
            file=self.file, title=self.found.title, models=(), maps=maps
        )

    def _one_model(self, made: _Made) -> None:
        """What is compared are forms of one model, the only part of its file."""
        if len(self.found.models) + len(self.found.analyses) < 2:
            return
        for block in self.found.variants.values():
            self.faults.add("variant-of-several", block.name_span)
        for block in self.found.reports:
            for item in block.body.items if block.body else ():
                if (
                    isinstance(item, tree.Let)
                    and print_expression(item.target) == "compare"
                ):
                    self.faults.add("variant-of-several", item.target.span)
        if made.counts:
            block = next(iter(self.found.models.values()))
            self.faults.add("variant-of-several", block.name_span)

    def _models(
        self,
        blocks: Sequence[tree.Block],
        values: Mapping[str, object],
        data: Mapping[str, DataBlock],
        constants: Constants,
        made: _Made,
    ) -> None:
        """Every model of these blocks, and its variants."""
        for written in blocks:
            numbers = self._numbers(written, values)
            made.counts += tuple(numbers)
            block = list(numbers.values())[-1] if numbers else written
            bare = bool(numbers)  # no component at all: a flat spectrum
            work = self._elaborate(block, data, constants, (), bare)
            if work is None:
                continue
            made.works.append(work)
            model = assemble(work)
            made.models += [model] if model is not None else []
            for name, (base, items) in self._variants(block, numbers).items():
                changed = self._elaborate(base, data, constants, items, bare)
                model = assemble(changed) if changed is not None else None
                if changed is not None:
                    made.works.append(changed)
                if model is not None:
                    made.variants.setdefault(name, model)

    def _numbers(
        self, block: tree.Block, values: Mapping[str, object]
    ) -> dict[str, tree.Block]:
        """The block for each number of components, where one is open."""
        kind = MODEL_KINDS.get(kind_word(block))
        if kind is None:
            return {}
        numbers = spelt_out(block, kind.component, values, self.faults)
        for variant in self.found.variants.values() if numbers else ():
            self.faults.add("count-variant", variant.name_span, name=variant.name or "")
        return numbers

    def _variants(
        self, block: tree.Block, numbers: Mapping[str, tree.Block]
    ) -> dict[str, tuple[tree.Block, tuple[tree.AnyStatement, ...]]]:
        """What each variant starts from and changes; each number is one, too."""
        stated = {
            name: (block, variant.body.items if variant.body else ())
            for name, variant in self.found.variants.items()
        }
        return stated | {name: (base, ()) for name, base in numbers.items()}

    def _analyses(
        self, data: Mapping[str, DataBlock], values: Mapping[str, object]
    ) -> tuple[ir.Analysis, ...]:
        blocks = self.found.analyses
        given = (data, (), self.faults, self.texts)
        found = {n: standing(block, REGRESSION, *given) for n, block in blocks.items()}
        tables = {name: one and one[0] for name, one in found.items()}
        return analyses(blocks, tables, values, self.faults, self.texts)

    # ---------------------------------------------------------------- data, models

    def _data(
        self, block: tree.Block, constants: Mapping[str, object]
    ) -> DataBlock | None:
        kind = DATA_KINDS.get(kind_word(block))
        if kind is None:
            guess = self._kind_missing(block, [*DATA_KINDS], [])
            if guess not in DATA_KINDS:
                return None
            kind = DATA_KINDS[guess]
        said = (block, kind, constants, self.faults, self.texts, self.tables)
        return DataReader(*said).read()

    def _kind_missing(
        self, block: tree.Block, known: list[str], planned: list[str]
    ) -> str:
        """Report it; the kind most like it, as which the rest is checked, or ""."""
        word, name = kind_word(block), block.name or ""
        guess = closest(word, [*known, *planned]) or ""
        if guess not in known:
            self.faults.lose(name)
        if block.kind is not None:
            near = nearest(word, [*known, *planned])
            self.faults.add("unknown-kind", block.kind.span, name=word, known=near)
            return guess
        listed = listing(known)
        span = block.name_span
        self.faults.add("kind-missing", span, name=name, known=listed)
        return ""

    def _elaborate(
        self,
        block: tree.Block,
        data: Mapping[str, DataBlock],
        constants: Constants,
        overrides: tuple[tree.AnyStatement, ...],
        bare: bool = False,
    ) -> Elaborator | None:
        kind = MODEL_KINDS.get(kind_word(block))
        if kind is None:
            guess = self._kind_missing(block, [*MODEL_KINDS], [*MAP_KINDS])
            if guess not in MODEL_KINDS:
                return None
            kind = MODEL_KINDS[guess]
        found = standing(block, kind, data, overrides, self.faults, self.texts)
        if found is None:
            return None
        source, basis = found
        suits(kind, source, block.name_span, self.faults)
        if kind is REGRESSION and not usable(block, source, self.faults):
            return None
        block = spelt_features(block, kind, source, self.faults)
        own = f"{source.name}."
        others = {k: v for k, v in constants.items() if not k.startswith(own)}
        work = Elaborator(
            block,
            source.seen_by(kind),
            source,
            self.templates,
            others,
            self.faults,
            self.texts,
            overrides,
            bare,
            basis,
        )
        self.states += work.components.states
        return work
