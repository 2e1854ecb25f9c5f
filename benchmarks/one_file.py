"""Measure `hw-grading grade-file`: how much longer than its notebook the whole command takes."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell

from benchmarks.classes import answers
from hw_grading.homework.course import REPOSITORY, Course, released_copy

REPEATS = 5


def run() -> None:
    """Print the median, in seconds; the homework is released, and no result is in the cache."""
    with tempfile.TemporaryDirectory() as folder:
        course = released_copy(Course(REPOSITORY), "hw2", Path(folder)).folder
        more, notebook = [], answers()
        for number in range(REPEATS):
            file, out = Path(folder, f"{number}.ipynb"), Path(folder, "out.json")
            notebook.cells.append(new_markdown_cell(f"{number}"))
            nbformat.write(notebook, file)
            words = ["--course", course, "grade-file", file, "--homework", "hw2", "--json", out]
            began = time.monotonic()
            done = [sys.executable, "-m", "hw_grading", *map(str, words)]
            subprocess.run(done, check=True, capture_output=True)
            took = time.monotonic() - began
            more.append(took - json.loads(out.read_text(encoding="utf-8"))["seconds"])
    print(f"one file, beside the seconds of its notebook: {statistics.median(more):.2f} s")
