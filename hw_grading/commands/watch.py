"""Collects from nbgrader's exchange, grades, and gives the tests' feedback, as students hand in.

Each step is one of nbgrader's, and does only what is left to do. Nothing is remembered: what was
graded is in the gradebook, and what was given in the exchange. So a watch that was killed goes on
where it was.
"""

import contextlib
import logging
import os
import re
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.exchange.default import Exchange
from nbgrader.utils import notebook_hash

from hw_grading.grade.pipeline import course_locked, locked
from hw_grading.grade.submissions import SECRET, submission_digest, to_grade
from hw_grading.gradebook.runs import read_runs
from hw_grading.gradebook.scores import open_gradebook
from hw_grading.homework.course import Course, shelf_of
from hw_grading.texts import counted, named
from hw_support.submission.file import UserError

_MAX_NAMED = 12  # students in one sentence
# What an instructor has to read of nbgrader's log. The last line only counts such lines.
_TOLD = re.compile(r"^\[(?:\w+ \| ERROR|CollectApp \| WARNING)\] (?!Some submissions)(.+)", re.M)
_EXPORTER = "hw_grading.rendering.feedback.exporter.TestsFeedbackExporter"

_Waiting = dict[str, list[str]]  # the digests of the notebooks to be graded, by student


def watch(
    course: Course,
    assignment: str,
    *,
    seconds: float,
    is_once: bool,
    say: Callable[[str], object],
) -> None:
    """Look at the exchange every so many seconds until the homework is due, or once.

    Students get the feedback of the tests. Marks that people gave stay, and are not in it.
    `UserError` if another process watches the homework.
    """
    due = course.homework(assignment).manifest.due_moment
    why = f"Another process watches {assignment}. End it first"
    with locked(course.source(assignment), why):
        one = _Watch(course, assignment, say)
        one.look()
        while not is_once and (due is None or datetime.now(UTC) < due):
            time.sleep(seconds)
            one.look()


class _Watch:
    def __init__(self, course: Course, assignment: str, say: Callable[[str], object]) -> None:
        self._course, self._assignment, self._say = course, assignment, say
        self._said: set[str] = set()  # is not said again
        self._refused: _Waiting = {}  # they cannot be graded

    def look(self) -> None:
        """Collect, grade what is new, and give feedback to whom it is due."""
        self._nbgrader(["collect", self._assignment, "--update"])
        waiting = self._waiting()
        if not waiting.items() <= self._refused.items():
            text = self._nbgrader(["autograde", self._assignment])
            left = self._waiting()
            # The others wait on, such as while somebody else is grading.
            self._refused = {who: of for who, of in left.items() if f"NOT GRADED: {who}: " in text}
            self._tell("graded", waiting.keys() - left.keys())
        with contextlib.ExitStack() as stack:
            try:  # no page may be older than the scores, but younger by the time of its file
                stack.enter_context(course_locked(self._course))
            except UserError:  # the next look gives it
                return
            if due := self._due():
                self._give(due)
                self._tell("feedback for", due - self._due())

    def _waiting(self) -> _Waiting:
        log = logging.getLogger(__name__)
        new = to_grade(self._course, self._assignment, force=False, log=log)
        return {one.student: [*map(submission_digest, one.paths)] for one in new}

    def _due(self) -> set[str]:
        """Return who has no page in the exchange that is newer than the last grading.

        Those whose whole feedback on this submission is written get no other page.
        """
        course, assignment = self._course, self._assignment
        with open_gradebook(course.db_url, assignment) as (db, _):
            runs = read_runs(db, assignment, with_parts=False)
        root = Exchange(config=course.config).root
        exchange = Path(root, course.directory.course_id, "feedback")
        found = set()
        for student in runs.keys() - {*course.directory.student_id_exclude.split(",")}:
            graded = course.autograded(student, assignment)
            secret = _text_of(graded / SECRET)
            came = (course.submitted(student, assignment) / SECRET).exists()  # by the exchange
            if not came or secret in ("", _text_of(course.feedback(student, assignment) / SECRET)):
                continue
            for notebook in course.notebooks_in(graded, assignment):
                name = notebook_hash(secret=secret, notebook_id=notebook.stem)
                given = _time_of(exchange / f"{name}.html")
                if notebook.exists() and given < runs[student].at.replace(tzinfo=UTC):
                    found.add(student)
        return found

    def _give(self, students: set[str]) -> None:
        """Write the pages of some students into a folder of their own, and release them."""
        about, assignment = self._course.directory, self._assignment
        shelf = shelf_of(about, about.autograded_directory, assignment)
        everybody = set(filter(None, map(shelf.name, os.listdir(shelf.parent))))
        exporter = f"--GenerateFeedback.exporter_class={_EXPORTER}"
        others = f"--CourseDirectory.student_id_exclude={','.join(everybody - students)}"
        with tempfile.TemporaryDirectory(prefix="hw-watch-") as folder:
            pages = f"--CourseDirectory.feedback_directory={folder}"
            self._nbgrader(["generate_feedback", assignment, pages, exporter, others])
            self._nbgrader(["release_feedback", assignment, pages])

    def _nbgrader(self, words: list[str]) -> str:
        """Run a command of nbgrader, say once what went wrong, and return its log."""
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            failed = self._course.nbgrader(*words, log=log)
            text = log.read_text(encoding="utf-8", errors="replace")
        text = re.sub(r"\]\s*\n\s+", "] ", text)  # a message may begin on the next line
        told = _TOLD.findall(text) or (text.splitlines()[-1:] if failed else [])
        for line in told:
            if line not in self._said:
                self._say(line)
        self._said.update(told)
        return text

    def _tell(self, what: str, students: set[str]) -> None:
        if students:
            who = f"{counted(len(students), 'student')}: {named(sorted(students), _MAX_NAMED)}"
            self._say(f"{datetime.now():%Y-%m-%d %H:%M}: {what} {who}")


def _text_of(file: Path) -> str:
    """Return the text of a file of the course, "" if there is none."""
    return file.read_text() if file.exists() else ""


def _time_of(file: Path) -> datetime:
    """Return when a file was written; long ago if it was not."""
    return datetime.fromtimestamp(file.stat().st_mtime if file.exists() else 0, UTC)
