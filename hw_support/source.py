"""The source of a notebook's cell as Python code, although it may have magics."""

import ast
import re
import symtable
from collections.abc import Iterator

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


def bound_by(source: str) -> list[str]:
    """Return the names that code binds at its top level; none if it is no Python."""
    if not (table := _table(source)):
        return []
    bound = [s for s in table.get_symbols() if s.is_assigned() or s.is_imported()]
    bound += [s for s in _globals_within(table) if s.is_assigned()]
    return sorted({symbol.get_name() for symbol in bound})


def read_by(source: str) -> list[str]:
    """Return the names that code reads at its top level, and those that its functions look up."""
    if not (table := _table(source)):
        return []
    read = [s for s in (*table.get_symbols(), *_globals_within(table)) if s.is_referenced()]
    return sorted({symbol.get_name() for symbol in read})


def _table(source: str) -> symtable.SymbolTable | None:
    """Return the symbols of code; None if it is no Python."""
    try:
        return symtable.symtable(ast.unparse(parsed(source)), "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _globals_within(table: symtable.SymbolTable) -> Iterator[symtable.Symbol]:
    for inner in table.get_children():
        yield from (s for s in inner.get_symbols() if s.is_global())
        yield from _globals_within(inner)
