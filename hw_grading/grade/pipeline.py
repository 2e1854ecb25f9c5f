"""The way of a class: each submission is read, run ahead of the others, and saved in turn.

The loop is the only writer of the gradebook. A kill at any moment loses no finished work: results
are kept on disk, and the scores of a submission are saved together or not at all.
"""

import contextlib
import errno
import fcntl
import json
import os
import signal
import threading
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import nbformat
import sqlalchemy.exc
from nbformat import NotebookNode
from sqlalchemy.exc import OperationalError

from hw_grading.grade.class_run import ClassRun, Log, running
from hw_grading.grade.job import Job
from hw_grading.grade.progress import Progress
from hw_grading.grade.read import Reader
from hw_grading.grade.save import GradedNotebook, Saver
from hw_grading.grade.submissions import Submission, carry_along, to_grade, with_long_wait
from hw_grading.grade.trial import BesideClass, Trial
from hw_grading.homework.cells import test_cells
from hw_grading.homework.course import Course, fixed_folder
from hw_grading.homework.notebook import uses_checks
from hw_grading.homework.notes import put_notes_on_top
from hw_grading.notebooks import FINISHED, HANDED_IN
from hw_grading.outcome import GraderFault, Outcome, SettingsError, Status
from hw_grading.run.blame import error_words
from hw_grading.texts import typed
from hw_support.submission.file import UserError
from hw_support.submission.problems import METADATA_KEY, Kind

AHEAD = 100  # submissions that are begun before the loop saves them; there may be more workers
AHEAD_BYTES = 300_000_000  # of their files, which take a few times as much in memory
_FULL = (errno.ENOSPC, errno.EDQUOT)  # error numbers of a full disk

_Begun = list[tuple[Job, Future[Outcome]]] | Exception  # the notebooks of a submission


@dataclass(frozen=True)
class Options:
    """What the command that grades a class decides."""

    log: Log
    force: bool  # whether to grade again what was graded
    create_students: bool  # whether the gradebook takes students that it does not have
    # Takes a graded notebook, its name, and the student's id; returns what is stored.
    finish: Callable[[NotebookNode, str, str], NotebookNode]
    protect: Callable[[str], None]  # sets the permissions of a student's graded files


def grade_class(course: Course, assignment: str, options: Options) -> None:
    """Grade the submissions that are new; `UserError` says which were not graded, or have no score.

    It is also raised if another run is grading the course, or if nothing can be graded here.
    """
    log = options.log
    with ExitStack() as stack:
        # SQLAlchemy's warnings about nbgrader's code would disturb the progress bar.
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "Object of type", sqlalchemy.exc.SAWarning)
        stack.enter_context(course_locked(course))
        submissions = to_grade(course, assignment, force=options.force, log=log)
        notebooks = sum(len(one.notebooks) for one in submissions)
        tests = test_cells(course.db_url, assignment)
        if beside := len(tests) - sum(map(uses_checks, tests)):
            log.warning(
                f"{beside} of {len(tests)} test cells run beside student code, as in stock "
                "nbgrader: it can read their hidden lines. A cell with `Checks` runs apart from it"
            )
        run = stack.enter_context(running(course, assignment, tests, notebooks, log=log))
        progress = Progress(len(submissions), notebooks, assignment, log)
        force = ["--force"] if options.force else []
        stack.callback(progress.close, typed("nbgrader autograde", assignment, *force))
        loop = _Loop(course, assignment, options, run, progress, submissions)
        failed = loop.grade()
    if failed:
        raise UserError(f"Some submissions were not graded: {failed}")
    if never := [cell for cell, n in loop.faulty.items() if n == len(submissions) - failed]:
        raise UserError(
            f"No submission has a score in {', '.join(never)}, because of the homework's own "
            "cells: see the notes in autograded/. All other scores are saved. Repair the cells "
            f"in source/, then type: {typed('hw-grading regrade', assignment)}"
        )


class _Loop:
    """The steps of each submission in a run over its class."""

    def __init__(
        self,
        course: Course,
        assignment: str,
        options: Options,
        run: ClassRun,
        progress: Progress,
        submissions: Sequence[Submission],
    ) -> None:
        self._course, self._options, self._submissions = course, options, submissions
        self._run, self._progress = run, progress
        db_url = with_long_wait(course.db_url)
        self._reader = Reader(course, assignment, db_url, run.conditions, run.workers.beside)
        self._saver = Saver(db_url, course.directory.course_id, assignment)
        trial, workers = Trial(course, assignment, self._reader, run), run.at_once
        self._beside = BesideClass(trial, min(workers, len(submissions)), options.log)
        # How many submissions have no score in a test because of a fault, by grade id.
        self.faulty: Counter[str] = Counter()

    def grade(self) -> int:
        """Grade all; return how many could not be graded."""
        ahead = _ahead(self._submissions, self._begin, self._run.at_once)
        with contextlib.closing(self._saver):
            failed = sum(not self._finish(one, begun) for one, begun in ahead)
        if self._submissions:
            self._beside.tell(is_last=True)
        return failed

    def _begin(self, one: Submission) -> _Begun:
        """Read a student's notebooks and begin to run them; return the error if that fails.

        `SettingsError` if nobody's can run.
        """
        try:
            if one.why:
                raise GraderFault(one.why)
            jobs = [self._reader.read(one.student, path) for path in one.paths]
            self._progress.again += sum(map(self._run.has_kept, jobs))
            begun = [(job, self._run.begin(job)) for job in jobs]
            for _, future in begun:
                future.add_done_callback(self._progress.ran)
        except SettingsError:
            raise
        except Exception as error:
            return error
        finally:
            self._beside.one_more()
        return begun

    def _finish(self, one: Submission, begun: _Begun) -> bool:
        """Wait for a student's results and save them; return whether that succeeded.

        `UserError` if nothing can be saved any more: nobody else can be graded either.
        """
        try:
            if not one.why:
                one.remove_graded()
                self._saver.register(one, self._options.create_students, self._options.log)
            if isinstance(begun, Exception):
                raise begun
            graded = [self._graded(one, job, future.result()) for job, future in begun]
            self._beside.tell()
            carry_along(one.folder, one.graded, one.secret)
            self._saver.save(one.student, graded)
            files = {f"{n.job.name}.ipynb": nbformat.writes(n.notebook).encode() for n in graded}
            # The course's files are for pages that show the notebook.
            for name, content in {**self._run.conditions.homework.files, **files}.items():
                (one.graded / name).parent.mkdir(parents=True, exist_ok=True)
                (one.graded / name).write_bytes(content)
            self._options.protect(one.student)
        except Exception as error:
            self._tell(one, error)
            return False
        outcomes = [notebook.outcome for notebook in graded]
        problems = [problem for outcome in outcomes for problem in outcome.problems]
        for problem in problems:
            self._options.log.warning("%s: %s", one.student, problem.message)
        self.faulty.update({p.cell for p in problems if p.cell and p.kind is Kind.GRADER})
        self._progress.saved(one.student, outcomes)
        return True

    def _graded(self, one: Submission, job: Job, outcome: Outcome) -> GradedNotebook:
        """Return a graded notebook as it is stored; `GraderFault` if it could not be run."""
        outcome = self._beside.settled(job, outcome)
        if outcome.status is Status.NOT_GRADED:
            raise GraderFault(outcome.why)
        notebook = nbformat.from_dict(json.loads(outcome.notebook))
        put_notes_on_top(notebook, outcome.problems)
        notebook.metadata[METADATA_KEY] = NotebookNode({FINISHED: True, HANDED_IN: job.file})
        notebook = self._options.finish(notebook, job.name, one.student)
        return GradedNotebook(notebook, job, outcome)

    def _tell(self, one: Submission, error: Exception) -> None:
        """Tell why a submission was not graded; `UserError` if nobody else can be graded either."""
        if not one.why:
            with contextlib.suppress(OSError):
                one.remove_graded()
        if isinstance(error, OperationalError) or getattr(error, "errno", 0) in _FULL:
            raise UserError(
                f"Nothing more can be saved in {self._course.root} or in the gradebook "
                f"({getattr(error, 'orig', error)}). The scores that were saved are complete. "
                "When that is repaired, run this command again: it grades the rest"
            ) from error
        why = error_words(error)
        if isinstance(error, CancelledError):
            why = "the connection to the Dask scheduler was lost"
        unforeseen = not isinstance(error, UserError)
        self._options.log.error("NOT GRADED: %s: %s", one.student, why, exc_info=unforeseen)
        self._progress.not_graded(one.student, why)


def _ahead(
    submissions: Sequence[Submission], begin: Callable[[Submission], _Begun], at_once: int
) -> Iterator[tuple[Submission, _Begun]]:
    """Begin submissions ahead; yield each with what `begin` has returned, in their order.

    After Ctrl-C nothing more is begun or yielded.
    """
    most = AHEAD + 2 * at_once if at_once else 0
    begun: deque[tuple[Submission, _Begun]] = deque()
    size = 0
    with _noted_interrupts() as expect_none:
        for one in submissions:
            expect_none()
            size += one.size
            while begun and (len(begun) > most or size > AHEAD_BYTES):
                size -= begun[0][0].size
                yield begun.popleft()
            begun.append((one, begin(one)))
        while begun:
            expect_none()
            yield begun.popleft()


@contextlib.contextmanager
def _noted_interrupts() -> Iterator[Callable[[], None]]:
    """Yield a function that raises `KeyboardInterrupt` if a Ctrl-C came before.

    What is raised while Python frees an object is dropped, and so is a Ctrl-C that comes then.
    """
    came: list[int] = []

    def note(number: int, frame: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    def expect_none() -> None:
        if came:
            raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    if not in_main or before is not signal.default_int_handler:
        yield expect_none  # a server handles its signals in its own way
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield expect_none
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def course_locked(course: Course) -> Iterator[None]:
    """Lock a course, so that no other run grades any of its homeworks; else raise `UserError`.

    All homeworks of a course share the gradebook and the folder `autograded`, which has the lock.
    It is made if missing.
    """
    autograded = fixed_folder(course.directory, course.directory.autograded_directory)
    autograded.mkdir(parents=True, exist_ok=True)
    why = (
        f"Another run is grading the course in {course.root}, so nothing was graded. Wait until it "
        "has finished, then run this command again"
    )
    with locked(autograded, why):
        yield


@contextlib.contextmanager
def locked(folder: Path, why: str) -> Iterator[None]:
    """Lock a folder; a `UserError` says `why` if another process has locked it.

    The system releases the lock when the process ends, however it does.
    """
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(why) from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(lock)
