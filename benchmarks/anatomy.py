"""Measure each stage of one submission: wall-clock time, and CPU time of each process.

The submission answers everything and trains nothing. `nbgrader autograde` grades it alone, in the
command's own process, so that everything can be timed there. The first run starts the fork servers.
The next runs, in the same process, are timed.
"""

import contextlib
import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from benchmarks.isolation import answers, make_course, seconds_of_grading
from hw_grading.homework.cells import is_test
from hw_support.submission.cells import grade_id_of

REPEATS = 5
COMMANDS = 3
Times = list[float]  # seconds: wall clock, grader, kernel, examiner
COLUMNS = ("clock", "grader", "kernel", "examiner")


def run() -> None:
    """Print the table of one submission, and the time of the whole command."""
    with tempfile.TemporaryDirectory() as folder:
        course = make_course(Path(folder) / "course", answers(), 1)
        command = [sys.executable, "-m", "benchmarks.anatomy"]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
        subprocess.run(command, cwd=course.folder, env=environment, check=True)
        each = [seconds_of_grading(course) for _ in range(COMMANDS)]
        print(f"the whole command, from its start to its end: {statistics.median(each):.2f} s")


class Table:
    """Adds up the seconds of each stage; a nested stage is not counted twice."""

    def __init__(self) -> None:
        self.stages: dict[str, Times] = defaultdict(lambda: [0.0] * len(COLUMNS))
        self._pids: dict[str, int] = {}
        self._seen = dict.fromkeys(COLUMNS, 0.0)  # CPU seconds of the current process
        self._before = dict.fromkeys(COLUMNS, 0.0)  # CPU seconds of earlier processes
        self._open: list[Times] = []

    def know(self, column: str, pid: int) -> None:
        """Count a process from now on, including the CPU time that it has used already."""
        if self._pids.get(column) != pid:
            self._pids[column] = pid
            self._before[column] += self._seen[column]
            self._seen[column] = 0.0

    def _now(self) -> Times:
        for column, pid in self._pids.items():
            self._seen[column] = max(self._seen[column], _computed(pid))
        others = (self._before[column] + self._seen[column] for column in COLUMNS[2:])
        return [time.perf_counter(), time.process_time(), *others]

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block as a stage."""
        began, inner = self._now(), [0.0] * len(COLUMNS)
        self._open.append(inner)
        try:
            yield
        finally:
            self._open.pop()
            whole = [now - then for now, then in zip(self._now(), began, strict=True)]
            for column, seconds in enumerate(whole):
                self.stages[name][column] += seconds - inner[column]
                if self._open:
                    self._open[-1][column] += seconds

    def time(self, owner: Any, method: str, name: str | Callable[..., str]) -> None:
        """Time each call of a method as a stage; `name` may be a function of its arguments."""
        original = getattr(owner, method)

        @functools.wraps(original)
        def timed(*given: Any, **named: Any) -> Any:
            with self.stage(name if isinstance(name, str) else name(*given)):
                return original(*given, **named)

        setattr(owner, method, timed)

    def show(self, repeats: int) -> None:
        """Print the milliseconds of all stages for one run."""
        print(f"{'milliseconds':<50}" + "".join(f"{column:>10}" for column in COLUMNS))
        for name, times in self.stages.items():
            print(f"{name:<50}" + "".join(f"{1e3 * t / repeats:10.1f}" for t in times))
        sums = [sum(column) for column in zip(*self.stages.values(), strict=True)]
        print(f"{'all':<50}" + "".join(f"{1e3 * t / repeats:10.1f}" for t in sums))


def _computed(pid: int) -> float:
    """Return the CPU seconds of a process's threads."""
    nanoseconds = 0
    with contextlib.suppress(OSError):  # it may end meanwhile
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            nanoseconds += int(task.read_text(encoding="ascii").split()[0])
    return nanoseconds / 1e9


def _words(cell: NotebookNode) -> str:
    return grade_id_of(cell) or cell.source.strip().partition("\n")[0][:36]


def _stage_of(_: Any, cell: NotebookNode, instead: str | None = None) -> str:
    if not is_test(cell):
        return f"cell {_words(cell)}"
    kind = "examined" if instead else "in the kernel"
    return f"{_words(cell).removeprefix('test_')}, {kind}"


def time_one_course() -> None:
    """Grade the course in this folder several times, and print the time of each stage."""
    from jupyter_core.application import NoStart
    from nbgrader.apps import NbGraderApp

    from hw_grading.batch.store import Results
    from hw_grading.examiner.client import Examination
    from hw_grading.plugins.autograde import SubmissionExporter
    from hw_grading.plugins.reading import Reader
    from hw_grading.plugins.saving import SaveScores
    from hw_grading.run.kernel import Kernel
    from hw_grading.run.submission import Submission

    table = Table()

    def grade() -> None:
        app = NbGraderApp()
        app.initialize(
            [
                *("autograde", "hw2", "--force", "--log-level=ERROR"),
                *("--WholeClass.executor=serial", "--WholeClass.rerun=True"),
            ]
        )
        with contextlib.suppress(NoStart):  # it ends a command that contains another one
            app.start()

    grade()
    original = Kernel.__init__

    def start(kernel: Any, *arguments: Any) -> None:
        original(kernel, *arguments)
        table.know("kernel", kernel.watch.kernel_pid)

    process = Examination.process

    def known(examination: Any) -> Any:
        found = process(examination)
        table.know("examiner", found.pid)
        return found

    for owner, method, timed in (
        (Kernel, "__init__", start),
        (Examination, "process", known),
    ):
        setattr(owner, method, timed)
    table.time(SubmissionExporter, "_grade_class", "the loop, writing, the table at the end")
    table.time(Reader, "read", "read and mend")
    table.time(Kernel, "__init__", "start the kernel")
    table.time(Submission, "run", "between cells: connecting, settling outputs")
    table.time(Submission, "_examine", "tests: between questions")
    table.time(Kernel, "run_cell", _stage_of)
    table.time(Kernel, "end", "end the kernel")
    table.time(Results, "put", "keep the result")
    table.time(SaveScores, "preprocess", "save the scores")
    for _ in range(REPEATS):
        grade()
    table.show(REPEATS)


if __name__ == "__main__":
    time_one_course()
