"""Measure one submission that trains nothing: the whole command, and examining its test cells."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

from benchmarks.classes import answers, make_course, seconds_of_grading
from hw_grading.examiner.client import Examination
from hw_grading.homework.course import REPOSITORY
from hw_grading.homework.homework import homework_of
from hw_grading.run.kernel import Kernel
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import SubmissionRun

REPEATS, COMMANDS = 5, 3
HOMEWORK = homework_of(REPOSITORY, "hw2")


def run() -> None:
    """Print the seconds of the command, and the CPU seconds of examining."""
    with tempfile.TemporaryDirectory() as folder:
        course = make_course(Path(folder) / "course", answers(), 1)
        each = [seconds_of_grading(course) for _ in range(COMMANDS)]
    print(f"the whole command, from its start to its end: {statistics.median(each):.2f} s")
    cpu_seconds_of_examining()  # it starts the fork servers
    spent = [cpu_seconds_of_examining() for _ in range(REPEATS)]
    print(f"examining its test cells: {statistics.median(spent):.2f} s of CPU time")


def cpu_seconds_of_examining() -> float:
    """Return the CPU seconds of grader, kernel and examiner while test cells are examined."""
    pids, seconds = set[int](), list[float]()
    examine, process = SubmissionRun._examine, Examination.process

    @contextmanager
    def timed(kernel: Kernel) -> Iterator[None]:
        pids.add(kernel.watch.kernel_pid)
        began = _computed(pids)
        yield
        seconds.append(_computed(pids) - began)  # an examiner that began meanwhile counts whole

    def timed_examine(self: Any, kernel: Kernel, *given: Any) -> Any:
        with timed(kernel):
            return examine(self, kernel, *given)

    def known_process(self: Any) -> Any:
        found = process(self)
        pids.add(found.pid)
        return found

    with (
        mock.patch.object(SubmissionRun, "_examine", timed_examine),
        mock.patch.object(Examination, "process", known_process),
    ):
        SubmissionRun(answers(), 1, RunSettings(), HOMEWORK).run()
    return sum(seconds)


def _computed(pids: set[int]) -> float:
    """Return the CPU seconds of this process, of others and of their ended children, so far."""
    ended = [psutil.Process(pid).cpu_times() for pid in pids]
    children: float = sum(one.children_user + one.children_system for one in ended)
    tasks = [path for pid in pids for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    nanoseconds = sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks)
    return time.process_time() + nanoseconds / 1e9 + children
