"""Functions that did not return, and how much computing this leaves to the cells that call them.

A function with an endless loop would otherwise run to the limit of each later cell that calls it.
What a cell calls is read from the notebook's code. A function that returns later on has its time
back: it may have hung for one input only.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable

from nbformat import NotebookNode

_SECONDS_FOR_HANGS = 60.0  # of computing, for all cells that do not end, where a function hangs
_SHARE_OF_A_CELL = 0.2  # of what is left of them
_LEAST_SECONDS = 1.0
_FRAME = re.compile(r", in (\w+)\(")  # of a traceback, as IPython writes it
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_NAME = re.compile(r"[^\W\d]\w*")


class Hangs:
    """What is known of the functions of one submission.

    Parameters
    ----------
    nb
        Its notebook, with the instructor's cells in it.
    """

    def __init__(self, nb: NotebookNode) -> None:
        self._rests_on: dict[str, set[str]] = {}  # of names: those in what they mean
        self._functions: set[str] = set()
        for cell in nb.cells:
            if cell.cell_type == "code":
                self._read(cell.source)
        self._hanging: set[str] = set()
        self._has_returned: set[str] = set()
        self._interrupted: set[str] = set()  # functions that ran when a cell was interrupted
        self._left = _SECONDS_FOR_HANGS

    def called_by(self, cell: NotebookNode) -> list[str]:
        """Return the functions that hang and that a cell may call."""
        return sorted(self._hanging & self._reached_by(cell)) if self._hanging else []

    def cpu_seconds(self, cell: NotebookNode, usual: float) -> float:
        """Return the computing time of a cell whose usual limit is given."""
        if not self.called_by(cell):
            return usual
        return min(usual, max(_LEAST_SECONDS, round(_SHARE_OF_A_CELL * self._left, 1)))

    def hung(self, functions: Iterable[str], cpu_seconds: float) -> None:
        """Note functions that did not return, and the computing time that was lost with them."""
        self._hanging.update(functions)
        self._left -= cpu_seconds

    def interrupted(self, traceback: Iterable[str], cpu_seconds: float) -> None:
        """Note that a cell used up its computing time.

        Parameters
        ----------
        traceback
            Of its interrupt, as the kernel tells it. A function in it that has returned before is
            not held to hang before it is seen a second time: the loop may be in what calls it.
        cpu_seconds
            What the cell has used.
        """
        text = _COLOUR.sub("", "\n".join(traceback))
        running = self._functions.intersection(_FRAME.findall(text))
        self.hung(running - self._has_returned | running & self._interrupted, cpu_seconds)
        self._interrupted |= running

    def returned(self, cell: NotebookNode) -> None:
        """Note that a cell came to its end: what it calls has returned."""
        self._clear(self._reached_by(cell))

    def have_returned(self, functions: Iterable[str]) -> None:
        """Note functions that returned, and with them those that they call."""
        self._clear(self._reached_from(set(functions)))

    def _clear(self, reached: set[str]) -> None:
        self._hanging -= reached
        self._has_returned |= reached & self._functions

    def _read(self, source: str) -> None:
        for statement in _statements(source):
            if isinstance(statement, ast.FunctionDef):
                self._functions.add(statement.name)
            bound = _defined(statement)
            if not _has_call(statement):  # another name for a function, or a list of some
                bound = bound | _names(statement, ast.Store)
            for name in bound:
                self._rests_on.setdefault(name, set()).update(_names(statement, ast.Load))

    def _reached_by(self, cell: NotebookNode) -> set[str]:
        """Return the names in a cell's calls, those in the functions that they mean, and so on."""
        left: set[str] = set()
        for statement in _statements(cell.source):
            if _has_call(statement) and not _defined(statement):
                left |= _names(statement, ast.Load)
        return self._reached_from(left)

    def _reached_from(self, names: set[str]) -> set[str]:
        left, reached = set(names), set[str]()
        while left:
            name = left.pop()
            reached.add(name)
            left |= self._rests_on.get(name, set()) - reached
        return reached


def _statements(source: str) -> list[ast.stmt]:
    """Return a cell's statements; where it is no plain Python, a call with all names in it."""
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        names = [name for name in _NAME.findall(source) if not keyword.iskeyword(name)]
        return ast.parse(f"print({', '.join(names)})").body


def _has_call(node: ast.AST) -> bool:
    """Whether code calls something as soon as it is run."""
    if isinstance(node, ast.Call):
        return True
    inner = () if isinstance(node, ast.Lambda) else ast.iter_child_nodes(node)
    return any(map(_has_call, inner))


def _defined(statement: ast.stmt) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {statement.name} if isinstance(statement, kinds) else set()


def _names(statement: ast.stmt, context: type[ast.expr_context]) -> set[str]:
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }
