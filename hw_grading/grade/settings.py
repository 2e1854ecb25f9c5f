"""Settings for grading a whole class, and the executor that they describe."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
from traitlets import Bool, Enum, Float, Integer, Unicode
from traitlets.config import Configurable

from hw_grading import DISTRIBUTION
from hw_grading.grade.workers import InThisProcess, LocalProcesses, Workers
from hw_grading.homework.homework import Homework
from hw_grading.outcome import SettingsError
from hw_grading.run.settings import RunSettings

_SHARE_OF_MEMORY = 0.8  # of the memory that is free when grading begins


class WholeClass(Configurable):
    """How a class is graded; ``c.WholeClass``."""

    executor = Enum(
        ["processes", "serial", "dask"],
        default_value="processes",
        help="Where submissions run: in processes on this machine, one after another in "
        "nbgrader's own process, or on Dask workers.",
    ).tag(config=True)
    workers = Integer(
        0,
        help="The most submissions that run at once. 0: one for each core. There are fewer if 80 % "
        "of the free memory is not enough for `ExecuteSubmission.memory_mb` of each.",
    ).tag(config=True)
    scheduler_address = Unicode(
        "", help='The address of the Dask scheduler, such as "tcp://10.0.0.1:8786".'
    ).tag(config=True)
    scheduler_wait_seconds = Float(
        60, help="Time (s) to wait for the scheduler and a first worker."
    ).tag(config=True)
    rerun = Bool(
        False,
        help="Whether to run every submission again, even if an earlier run saved its result.",
    ).tag(config=True)
    folder = Unicode("grading", help="The folder in the course for saved results.").tag(config=True)
    seed = Unicode(
        "",
        help="For tests of a course: a text from which fresh cases are drawn, the same in each "
        "run. '': each run draws others.",
    ).tag(config=True)

    def place(self, root: str | Path) -> Path:
        """Return the folder for saved results and the list of runs, in a course with this root."""
        return Path(root, self.folder)

    def at_once(self, memory_mb: int) -> int:
        """Return how many submissions that take so much memory (MB) run at once on this machine."""
        free_mb = _SHARE_OF_MEMORY * psutil.virtual_memory().available / (1 << 20)
        fit = max(1, int(free_mb // memory_mb))
        return min(self.workers or len(os.sched_getaffinity(0)), fit)

    def make_executor(
        self,
        submissions: int,
        settings: RunSettings,
        homework: Homework,
        examined: bool,
        hidden: Sequence[Path],
    ) -> Workers:
        """Return an executor, whose processes may still start, or raise `SettingsError`.

        A single submission does not justify a process. `examined` says whether test cells need an
        examiner. No sandbox may show what is `hidden`.
        """
        if self.executor == "dask":
            try:
                from hw_grading.grade.cluster import DaskWorkers
            except ImportError as error:
                raise SettingsError(
                    f'c.WholeClass.executor = "dask" needs Dask ({error}). Install it here and '
                    f"on the workers' machines: pip install '{DISTRIBUTION}[dask]'"
                ) from error
            # They check their sandboxes by themselves.
            return DaskWorkers(self.scheduler_address, self.scheduler_wait_seconds, settings)
        blas_threads = settings.blas_threads
        forked = blas_threads if settings.sandbox != "none" and settings.fork_kernels else None
        workers: Workers
        if self.executor == "serial" or submissions < 2 or sys.platform != "linux":
            workers = InThisProcess(homework, forked, examined)
        else:
            at_once = min(submissions, self.at_once(settings.memory_mb))
            workers = LocalProcesses(at_once, homework, forked, examined)
        try:
            settings.expect_a_sandbox(hidden)  # while the fork servers start
        except BaseException:
            workers.shutdown(cancel_futures=True)
            raise
        return workers
