"""Measure the CPU time of a submission in which one function of hw2 never returns."""

import re

import nbformat

from hw_grading.commands.sample import cell_of
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.homework import homework_of
from hw_grading.homework.source_notebook import solved
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import SubmissionRun

FUNCTIONS = ("sigmoid_activation", "layer_forward", "backward_pass", "train")
MAX_SECONDS = 90  # and in `train` the limit of its cell, beside these


def run() -> None:
    """Print the CPU seconds for each of the functions."""
    for function in FUNCTIONS:
        print(f"an endless loop in {function}: {cpu_seconds(function):.0f} s of computing")


def cpu_seconds(function: str) -> float:
    """Return the CPU seconds of a right notebook in which this function loops for ever."""
    source = nbformat.read(Course(REPOSITORY).source("hw2") / "hw2.ipynb", as_version=4)
    notebook = solved(source, source)
    cell = cell_of(notebook, function)
    header = re.compile(rf"^def {function}\(.*?\):\n", re.MULTILINE | re.DOTALL)
    cell.source, changed = header.subn(r"\g<0>    while True:\n        pass\n", cell.source)
    if changed != 1:
        raise RuntimeError(f"{function} is not defined once in its cell")
    homework = homework_of(REPOSITORY, "hw2")
    submission = SubmissionRun(notebook, 1, RunSettings(), homework)
    submission.run()
    # `train_run` is the cell that calls `train`.
    most = MAX_SECONDS + homework.manifest.seconds("cpu_seconds").get(f"{function}_run", 0)
    if submission.cpu_seconds_used > most:
        raise RuntimeError(f"{submission.cpu_seconds_used:.0f} s, at most {most:g} s")
    return submission.cpu_seconds_used
