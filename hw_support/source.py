"""The source of a notebook's cell as Python code, although it may have magics."""

import ast
import re
import symtable

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
    try:
        top = symtable.symtable(ast.unparse(parsed(source)), "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    bound = [s for s in top.get_symbols() if s.is_assigned() or s.is_imported()]
    inner = [*top.get_children()]
    for table in inner:  # which grows
        inner += table.get_children()
        bound += [s for s in table.get_symbols() if s.is_global() and s.is_assigned()]
    return sorted({symbol.get_name() for symbol in bound})
