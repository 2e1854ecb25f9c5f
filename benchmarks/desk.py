"""Measure the student's commands: checking the machine and checking a notebook."""

import contextlib
import io
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from benchmarks.isolation import answers
from hw_support.desk.check import check
from hw_support.desk.opening import open_notebook
from hw_support.submission.released import releases

REPEATS = 5


def run() -> None:
    """Print both medians; that of a check leaves out the time of the student's own cells."""
    doctors = [_seconds_of_doctor() for _ in range(REPEATS)]
    print(f"doctor: median {statistics.median(doctors):.2f} s of {REPEATS} runs")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hw2.ipynb"
        nbformat.write(answers(), path)
        beyond = [_seconds_beyond_cells(path) for _ in range(REPEATS)]
    print(f"check: median {statistics.median(beyond):.2f} s beyond the student's cells")


def _seconds_of_doctor() -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "hw_support", "doctor"], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start


def _seconds_beyond_cells(path: Path) -> float:
    """Check a notebook that trains nothing; return the seconds outside its cells."""
    start = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):
        report = check(open_notebook(path, releases()))
    return time.perf_counter() - start - sum(cell.run.seconds for cell in report.checked)
