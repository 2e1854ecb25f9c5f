"""Measure time and memory of submissions with ready results, in small and large classes."""

import os
import pickle
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.classes import answers, make_course
from hw_grading.grade.job import Job
from hw_grading.grade.kept import ResultStore
from hw_grading.grade.settings import WholeClass
from hw_grading.homework.course import Course
from hw_grading.outcome import Outcome

SIZES = (100, 10_000)
# Runs `nbgrader autograde`, and keeps the last job and its outcome.
KEEP = """
import os, pickle
from hw_grading.grade.kept import ResultStore
from hw_grading.grade.read import Reader
put, read_of, jobs = ResultStore.put, Reader.read, {}
def read(self, *arguments):
    job = read_of(self, *arguments)
    jobs[job.key] = job
    return job
def keep(self, key, outcome):
    put(self, key, outcome)
    if key in jobs:  # not that of the solutions
        with open(os.environ["KEPT"], "wb") as file:
            pickle.dump((jobs[key], outcome), file)
Reader.read, ResultStore.put = read, keep
from nbgrader.apps.nbgraderapp import main
main()
"""


def run() -> None:
    """Print the time of a submission and the coordinator's memory, for both classes."""
    with tempfile.TemporaryDirectory() as folder:
        one = make_course(Path(folder) / "one", answers(), 1)
        job, outcome = one_result(one)
        to_start, _ = grade(one)  # with nothing left to do
        each = []
        for size in SIZES:
            course = make_course(Path(folder) / str(size), answers(), size)
            make_results_ready(course, job, outcome, size)
            seconds, megabytes = grade(course)
            expect_nothing_ran(course)
            each.append((seconds - to_start) / size)
            print(
                f"{size:,} submissions with ready results: {1000 * each[-1]:.0f} ms each, "
                f"{megabytes:.0f} MB at most in the coordinator",
                flush=True,
            )
    print(f"ratio {each[1] / each[0]:.2f}")


def one_result(course: Course) -> tuple[Job, Outcome]:
    """Grade a class of one; return its job and its outcome."""
    folder = course.folder
    file = folder / "job.pickle"
    command = [sys.executable, "-c", KEEP, "autograde", "hw2"]
    environment = {**os.environ, "KEPT": str(file)}
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)
    job, outcome = pickle.loads(file.read_bytes())
    return job, outcome


def make_results_ready(course: Course, job: Job, outcome: Outcome, students: int) -> None:
    """Store the outcome of one student's job as the result of each student."""
    whole_class = WholeClass(config=course.config)
    results = ResultStore(whole_class.place(course.root) / "results")
    for number in range(students):
        results.put(replace(job, student=f"student-{number:05}").key, outcome)


def expect_nothing_ran(course: Course) -> None:
    """Raise RuntimeError if a run ran a submission whose result was ready."""
    lines = WholeClass(config=course.config).place(course.root) / "hw2.jsonl"
    if lines.exists():
        raise RuntimeError(f"all results were ready, but {lines} names submissions that were run")


def grade(course: Course) -> tuple[float, float]:
    """Return the seconds of the loop, and the peak memory of its process in megabytes."""
    log = (course.folder / "log.txt").open("wb")
    command = [sys.executable, "-m", "nbgrader", "autograde", "hw2"]
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=course.folder, stdout=log, stderr=log)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise RuntimeError((course.folder / "log.txt").read_text()[-2000:])
    return seconds, usage.ru_maxrss / 1024
