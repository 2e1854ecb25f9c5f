"""Settings for grading a whole class, and the executor that they describe."""

import contextlib
import hashlib
import os
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil
from jupyter_core.paths import jupyter_data_dir
from traitlets import Bool, Enum, Float, Integer, Unicode
from traitlets.config import Configurable

from hw_grading import DISTRIBUTION
from hw_grading.grade.workers import InThisProcess, LocalProcesses, Workers
from hw_grading.homework.homework import Homework
from hw_grading.outcome import SettingsError
from hw_grading.run.settings import RunSettings

SECRET_BYTES = 32
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
    secret_file = Unicode(
        "",
        help="The file of the course's secret, from which fresh cases are drawn; written if "
        "missing. '': a file in your Jupyter data folder. A file beside it, which ends in "
        "`.runs`, counts the runs of each submission. To grade on another machine, copy both.",
    ).tag(config=True)

    def place(self, root: str | Path) -> Path:
        """Return the folder for saved results and the list of runs, in a course with this root."""
        return Path(root, self.folder)

    def secret(self, root: str | Path, course_id: str) -> Path:
        """Return the file of the secret of a course with this root."""
        if self.secret_file:
            return Path(self.secret_file)
        name = hashlib.sha256(os.fsencode(Path(root).resolve())).hexdigest()[:16]
        readable = "".join(c for c in course_id if c.isalnum() or c in "-_")[:40]
        return Path(jupyter_data_dir(), "hw_grading", f"{readable or 'course'}-{name}.secret")

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
            free_mb = _SHARE_OF_MEMORY * psutil.virtual_memory().available / (1 << 20)
            fit = max(1, int(free_mb // settings.memory_mb))
            at_once = min(submissions, self.workers or len(os.sched_getaffinity(0)), fit)
            workers = LocalProcesses(at_once, homework, forked, examined)
        try:
            settings.expect_a_sandbox(hidden)  # while the fork servers start
        except BaseException:
            workers.shutdown(cancel_futures=True)
            raise
        return workers


def course_secret(file: Path) -> bytes:
    """Read a course's secret, from which seeds are made; make it if it is missing.

    It is outside the repository, and no sandbox shows it. Raise `SettingsError` if that fails.
    """
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile("w", dir=file.parent, encoding="ascii") as written:
                written.write(secrets.token_hex(SECRET_BYTES))
                written.flush()
                with contextlib.suppress(FileExistsError):  # another process was faster
                    os.link(written.name, file)
        secret = bytes.fromhex(file.read_text(encoding="ascii"))
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"expected {SECRET_BYTES} bytes in hexadecimal digits")
    except (OSError, ValueError) as error:
        raise SettingsError(
            "The course's secret, from which hidden inputs are drawn, cannot be read from "
            f"{file} or written to it ({error}). Make that folder writable, or set "
            "c.WholeClass.secret_file to a file outside the course. If the file is damaged, remove "
            "it: the grader makes a new secret, and hidden tests get new inputs"
        ) from error
    return secret
