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
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy.exc
from nbgrader.converters import Autograde

import hw_grading
from hw_grading.batch.job import Job, run, run_elsewhere
from hw_grading.batch.local import Workers
from hw_grading.batch.progress import Progress
from hw_grading.batch.settings import WholeClass, course_secret
from hw_grading.batch.store import Results
from hw_grading.batch.submissions import Submission, to_grade
from hw_grading.homework.cells import test_cells, uses_checks
from hw_grading.homework.course import fixed_folder
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault, Outcome, Status
from hw_grading.run.settings import RunSettings

AHEAD = 100  # submissions that are begun before the loop saves them; there may be more workers


class ClassRun:
    """Runs jobs by an executor. With `rerun`, submissions that have a result are run again.

    In the folder are the results, and a list of all runs: ``<assignment>.jsonl``.
    """

    def __init__(
        self,
        workers: Workers,
        folder: Path,
        progress: Progress,
        *,
        rerun: bool = False,
        run: Callable[[Job], Outcome] = run,
    ) -> None:
        self.progress = progress
        self._workers, self._folder = workers, folder
        self._results = Results(folder / "results")
        with contextlib.suppress(OSError):  # the first result that cannot be saved tells it
            folder.mkdir(parents=True, exist_ok=True)
        self._results.tidy()
        self._rerun, self._run = rerun, run
        self._kept = True  # False after a result could not be written to disk

    def ahead(
        self, things: Iterable[Any], begin: Callable[[Any], Any]
    ) -> Iterator[tuple[Any, Any]]:
        """Begin things ahead; yield each with what `begin` has returned, in their order."""
        most = AHEAD + 2 * self._workers.at_once if self._workers.at_once else 0
        begun: deque[tuple[Any, Any]] = deque()
        for thing in things:
            begun.append((thing, begin(thing)))
            if len(begun) > most:
                yield begun.popleft()
        while begun:
            yield begun.popleft()

    def begin(self, job: Job) -> Future[Outcome]:
        """Return the future of a job's outcome."""
        if not self._rerun and (outcome := self._results.get(job.key)):
            self.progress.again += 1
            future: Future[Outcome] = Future()
            future.set_result(outcome)
        else:
            future = self._workers.submit(self._run, job)
            future.add_done_callback(functools.partial(self._ended, job))
        future.add_done_callback(self.progress.ran)
        return future

    def _ended(self, job: Job, ended: Future[Outcome]) -> None:
        """Note a run in the list of runs, and store its result; report one failure to do so."""
        if ended.cancelled() or ended.exception():
            return
        outcome = ended.result()
        line = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "student": job.student,
            "end": outcome.status,
            "why": " ".join(outcome.reasons),
            "seconds": outcome.seconds,
            "cpu_seconds": outcome.cpu_seconds,
        }
        path = self._folder / f"{job.homework.name}.jsonl"
        with contextlib.suppress(OSError), path.open("a") as lines:
            lines.write(f"{json.dumps(line)}\n")
        if outcome.status is Status.NOT_GRADED or outcome.unscored:
            return  # the fault may be gone the next time, for example if a package was missing
        try:
            self._results.put(job.key, outcome)
        except OSError as error:
            if self._kept:
                self.progress.log.error(
                    f"Results cannot be saved in {self._results.folder} ({error}). Grading "
                    "continues. If you stop this run, the next one runs these submissions again"
                )
            self._kept = False


@contextlib.contextmanager
def grading(
    converter: Autograde, homework: Homework, settings: RunSettings, whole_class: WholeClass
) -> Iterator[tuple[ClassRun, list[Submission], bytes]]:
    """Prepare a run over a converter's class, and end it: also after an error.

    Yield the run, the submissions to grade or to refuse, and the course's secret. `GraderFault` is
    raised if another run is grading the course, or if submissions cannot be graded here.
    """
    course: Any = converter.coursedir
    root, assignment = Path(course.root), course.assignment_id
    with ExitStack() as stack:
        # SQLAlchemy's warnings about nbgrader's code would disturb the progress bar.
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "Object of type", sqlalchemy.exc.SAWarning)
        autograded = fixed_folder(course, course.autograded_directory)
        stack.enter_context(course_locked(root, autograded))
        submissions = to_grade(converter)
        notebooks = sum(len(one.notebooks) for one in submissions)
        secret = whole_class.secret(root, course.course_id)
        hidden = [root, Path(hw_grading.__file__).parent, secret]
        workers = whole_class.make_executor(
            notebooks, settings, homework, _examined(converter), hidden
        )
        stack.callback(workers.shutdown, cancel_futures=True)
        progress = Progress(len(submissions), notebooks, assignment, converter.log)
        force = " --force" if converter.force else ""
        stack.callback(progress.close, f"nbgrader autograde {assignment}{force}")
        how = run_elsewhere if whole_class.executor == "dask" else run
        folder = whole_class.place(root)
        class_run = ClassRun(workers, folder, progress, rerun=whole_class.rerun, run=how)
        yield class_run, submissions, course_secret(secret)


@contextlib.contextmanager
def course_locked(course: Path, autograded: Path) -> Iterator[None]:
    """Lock a course, so that no other run grades any of its homeworks; else raise `GraderFault`.

    All homeworks of a course share the gradebook and the folder `autograded`, which has the lock.
    It is made if missing. The system releases the lock when the process ends, however it does.
    """
    autograded.mkdir(parents=True, exist_ok=True)
    lock = os.open(autograded, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GraderFault(
                f"Another run is grading the course in {course}, so nothing was graded. Wait until "
                "it has finished, then run this command again"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(lock)


def _examined(converter: Any) -> bool:
    """Return whether there are test cells with `Checks`; say how many have none."""
    course = converter.coursedir
    tests = test_cells(course.db_url, course.assignment_id)
    examined = sum(map(uses_checks, tests))
    if beside := len(tests) - examined:
        converter.log.warning(
            f"{beside} of {len(tests)} test cells run beside student code, as in stock nbgrader: "
            'see "Two kinds of test cells" in docs/design.md'
        )
    return examined > 0
