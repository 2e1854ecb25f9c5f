"""Measure the cost of isolation against stock nbgrader, for a submission without training."""

import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat

from hw_grading.batch.settings import WholeClass
from hw_grading.commands.sample import solved
from hw_grading.homework.course import REPOSITORY, Course, fixed_folder, scratch_course
from hw_support.submission.cells import grade_id_of

REPEATS = 5
STUDENTS = 6
UNTRAINED = ("train", "train_run", "q1_3e_i", "q1_3e_ii", "q1_3e_iii", "q1_3e_iv_experiment")
SMALL_TRAINING = "# Sanity check 3"
ONE_AT_A_TIME = "--WholeClass.executor=serial"
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
        untrained = answers()
        ours = make_course(Path(folder) / "ours", untrained, STUDENTS)
        stock = make_course(Path(folder) / "stock", untrained, STUDENTS, STOCK)
        pairs = []
        for repeat in range(REPEATS):
            pair = seconds_of_grading(ours, ONE_AT_A_TIME), seconds_of_grading(stock)
            pairs.append(pair)
            each = " and ".join(f"{seconds / STUDENTS:.2f} s" for seconds in pair)
            print(f"run {repeat + 1}: in isolation and stock {each} a submission", flush=True)
    ratio = statistics.median(isolated / plain for isolated, plain in pairs)
    medians = (statistics.median(column) / STUDENTS for column in zip(*pairs, strict=True))
    both = ", stock ".join(f"{seconds:.2f} s" for seconds in medians)
    print(f"medians of {STUDENTS} submissions: in isolation {both}, ratio {ratio:.2f}")


def answers() -> Any:
    """Return a notebook with all answers that need no trained network, and without training."""
    here = Course(REPOSITORY)
    source = nbformat.read(here.source("hw2") / "hw2.ipynb", as_version=4)
    released = nbformat.read(here.release("hw2") / "hw2.ipynb", as_version=4)
    return without_training(solved(released, source))


def without_training(notebook: Any) -> Any:
    """Take the training out of a notebook, and what needs a trained network; return it."""
    for cell in notebook.cells:
        if grade_id_of(cell) in UNTRAINED:
            cell.source = "pass"
    notebook.cells = [cell for cell in notebook.cells if not cell.source.startswith(SMALL_TRAINING)]
    return notebook


def make_course(folder: Path, notebook: Any, students: int, config: str = "") -> Course:
    """Make a scratch course in which `students` students submitted the same notebook."""
    course = scratch_course(folder)
    log = folder / "log.txt"
    if course.nbgrader("generate_assignment", "hw2", log=log) != 0:
        raise RuntimeError(log.read_text())
    for number in range(students):
        submission = course.submitted(f"student-{number:05}", "hw2")
        submission.mkdir(parents=True)
        nbformat.write(notebook, submission / "hw2.ipynb")
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(config)
    return course


def seconds_of_grading(course: Course, *options: str, anew: bool = True) -> float:
    """Grade the class, and return the seconds of the whole command.

    If `anew`, earlier grades and results are removed first.
    """
    if anew:
        graded = fixed_folder(course.directory, course.directory.autograded_directory)
        for made in (graded, WholeClass(config=course.config).place(course.root)):
            shutil.rmtree(made, ignore_errors=True)
    start = time.perf_counter()
    status = course.nbgrader("autograde", "hw2", *options, log=course.folder / "log.txt")
    if status != 0:
        raise RuntimeError((course.folder / "log.txt").read_text()[-2000:])
    return time.perf_counter() - start
