"""The source of a notebook's cell as Python code, although it may have magics."""

import ast
import re
import symtable
from collections.abc import Callable, Iterator
from typing import TypeGuard

_FIRST_LINE = re.compile(r"\s*%%(?:time|capture|prun)\b.*\n")
_TIMED = re.compile(r"^([ \t]*)%time[ \t]+", re.MULTILINE)
_OTHER_MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)


def parsed(source: str) -> ast.Module:
    """Parse a cell, with the code that magics run in their place; may raise SyntaxError."""
    try:
        return ast.parse(source)
    except SyntaxError:
        code = _TIMED.sub(r"\1", _FIRST_LINE.sub("", source, count=1))
        return ast.parse(_OTHER_MAGIC.sub(r"\1pass", code))


def tree_of(source: str) -> ast.Module:
    """Parse a cell as `parsed` does; one that is no Python is an empty module."""
    try:
        return parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def bound_by(source: str) -> list[str]:
    """Return the names that code binds at its top level; none if it is no Python."""
    return _names(source, lambda symbol: symbol.is_assigned() or symbol.is_imported())


def imported_alone_by(source: str) -> list[str]:
    """Return the names that code binds at its top level by imports alone."""
    return _names(source, lambda symbol: symbol.is_imported() and not symbol.is_assigned())


def read_by(source: str) -> list[str]:
    """Return the names that code reads at its top level, and those that its functions look up."""
    return _names(source, symtable.Symbol.is_referenced)


def checks_in(source: str) -> list[ast.Call]:
    """Return the calls of `hw_support.Checks` in a cell; none if it is no Python."""
    return [node for node in ast.walk(tree_of(source)) if _is_checks(node)]


def tested_in(source: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield the function or question that each `Checks` of a cell names, and the call."""
    for call in checks_in(source):
        match call.args:
            case [ast.Constant(str(name)), *_]:
                yield name, call


def named_checks_in(tree: ast.AST) -> dict[str, ast.Call]:
    """Return the calls of `hw_support.Checks` whose results a cell binds to names, by name."""
    found: dict[str, ast.Call] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and _is_checks(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {ast.unparse(target): node.value for target in targets}
    return found


def _is_checks(node: ast.AST | None) -> TypeGuard[ast.Call]:
    match node:
        case ast.Call(ast.Name("Checks") | ast.Attribute(attr="Checks")):
            return True
    return False


def imported_by(source: str) -> dict[str, str]:
    """Return what code imports, by the names that it binds; nothing if it is no Python."""
    found: dict[str, str] = {}
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.Import):
            found |= {a.asname or a.name.partition(".")[0]: a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def _names(source: str, is_meant: Callable[[symtable.Symbol], bool]) -> list[str]:
    try:
        top = symtable.symtable(ast.unparse(parsed(source)), "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    tables, found = [top], []
    for table in tables:  # which grows
        tables += table.get_children()
        found += [s for s in table.get_symbols() if table is top or s.is_global()]
    return sorted({symbol.get_name() for symbol in found if is_meant(symbol)})
