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

_SECONDS_FOR_HANGS = 40.0  # of computing, for all cells that do not end, where a function hangs
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
        self._nb = nb
        self._code: _Code | None = None  # read when it is needed: hardly any function hangs
        self._returned_so_far: list[NotebookNode | list[str]] = []
        self._hanging: set[str] = set()
        self._has_returned: set[str] = set()
        self._interrupted: set[str] = set()  # functions that ran when a cell was interrupted
        self._left = _SECONDS_FOR_HANGS

    def called_by(self, cell: NotebookNode) -> list[str]:
        """Return the functions that hang and that a cell may call."""
        return sorted(self._hanging & self._known.reached_by(cell)) if self._hanging else []

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
        running = self._known.functions.intersection(_FRAME.findall(text))
        blamed = running - self._has_returned | running & self._interrupted
        self.hung(blamed, cpu_seconds)
        self._interrupted |= running

    def returned(self, cell: NotebookNode) -> None:
        """Note that a cell came to its end: what it calls has returned."""
        self._note(cell)

    def have_returned(self, functions: list[str]) -> None:
        """Note functions that returned, and with them those that they call."""
        self._note(functions)

    def _note(self, what: NotebookNode | list[str]) -> None:
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
                self._note(what)
        return self._code


class _Code:
    """What the code of a notebook tells: its functions, and which names rest on which."""

    def __init__(self, nb: NotebookNode) -> None:
        self.functions: set[str] = set()
        self._rests_on: dict[str, set[str]] = {}  # of names: those in what they mean
        for cell in nb.cells:
            for statement in _statements(cell.source) if cell.cell_type == "code" else ():
                self._read(statement)

    def _read(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.FunctionDef):
            self.functions.add(statement.name)
        bound = _defined(statement)
        if not _has_call(statement):  # another name for a function, or a list of some
            bound = bound | _names(statement, ast.Store)
        used = _names(statement, ast.Load)
        if _defined(statement):  # what it binds itself is none of the notebook's names
            parameters = {n.arg for n in ast.walk(statement) if isinstance(n, ast.arg)}
            used -= parameters | _names(statement, ast.Store)
        for name in bound:
            self._rests_on.setdefault(name, set()).update(used)

    def reached_by(self, cell: NotebookNode) -> set[str]:
        """Return the names in a cell's calls, those in the functions that they mean, and so on."""
        left: set[str] = set()
        for statement in _statements(cell.source):
            if _has_call(statement) and not _defined(statement):
                left |= _names(statement, ast.Load)
        return self.reached_from(left)

    def reached_from(self, names: Iterable[str]) -> set[str]:
        """Return names, those in the functions that they mean, and so on."""
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
