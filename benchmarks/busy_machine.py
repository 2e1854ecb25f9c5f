"""Measure how other work on the machine slows down grading; no score may change.

The sample class, without training and many times over, is graded twice: on the machine as it is,
and beside busy processes, each in a session of its own, like other people's programs.
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat

from benchmarks.classes import seconds_of_grading, without_training
from hw_grading.commands.sample import write_class
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import Course, scratch_course

HOMEWORK = "hw2"
BUSY, STUDENTS = 4, 200
LIMIT = "--ExecuteSubmission.cpu_seconds_per_cell=20"

Scores = dict[tuple[str, str], float | None]


def run() -> None:
    """Print the times of both runs, and the number of equal scores.

    Raises
    ------
    RuntimeError
        A score differs.
    """
    with tempfile.TemporaryDirectory() as folder:
        course = scratch_course(Path(folder))
        log = course.folder / "log.txt"
        if course.nbgrader("generate_assignment", HOMEWORK, log=log) != 0:
            raise RuntimeError(log.read_text())
        write_large_class(course)
        quiet, scores = graded(course)
        print(f"{STUDENTS} submissions on the machine as it is: {quiet:.0f} s", flush=True)
        with busy_processes():
            seconds, others = graded(course)
        print(f"beside {BUSY} busy processes: {seconds:.0f} s; {compared(scores, others)}")


@contextlib.contextmanager
def busy_processes() -> Iterator[None]:
    """Keep processes busy during a block."""
    with contextlib.ExitStack() as stack:
        for _ in range(BUSY):
            process = subprocess.Popen(
                [sys.executable, "-c", "while True: pass"], start_new_session=True
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield


def write_large_class(course: Course) -> None:
    """Write the sample class without training, again and again until it is large."""
    students = [one.student for one in write_class(course, HOMEWORK)]
    for number in range(STUDENTS):
        student = students[number % len(students)]
        path = course.submitted(student, HOMEWORK) / f"{HOMEWORK}.ipynb"
        notebook = without_training(nbformat.read(path, as_version=4))
        copy = course.submitted(f"{student}-{number}", HOMEWORK)
        copy.mkdir(parents=True)
        nbformat.write(notebook, copy / path.name)
    for student in students:
        shutil.rmtree(course.submitted(student, HOMEWORK))


def graded(course: Course) -> tuple[float, Scores]:
    """Grade the class; return the seconds of the command, and the scores by student and cell."""
    seconds = seconds_of_grading(course, LIMIT)
    scores = {
        (record.student, score.cell.name): score.auto
        for record in (result.known for result in read_results(course, HOMEWORK).handed_in)
        for score in record.scores
        if not score.cell.by_hand
    }
    return seconds, scores


def compared(scores: Scores, others: Scores) -> str:
    """Return the number of scores in words, if none differs in the other run."""
    different = [place for place in scores if others[place] != scores[place]]
    if different:
        raise RuntimeError(f"{len(different)} of {len(scores)} scores differ: {different}")
    return f"{len(scores)} scores compared, {len(different)} differ"
