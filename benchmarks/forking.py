"""Measure what forking saves: workers, kernels and examiners are forked, or start from nothing.

Both sides of each pair are measured in turn, in one run. A process is ready when it has done the
imports that its work needs. Commands grade submissions without training; a class is graded with a
worker for each core.
"""

import copy
import functools
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from benchmarks.isolation import answers, make_course, seconds_of_grading
from hw_grading.examiner import client
from hw_grading.examiner.client import Examination, Request
from hw_grading.homework.cells import instructors_first_cells
from hw_grading.homework.course import REPOSITORY
from hw_grading.homework.homework import homework_of
from hw_grading.run.kernel import Kernel, Problems
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import Submission

REPEATS, CLASSES = 7, 3
MANY = 40
HOMEWORK = homework_of(REPOSITORY, "hw2")
KERNELS = "--ExecuteSubmission.fork_kernels={}"


def run() -> None:
    """Print seconds until a process is ready, of a submission, and of whole commands."""
    show("a kernel is ready", until_a_kernel, REPEATS)
    nb = answers()
    show("an examiner is ready", functools.partial(until_an_examiner, nb), REPEATS)
    show("a submission, the kernel", lambda forked: of_a_submission(nb, kernel=forked), REPEATS)
    show("a submission, the examiner", lambda forked: of_a_submission(nb, examiner=forked), REPEATS)
    with tempfile.TemporaryDirectory() as folder:
        one = make_course(Path(folder) / "one", nb, 1)
        many = make_course(Path(folder) / "many", nb, MANY)
        show("1, the kernel", lambda f: seconds_of_grading(one, KERNELS.format(f)), REPEATS)
        what = f"a class of {MANY}, the kernels"
        show(what, lambda f: seconds_of_grading(many, KERNELS.format(f)), CLASSES)


def show(what: str, seconds: Callable[[bool], float], repeats: int) -> None:
    """Measure forked processes and processes from nothing in turn, and print the medians.

    The first pair also starts the fork servers. It is an outlier, which hardly moves the medians.
    """
    pairs = [(seconds(True), seconds(False)) for _ in range(repeats)]
    with_forks, without = (statistics.median(column) for column in zip(*pairs, strict=True))
    saved = statistics.median(started - forked for forked, started in pairs)
    print(
        f"{what:<28} forked {with_forks:6.2f} s, from nothing {without:6.2f} s, "
        f"saved {saved:6.2f} s (medians of {repeats} pairs)",
        flush=True,
    )


def until_a_kernel(forked: bool) -> float:
    """Return the seconds until a kernel has imported what almost every submission imports."""
    settings = RunSettings(fork_kernels=forked)
    began = time.perf_counter()
    kernel = Kernel(settings, HOMEWORK, Problems())
    try:
        with kernel.link:
            kernel.connect(60.0)
            kernel.run_cell(new_code_cell("import matplotlib.pyplot, numpy, hw_support"))
            return time.perf_counter() - began
    finally:
        kernel.end()


def until_an_examiner(nb: NotebookNode, forked: bool) -> float:
    """Return the seconds until an examiner has run the instructor's first cells."""
    _end_examiner_unless(forked)
    link, kernels = socket.socketpair()
    here, first = os.getpid(), list(instructors_first_cells(nb).items())
    with kernels:
        began = time.perf_counter()
        examination = Examination(link, Request(here, 1, first, []), HOMEWORK)
        examination.process()
        seconds = time.perf_counter() - began
        examination.end()
    return seconds


def of_a_submission(nb: NotebookNode, *, kernel: bool = True, examiner: bool = True) -> float:
    """Return the seconds of a submission; the fork servers that it needs are running."""
    _end_examiner_unless(examiner)
    submission = Submission(copy.deepcopy(nb), 1, RunSettings(fork_kernels=kernel), HOMEWORK)
    began = time.perf_counter()
    submission.run()
    return time.perf_counter() - began


def _end_examiner_unless(kept: bool) -> None:
    """End this process's fork server of examiners, so that the next submission starts another."""
    if not kept:
        client._examiner = None  # its socket is closed, so it ends
