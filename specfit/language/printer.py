"""Tree to text: the one form that `specfit fmt` writes.

Two blanks for each level, one empty line where there were any, one statement a line.
Numbers stay as they were written; comments stay where they were (a comment inside
brackets moves above its statement, one after a closing brace below it).  A body of one
plain statement, and the settings of a `run`, share the line of their braces while that
line is at most 88 wide.
"""

from __future__ import annotations

from collections.abc import Iterator

from specfit.language import tree
from specfit.language.segments import BLANK_LINE

_WIDTH = 88
_INDENT = "  "
# How tightly each form binds: an operand that binds less needs brackets.
_SPREAD, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(10)
_BINDING = {
    "or": _OR,
    "and": _AND,
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
    "^": _POWER,
}


def print_spec(spec: tree.Spec) -> str:
    """The text of a whole file, ending in a newline."""
    lines = [*_comments(spec.head, "")]
    lines.append(f"specfit {spec.edition}{_after(spec.head_after)}")
    for item in spec.items:
        lines += _statement(item, "")
    lines += _comments(spec.tail, "")
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------- expressions


def print_expression(expression: tree.Expr) -> str:
    """An expression on one line."""
    return _expression(expression, _SPREAD)


def print_prior(prior: tree.Prior) -> str:
    """The right-hand side of `~`: `0.67 ± 0.02 mm/s in [0, 1] mm/s`."""
    match prior.centre:
        case tree.Free():
            text = "free"
        case tree.Like(curve):
            text = f"like {_call(curve)}"
        case tree.PlusMinus(centre, sd):
            text = f"{_expression(centre, _SUM)} ± {_expression(sd, _SUM)}"
        case centre:
            text = _expression(centre, _SUM)
    return text if prior.bounds is None else f"{text} in {_interval(prior.bounds)}"


def _expression(expression: tree.Expr, least: int) -> str:
    text, binding = _bound(expression)
    return f"({text})" if binding < least else text


def _bound(expression: tree.Expr) -> tuple[str, int]:
    """The text of an expression, and how tightly it binds."""
    match expression:
        case tree.Number(_, text, unit):
            return _with_unit(text, unit), _ATOM if unit is None else _POWER
        case tree.String(value):
            return f'"{value}"', _ATOM
        case tree.Star():
            return "*", _ATOM
        case tree.Path():
            return _path(expression), _ATOM
        case tree.Call(_, _, unit):
            return _call(expression), _ATOM if unit is None else _POWER
        case tree.ListOf(items, unit):
            text = f"[{', '.join(map(print_expression, items))}]"
            return _with_unit(text, unit), _ATOM if unit is None else _POWER
        case tree.Range(low, high):
            return f"{_expression(low, _OR)}..{_expression(high, _OR)}", _SPREAD
        case tree.Within(operand, interval):
            return f"{_expression(operand, _SUM)} in {_interval(interval)}", _COMPARE
        case tree.Compare(operands, operators):
            return _compare(operands, operators), _COMPARE
        case tree.Unary("not", operand):
            return f"not {_expression(operand, _NOT)}", _NOT
        case tree.Unary(sign, operand):
            return f"{sign}{_expression(operand, _UNARY)}", _UNARY
        case tree.Binary():
            return _binary(expression)


def _binary(expression: tree.Binary) -> tuple[str, int]:
    binding = _BINDING[expression.operator]
    if expression.operator == "^":
        left = _expression(expression.left, _ATOM)
        return f"{left}^{_expression(expression.right, _UNARY)}", binding
    left = _expression(expression.left, binding)
    right = _expression(expression.right, binding + 1)
    return f"{left} {expression.operator} {right}", binding


def _compare(operands: tuple[tree.Expr, ...], operators: tuple[str, ...]) -> str:
    texts = [_expression(operand, _SUM) for operand in operands]
    rest = zip(operators, texts[1:], strict=True)
    return " ".join([texts[0], *(f"{sign} {text}" for sign, text in rest)])


def _with_unit(text: str, unit: str | None) -> str:
    return text if unit is None else f"{text} {unit}"


def _interval(interval: tree.Interval) -> str:
    low, high = _expression(interval.low, _SUM), _expression(interval.high, _SUM)
    return _with_unit(f"[{low}, {high}]", interval.unit)


def _path(path: tree.Path) -> str:
    return ".".join(map(_part, path.parts))


def _part(part: tree.Part) -> str:
    if part.index is None:
        return part.name
    return f"{part.name}[{', '.join(map(print_expression, part.index))}]"


def _call(call: tree.Call) -> str:
    arguments = ", ".join(map(_argument, call.arguments))
    return _with_unit(f"{_path(call.function)}({arguments})", call.unit)


def _argument(argument: tree.Argument) -> str:
    if argument.name is not None:
        return f"{argument.name} = {print_expression(argument.value)}"
    if not argument.over:
        return print_expression(argument.value)
    names = ", ".join(argument.over)
    over = names if len(argument.over) == 1 else f"({names})"
    return f"{_expression(argument.value, _OR)} over {over}"


# -------------------------------------------------------------------- statements


def print_statement(statement: tree.AnyStatement) -> str:
    """A statement on one line, without its body and its comments."""
    match statement:
        case tree.Title(value):
            return f'title "{value}"'
        case tree.Use(path, alias):
            return f'use "{path}"' + (f" as {alias}" if alias else "")
        case tree.Override(target, value, because):
            text = f"override {_path(target)} = {_expression(value, _OR)}"
            return text + _because(because)
        case tree.Block():
            return _head(statement)
        case tree.Let(target, value):
            text = f"{_path(target)} = {print_expression(value)}"
            return text + _list("per", statement.per) + _because(statement.because)
        case tree.Sample(targets, prior):
            names = ", ".join(map(_path, targets))
            names = names if len(targets) == 1 else f"({names})"
            text = f"{names} ~ {print_prior(prior)}"
            return text + _list("per", statement.per) + _because(statement.because)
        case tree.Observe(target, prior):
            return f"observe {_path(target)} ~ {print_prior(prior)}"
        case tree.RuleStatement(keyword, expression, rule_prior, because):
            tail = "" if rule_prior is None else f" ~ {print_prior(rule_prior)}"
            text = _expression(expression, _OR)
            return f"{keyword} {text}{tail}{_because(because)}"
        case tree.Loop(variable, values):
            return f"for {variable} in {print_expression(values)}"
        case tree.Condition(test):
            return f"if {_expression(test, _OR)}"


def _head(block: tree.Block) -> str:
    words = [block.keyword]
    if block.name is not None:
        binders = ", ".join(
            f"{binder.name} = {print_expression(binder.values)}"
            for binder in block.binders
        )
        parameters = ", ".join(block.parameters)
        words.append(
            block.name
            + (f"[{binders}]" if binders else "")
            + (f"({parameters})" if parameters else "")
        )
    if block.title is not None:
        words.append(f'"{block.title}"')
    if block.kind is not None:
        words.append(f": {print_expression(block.kind)}")
    if block.source is not None:
        words.append(f"from {print_expression(block.source)}")
    return " ".join(words) + _list("on", block.on) + _list("per", block.per)


def _list(keyword: str, names: tuple[str, ...]) -> str:
    return f" {keyword} {', '.join(names)}" if names else ""


def _because(because: str | None) -> str:
    return "" if because is None else f' because "{because}"'


# ------------------------------------------------------------- lines and comments


def _statement(statement: tree.AnyStatement, indent: str) -> Iterator[str]:
    """The lines of a statement, its comments and bodies included."""
    if statement.blank:
        yield ""
    yield from _comments(statement.before, indent)
    head, after = indent + print_statement(statement), _after(statement.after)
    match statement:
        case tree.Condition(_, then, otherwise):
            yield f"{head} {{{after}"
            yield from _inside(then, indent + _INDENT)
            if otherwise is not None:
                yield f"{indent}}} else {{"
                yield from _inside(otherwise, indent + _INDENT)
            yield indent + "}"
        case tree.Block(body=tree.Body() as body) | tree.Loop(body=body):
            inline = _inline(statement, body)
            if inline is not None and len(f"{head} {inline}") <= _WIDTH:
                yield f"{head} {inline}{after}"
            else:
                yield f"{head} {{{after}"
                yield from _inside(body, indent + _INDENT)
                yield indent + "}"
        case _:
            yield head + after


def _inside(body: tree.Body, indent: str) -> Iterator[str]:
    for item in body.items:
        yield from _statement(item, indent)
    yield from _comments(body.tail, indent)


def _inline(statement: tree.AnyStatement, body: tree.Body) -> str | None:
    """The body on one line, or None if it wants lines of its own."""
    settings = isinstance(statement, tree.Block) and statement.keyword == "run"
    plain = all(_is_plain(item) for item in body.items)
    if body.tail or not plain or (len(body.items) > 1 and not settings):
        return None
    if not body.items:
        return "{}"
    return "{ " + "; ".join(map(print_statement, body.items)) + " }"


def _is_plain(item: tree.AnyStatement) -> bool:
    simple = isinstance(item, tree.Let | tree.Sample | tree.Use | tree.Title)
    return simple and not item.before and item.after is None and not item.blank


def _comments(comments: tuple[str, ...], indent: str) -> Iterator[str]:
    for comment in comments:
        yield "" if comment == BLANK_LINE else f"{indent}#{comment}"


def _after(comment: str | None) -> str:
    return "" if comment is None else f"  #{comment}"
