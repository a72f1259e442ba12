"""What can be known of a .spec file without computing anything: text to priors and data.

`check` collects every fault; `measure` reads the data files; neither needs JAX.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from specfit.contracts import Measurement, RequireStrategy
from specfit.curves import curve_faults
from specfit.diagnostics import Diagnostic, Span, SpecError
from specfit.found import at_place, told, unlikely
from specfit.language.parse import parse
from specfit.language.tree import Spec
from specfit.made_of import short
from specfit.measuring import (
    Checked,
    absent,
    as_used,
    measure,
    measured,
    read_all,
    with_bases,
)
from specfit.model import ir
from specfit.model.check import check as check_spec
from specfit.model.component_files import as_modelled
from specfit.model.data_faults import of_data, of_tables
from specfit.model.known import data_constants
from specfit.model.level_rows import of_levels
from specfit.model.levels_apart import apart
from specfit.model.map_unused import unused
from specfit.model.prior_draws import weighed
from specfit.model.priors import resolve_model
from specfit.model.site_remarks import site_remarks
from specfit.model.support import PlanError, plan
from specfit.readers.keyed import keyed
from specfit.readers.looks import looks_like_data

FILE_LIMIT = 1 << 20


# ------------------------------------------------------------------------- check


def check(path: Path, allow_outside: bool = False) -> Checked:
    """Parse, type and resolve the priors of a file; every fault is in `diagnostics`."""
    done = Checked(path, allow_outside=allow_outside)
    name = str(path)
    raw = read_text(path, done)
    if raw is None:
        return done
    done.text = raw
    done.texts[name] = raw
    done.spec, faults = parse(raw, name)
    load = _loader(path, done, faults, allow_outside)
    tables = partial(keyed, root=path.resolve().parent, allow_outside=allow_outside)
    found = check_spec(done.spec, name, load, done.texts, faults, tables)
    done.document, done.diagnostics, done.sources, done.unsound = found
    if done.document is not None:
        _resolve(done)
    return done


def check_with_data(path: Path, allow_outside: bool = False) -> Checked:
    """`check`, and every fault of the data files that the text names.

    Of a block that is itself at fault only the presence of its file is looked at; what
    is wrong with the file of a block that no model uses is a warning.
    """
    done = check(path, allow_outside)
    found, faults = read_all(as_modelled(done.document, done.sources), done)
    done.measured = found
    faults += [f for source, seen in found for f in unlikely(source, seen)]
    faults = [as_used(fault, done) for fault in faults] + curve_faults(done)
    faults += _unused(done, sound=not faults and not done.errors)
    models = done.resolved.models if done.resolved is not None else ()
    faults += told(of_data(models, found))
    if done.document is not None:
        analyses = done.document.analyses
        faults += told(of_tables(analyses, found))
        faults += told(of_levels(models, analyses, found))
    if models and not faults and not done.errors:
        faults += short(models, partial(read_all, checked=done))
    whole = [s for s in done.unsound if s.file and "{" not in s.file]
    faults += absent(whole, done)
    own = str(path)
    done.diagnostics = sorted(
        [*done.diagnostics, *faults], key=lambda d: (d.span.file != own, d.span)
    )
    return done


def read_text(path: Path, done: Checked) -> str | None:
    """The text of a .spec file; None, with the fault in `done`, where it has none."""
    span = Span(str(path))
    try:
        if path.stat().st_size > FILE_LIMIT:
            done.diagnostics.append(Diagnostic("file-too-large", span))
            return None
        text = path.read_bytes().decode("utf-8")
        if not looks_like_data(text):
            return text
        words = {"path": str(path), "name": path.name}
        done.diagnostics.append(Diagnostic("spec-is-data", span, words))
        return None
    except FileNotFoundError:
        done.diagnostics.append(Diagnostic("spec-not-found", span, {"path": str(path)}))
    except UnicodeDecodeError as error:
        where = {"path": str(path), "byte": str(error.start)}
        done.diagnostics.append(Diagnostic("not-utf8", span, where))
    except OSError as error:
        words = {"path": str(path), "reason": error.strerror or str(error)}
        done.diagnostics.append(Diagnostic("spec-unreadable", span, words))
    return None


def _loader(
    path: Path, done: Checked, faults: list[Diagnostic], allow_outside: bool
) -> Callable[[str], tuple[Spec | None, str]]:
    """Reads the files named by `use`, inside the folder of the main file only."""
    root = path.resolve().parent

    def load(wanted: str) -> tuple[Spec | None, str]:
        target = (root / wanted).resolve() if not Path(wanted).is_absolute() else None
        if wanted.startswith(str(path.parent)):
            target = Path(wanted).resolve()
        if target is None or not (allow_outside or target.is_relative_to(root)):
            return None, wanted
        name = str(target.relative_to(root)) if target.is_relative_to(root) else wanted
        name = str(path.parent / name)
        if name in done.texts and name != str(path):
            return parse(done.texts[name], name)[0], name
        if name == str(path):
            return done.spec, name
        text = read_text(target, Checked(target))
        if text is None:
            return None, name
        done.texts[name] = text
        spec, found = parse(text, name)
        faults.extend(found)
        return spec, name

    return load


def _resolve(done: Checked) -> None:
    """Draw the cited priors, plan every `require`; faults found there join the others."""
    assert done.document is not None
    document = done.document
    try:
        models = tuple(resolve_model(model) for model in document.models)
        variants = {n: resolve_model(model) for n, model in document.variants.items()}
    except SpecError as error:
        done.diagnostics += error.diagnostics
        return
    for model in (*models, *variants.values()):
        try:
            plan(model)
        except PlanError as error:
            done.diagnostics.append(at_place(error.code, error.words, error.place))
    for model in models:
        done.diagnostics += [*_remarks(model), *_batch(model, document.run)]
    done.resolved = ir.Document[ir.Prior](
        file=document.file,
        title=document.title,
        models=models,
        analyses=document.analyses,
        maps=document.maps,
        variants=variants,
        counts=document.counts,
        run=document.run,
        reports=document.reports,
    )


def _batch(model: ir.Model[ir.Prior], run: ir.RunSettings) -> list[Diagnostic]:
    """`batch` is for levels that share nothing; a fault where these do."""
    if not run.batch or len(model.spectra) < 2 or apart(model):
        return []
    return [at_place("batch-shared", {"dimension": run.batch}, run.place)]


def _unused(done: Checked, sound: bool) -> list[Diagnostic]:
    """What a factorisation would not use; notes where nothing else is to be said."""
    maps = done.document.maps if done.document is not None else ()
    found = [fault for one in maps for fault in told(unused(one))]
    errors = [fault for fault in found if fault.severity == "error"]
    return errors if errors or not sound else found


def _remarks(model: ir.Model[ir.Prior]) -> list[Diagnostic]:
    """What is said of the sites of a model whose priors are known."""
    return told(site_remarks(model))


def strategies(
    model: ir.Model[ir.Prior], measurements: tuple[Measurement, ...]
) -> list[RequireStrategy]:
    """How each `require` is kept, and the share of prior mass it leaves."""
    known = data_constants(model, measurements)
    return weighed(model, plan(model), known, 4000)


__all__ = [
    "Checked",
    "check",
    "check_with_data",
    "measure",
    "measured",
    "read_text",
    "strategies",
    "with_bases",
]
