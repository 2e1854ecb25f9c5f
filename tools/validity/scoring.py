"""Score submissions by the test cells of a homework's notebook, in this process.

A submission is the instructor's notebook with some answers replaced. Its cells run in the order of
the notebook and in one namespace, as in a kernel. A test cell's score is what nbgrader takes: the
value of its last line, all points if that is None, and 0 after an error or output on stderr.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is imported

from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # two processes work side by side

import ast
import contextlib
import functools
import io
import json
import multiprocessing
import random
import re
import resource
import signal
import symtable
import traceback
import types
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np

from hw_support.checks import Part, earned
from hw_support.fresh import SEED_VARIABLE
from tools.validity.answers import ROOT, Answer, Settings, settings_of

_CELL_SECONDS, _SLOW_SECONDS = 120.0, 1800.0  # wall time after which a cell is interrupted
_ANSWER_SECONDS = 7200.0  # after which it is believed that a process has died
_MEMORY = 4 << 30  # bytes of address space of a process
_MARKER = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.M)
_HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n.*?### END HIDDEN TESTS\n", re.S)


@dataclass(frozen=True)
class Cell:
    """A code cell with a grade id: a test, an answer, or neither, which is locked."""

    id: str
    source: str
    points: float = 0.0
    is_test: bool = False
    is_answer: bool = False

    @functools.cached_property
    def is_function(self) -> bool:
        """Whether the cell is an answer that defines a function of the cell's name."""
        inner = symtable.symtable(self.source, self.id, "exec").get_children()
        return self.is_answer and any(
            table.get_name() == self.id and table.get_type() == "function" for table in inner
        )


@dataclass(frozen=True)
class Result:
    """A test cell's score, its parts, and what it printed."""

    score: float
    points: float
    parts: tuple[Part, ...] = ()
    printed: str = ""

    @property
    def lost(self) -> float:
        """Points that were not earned, apart from rounding."""
        return max(0.0, round(self.points - self.score, 6))

    @property
    def failed(self) -> dict[str, str]:
        """Messages of the parts that failed; the traceback's end if the cell raised an error."""
        messages = {part.what: part.message for part in self.parts if not part.passed}
        ended = self.printed.strip().splitlines()[-1:]
        return messages or ({"the cell": ended[0] if ended else ""} if self.lost else {})


Scores = dict[str, Result]  # by test cell


class Notebook:
    """The instructor's notebook of one homework: its cells by grade id, and the settings."""

    def __init__(self, homework: str, cells: Iterable[Cell], settings: Settings) -> None:
        self.homework = homework
        self.cells = {cell.id: cell for cell in cells}
        self.settings = settings

    @functools.cached_property
    def functions(self) -> list[str]:
        """Functions that have a test with points, without those that take seconds."""
        names = [cell.id for cell in self.cells.values() if cell.is_function]
        return [name for name in names if self.tests_of(name) and not self.is_slow(name)]

    @functools.cached_property
    def tests(self) -> tuple[str, ...]:
        """All test cells with points, in order."""
        return tuple(cell.id for cell in self.cells.values() if cell.is_test and cell.points)

    def is_slow(self, name: str) -> bool:
        """Whether a cell belongs to an answer that takes seconds."""
        name = name.removeprefix("test_") + "_"
        return any(name.startswith(f"{slow}_") for slow in self.settings.slow)

    def charged(self, test: str) -> str:
        """Return the answer that a test cell charges: test_f_2 charges f."""
        name = test.removeprefix("test_") + "_"
        fitting = [c.id for c in self.cells.values() if c.is_answer and name.startswith(f"{c.id}_")]
        return max(fitting, key=len, default="")

    def tests_of(self, answer: str) -> tuple[str, ...]:
        """Return the test cells that charge an answer."""
        return tuple(test for test in self.tests if self.charged(test) == answer)

    def tests_for(self, answer: Answer) -> tuple[str, ...]:
        """Return the tests that score an answer: its own for one that takes seconds, else all.

        Slow tests score only who wrote what they test.
        """
        if self.is_slow(answer.function):
            return self.tests_of(answer.function)
        with_slow = any(self.is_slow(name) for name in answer.cells)
        return tuple(test for test in self.tests if with_slow or not self.is_slow(test))

    @functools.cached_property
    def shared(self) -> list[str]:
        """Locked cells above the first answer."""
        order = list(self.cells)
        first = next(place for place, name in enumerate(order) if self.cells[name].is_answer)
        return [name for name in order[:first] if not self.cells[name].is_test]

    def needed(self, tests: Sequence[str]) -> Iterator[Cell]:
        """Yield the cells to run for these tests, without the shared ones, in order.

        They are all functions and locked cells, and answers of which these tests charge one.
        """
        charged = {self.charged(test) for test in tests}
        slow = any(self.is_slow(test) for test in tests)
        left = len(tests)
        for cell in self.cells.values():
            if not left:
                return
            if cell.is_test:
                left -= cell.id in tests
                wanted = cell.id in tests
            elif self.is_slow(cell.id):
                wanted = slow
            else:
                wanted = not cell.is_answer or cell.is_function or cell.id in charged
            if wanted and cell.id not in self.shared:
                yield cell


@functools.cache
def notebook_of(homework: str) -> Notebook:
    """Read the instructor's notebook of a homework."""
    path = ROOT / "source" / homework / f"{homework}.ipynb"
    cells = []
    for raw in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        marks = raw["metadata"].get("nbgrader")
        if raw["cell_type"] == "code" and marks:
            source = _MARKER.sub("", "".join(raw["source"]))
            name, is_answer = marks["grade_id"], bool(marks.get("solution"))
            is_test = name.startswith("test_") and not is_answer
            points = float(marks.get("points") or 0)
            cells.append(Cell(name, source, points, is_test, is_answer))
    return Notebook(homework, cells, settings_of(homework))


def score(
    notebook: Notebook,
    replaced: Mapping[str, str],
    tests: Sequence[str],
    seed: int = 0,
    *,
    visible: bool = False,
) -> Scores:
    """Score the notebook with these answers (sources by grade id) in the place of its own.

    Everything random starts from `seed`. With `visible`, test cells run as students have them.
    """
    names = _seeded(notebook, seed)
    earned.clear()
    results = {}
    for cell in notebook.needed(tests):
        if cell.is_test:
            source = _HIDDEN.sub("", cell.source) if visible else cell.source
            results[cell.id] = _score_cell(cell, source, names)
            continue
        seconds = _SLOW_SECONDS if notebook.is_slow(cell.id) else _CELL_SECONDS
        with _output(), contextlib.suppress(BaseException):  # what it has bound so far stays
            _run(replaced.get(cell.id, cell.source), cell.id, names, seconds)
    return results


def score_all(
    notebook: Notebook,
    jobs: Iterable[tuple[Answer, tuple[str, ...]]],
    seeds: Sequence[int],
    *,
    visible: bool = False,
) -> Iterator[tuple[Answer, list[Scores]]]:
    """Score answers by tests, in processes; yield them in the order given.

    There is a run with each seed; where a test takes seconds, only with the first.
    """
    _shared_names(notebook)  # once, here: the processes inherit them
    tasks = []
    for answer, tests in jobs:
        fewer = seeds[:1] if any(map(notebook.is_slow, tests)) else seeds
        tasks.append((answer, tests, fewer, visible))
    fork = multiprocessing.get_context("fork")
    with fork.Pool(2, _begin, (notebook,), maxtasksperchild=4) as pool:
        came = pool.imap(_score_one, tasks)
        for answer, *_ in tasks:
            try:
                yield answer, came.next(timeout=_ANSWER_SECONDS)
            except multiprocessing.TimeoutError:
                raise RuntimeError(f"no result of {answer}: did it end its process?") from None


_notebook: Notebook


def _begin(notebook: Notebook) -> None:
    global _notebook
    _notebook = notebook
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    warnings.simplefilter("ignore")


def _score_one(task: tuple[Answer, tuple[str, ...], Sequence[int], bool]) -> list[Scores]:
    answer, tests, seeds, visible = task
    return [score(_notebook, answer.cells, tests, seed, visible=visible) for seed in seeds]


def _score_cell(cell: Cell, source: str, names: dict[str, Any]) -> Result:
    names.pop("checks", None)
    with _output() as (out, err):
        try:
            value = _run(source, cell.id, names, _SLOW_SECONDS)
            points = cell.points if value is None else float(value)
        except BaseException:
            points = 0.0
            err.write(traceback.format_exc(limit=-4))
    if err.getvalue():
        points = 0.0
    parts = tuple(getattr(names.get("checks"), "parts", ()))
    return Result(points, cell.points, parts, out.getvalue() + err.getvalue())


@contextlib.contextmanager
def _output() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield out, err


def _run(source: str, name: str, names: dict[str, Any], seconds: float) -> Any:
    """Run a cell; return the value of its last line."""
    body, last = _compiled(source, name)
    previous = signal.signal(signal.SIGALRM, _interrupt)
    # Again and again, because code under test may catch the first interrupt.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        exec(body, names)
        return None if last is None else eval(last, names)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@functools.cache
def _compiled(source: str, name: str) -> tuple[types.CodeType, types.CodeType | None]:
    tree, last = ast.parse(source), None
    end = tree.body[-1] if tree.body else None
    if isinstance(end, ast.Expr):
        last = compile(ast.Expression(end.value), f"<{name}>", "eval")
        del tree.body[-1]
    return compile(tree, f"<{name}>", "exec"), last


@functools.cache
def _shared_names(notebook: Notebook) -> dict[str, Any]:
    mpl.use("Agg")
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for name in notebook.shared:
            _run(notebook.cells[name].source, name, names, _CELL_SECONDS)
    return names


def _seeded(notebook: Notebook, seed: int) -> dict[str, Any]:
    names = dict(_shared_names(notebook))
    os.environ[SEED_VARIABLE] = str(seed)
    os.environ["NBGRADER_EXECUTION"] = "autograde"
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - for answers that use it
    for name, value in names.items():
        if isinstance(value, np.random.Generator):
            names[name] = np.random.default_rng([2022, seed])
    return names
