"""Collects from nbgrader's exchange, grades, and gives feedback, while students hand in.

Each step is one that an instructor types, and does only what is left to do. So a watch that was
killed goes on where it was.
"""

import fcntl
import logging
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hw_grading.grade.submissions import to_grade
from hw_grading.gradebook.database import Database
from hw_grading.homework.course import Course
from hw_grading.texts import counted, named
from hw_support.submission.file import UserError

_MAX_NAMED = 12  # students in one sentence
_TOLD = "| ERROR]", "| WARNING]"  # lines of `nbgrader collect` that an instructor has to read

_Stamps = dict[str, int]  # when the folder of a submission was made, in ns, by student


def watch(
    course: Course,
    assignment: str,
    *,
    seconds: float,
    is_once: bool,
    give: Callable[[], object],
    say: Callable[[str], object],
) -> None:
    """Look at the exchange every so many seconds until the homework is due, or once.

    `give` writes and releases feedback. Marks that people gave stay. `UserError` if another process
    watches the homework.
    """
    course.expect_homework(assignment)
    Database(course.db_url).expect_homework(assignment)
    due = course.homework(assignment).manifest.due_moment
    said: set[str] = set()
    with _only_one(course, assignment):
        refused = _look(course, assignment, {}, said, say)
        give()  # also what a watch that was killed has graded
        while not is_once and (due is None or datetime.now(UTC) < due):
            time.sleep(seconds)
            before, refused = refused, _look(course, assignment, refused, said, say)
            if refused is not before:
                give()


def _look(
    course: Course, assignment: str, refused: _Stamps, said: set[str], say: Callable[[str], object]
) -> _Stamps:
    """Collect, and grade what is new; return the submissions that cannot be graded.

    These are `refused`, the same object, if nothing is new. What has been said is not said again.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        course.nbgrader("collect", assignment, "--update", log=log)
        text = log.read_text(encoding="utf-8", errors="replace")
    for line in re.sub(r"\]\s*\n\s+", "] ", text).splitlines():  # a message may begin below
        if line not in said and any(level in line for level in _TOLD):
            say(line)
            said.add(line)
    waiting = _waiting(course, assignment)
    if waiting.items() <= refused.items():
        return refused
    course.nbgrader("autograde", assignment)
    left = _waiting(course, assignment)
    if graded := sorted(waiting.keys() - left.keys()):
        when = f"{datetime.now():%Y-%m-%d %H:%M}"
        say(f"{when}: graded {counted(len(graded), 'submission')}: {named(graded, _MAX_NAMED)}")
    return left


def _waiting(course: Course, assignment: str) -> _Stamps:
    new = to_grade(course, assignment, force=False, log=logging.getLogger(__name__))
    return {one.student: os.lstat(one.folder).st_ctime_ns for one in new}


@contextmanager
def _only_one(course: Course, assignment: str) -> Iterator[None]:
    """Lock the homework's source folder; the system unlocks it when this process ends."""
    lock = os.open(course.source(assignment), os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"Another process watches {assignment}. End it first") from None
        yield
    finally:
        os.close(lock)
