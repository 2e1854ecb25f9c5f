"""Run a student's cells again after functions that they call were replaced."""

import ast
import contextlib
import re
import symtable
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TEST = re.compile(r"^\w+ = Checks\(", re.MULTILINE)
_NEVER_AGAIN = frozenset({"train"})  # cells that read these names take minutes
# Magics that run code in the notebook's namespace. IPython keeps a cell with such a magic as a call
# that has the code as its last argument; within it, other magics stay as they were written.
_MAGICS = {"run_cell_magic": ("time", "capture", "prun"), "run_line_magic": ("time",)}
_FIRST_LINE = re.compile(r"\s*%%(?:time|capture|prun)\b.*\n")
_TIMED = re.compile(r"^([ \t]*)%time[ \t]+", re.MULTILINE)
_OTHER_MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)


def rerun(
    namespace: Mapping[str, Any],
    names: Sequence[str],
    given: Sequence[str] = (),
    fixed: Sequence[str] = (),
) -> list[Any]:
    """Run the cells that bind `names` or `given` again, and return the new values of `names`.

    They run in a copy of the namespace, whose ``In`` holds the cells that were run. So do earlier
    cells that call functions of the notebook for values that these cells read. `given` are names
    that the instructor's cells bind for the answer, which may have changed their values since.

    Left out are test cells, because one of them is running, cells that bind `fixed` names, and
    cells that read `train`. NameError if no cell binds one of the names; a cell that raises an
    exception binds only the names before it.
    """
    scope = {name: value for name, value in namespace.items() if name not in names}
    cells = [_read(source) for source in namespace.get("In", ()) if isinstance(source, str)]
    for cell in _chosen(cells, {*names, *given}, {*fixed}):
        with contextlib.suppress(Exception, SystemExit):
            exec(compile(cell.tree, "<answer>", "exec"), scope)
    return values_of(scope, names)


@dataclass(frozen=True)
class _Cell:
    """The code of a cell, and the names of the notebook that it binds, reads and defines."""

    tree: ast.Module
    bound: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    defined: frozenset[str] = frozenset()  # functions and classes
    is_test: bool = False


def _chosen(cells: Sequence[_Cell], wanted: set[str], fixed: set[str]) -> list[_Cell]:
    """Return the cells to run again, in order."""
    functions = {name for cell in cells for name in cell.defined}
    chosen, needed = list[_Cell](), set[str]()
    for cell in reversed(cells):
        if cell.is_test or cell.bound & fixed or cell.read & _NEVER_AGAIN:
            continue
        is_extra = cell.bound & needed and cell.read & functions and not cell.defined
        if cell.bound & wanted or is_extra:
            chosen.insert(0, cell)
            needed |= cell.read - cell.bound
    return chosen


def bound_by(source: str) -> list[str]:
    """Return the names that code binds at its top level; none if it is no Python."""
    return sorted(_read(source).bound)


def _read(source: str) -> _Cell:
    try:
        tree = _parsed(source)
        # Magics are taken out of the tree, so the cell's own text may be another.
        table = symtable.symtable(ast.unparse(tree), "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _Cell(ast.Module([], []))
    symbols = table.get_symbols()
    within = [s for inner in _tables_within(table) for s in inner.get_symbols()]
    return _Cell(
        tree,
        bound=frozenset(s.get_name() for s in symbols if s.is_assigned() or s.is_imported()),
        read=frozenset(
            [s.get_name() for s in symbols if s.is_referenced()]
            + [s.get_name() for s in within if s.is_global()]
        ),
        defined=frozenset(s.get_name() for s in symbols if s.is_namespace()),
        is_test=bool(_TEST.search(source)),
    )


def _tables_within(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for inner in table.get_children():
        yield inner
        yield from _tables_within(inner)


def _parsed(source: str) -> ast.Module:
    """Parse a cell, with the code that magics run in their place."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # as the student wrote it
        code = _TIMED.sub(r"\1", _FIRST_LINE.sub("", source, count=1))
        tree = ast.parse(_OTHER_MAGIC.sub(r"\1pass", code))
    _Magics().visit(tree)
    return ast.fix_missing_locations(tree)


class _Magics(ast.NodeTransformer):
    """Replaces calls of magics by the code that they run."""

    def visit_Expr(self, statement: ast.Expr) -> Any:
        """Return the code of a magic, or the statement."""
        match statement.value:
            case ast.Call(
                ast.Attribute(ast.Call(ast.Name("get_ipython")), method),
                [ast.Constant(magic), *_, ast.Constant(str(code))],
            ) if magic in _MAGICS.get(method, ()):
                return _parsed(code).body
        return statement


def values_of(scope: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """Return the values of names; raise Python's own NameError for the first missing one."""
    missing = [name for name in names if name not in scope]
    if missing:
        raise NameError(f"name {missing[0]!r} is not defined")
    return [scope[name] for name in names]
