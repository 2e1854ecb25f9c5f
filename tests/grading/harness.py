"""Score answers to a homework by its notebook's own test cells, in this process.

A submission is the instructor's notebook with some answers replaced. Its cells run in the order of
the notebook and in one namespace, as in a kernel; the value of a test cell's last expression is its
score. The notebook is read at run time, so its present cells are measured.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is imported

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # answers run in parallel

import ast
import contextlib
import io
import random
import signal
import sys
import traceback
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cells import Cell, Notebook
from settings import ROOT

SEED_VARIABLE = "HW_GRADING_SEED"

# Wall time, after which a cell is interrupted as by a kernel's time limit.
CELL_SECONDS, SLOW_CELL_SECONDS = 60.0, 1800.0  # long enough for a slow machine
KEPT_CHARACTERS = 200_000  # of what a cell prints


@dataclass(frozen=True)
class PartResult:
    """The result of one named part of a test cell."""

    what: str
    points: float
    passed: bool
    message: str


@dataclass(frozen=True)
class CellResult:
    """A test cell's score, its parts, and what it printed (stderr and traceback included)."""

    score: float
    points: float
    parts: tuple[PartResult, ...] = ()
    printed: str = ""

    @property
    def lost(self) -> float:
        """Points that were not earned."""
        return self.points - self.score

    @property
    def failed_parts(self) -> list[str]:
        """``what: message`` of each part that failed; the traceback's end if the cell raised."""
        lines = [f"{part.what}: {part.message}" for part in self.parts if not part.passed]
        return lines or ([] if not self.lost else self.printed.strip().splitlines()[-1:])


Scores = dict[str, CellResult]


@cache
def _compiled(source: str, name: str) -> tuple[types.CodeType, types.CodeType | None]:
    """Return the code of a cell, and that of its last line if it is an expression."""
    tree, last = ast.parse(source), None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = compile(ast.Expression(tree.body.pop().value), f"<{name}>", "eval")
    return compile(tree, f"<{name}>", "exec"), last


def run_cell(source: str, name: str, namespace: dict[str, Any], seconds: float = 0.0) -> Any:
    """Run a cell in a namespace and return the value of its last line.

    It is interrupted after `seconds` of wall time; 0 stands for `CELL_SECONDS`.
    """
    body, last = _compiled(source, name)
    previous = signal.signal(signal.SIGALRM, _interrupt)
    # Repeatedly, because code under test may catch the first interrupt.
    signal.setitimer(signal.ITIMER_REAL, seconds or CELL_SECONDS, 0.5)
    try:
        exec(body, namespace)
        return None if last is None else eval(last, namespace)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@cache
def shared_names(notebook: Notebook) -> dict[str, Any]:
    """Return the names that the cells above the first answer bind; they are run once."""
    mpl.use("Agg")
    sys.path[:0] = [str(ROOT)] if str(ROOT) not in sys.path else []
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for grade_id in notebook.shared:
            run_cell(notebook.cells[grade_id].source, grade_id, names)
        plt.close("all")
    for cell in notebook.cells.values():
        _compiled(cell.source, cell.id)
    return names


def fresh_namespace(notebook: Notebook, seed: int = 0) -> dict[str, Any]:
    """Return a namespace with all functions of the instructor.

    What shared cells bind, such as data, is the same in all namespaces; the rest is not.
    Everything random starts from `seed`, which hidden tests read from the environment.
    """
    names = seeded_names(notebook, seed)
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in notebook.runs(()):
            run_cell(cell.source, cell.id, names)
    return names


def seeded_names(notebook: Notebook, seed: int) -> dict[str, Any]:
    """Return the names of the shared cells, and let everything random start from `seed`.

    That is Python's and NumPy's own generators, those that shared cells bind, and hidden tests'.
    """
    names = dict(shared_names(notebook))
    os.environ[SEED_VARIABLE] = str(seed)
    os.environ["NBGRADER_EXECUTION"] = "autograde"
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - for answers that use it
    for name in generators_in(names):
        names[name] = np.random.default_rng([2022, seed])
    return names


def generators_in(names: Mapping[str, Any]) -> list[str]:
    """Return the names of random generators, from which students draw."""
    return [name for name, value in names.items() if isinstance(value, np.random.Generator)]


class _Kept(io.StringIO):
    """A stream that keeps the beginning of what is written to it."""

    def write(self, text: str) -> int:
        if self.tell() < KEPT_CHARACTERS:
            super().write(text)
        return len(text)


def score_cell(test: Cell, namespace: dict[str, Any]) -> CellResult:
    """Run a test cell and return its score by nbgrader's rules.

    Its last expression is the score, None all points; an error, an interrupt, or anything on
    stderr is 0.
    """
    namespace.pop("checks", None)
    out, err, score = _Kept(), _Kept(), 0.0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            value = run_cell(test.source, test.id, namespace)
            score = test.points if value is None else float(value)
        except BaseException:
            err.write(_own_traceback())
    if err.getvalue():
        score = 0.0
    parts = tuple(
        PartResult(part.what, part.points, part.passed, part.message)
        for part in getattr(namespace.get("checks"), "parts", ())
    )
    return CellResult(score, test.points, parts, out.getvalue() + err.getvalue())


def _own_traceback() -> str:
    try:
        return traceback.format_exc(limit=-4)
    except BaseException as error:  # an exception whose text raises
        return f"{type(error).__name__} while an exception was shown\n"


def score_submission(
    notebook: Notebook,
    answers: Mapping[str, str],
    *,
    tests: Sequence[str] | None = None,
    seed: int = 0,
) -> Scores:
    """Score the instructor's notebook with these answers (cell id to source) in place of its own.

    Parameters
    ----------
    notebook
        The instructor's.
    answers
        Sources of answer cells. If one raises, what it has bound so far stays.
    tests
        The test cells to run; by default all but those of answers that take seconds. Answers
        that no test cell needs are not run.
    seed
        Of the student's random numbers and of the hidden tests'.

    Returns
    -------
    dict
        A result for each test cell, in the notebook's order.
    """
    wanted = notebook.quick_tests if tests is None else tuple(tests)
    names = seeded_names(notebook, seed)
    results = {}
    for cell in notebook.in_order(wanted):
        if cell.is_test:
            results[cell.id] = score_cell(cell, names)
        else:
            run_answer(notebook, answers.get(cell.id, cell.source), cell.id, names)
    return results


def run_answer(notebook: Notebook, source: str, name: str, names: dict[str, Any]) -> None:
    """Run an answer until it ends or raises; its printed text is dropped."""
    names.setdefault("In", []).append(source)  # as IPython does
    seconds = SLOW_CELL_SECONDS if name in notebook.settings.slow else CELL_SECONDS
    with (
        contextlib.redirect_stdout(_Kept()),
        contextlib.redirect_stderr(_Kept()),
        contextlib.suppress(BaseException),
    ):
        run_cell(source, name, names, seconds)


@dataclass(frozen=True)
class Verdict:
    """The results of test cells for one answer, over one or more seeds.

    The first run has all test cells; a later one may leave costly ones out.
    """

    runs: tuple[Scores, ...]
    own_tests: tuple[str, ...]
    died: str = ""

    @property
    def caught(self) -> bool:
        """Whether every run lost a point in the answer's own cells."""
        own = [[run[test] for test in self.own_tests if test in run] for run in self.runs]
        tried = [results for results in own if results]
        return bool(tried) and all(any(one.lost > 1e-9 for one in results) for results in tried)

    @property
    def lost_elsewhere(self) -> dict[str, float]:
        """Most points lost in one run in each of the other cells."""
        return self._lost(lambda test: test not in self.own_tests)

    @property
    def lost(self) -> dict[str, float]:
        """Most points lost in one run in each cell."""
        return self._lost(lambda test: True)

    def _lost(self, counts: Any) -> dict[str, float]:
        losses = {
            test: max(run[test].lost for run in self.runs if test in run)
            for test in self.runs[0]
            if counts(test)
        }
        return {test: lost for test, lost in losses.items() if lost > 1e-9}

    def failed_parts(self, test: str) -> list[str]:
        """Return the failed parts of the first run that lost points in a cell."""
        return next(
            (run[test].failed_parts for run in self.runs if test in run and run[test].lost > 1e-9),
            [],
        )
