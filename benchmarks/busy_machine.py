"""Measure how other work on the machine slows down grading; no score may change.

The sample class, without training and many times over, is graded three times: on the machine as it
is; beside busy processes, each in a session of its own, like other people's programs; and with a
submission that keeps as many processes busy as it can.
"""

import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbgrader import utils

from benchmarks.isolation import seconds_of_grading, without_training
from hw_grading.batch.settings import WholeClass
from hw_grading.commands.sample import write_class
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import Course, scratch_course

HOMEWORK = "hw2"
BUSY, STUDENTS = 4, 200
HOSTILE = "a-hostile"  # this name makes it run first
LIMIT = "--ExecuteSubmission.cpu_seconds_per_cell=20"
FORK = """
import os
try:
    for _ in range(127):
        if os.fork() == 0:
            os.setsid()
            while True:
                pass
except OSError:
    pass  # that is as many as there may be
"""
STAY = "import time\ntime.sleep(1000)"

Scores = dict[tuple[str, str], float | None]


def run() -> None:
    """Print the times of all three runs, and the number of equal scores.

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
        quiet, alone, scores = graded(course)
        print(f"{len(alone)} submissions on the machine as it is: {quiet:.0f} s", flush=True)
        with busy_processes():
            seconds, _, others = graded(course)
        print(
            f"beside {BUSY} busy processes: {seconds:.0f} s; {compared(scores, others)}", flush=True
        )
        write_hostile(course)
        _, beside, others = graded(course)
        slower = [beside[student] / alone[student] for student in alone]
        print(
            f"beside a submission with as many busy processes as it can have, which took "
            f"{beside[HOSTILE]:.0f} s: each of the others {statistics.median(slower):.1f} times "
            f"as long (median; at most {max(slower):.1f} times); {compared(scores, others)}"
        )


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


def write_hostile(course: Course) -> None:
    """Add a submission whose processes are busy as long as its limits allow."""
    notebook = nbformat.read(course.release(HOMEWORK) / f"{HOMEWORK}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    answers = [cell for cell in code if utils.is_solution(cell)]
    for cell in answers:
        cell.source = STAY
    answers[0].source = FORK + STAY
    folder = course.submitted(HOSTILE, HOMEWORK)
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{HOMEWORK}.ipynb")


def graded(course: Course) -> tuple[float, dict[str, float], Scores]:
    """Grade the class again from the beginning.

    Returns
    -------
    seconds : float
        The time of the whole command.
    each : dict of str to float
        The time of each submission.
    scores : dict
        The scores by student and test cell.
    """
    seconds = seconds_of_grading(course, LIMIT)
    lines = WholeClass(config=course.config).place(course.root) / f"{HOMEWORK}.jsonl"
    events = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    each = {event["student"]: event["seconds"] for event in events}
    scores = {
        (record.student, score.cell.name): score.auto
        for record in (one.known for one in read_results(course, HOMEWORK).handed_in)
        for score in record.scores
        if not score.cell.by_hand
    }
    return seconds, each, scores


def compared(scores: Scores, others: Scores) -> str:
    """Return the number of scores in words, if none differs in the other run."""
    different = [place for place in scores if others[place] != scores[place]]
    if different:
        raise RuntimeError(f"{len(different)} of {len(scores)} scores differ: {different}")
    return f"{len(scores)} scores compared, {len(different)} differ"
