"""One run over a class, from the lock on the course to the table at the end.

`grading` is a context manager around the whole run. It ends everything that it has started, also
after an error. Inside, `ClassRun.ahead` begins submissions before the loop over the class saves
them one after another. A result is kept on disk as soon as there is one, by the job's key.
"""

import contextlib
import fcntl
import functools
import json
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy.exc
from nbgrader.converters import Autograde

import hw_grading
from hw_grading.grade.job import Job, JobOf, job_of, run, run_elsewhere
from hw_grading.grade.kept import ResultStore
from hw_grading.grade.progress import Progress
from hw_grading.grade.run_numbers import RunNumbers
from hw_grading.grade.settings import WholeClass, course_secret
from hw_grading.grade.submissions import Submission, to_grade
from hw_grading.grade.workers import Workers
from hw_grading.homework.cells import test_cells, uses_checks
from hw_grading.homework.course import Course, fixed_folder
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault, Outcome, SettingsError, Status
from hw_grading.run.settings import RunSettings
from hw_grading.texts import typed
from hw_support.submission.file import UserError

AHEAD = 100  # submissions that are begun before the loop saves them; there may be more workers
AHEAD_BYTES = 300_000_000  # of their files, which take a few times as much in memory


@contextlib.contextmanager
def _noted_interrupts() -> Iterator[Callable[[], None]]:
    """Note each Ctrl-C; yield a function that raises `KeyboardInterrupt` if one came before.

    What is raised while Python frees an object is printed and dropped, and so is a Ctrl-C that
    comes then. Here it is noted, and not printed.
    """
    came: list[int] = []
    print_dropped = sys.unraisablehook

    def note(number: int, frame: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    def expect_none() -> None:
        if came:
            raise KeyboardInterrupt

    def dropped(what: "sys.UnraisableHookArgs") -> None:
        if what.exc_type is not KeyboardInterrupt:
            print_dropped(what)

    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield expect_none  # a server handles its signals in its own way
        return
    signal.signal(signal.SIGINT, note)
    sys.unraisablehook = dropped
    try:
        yield expect_none
    finally:
        sys.unraisablehook = print_dropped
        signal.signal(signal.SIGINT, signal.default_int_handler)


class ClassRun:
    """Runs jobs by an executor. With `rerun`, submissions that have a result are run again.

    In the folder are the results, and a list of all runs: ``<assignment>.jsonl``.
    """

    def __init__(
        self,
        workers: Workers,
        folder: Path,
        progress: Progress,
        numbers: RunNumbers,
        *,
        rerun: bool = False,
        run: Callable[[Job], Outcome] = run,
    ) -> None:
        self.progress, self.at_once = progress, workers.at_once
        self._workers, self._folder, self._numbers = workers, folder, numbers
        self._results = ResultStore(folder / "results")
        with contextlib.suppress(OSError):  # the first result that cannot be saved tells it
            folder.mkdir(parents=True, exist_ok=True)
        self._results.tidy()
        self._rerun, self._run = rerun, run
        self._kept = True  # False after a result could not be written to disk

    def ahead(
        self,
        things: Iterable[Any],
        begin: Callable[[Any], Any],
        size: Callable[[Any], int] = lambda thing: 0,
    ) -> Iterator[tuple[Any, Any]]:
        """Begin things ahead; yield each with what `begin` has returned, in their order.

        `size` returns the bytes that a thing takes until then. After Ctrl-C nothing more is begun
        or yielded.
        """
        most = AHEAD + 2 * self._workers.at_once if self._workers.at_once else 0
        begun: deque[tuple[Any, Any]] = deque()
        sizes: deque[int] = deque()
        with _noted_interrupts() as expect_none:
            for thing in things:
                expect_none()
                sizes.append(size(thing))
                while begun and (len(begun) > most or sum(sizes) > AHEAD_BYTES):
                    sizes.popleft()
                    yield begun.popleft()
                begun.append((thing, begin(thing)))
            while begun:
                expect_none()
                yield begun.popleft()

    def begin(self, job: Job, *, of_class: bool = True) -> Future[Outcome]:
        """Return the future of a job's outcome.

        A job that is not of the class is in no progress and no list. A run is numbered before
        student code runs, and by this process alone, wherever it runs. `SettingsError` if the
        homework's code cannot be imported. Only a job that has to run waits to know that.
        """
        if not self._rerun and (outcome := self._results.get(job.key)):
            self.progress.again += of_class
            future: Future[Outcome] = Future()
            future.set_result(outcome)
        else:
            try:
                self._workers.expect_imports()
            except GraderFault as why:
                raise SettingsError(str(why)) from why
            job = replace(job, number=self._numbers.next(job.seed))
            future = self._workers.submit(self._run, job)
            future.add_done_callback(functools.partial(self._ended, job, of_class))
        if of_class:
            future.add_done_callback(self.progress.ran)
        return future

    def has_kept(self, job: Job) -> bool:
        """Whether `begin` would return a result of an earlier run."""
        return not self._rerun and self._results.get(job.key) is not None

    def call(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Return the future of a call by a worker."""
        return self._workers.submit(function, *arguments)

    def beside(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return the result of a call by a further worker, which is made now."""
        return self._workers.beside(function, *arguments)

    def _ended(self, job: Job, of_class: bool, ended: Future[Outcome]) -> None:
        """Store a result, and note the run in the list of runs; report one failure to store."""
        if ended.cancelled() or ended.exception():
            return
        outcome = ended.result()
        if not outcome.faults:
            self.keep(job, outcome)
        if of_class:
            self._list(job, outcome)

    def keep(self, job: Job, outcome: Outcome) -> None:
        """Store a result, unless it has a fault, which may be gone the next time."""
        if outcome.status is Status.NOT_GRADED or outcome.unscored:
            return
        try:
            self._results.put(job.key, outcome)
        except OSError as error:
            if self._kept:
                self.progress.log.error(
                    f"Results cannot be saved in {self._results.folder} ({error}). Grading "
                    "continues. If you stop this run, the next one runs these submissions again"
                )
            self._kept = False

    def _list(self, job: Job, outcome: Outcome) -> None:
        line = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "student": job.student,
            "end": outcome.status,
            "why": outcome.why,
            "seconds": outcome.seconds,
            "cpu_seconds": outcome.cpu_seconds,
        }
        path = self._folder / f"{job.homework.name}.jsonl"
        with contextlib.suppress(OSError), path.open("a") as lines:
            lines.write(f"{json.dumps(line)}\n")


@contextlib.contextmanager
def grading(
    converter: Autograde, homework: Homework, settings: RunSettings, whole_class: WholeClass
) -> Iterator[tuple[ClassRun, list[Submission], JobOf]]:
    """Prepare a run over a converter's class, and end it: also after an error.

    Yield the run, the submissions to grade or to refuse, and what makes their jobs. `UserError` is
    raised if another run is grading the course, or if submissions cannot be graded here.
    """
    course, assignment = Course.of(converter.coursedir), homework.name
    with ExitStack() as stack:
        # SQLAlchemy's warnings about nbgrader's code would disturb the progress bar.
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "Object of type", sqlalchemy.exc.SAWarning)
        autograded = fixed_folder(course.directory, course.directory.autograded_directory)
        stack.enter_context(course_locked(course.root, autograded))
        submissions = to_grade(converter)
        notebooks = sum(len(one.notebooks) for one in submissions)

        def progress() -> Progress:
            shown = Progress(len(submissions), notebooks, assignment, converter.log)
            force = ["--force"] if converter.force else []
            stack.callback(shown.close, typed("nbgrader autograde", assignment, *force))
            return shown

        tests = test_cells(course.db_url, assignment)
        if beside := len(tests) - sum(map(uses_checks, tests)):
            converter.log.warning(
                f"{beside} of {len(tests)} test cells run beside student code, as in stock "
                "nbgrader: it can read their hidden lines. A cell with `Checks` runs apart from it"
            )
        class_run, job = stack.enter_context(
            running(
                course,
                homework,
                settings,
                whole_class,
                tests,
                notebooks=notebooks,
                progress=progress,
            )
        )
        yield class_run, submissions, job


@contextlib.contextmanager
def running(
    course: Course,
    homework: Homework,
    settings: RunSettings,
    whole_class: WholeClass,
    tests: Collection[Any],
    *,
    notebooks: int,
    progress: Callable[[], Progress],
) -> Iterator[tuple[ClassRun, JobOf]]:
    """Prepare workers for this number of notebooks, and end them.

    Yield a run and what makes its jobs. `tests` are the homework's test cells. `progress` is
    called when the workers have begun to start.
    """
    root, examined = course.root, any(map(uses_checks, tests))
    secret = whole_class.secret(root, course.directory.course_id)
    hidden = [root, Path(hw_grading.__file__).parent, secret]
    workers = whole_class.make_executor(notebooks, settings, homework, examined, hidden)
    try:
        how = run_elsewhere if whole_class.executor == "dask" else run
        class_run = ClassRun(
            workers,
            whole_class.place(root),
            progress(),
            RunNumbers(secret),
            rerun=whole_class.rerun,
            run=how,
        )
        key = course_secret(secret)
        yield class_run, functools.partial(job_of, settings=settings, homework=homework, secret=key)
    finally:
        workers.shutdown(cancel_futures=True)


@contextlib.contextmanager
def course_locked(course: Path, autograded: Path) -> Iterator[None]:
    """Lock a course, so that no other run grades any of its homeworks; else raise `UserError`.

    All homeworks of a course share the gradebook and the folder `autograded`, which has the lock.
    It is made if missing. The system releases the lock when the process ends, however it does.
    """
    autograded.mkdir(parents=True, exist_ok=True)
    lock = os.open(autograded, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"Another run{_holder_of(lock)} is grading the course in {course}, so nothing was "
                "graded. Wait until it has finished, then run this command again"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(lock)


def _holder_of(lock: int) -> str:
    """Return the process that has locked a file, such as " (process 123)"; "" if it is unknown."""
    with contextlib.suppress(OSError, ValueError):
        inode = os.fstat(lock).st_ino
        held = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        # A line such as "4: FLOCK  ADVISORY  WRITE 712 fe:00:1311 0 EOF"
        [holder] = [w[4] for w in held if w[1] == "FLOCK" and w[5].endswith(f":{inode}")]
        return f" (process {holder})"
    return ""
