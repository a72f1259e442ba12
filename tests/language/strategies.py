"""Trees of the language, drawn whole: whatever comes out can be printed and read."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from specfit.language import tree
from specfit.language.names import RESERVED
from specfit.language.segments import BLANK_LINE

KEYWORDS = ["data", "model", "site", "peak", "component", "baseline", "analysis"]
KEYWORDS += ["method", "run", "report", "variant", "template"]
CLAUSES = {"on", "from", "as", "else"}  # taken only after a block's keyword
LETTERS = string.ascii_letters + "ΓΔσβλατΩхд鉄磁ñ_"

names = st.one_of(
    st.sampled_from(["B", "IS", "Γ", "site", "data", "title", "per2", "in_", "for"]),
    st.text(LETTERS, min_size=1, max_size=4),
    st.builds(str.__add__, st.sampled_from(LETTERS[:20]), st.text("0189_", max_size=3)),
).filter(lambda name: name not in RESERVED | CLAUSES and not name.isspace())
names = names.filter(lambda name: not _mixed(name))

texts = st.text(
    st.characters(exclude_characters='"\n\r', exclude_categories=("Cs",)), max_size=12
)
units = st.sampled_from([None, None, "mm/s", "T", "%", "counts*deg", "mm/s/K", "Å^-1"])


def _mixed(name: str) -> bool:
    """Whether the Cyrillic `х` meets a Latin letter, or has no clear neighbour."""
    latin = any(letter in string.ascii_letters + "ñ" for letter in name)
    return "х" in name and ("д" not in name or latin)


@st.composite
def numbers(draw: st.DrawFn) -> tree.Number:
    whole = draw(st.integers(0, 999))
    decimals = draw(st.text("0123456789", max_size=3))
    last = draw(st.none() | st.integers(1, 99))
    power = draw(st.none() | st.integers(-20, 20))
    digits = f"{whole}.{decimals}" if decimals else str(whole)
    exponent = "" if power is None else f"e{power}"
    scale = (power or 0) - len(decimals)
    return tree.Number(
        value=float(digits + exponent),
        text=f"{digits}{'' if last is None else f'({last})'}{exponent}",
        unit=draw(units),
        sd=None if last is None else float(f"{last}e{scale}"),
    )


strings = st.builds(tree.String, texts)


def _paths(inner: st.SearchStrategy[tree.Expr]) -> st.SearchStrategy[tree.Path]:
    index = st.lists(inner | st.builds(tree.Star), min_size=1, max_size=2).map(tuple)
    parts = st.builds(tree.Part, names, st.none() | index)
    return st.builds(tree.Path, st.lists(parts, min_size=1, max_size=3).map(tuple))


plain_paths = _paths(st.nothing())


def _arguments(inner: st.SearchStrategy[tree.Expr]) -> st.SearchStrategy[tree.Argument]:
    spread = inner | st.builds(tree.Range, inner, inner)
    over = st.lists(names, min_size=1, max_size=2).map(tuple)
    return st.one_of(
        st.builds(tree.Argument, spread),
        st.builds(tree.Argument, spread, names),
        st.builds(tree.Argument, inner, over=over),
    )


def _calls(inner: st.SearchStrategy[tree.Expr]) -> st.SearchStrategy[tree.Call]:
    arguments = st.lists(_arguments(inner), max_size=3).map(tuple)
    return st.builds(tree.Call, plain_paths, arguments, units)


def _compare(items: list[tuple[tree.Expr, str]]) -> tree.Compare:
    operands, operators = zip(*items, strict=True)
    return tree.Compare(operands, operators[1:])


def _larger(inner: st.SearchStrategy[tree.Expr]) -> st.SearchStrategy[tree.Expr]:
    signs = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    binary = st.sampled_from(["+", "-", "*", "/", "^", "and", "or"])
    spread = inner | st.builds(tree.Range, inner, inner)
    return st.one_of(
        st.builds(tree.Binary, binary, inner, inner),
        st.builds(tree.Unary, st.sampled_from(["-", "not"]), inner),
        st.lists(st.tuples(inner, signs), min_size=2, max_size=3).map(_compare),
        st.builds(tree.Within, inner, _intervals(inner)),
        st.builds(tree.ListOf, st.lists(spread, max_size=3).map(tuple), units),
        _calls(inner),
        _paths(inner),
    )


def _intervals(inner: st.SearchStrategy[tree.Expr]) -> st.SearchStrategy[tree.Interval]:
    return st.builds(tree.Interval, inner, inner, units)


expressions = st.recursive(numbers() | strings | plain_paths, _larger, max_leaves=6)
spreads = expressions | st.builds(tree.Range, expressions, expressions)
calls = _calls(expressions)
targets = _paths(expressions)

bounded = st.builds(tree.Prior, st.just(tree.Free()), _intervals(expressions))
centres = expressions | st.builds(tree.PlusMinus, expressions, expressions)
centred = st.builds(tree.Prior, centres, st.none() | _intervals(expressions))
curves = st.builds(
    tree.Call,
    names.map(lambda name: tree.Path((tree.Part(name),))),
    st.lists(_arguments(expressions), max_size=3).map(tuple),
    units,
)
liked = st.builds(
    tree.Prior, st.builds(tree.Like, curves), st.none() | _intervals(expressions)
)
priors = bounded | centred | liked

comments = st.text("ab #;{}“（ \"'", max_size=5).map(lambda text: text.rstrip())
several = st.lists(names, max_size=2).map(tuple)


@st.composite
def comment_lines(draw: st.DrawFn, first_blank: bool = False) -> tuple[str, ...]:
    """Comments with empty lines between them, as the parser would hand them over."""
    lines: list[str] = []
    for comment in draw(st.lists(comments, max_size=2)):
        if draw(st.booleans()) and (lines or first_blank):
            lines.append(BLANK_LINE)
        lines.append(comment)
    return tuple(lines)


@st.composite
def statements(
    draw: st.DrawFn, depth: int = 2, first: bool = False
) -> tree.AnyStatement:
    before = draw(comment_lines())
    if before and draw(st.booleans()):
        before = (*before, BLANK_LINE)
    trivia = {
        "before": before,
        "after": draw(st.none() | comments),
        "blank": draw(st.booleans()) and not first,
    }
    because = draw(st.none() | texts)
    kinds = ["title", "use", "let", "sample", "observe", "rule", "expect", "block"]
    kinds += ["override"]
    match draw(st.sampled_from(kinds + ["loop", "condition"] * (depth > 0))):
        case "title":
            return tree.Title(draw(texts), **trivia)
        case "use":
            return tree.Use(draw(texts), draw(st.none() | names), **trivia)
        case "override":
            value = draw(expressions)
            return tree.Override(draw(targets), value, because, **trivia)
        case "let":
            value = draw(spreads)
            return tree.Let(draw(targets), value, draw(several), because, **trivia)
        case "sample":
            names_ = tuple(draw(st.lists(targets, min_size=1, max_size=2)))
            return tree.Sample(names_, draw(priors), draw(several), because, **trivia)
        case "observe":
            return tree.Observe(draw(targets), draw(priors), **trivia)
        case "rule":
            keyword = draw(st.sampled_from(["require", "check"]))
            rule = draw(expressions)
            return tree.RuleStatement(keyword, rule, None, because, **trivia)
        case "expect":
            rule, prior = draw(expressions), draw(priors)
            return tree.RuleStatement("expect", rule, prior, because, **trivia)
        case "loop":
            values, body = draw(spreads), draw(bodies(depth - 1))
            return tree.Loop(draw(names), values, body, **trivia)
        case "condition":
            otherwise = draw(st.none() | bodies(depth - 1))
            then = draw(bodies(depth - 1))
            return tree.Condition(draw(expressions), then, otherwise, **trivia)
        case _:
            return draw(blocks(depth, trivia))


@st.composite
def blocks(draw: st.DrawFn, depth: int, trivia: dict[str, object]) -> tree.Block:
    name = draw(st.none() | names)
    extra = draw(st.sampled_from(["", "binders", "parameters"])) if name else ""
    binders = st.lists(st.builds(tree.Binder, names, spreads), min_size=1, max_size=2)
    body = draw(bodies(depth - 1)) if depth else None
    kind = draw(calls | plain_paths)
    if body is not None:
        body = draw(st.none() | st.just(body))
    return tree.Block(
        keyword=draw(st.sampled_from(KEYWORDS)),
        name=name,
        binders=tuple(draw(binders)) if extra == "binders" else (),
        parameters=draw(st.lists(names, min_size=1, max_size=2).map(tuple))
        if extra == "parameters"
        else (),
        title=draw(st.none() | texts),
        kind=kind if body is None else draw(st.none() | st.just(kind)),
        source=draw(st.none() | calls),
        on=draw(several),
        per=draw(several),
        body=body,
        **trivia,
    )


@st.composite
def bodies(draw: st.DrawFn, depth: int) -> tree.Body:
    count = draw(st.integers(0, 2))
    items = tuple(draw(statements(depth, first=place == 0)) for place in range(count))
    return tree.Body(items, draw(comment_lines(first_blank=count > 0)))


@st.composite
def specs(draw: st.DrawFn) -> tree.Spec:
    count = draw(st.integers(0, 3))
    items = tuple(draw(statements()) for _ in range(count))
    head = draw(comment_lines())
    return tree.Spec(
        1,
        items,
        head=(*head, BLANK_LINE) if head and draw(st.booleans()) else head,
        head_after=draw(st.none() | comments),
        tail=draw(comment_lines(first_blank=True)),
    )
