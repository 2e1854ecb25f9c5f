"""Compare the time of grading a class with stock nbgrader's time."""

import json
import multiprocessing
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat

from benchmarks.growth import expect_nothing_ran, make_results_ready, one_result
from benchmarks.isolation import STOCK, answers, make_course, seconds_of_grading
from benchmarks.training import BY_ONE_PRODUCT, LOOK_PLAINLY, LOOK_QUICKLY, PER_EXAMPLE
from hw_grading.batch.settings import WholeClass
from hw_grading.commands.sample import replace_in, solved
from hw_grading.homework.course import REPOSITORY, Course

REPEATS = 3
WITHOUT_TRAINING, TRAINING, UNCHANGED = 40, 8, 700


def run() -> None:
    """Print the figures of a class without training, with training, and graded again."""
    print(f"a busy loop on each core gets {share_of_busy_loops():.2f} of the cores' time")
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder) / "untrained", answers(), WITHOUT_TRAINING, "without training")
        grade_again(Path(folder) / "again")
        compare(Path(folder) / "trained", trained(), TRAINING, "that train per example")
        for students in (1, 2):
            compare_threads(Path(folder) / f"last {students}", students)


def share_of_busy_loops() -> float:
    """Return the share of the cores' time that a process on each core gets, without other work."""
    cores = sorted(os.sched_getaffinity(0))
    with multiprocessing.get_context("fork").Pool(len(cores)) as pool:
        return statistics.mean(pool.map(_loop, cores, chunksize=1))


def _loop(core: int) -> float:
    os.sched_setaffinity(0, {core})
    start, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - start < 10:
        pass
    return (time.process_time() - cpu) / (time.perf_counter() - start)


def trained() -> Any:
    """Return a right notebook that trains the plain way, with a gradient for each example."""
    source = nbformat.read(Course(REPOSITORY).source("hw2") / "hw2.ipynb", as_version=4)
    released = nbformat.read(Course(REPOSITORY).release("hw2") / "hw2.ipynb", as_version=4)
    notebook = solved(released, source)
    replace_in(notebook, "train", BY_ONE_PRODUCT, PER_EXAMPLE)
    replace_in(notebook, "train", LOOK_QUICKLY, LOOK_PLAINLY)
    return notebook


def compare(folder: Path, notebook: Any, students: int, kind: str) -> None:
    """Print the seconds of both ways, their ratio, and the use of the cores."""
    ours = make_course(folder / "ours", notebook, students)
    stock = make_course(folder / "stock", notebook, students, STOCK)
    ratios, shares, busy = [], [], []
    for repeat in range(REPEATS):
        here, there = seconds_of_grading(ours), seconds_of_grading(stock)
        cores = len(os.sched_getaffinity(0)) * here
        shares.append(spent(ours, "cpu_seconds") / cores)
        busy.append(spent(ours, "seconds") / cores)
        ratios.append(there / here)
        print(
            f"run {repeat + 1}: {students} submissions {kind}: {here:.1f} s, stock {there:.1f} s, "
            f"{ratios[-1]:.2f} times; student code had {shares[-1]:.2f} of the cores' time; "
            f"submissions ran in {busy[-1]:.2f} of it",
            flush=True,
        )
    ratio, share, part = (statistics.median(values) for values in (ratios, shares, busy))
    print(
        f"medians of {students} {kind}: {ratio:.2f} times as fast; student code had {share:.2f} "
        f"of the cores' time, submissions ran in {part:.2f} of it"
    )


def compare_threads(folder: Path, students: int) -> None:
    """Print the seconds of the last submissions of a class with one BLAS thread each and two."""
    course = make_course(folder, trained(), students)
    option = "--ExecuteSubmission.blas_threads"
    pairs = [
        [seconds_of_grading(course, f"{option}={threads}") for threads in (1, 2)]
        for _ in range(REPEATS)
    ]
    one, two = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{students} that train, alone: {one:.1f} s with one BLAS thread, {two:.1f} s with two")


def spent(course: Course, what: str) -> float:
    """Return the sum of all submissions in the last reported run: seconds or CPU seconds."""
    log = WholeClass(config=course.config).place(course.root) / "hw2.jsonl"
    lines = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    return sum(float(line.get(what) or 0) for line in lines)


def grade_again(folder: Path) -> None:
    """Print the time to save an unchanged class again."""
    ready = one_result(make_course(folder / "one", answers(), 1))
    course = make_course(folder / "class", answers(), UNCHANGED)
    make_results_ready(course, *ready, UNCHANGED)
    seconds_of_grading(course, anew=False)
    expect_nothing_ran(course)
    each = [seconds_of_grading(course, "--force", anew=False) / UNCHANGED for _ in range(REPEATS)]
    listed = ", ".join(f"{seconds:.3f} s" for seconds in each)
    print(f"an unchanged class of {UNCHANGED} with --force: {listed} a submission")
