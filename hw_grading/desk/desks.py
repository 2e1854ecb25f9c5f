"""The desks of a server's course, one for each homework, and their background work."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hw_grading.desk.answers import Answers, Cells, Glance
from hw_grading.desk.pictures import Thumbnails
from hw_grading.desk.rendering import Renderer
from hw_grading.desk.showing import answer_html
from hw_grading.gradebook.book import GradeBook
from hw_grading.gradebook.model import Question
from hw_grading.homework.course import Course
from hw_support.submission.problems import quoted

_FORMGRADER = "nbgrader_formgrader"  # key in a server's settings
_SECONDS_BETWEEN_ROUNDS = 10.0
_SECONDS_OF_QUESTIONS = 5.0
_log = logging.getLogger(__name__)


class NotThere(RuntimeError):
    """The course has no such homework, question or student. The text says which exist."""


class Busy:
    """Counts active requests, so that background work can wait for them."""

    def __init__(self) -> None:
        self._count = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count one request."""
        with self._lock:
            self._count += 1
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1

    def wait_for_requests(self) -> None:
        """Wait until no request is active, but only for a short time."""
        for _ in range(20):
            if not self._count:
                return
            time.sleep(0.01)


class HomeworkDesk:
    """The desk's data for one homework; `base` is the desk's address, which ends in a slash."""

    def __init__(
        self,
        course: Course,
        assignment: str,
        base: str,
        renderer: Renderer,
        thumbnails: Thumbnails,
        busy: Busy,
    ) -> None:
        self.course, self.assignment, self.base = course, assignment, base
        self.renderer, self.thumbnails = renderer, thumbnails
        self.book = GradeBook(course, assignment)
        self._questions = (self.book.questions(), time.monotonic())
        shown = (name for q in self.questions() for name in (q.cell, *q.beside))
        self.answers = Answers(course, assignment, shown)
        self._busy = busy
        self._wake = threading.Event()  # set when a round is due
        self._rounds_thread = threading.Thread(target=self._rounds, name="desk", daemon=True)
        self._start = threading.Lock()
        self._ended = threading.Event()
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._near: tuple[str, str] | None = None  # cell and student whose neighbours to render

    def questions(self) -> tuple[Question, ...]:
        """Return the manually graded questions. A changed notebook is seen within seconds."""
        now = time.monotonic()
        read, at = self._questions
        if now - at > _SECONDS_OF_QUESTIONS:
            read = self.book.questions()
            self._questions = (read, now)
        return read

    def question(self, cell: str) -> Question:
        """Return a question by its grade id; `NotThere` if it is not graded by hand."""
        questions = {question.cell: question for question in self.questions()}
        if cell not in questions:
            names = ", ".join(questions) or "none"
            raise NotThere(
                f"{self.assignment} has no such question for people to grade. It has: {names}."
            )
        return questions[cell]

    def name_of(self, student: str) -> str:
        """Return a student's name; "" if only the id is known. `NotThere` without answers."""
        names = self.book.names()
        if student not in names:
            raise NotThere(
                "The gradebook has no answers of this student. Run `nbgrader autograde "
                f"{self.assignment}`, which adds the answers of each notebook that it grades."
            )
        return names[student]

    def html(
        self, cell: str, student: str, cells: Cells, show: Callable[..., str] = answer_html
    ) -> str:
        """Return the HTML of one of the notebook's cells; "" if it is missing."""
        if cell not in cells:
            return ""
        glance = self.answers.submission(student).glances.get(cell, Glance())
        homework, *where = (quote(part, safe="") for part in (self.assignment, cell, student))
        pictures = f"{self.base}{homework}/api/picture/{'/'.join(where)}"
        return show(cells[cell], self.renderer, lambda n: f"{pictures}/{n}?d={glance.digest}")

    # -- in the background

    def wake(self) -> None:
        """Start a background round soon: read new notebooks, and make missing thumbnails."""
        with self._start:
            if self._rounds_thread.ident is None:
                self._rounds_thread.start()
                self._ahead.submit(self._render_questions)
        self._wake.set()

    def soon(self, cell: str, student: str) -> None:
        """Read and render the answers next to this one, because the grader will open them next."""
        self._near = (cell, student)
        self._ahead.submit(self._render_near, cell, student)

    def close(self) -> None:
        """Stop the background work."""
        self._ended.set()
        self._wake.set()
        self._ahead.shutdown(wait=False, cancel_futures=True)
        if self._rounds_thread.ident is not None:
            self._rounds_thread.join(5)
        self.book.close()

    def _rounds(self) -> None:
        while not self._ended.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                self._read_new_notebooks()
            except Exception as error:  # the next request reports the error
                _log.warning("The graded notebooks cannot be listed: %s", error)
            self._ended.wait(_SECONDS_BETWEEN_ROUNDS)

    def _read_new_notebooks(self) -> None:
        """Read new notebooks, and make missing thumbnails; requests go first."""
        for student in self.answers.outdated():
            self._busy.wait_for_requests()
            if self._ended.is_set():
                return
            self.answers.submission(student)
        for student, submission in self.answers.known().items():
            missing = {
                cell: glance.digest
                for cell, glance in submission.glances.items()
                if glance.pictures and not self.thumbnails.is_kept(glance.digest)
            }
            cells = self.answers.cells(student, keep=False) if missing else {}
            for cell in missing.keys() & cells.keys():
                self._busy.wait_for_requests()
                if self._ended.is_set():
                    return
                self.thumbnails.make(cells[cell], missing[cell])

    def _render_questions(self) -> None:
        with contextlib.suppress(Exception):  # the request reports the error
            for question in self.questions():  # every page of answers begins with a question
                self.renderer.markdown(question.text)
                self.renderer.markdown(question.scheme)

    def _render_near(self, cell: str, student: str) -> None:
        """Render the next two answers and the previous one, until another is asked for."""
        with contextlib.suppress(Exception):  # the request reports the error
            order = self.book.order(cell)
            at = order.index(student)
            for near in [*order[at + 1 : at + 3], *order[max(0, at - 1) : at]]:
                self._busy.wait_for_requests()
                if self._near != (cell, student) or self._ended.is_set():
                    break
                self.html(cell, near, self.answers.cells(near))


class Desks:
    """The desks of all homeworks of a server.

    Without a `folder`, the course is formgrader's, in the server's `settings` once formgrader is
    loaded, or else the folder in which the server was started. `base` ends in a slash.
    """

    def __init__(self, folder: Path | None, settings: dict[str, Any], base: str) -> None:
        self._folder, self._settings, self._base = folder, settings, base
        self._here = Path.cwd()
        self._lock = threading.Lock()
        self._courses: dict[Path, Course] = {}
        self._desks: dict[tuple[Path, str], HomeworkDesk] = {}
        self.busy = Busy()
        self.renderer = Renderer()
        self.thumbnails = Thumbnails()

    def course(self) -> Course:
        """Return the course; `GraderFault` if its settings have a mistake."""
        folder = self._folder
        if folder is None:
            formgrader = self._settings.get(_FORMGRADER)
            folder = Path(formgrader.coursedir.root) if formgrader else self._here
        with self._lock:
            if folder not in self._courses:
                course = Course(folder)
                course.directory  # noqa: B018 - read while no thread changes the import path
                self._courses[folder] = course
            return self._courses[folder]

    def desk(self, assignment: str) -> HomeworkDesk:
        """Return the desk of a homework; `NotThere` if the course has no such homework.

        `GraderFault`, `Unavailable`, `NoScores` or `Unreadable` if something cannot be read.
        """
        course = self.course()
        expect_homework(course, assignment)
        key = (course.folder, assignment)
        with self._lock:
            if key not in self._desks:
                self._desks[key] = HomeworkDesk(
                    course, assignment, self._base, self.renderer, self.thumbnails, self.busy
                )
            desk = self._desks[key]
        desk.wake()
        return desk

    def close(self) -> None:
        """Stop the background work."""
        for desk in self._desks.values():
            desk.close()
        self.renderer.close()


def expect_homework(course: Course, assignment: str) -> None:
    """Raise `NotThere` if a course has no homework of that name."""
    names = course.homeworks()
    if assignment not in names:
        raise NotThere(
            f"The course in {course.root} has no homework {quoted(assignment)}. It has: "
            f"{', '.join(names) or 'none'}."
        )
