"""Measure calls to the notebook: a small call, and an array of 10 MB each way.

A test cell in the examiner measures them, with the kernel in its sandbox.
"""

import statistics

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from hw_grading.homework.homework import Homework
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import SubmissionRun

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


def times_of_a_submission() -> list[float]:
    """Grade a submission whose test does the measuring; return its milliseconds."""
    # Hidden, so that the kernel does not run it too.
    test = new_code_cell(f"### BEGIN HIDDEN TESTS{TEST}### END HIDDEN TESTS")
    test.metadata["nbgrader"] = {
        "grade_id": "test", "grade": True, "solution": False, "locked": True, "points": 1
    }  # fmt: skip
    nb: NotebookNode = new_notebook(cells=[new_code_cell(ANSWERS), test])
    SubmissionRun(nb, 0, RunSettings(), Homework("")).run()
    printed = nb.cells[1].outputs[0].text
    return [round(float(line), 3) for line in printed.split()]
