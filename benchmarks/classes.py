"""Classes of hw2 for the benchmarks: written, and graded by this grader or by stock nbgrader."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat

from hw_grading.grade.settings import WholeClass
from hw_grading.homework.course import REPOSITORY, Course, fixed_folder, scratch_course
from hw_grading.homework.source_notebook import solved
from hw_support.submission.cells import grade_id_of

UNTRAINED = ("train", "train_run", "q1_3e_i", "q1_3e_ii", "q1_3e_iii", "q1_3e_iv_experiment")
SMALL_TRAINING = "# Sanity check 3"
AFTER_RELEASE = "results-after-the-release"
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
    """Make a scratch course in which `students` students submitted the same notebook.

    It was released as instructors do it, so the results of the solutions are there.
    """
    course = scratch_course(folder)
    release = [sys.executable, "-m", "hw_grading", "--course", str(folder), "release", "hw2"]
    subprocess.run(release, check=True, capture_output=True)
    shutil.copytree(_results(course), folder / AFTER_RELEASE)
    for number in range(students):
        submission = course.submitted(f"student-{number:05}", "hw2")
        submission.mkdir(parents=True)
        nbformat.write(notebook, submission / "hw2.ipynb")
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(config)
    return course


def seconds_of_grading(course: Course, *options: str) -> float:
    """Grade the class from the beginning, and return the seconds of the whole command."""
    graded = fixed_folder(course.directory, course.directory.autograded_directory)
    for made in (graded, _results(course)):
        shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(course.folder / AFTER_RELEASE, _results(course))
    start = time.perf_counter()
    status = course.nbgrader("autograde", "hw2", *options, log=course.folder / "log.txt")
    if status != 0:
        raise RuntimeError((course.folder / "log.txt").read_text()[-2000:])
    return time.perf_counter() - start


def _results(course: Course) -> Path:
    return WholeClass(config=course.config).place(course.root)
