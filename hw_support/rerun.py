"""Run a student's cells again after functions that they call were replaced."""

import ast
import builtins
import contextlib
import itertools
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
    cells that use functions of the notebook for values that these cells read. `given` are names
    that the instructor's cells bind for the answer, which may have changed their values since.

    Left out are test cells, because one of them is running, statements that bind `fixed` names, and
    statements that read `train`. NameError if no cell binds one of the names; a cell that raises an
    exception binds only the names before it.
    """
    sources = [source for source in namespace.get("In", ()) if isinstance(source, str)]
    cells = [_read(source) for source in sources if not _TEST.search(source)]
    chosen = _chosen(cells, {*names, *given}, {*fixed})
    left_out = {*names, *_builtins_bound(cells, chosen)}
    scope = {name: value for name, value in namespace.items() if name not in left_out}
    for cell in chosen:
        with contextlib.suppress(Exception, SystemExit):
            tree = ast.Module([statement.tree for statement in cell], [])
            exec(compile(tree, "<answer>", "exec"), scope)
    return values_of(scope, names)


@dataclass(frozen=True)
class _Statement:
    """A statement, and the names of the notebook that it binds, reads and defines."""

    tree: ast.stmt
    bound: frozenset[str]
    read: frozenset[str]
    defined: frozenset[str]  # functions and classes


_Cell = list[_Statement]


def _chosen(cells: Sequence[_Cell], wanted: set[str], fixed: set[str]) -> list[_Cell]:
    """Return the cells to run again, in order, without the statements to leave out."""
    functions, never, binders = set[str](), {*_NEVER_AGAIN}, dict[str, frozenset[str]]()
    for statement in itertools.chain.from_iterable(cells):
        functions |= statement.defined
        if statement.read & never:
            never |= statement.defined
        binders |= dict.fromkeys(statement.defined, statement.bound - statement.defined)
    chosen, needed = list[_Cell](), set[str]()
    for cell in reversed(cells):
        kept = [s for s in cell if not (s.bound & fixed or s.read & never)]
        read, bound = _names_of(kept)
        # A function that is called may bind names too, by `global`.
        bound = bound.union(*(binders[name] for name in read & binders.keys()))
        if not bound & wanted:
            if not (bound & needed and read & functions):
                continue
            if any(s.defined for s in kept):  # the rest may be long trials of these functions
                kept = _needed_in(kept, needed)
                read, bound = _names_of(kept)
        chosen.insert(0, kept)
        needed |= read - bound
    return chosen


def _names_of(cell: _Cell) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that statements read, and those that they bind."""
    nothing = frozenset[str]()
    return nothing.union(*(s.read for s in cell)), nothing.union(*(s.bound for s in cell))


def _builtins_bound(cells: Sequence[_Cell], chosen: Sequence[_Cell]) -> set[str]:
    """Return Python's own names that only the chosen statements bind: ``max = max(errors)``."""
    again = {*itertools.chain.from_iterable(chosen)}
    others = [s for s in itertools.chain.from_iterable(cells) if s not in again]
    bound = _names_of([*again])[1] - _names_of(others)[1]
    return {name for name in bound if hasattr(builtins, name)}


def _needed_in(cell: _Cell, needed: set[str]) -> _Cell:
    """Return the statements that bind names that are needed, or that one of these needs."""
    kept, wanted = _Cell(), {*needed}
    for statement in reversed(cell):
        if statement.bound & wanted:
            kept.insert(0, statement)
            wanted |= statement.read
    return kept


def bound_by(source: str) -> list[str]:
    """Return the names that code binds at its top level; none if it is no Python."""
    return sorted({name for statement in _read(source) for name in statement.bound})


def _read(source: str) -> _Cell:
    try:
        return [_statement(tree) for tree in parsed(source).body]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _statement(tree: ast.stmt) -> _Statement:
    # Magics are taken out of the tree, so the cell's own text may be another.
    table = symtable.symtable(ast.unparse(tree), "cell", "exec")
    symbols = table.get_symbols()
    within = [s for inner in _tables_within(table) for s in inner.get_symbols() if s.is_global()]
    bound = [s for s in symbols if s.is_assigned() or s.is_imported()]
    bound += [s for s in within if s.is_assigned()]  # declared as `global`
    return _Statement(
        tree,
        bound=frozenset(s.get_name() for s in bound),
        read=frozenset(s.get_name() for s in (*symbols, *within) if s.is_referenced()),
        defined=frozenset(s.get_name() for s in symbols if s.is_namespace()),
    )


def _tables_within(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for inner in table.get_children():
        yield inner
        yield from _tables_within(inner)


def parsed(source: str) -> ast.Module:
    """Parse a cell, with the code that magics run in their place; may raise SyntaxError."""
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
                return parsed(code).body
        return statement


def values_of(scope: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """Return the values of names; raise Python's own NameError for the first missing one."""
    missing = [name for name in names if name not in scope]
    if missing:
        raise NameError(f"name {missing[0]!r} is not defined. Did its cell end in an error?")
    return [scope[name] for name in names]
