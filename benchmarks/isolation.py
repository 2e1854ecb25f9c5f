"""What it costs to grade a submission without training in isolation, against stock nbgrader."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path

import nbformat

from hw_grading.course import REPOSITORY, Course, scratch_course
from hw_grading.sample_class import cell_of, solved

REPEATS = 5
STUDENTS = 6
UNTRAINED = ("train", "q1_3e_i", "q1_3e_ii", "q1_3e_iii", "q1_3e_iv_experiment")
STOCK = """
c.Autograde.autograde_preprocessors = [
    "nbgrader.preprocessors.Execute",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
del c.Autograde["exporter_class"]
"""


def run() -> None:
    """Print the medians of both ways and of the ratios of each pair."""
    with tempfile.TemporaryDirectory() as folder:
        ours, stock = make_course(Path(folder) / "ours"), make_course(Path(folder) / "stock")
        with (stock.folder / "nbgrader_config.py").open("a") as config:
            config.write(STOCK)
        pairs = []
        for repeat in range(REPEATS):
            pair = seconds_of_grading(ours), seconds_of_grading(stock)
            pairs.append(pair)
            each = " and ".join(f"{seconds / STUDENTS:.2f} s" for seconds in pair)
            print(f"run {repeat + 1}: in isolation and stock {each} a submission", flush=True)
    ratio = statistics.median(isolated / plain for isolated, plain in pairs)
    medians = (statistics.median(column) / STUDENTS for column in zip(*pairs, strict=True))
    both = ", stock ".join(f"{seconds:.2f} s" for seconds in medians)
    print(f"medians of {STUDENTS} submissions: in isolation {both}, ratio {ratio:.2f}")


def make_course(folder: Path) -> Course:
    """Make a scratch course with submissions that answer all but what needs the trained network."""
    course = scratch_course(folder)
    log = folder / "log.txt"
    if course.nbgrader("generate_assignment", "hw2", log=log) != 0:
        raise RuntimeError(log.read_text())
    source = nbformat.read(REPOSITORY / "source" / "hw2" / "hw2.ipynb", as_version=4)
    released = nbformat.read(folder / "release" / "hw2" / "hw2.ipynb", as_version=4)
    notebook = solved(released, source)
    for grade_id in UNTRAINED:
        cell_of(notebook, grade_id).source = "pass"
    for number in range(STUDENTS):
        submission = folder / "submitted" / f"student-{number}" / "hw2"
        submission.mkdir(parents=True)
        nbformat.write(notebook, submission / "hw2.ipynb")
    return course


def seconds_of_grading(course: Course) -> float:
    """Grade the class anew, and return the seconds of the whole command."""
    for made in ("autograded", "grading"):  # results too: nothing is to be there already
        shutil.rmtree(course.folder / made, ignore_errors=True)
    one_at_a_time = "--WholeClass.executor=serial"
    start = time.perf_counter()
    status = course.nbgrader("autograde", "hw2", one_at_a_time, log=course.folder / "log.txt")
    if status != 0:
        raise RuntimeError((course.folder / "log.txt").read_text()[-2000:])
    return time.perf_counter() - start
