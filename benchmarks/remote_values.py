"""Measure calls to the notebook: a small call, an array of 10 MB each way, messages in all.

A test cell in the examiner measures the calls, with the kernel in its sandbox. The messages are
those between examiner and kernel for right answers to hw2, without training.
"""

import multiprocessing
import statistics
from collections.abc import Callable
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from benchmarks.isolation import answers
from hw_grading.commands.sample import cell_of
from hw_grading.examiner import client, process
from hw_grading.homework.cells import is_test
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.homework import Homework, homework_of, lay_out
from hw_grading.inside.wire import Connection
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import Submission

REPEATS = 3
ANSWERS = """
import numpy as np

def double(x):
    return 2 * x

def big(n):
    return np.zeros(n)

def size(x):
    return len(x)
"""
TEST = """
from time import perf_counter

import numpy as np

from hw_support import Checks

checks = Checks("double")  # so that the examiner runs this cell


def milliseconds(call, repeats):
    call()
    times = []
    for _ in range(repeats):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return 1000 * sorted(times)[repeats // 2]


ten_mb = np.zeros(1_250_000)
small = np.zeros((3, 4))
print(milliseconds(lambda: double(3.0), 500))
print(milliseconds(lambda: double(small), 500))
print(milliseconds(lambda: np.asarray(big(1_250_000)), 15))
print(milliseconds(lambda: size(ten_mb), 15))
"""
WHAT = (
    "call with a number",
    "call with an array of 12 numbers",
    "10 MB array from the notebook",
    "10 MB array to the notebook",
)


def run() -> None:
    """Print the medians over several submissions."""
    runs = [times_of_a_submission() for _ in range(REPEATS)]
    for what, times in zip(WHAT, zip(*runs, strict=True), strict=True):
        print(f"{what}: {statistics.median(times):.2f} ms (runs: {sorted(times)})")
    print(f"messages for right answers to hw2: {messages_of_a_submission()}")


def times_of_a_submission() -> list[float]:
    """Grade a submission whose test does the measuring; return its milliseconds."""
    # Hidden, so that the kernel does not run it too.
    test = new_code_cell(f"### BEGIN HIDDEN TESTS{TEST}### END HIDDEN TESTS")
    test.metadata["nbgrader"] = {
        "grade_id": "test", "grade": True, "solution": False, "locked": True, "points": 1
    }  # fmt: skip
    nb: NotebookNode = new_notebook(cells=[new_code_cell(ANSWERS), test])
    Submission(nb, 0, RunSettings(), Homework("")).run()
    printed = nb.cells[1].outputs[0].text
    return [round(float(line), 3) for line in printed.split()]


def messages_of_a_submission() -> int:
    """Examine right answers to hw2; return the number of messages in both directions."""
    homework = homework_of(REPOSITORY, "hw2")
    source = nbformat.read(Course(REPOSITORY).source("hw2") / "hw2.ipynb", as_version=4)
    notebook = answers()
    for cell in notebook.cells:
        if is_test(cell):
            cell.source = cell_of(source, cell.metadata.nbgrader.grade_id).source
    count = multiprocessing.Value("i", 0)
    for name in ("send", "receive"):
        setattr(Connection, name, counted(getattr(Connection, name), count))
    process.prepare(str(lay_out(homework)), homework.modules)
    client.take(*process.fork(), homework)  # it inherits the counting methods
    Submission(notebook, 1, RunSettings(), homework).run()
    return int(count.value)


def counted(method: Callable[..., Any], count: Any) -> Callable[..., Any]:
    """Return a method that also counts its calls."""

    def call(*arguments: Any, **options: Any) -> Any:
        with count.get_lock():
            count.value += 1
        return method(*arguments, **options)

    return call
