"""Functions that did not return, and the reduced CPU time of the cells that call them.

Without this, a function with an endless loop would use up the limit of each later cell that calls
it. The notebook's code shows which functions a cell calls. If a function returns later, its callers
get their full time again: it may have hung for only one input.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable

from nbformat import NotebookNode

from hw_support.failures import without_colours

_SECONDS_FOR_HANGS = 40.0  # CPU time of all cells together that call a hanging function
_SHARE_OF_A_CELL = 0.2  # the part of the remaining seconds that one cell gets
_LEAST_SECONDS = 1.0
_MOST_CHARACTERS = 200_000  # of code that is parsed; each can take 1 kB of memory
_FRAME = re.compile(r", in (\w+)\(")  # a function's name in an IPython traceback
_NAME = re.compile(r"[^\W\d]\w*")


class Hangs:
    """The functions of one submission that hang, and those that have returned."""

    def __init__(self, nb: NotebookNode) -> None:
        self._nb = nb
        self._code: _Code | None = None  # parsed on demand, since hardly any function hangs
        self._returned_so_far: list[NotebookNode | list[str]] = []
        self._hanging: set[str] = set()
        self._has_returned: set[str] = set()
        self._interrupted: set[str] = set()  # functions that ran when a cell was interrupted
        self._left = _SECONDS_FOR_HANGS

    def called_by(self, cell: NotebookNode) -> list[str]:
        """Return the hanging functions that a cell may call."""
        return sorted(self._hanging & self._known.reached_by(cell)) if self._hanging else []

    def cpu_seconds(self, cell: NotebookNode, usual: float) -> float:
        """Return the CPU time of a cell, given its usual limit."""
        if not self.called_by(cell):
            return usual
        return min(usual, max(_LEAST_SECONDS, round(_SHARE_OF_A_CELL * self._left, 1)))

    def hung(self, functions: Iterable[str], cpu_seconds: float) -> None:
        """Record functions that did not return, and the CPU time that they wasted."""
        self._hanging.update(functions)
        self._left -= cpu_seconds

    def interrupted(self, traceback: Iterable[str], cpu_seconds: float) -> None:
        """Read the kernel's traceback of a cell that used up its CPU time.

        If a function in it has returned before, it counts as hanging only the second time: the
        endless loop may be in its caller.
        """
        text = without_colours("\n".join(traceback))
        running = self._known.functions.intersection(_FRAME.findall(text))
        blamed = running - self._has_returned | running & self._interrupted
        self.hung(blamed, cpu_seconds)
        self._interrupted |= running

    def returned(self, what: NotebookNode | list[str]) -> None:
        """Note functions that returned, or that a cell calls which has ended normally."""
        if self._code is None:
            self._returned_so_far.append(what)
            return
        code = self._code
        reached = code.reached_from(what) if isinstance(what, list) else code.reached_by(what)
        self._hanging -= reached
        self._has_returned |= reached & code.functions

    @property
    def _known(self) -> _Code:
        if self._code is None:
            self._code = _Code(self._nb)
            for what in self._returned_so_far:
                self.returned(what)
        return self._code


class _Code:
    """The names in a notebook's code, without the longest cells beyond `_MOST_CHARACTERS`."""

    def __init__(self, nb: NotebookNode) -> None:
        self.functions: set[str] = set()
        # For each name, the numbers of the statements that bind it, and for each number the names
        # that this statement uses.
        self._rests_on: dict[str | int, set[str | int]] = {}
        self._called: dict[str, set[str]] = {}  # for each cell's source, the names in its calls
        left = _MOST_CHARACTERS
        for source in sorted({c.source for c in nb.cells if c.cell_type == "code"}, key=len):
            left -= len(source)
            if left >= 0:
                self._called[source] = set().union(*map(self._read, _statements(source)))

    def _read(self, statement: ast.stmt) -> set[str]:
        """Note the names that a statement binds and uses, and return those in its calls."""
        if isinstance(statement, ast.FunctionDef):
            self.functions.add(statement.name)
        bound, used = _defined(statement), _names(statement, ast.Load)
        has_call = _has_call(statement)
        called = used if has_call and not bound else set[str]()
        if bound:  # local names of a function are not names of the notebook
            parameters = {n.arg for n in ast.walk(statement) if isinstance(n, ast.arg)}
            used = used - parameters - _names(statement, ast.Store)
        if not has_call:  # an alias of a function, or a list of functions
            bound = bound | _names(statement, ast.Store)
        number = len(self._rests_on)
        self._rests_on[number] = set(used)
        for name in bound:
            self._rests_on.setdefault(name, set()).add(number)
        return called

    def reached_by(self, cell: NotebookNode) -> set[str]:
        """Return the names in a cell's calls, and all names that these depend on."""
        return self.reached_from(self._called.get(cell.source, ()))

    def reached_from(self, names: Iterable[str]) -> set[str]:
        """Return these names, and all names that they depend on, directly or indirectly."""
        left, reached = set[str | int](names), set[str | int]()
        while left:
            name = left.pop()
            reached.add(name)
            left |= self._rests_on.get(name, set()) - reached
        return {name for name in reached if isinstance(name, str)}


def _statements(source: str) -> list[ast.stmt]:
    """Return a cell's statements. If it is not plain Python, return a call with all its names."""
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        names = set(filter(str.isidentifier, _NAME.findall(source))).difference(keyword.kwlist)
        return ast.parse(f"print({', '.join(names)})").body


def _has_call(node: ast.AST) -> bool:
    """Return whether code contains a call that is made when the code runs.

    It does not recurse: students' code may be nested more deeply than Python allows calls to be.
    """
    left = [node]
    while left:
        node = left.pop()
        if isinstance(node, ast.Call):
            return True
        if not isinstance(node, ast.Lambda):
            left += ast.iter_child_nodes(node)
    return False


def _defined(statement: ast.stmt) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {statement.name} if isinstance(statement, kinds) else set()


def _names(statement: ast.stmt, context: type[ast.expr_context]) -> set[str]:
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }
