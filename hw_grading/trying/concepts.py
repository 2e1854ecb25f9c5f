"""Mistakes that students make and that change more than a node of the syntax tree.

Each is a solution with code below it that wraps one of its functions; a pattern that is narrowed
and a loop that stops are changes within it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hw_grading.trying.mutants import Mutant, at_number, expression, with_fields
from hw_support.source import parsed

_WRAP = """

def _as_a_mistake(right):
    import functools, inspect

    @functools.wraps(right)
    def wrapped(*given, **named):
        bound = inspect.signature(right).bind(*given, **named)
        given = bound.arguments
{body}

    return wrapped


{name} = _as_a_mistake({name})
"""
_CALL = "right(*bound.args, **bound.kwargs)"
_MOST_ROUNDS = 1000  # of a loop that stops
# What takes the place of a result, by its type, and what is said of it.
_SIMILAR = {
    "Counter": "dict",
    "defaultdict": "dict",
    "OrderedDict": "dict",
    "set": "list",
    "frozenset": "list",
    "generator": "list",
    "map": "list",
    "filter": "list",
    "zip": "list",
}
_IN_PLACE = f"""        came = {_CALL}
        value = given.get({{p!r}})
        if isinstance(value, list):
            value.reverse()
        elif isinstance(value, (dict, set)):
            value.clear()
        elif hasattr(value, "flat") and value.flags.writeable:
            value.flat = value.ravel()[::-1].copy()
        return came"""
_OF_ARGUMENT = f"""        if {{p!r}} in given:
            given[{{p!r}}] = {{changed}}
        return {_CALL}"""
_FIRST = "given[{p!r}][:{n}] if hasattr(given[{p!r}], '__getitem__') and hasattr(given[{p!r}], "
_FIRST += "'__len__') and not hasattr(given[{p!r}], 'keys') else given[{p!r}]"
_WITHOUT_SIGN = "abs(given[{p!r}]) if type(given[{p!r}]) in (int, float) else given[{p!r}]"
# Narrower patterns: what is replaced in the text of a regular expression, and by what.
_NARROWED = [
    (r"\\w", "[a-z]"),
    (r"\\d\+", r"\\d"),
    (r"A-Z", ""),
    (r"0-9", ""),
    (r"(?<!\\)[+*](?!\?)", ""),
    (r"(?<!\\)\?", ""),
    (r"\|[^|()]+", ""),
]


def concepts_of(source: str, functions: Sequence[str], facts: Mapping[str, Any]) -> list[Mutant]:
    """Return the mistakes in a solution's cell; `facts` are those of its functions."""
    found = [*_narrowed(source), *_ending(source)]
    for name in functions:
        for said, body in _wrappers(facts.get(name, {})):
            wrapped = source + _WRAP.format(body=body, name=name)
            found.append(Mutant(said, f"{name}(...)", wrapped, is_concept=True))
    return found


def _wrappers(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is said of a mistake, and what it does in the place of a call."""
    for name, is_optional, sizes, is_number in facts.get("arguments", ()):
        if is_optional:
            body = f"        given.pop({name!r}, None)\n        return {_CALL}"
            yield f"the argument {name} is ignored", body
        if len(sizes) == 1 and sizes[0]:
            changed = _FIRST.format(p=name, n=sizes[0])
            said = f"only the first {sizes[0]} entries of {name} count"
            yield said, _OF_ARGUMENT.format(p=name, changed=changed)
        if sizes:
            yield f"{name} is changed in place", _IN_PLACE.format(p=name)
        if is_number:
            changed = _WITHOUT_SIGN.format(p=name)
            said = f"the sign of {name} is ignored"
            yield said, _OF_ARGUMENT.format(p=name, changed=changed)
    for one in facts.get("types", ()):
        if other := _SIMILAR.get(one):
            yield f"the result is a {other}, no {one}", f"        return {other}({_CALL})"


def _narrowed(source: str) -> Iterator[Mutant]:
    """Yield solutions with a narrower regular expression."""

    def of(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
        match node:
            case ast.Call(ast.Attribute(ast.Name("re")), [ast.Constant(str(pattern)), *_]):
                for what, by in _NARROWED:
                    if (narrow := re.sub(what, by, pattern)) != pattern and _is_pattern(narrow):
                        args = [ast.Constant(narrow), *node.args[1:]]
                        said = f"the pattern {narrow!r} for {pattern!r}"
                        yield said, with_fields(node, args=args)

    yield from _changed(source, of)


def _is_pattern(text: str) -> bool:
    try:
        return bool(text) and bool(re.compile(text))
    except re.error:
        return False


def _ending(source: str) -> Iterator[Mutant]:
    """Yield solutions in which a ``while``, or a ``for`` over a range, stops early."""
    rounds = expression(f"range({_MOST_ROUNDS})")

    def of(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
        match node:
            case ast.While():
                test = ast.unparse(node.test)
                ended = ast.If(expression(f"not ({test})"), [ast.Break()], [])
                counted = ast.For(ast.Name("_"), rounds, [ended, *node.body], [])
                yield f"`while {test}` stops after {_MOST_ROUNDS} rounds", counted
            case ast.For(_, ast.Call(ast.Name("range"))):
                over = ast.unparse(node.iter)
                fewer = with_fields(node, iter=expression(f"{over}[:{_MOST_ROUNDS}]"))
                yield f"`for ... in {over}` stops after {_MOST_ROUNDS} rounds", fewer

    yield from _changed(source, of)


def _changed(
    source: str, of: Callable[[ast.AST], Iterator[tuple[str, ast.AST]]]
) -> Iterator[Mutant]:
    tree = parsed(source)
    for number, node in enumerate(ast.walk(tree)):
        for said, new in of(node):
            line = ast.unparse(node).partition("\n")[0]
            yield Mutant(said, line, at_number(tree, number, new), is_concept=True)
