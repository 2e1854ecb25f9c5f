"""Measure the total time of a submission's test cells, without training."""

import contextlib
import io
import statistics
import time
from typing import Any

import nbformat

from hw_grading.commands.sample import solved
from hw_grading.homework.course import REPOSITORY, Course

REPEATS = 9


def run() -> None:
    """Print the median of the sum over the cells, and the slowest cells."""
    source = nbformat.read(Course(REPOSITORY).source("hw2") / "hw2.ipynb", as_version=4)
    notebook = solved(source, source)
    seconds_of_all(notebook)  # imports, and files read for the first time
    runs = [seconds_of_all(notebook) for _ in range(REPEATS)]
    medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    total = statistics.median(sum(run.values()) for run in runs)
    print(f"{len(medians)} test cells: median {total:.2f} s of {REPEATS} runs")
    for name in sorted(medians, key=lambda name: -medians[name])[:3]:
        print(f"  {name}: {medians[name]:.3f} s")


def seconds_of_all(notebook: Any) -> dict[str, float]:
    """Run the notebook without training and plots; return the seconds of each test cell."""
    names: dict[str, Any] = {}
    seconds = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            apart = grade_id in ("train", "train_run", "test_train") or grade_id.startswith("q1_3e")
            if cell.cell_type != "code" or not grade_id or apart:
                continue
            start = time.perf_counter()
            exec(cell.source, names)
            if grade_id.startswith("test_"):
                seconds[grade_id] = time.perf_counter() - start
    return seconds
