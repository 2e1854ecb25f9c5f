"""What is right: a homework's solutions, run here, with the staff's functions in place of some.

The cells of the source notebook define the functions. ``staff/<homework>/reference.py`` may have
better ones, by name, and ``staff/<homework>/fresh.py`` functions that draw fresh cases. No student
code runs in this process. The notebook of a student gets a function only in a second try, as one
that asks this process for its results.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from hw_grading.examiner.cells import Fault, run_cell
from hw_grading.examiner.handles import is_handle, known_as
from hw_grading.examiner.notebook import names_read
from hw_grading.homework.layout import ANSWER, LOCKED, PLAIN, SOLUTIONS, STAFF, TEST
from hw_support.checks.time_limit import TimeLimitReached, time_limit
from hw_support.source import bound_by, checks_in, imported_alone_by, read_by, tested_in, tree_of

_SECOND_TRY = "second_try"
_CPU_SECONDS, _WALL_SECONDS = 5.0, 300.0  # the limits of all solutions, and of one cell


@dataclass
class Solutions:
    """The solutions of one notebook, after they were run."""

    names: dict[str, Any]  # what its cells bind
    # The position of each answer cell, and the names that it binds.
    answers: list[tuple[int, set[str]]] = field(default_factory=list)
    tests: dict[str, tuple[int, str]] = field(default_factory=dict)  # positions and sources
    failed: dict[str, str] = field(default_factory=dict)  # why a cell failed, by function
    # What the statements that bind a name read, by this name.
    reads: dict[str, set[str]] = field(default_factory=dict)

    def reached_from(self, names: Iterable[str]) -> set[str]:
        """Return names, and those that they read, by way of others too."""
        found, more = set[str](), {*names}
        while more:
            found |= more
            more = {other for name in more for other in self.reads.get(name, ())} - found
        return found


class Reference:
    """The right functions of the homework whose code is laid out in a folder."""

    def __init__(self, folder: Path) -> None:
        homework = next((path.name for path in sorted(folder.glob(f"{STAFF}/*"))), "")
        self._own = _functions(f"{STAFF}.{homework}.reference")
        self._draws = _functions(f"{STAFF}.{homework}.fresh")
        self._second_try = self._own.pop(_SECOND_TRY, None)
        files = sorted((folder / SOLUTIONS).glob("*.json"))
        self._notebooks = [
            run_solutions(json.loads(file.read_bytes()), _CPU_SECONDS) for file in files
        ]
        for notebook in self._notebooks:
            notebook.names |= self._own

    def at(self, test: str, source: str = "") -> CellReference:
        """Return what is right for a test cell, by its grade id.

        Several notebooks may have a test of this name. Then it is that with this `source`.
        """
        found = [notebook for notebook in self._notebooks if test in notebook.tests]
        found.sort(key=lambda notebook: notebook.tests[test][1] != source)
        notebook = found[0] if found else Solutions(dict(self._own))
        return CellReference(notebook, test, self._draws, self._second_try)


@dataclass
class CellReference:
    """What is right for one test cell."""

    _notebook: Solutions
    _test: str
    _draws: Mapping[str, Any]
    _second_try: Callable[..., Any] | None

    @property
    def has_solutions(self) -> bool:
        """Whether the source notebook is known, and has answers."""
        return any(names for _, names in self._notebook.answers)

    def function(self, name: str) -> Callable[..., Any] | None:
        """Return the right function or class of that name; None if the solutions define none."""
        found = self._notebook.names.get(name)
        return found if callable(found) else None

    def above(
        self, name: str, graded: Collection[str], own: Callable[[str], Any]
    ) -> dict[str, Callable[..., Any]]:
        """Return the right functions that a second try has in the place of the notebook's own.

        They are those that the solution of `name` or this test calls, by way of others too: any
        other would answer a question for the notebook. They belong to answers above the one that
        defines `name`, or above this test if none does. An answer counts if it defines one of the
        `graded` functions, or one that a test without `Checks` further up names: a mistake in any
        other has cost nothing yet. ``own(name)`` is the notebook's own value of a name, for the
        staff's ``second_try``.
        """
        tests = self._notebook.tests
        if self._test not in tests:
            return {}
        until, source = tests[self._test]
        plain = [text for n, text in tests.values() if n < until and not checks_in(text)]
        graded = {*graded, *(name for text in plain for name in read_by(text))}
        above = [(n, names) for n, names in self._notebook.answers if n < until]
        until = next((n for n, names in above if name in names), until)
        above = [(n, names) for n, names in above if n < until and not names.isdisjoint(graded)]
        called = self._notebook.reached_from([name, *names_read(source)])
        right = {one: self.function(one) for _, names in above for one in sorted(names & called)}
        replaced = self._second_try(own) if self._second_try else {}
        # Objects of a right class would stay here, and are of no use to the notebook.
        return {
            one: replaced.get(one, function)
            for one, function in right.items()
            if function and not isinstance(function, type)
        }

    def generator_of(self, name: str) -> Callable[[np.random.Generator], Any] | None:
        """Return what draws the fresh cases of a `Checks` in the staff's ``fresh.py``, or None."""
        return self._draws.get(name)

    def in_its_place(self, value: Any, test: Any) -> Any:
        """Return a value of a test cell with right functions in the place of the notebook's own.

        `test` are the names of the test cell. Its own functions, also in lists and dictionaries,
        get a namespace with right functions. LookupError if nothing is right for an object of the
        notebook.
        """
        if is_handle(value):
            name = known_as(value)[2]
            if found := self.function(name):
                return found
            raise LookupError(f"no solution is known for {name or 'an object'} of the notebook")
        if isinstance(value, list | tuple):
            made = [self.in_its_place(entry, test) for entry in value]
            if all(new is old for new, old in zip(made, value, strict=True)):
                return value  # the same object: calls with it are shared
            return made if isinstance(value, list) else tuple(made)
        if isinstance(value, dict):
            return dict(zip(value, self.in_its_place([*value.values()], test), strict=True))
        if isinstance(value, FunctionType) and value.__globals__ is test:
            return self._among_right_functions(value, test)
        return value

    def _among_right_functions(self, function: FunctionType, test: Any) -> FunctionType:
        """Return a function of the test cell that finds right functions by their names."""
        names = {**test, **self._notebook.names, **getattr(test, "bound", dict)()}
        for name, value in names.items():
            if isinstance(value, FunctionType) and value.__globals__ is test:
                names[name] = _with_globals(value, names)
        return _with_globals(function, names)

    def why_not(self, name: str) -> str:
        """Return why there is no right function of a name; "" if nobody knows."""
        return self._notebook.failed.get(name, "")


def run_solutions(cells: Sequence[tuple[str, str, str]], cpu_seconds: float) -> Solutions:
    """Run what a source notebook has for its tests (see `solutions_of`), within a limit."""
    notebook, end = Solutions({"__name__": "__main__"}), time.process_time() + cpu_seconds
    code = _needed_parts(cells)
    for position, (kind, name, source) in enumerate(cells):
        if kind == TEST:
            notebook.tests[name] = position, source
            continue
        bound = {*bound_by(source)} - {*imported_alone_by(source)}
        _note_reads(source, notebook.reads)
        if kind == ANSWER:
            notebook.answers.append((position, bound))
        run, error = source if kind == LOCKED else code[position], ""
        if not run:
            continue
        try:
            with time_limit(max(end - time.process_time(), 1e-3), _WALL_SECONDS):  # 0: no limit
                for output in run_cell(run, name, notebook.names, locked=True):
                    if output["output_type"] == "error":
                        error = f"{output['ename']}: {output['evalue']}"
        except Fault as fault:
            error = str(fault)
        if error.startswith(TimeLimitReached.__name__):
            cell = f"cell {name!r}" if name else f"the cell with {source[:40]!r}"
            error = (
                f"{cell} was still running when the solutions that tests need had taken "
                f"{cpu_seconds:g} s of CPU time. Compute less there, or leave out of the tests "
                "the function that needs it"
            )
        if error:
            notebook.failed |= dict.fromkeys(bound, error)
    return notebook


def _functions(module: str) -> dict[str, Any]:
    """Return the public functions that a module of the staff defines; none without the module."""
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and module.startswith(error.name):
            return {}
        raise
    return {
        name: value
        for name, value in vars(found).items()
        if inspect.isfunction(value) and value.__module__ == module and not name.startswith("_")
    }


# -- what tests ask for


def _needed_parts(cells: Sequence[tuple[str, str, str]]) -> dict[int, str]:
    """Return, of each answer and plain cell, the statements that tests ask for, by its position.

    Tests ask for the functions that they name, in code or as a text; for what a `Checks` names
    whose results it compares, function or not; and for what these need. Locked cells, which run
    whole, ask for functions too. Other values of the notebook come from the student. So no start
    waits for what is printed, plotted or trained.
    """
    own = ANSWER, PLAIN
    bodies = {n: tree_of(text).body for n, (kind, _, text) in enumerate(cells) if kind in own}
    nodes = [node for body in bodies.values() for node in body if not isinstance(node, ast.Expr)]
    given = {node: {*_given_by(node)} for node in nodes}
    tests = [text for kind, _, text in cells if kind == TEST]
    compared = {name for text in tests for name in _compared_by(text)}
    named = {name for kind, _, text in cells if kind not in own for name in read_by(text)}
    named |= compared | {text for test in tests for text in _texts_in(test)}
    kept = set[ast.stmt]()
    more = {
        node
        for node in nodes
        if _is_always_run(node) or given[node] & (named if _is_function(node) else compared)
    }
    while more:
        kept |= more
        needed = {name for node in more for name in read_by(ast.unparse(node))}
        more = {node for node in nodes if node not in kept and given[node] & needed}
    return {
        n: ast.unparse(ast.Module([node for node in body if node in kept], []))
        for n, body in bodies.items()
    }


def _compared_by(source: str) -> Iterator[str]:
    """Yield what a test cell compares the results of: each `Checks` that names these."""
    for name, call in tested_in(source):
        if any(one.arg == "returns" for one in call.keywords):
            yield name


def _note_reads(source: str, reads: dict[str, set[str]]) -> None:
    """Note what the statements of a cell read, by the names that they bind."""
    for node in tree_of(source).body:
        text = ast.unparse(node)
        for name in bound_by(text):
            reads.setdefault(name, set()).update(read_by(text))


def _texts_in(source: str) -> Iterator[str]:
    """Yield the texts of a cell, such as names of functions: ``Checks("f")``, ``of=["f"]``."""
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _is_function(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return isinstance(node.value, ast.Lambda)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _is_always_run(node: ast.stmt) -> bool:
    """Whether nobody can tell what needs it: an import of all names, or from the future."""
    match node:
        case ast.ImportFrom("__future__") | ast.ImportFrom(names=[ast.alias("*")]):
            return True
    return False


def _given_by(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds, and those of objects into which it stores values."""
    yield from bound_by(ast.unparse(node))
    for one in ast.walk(node):
        match one:
            case ast.Subscript(ast.Name(name), ctx=ast.Store()):
                yield name
            case ast.Attribute(ast.Name(name), ctx=ast.Store()):
                yield name


def _with_globals(function: FunctionType, names: dict[str, Any]) -> FunctionType:
    made = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made
