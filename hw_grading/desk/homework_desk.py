"""One homework on the desk: its gradebook, its answers, and the background work."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

from hw_grading.desk.answers import Answers, Cells, Glance
from hw_grading.desk.rendering import Renderer
from hw_grading.desk.showing import answer_html
from hw_grading.desk.thumbnails import Thumbnails
from hw_grading.homework.course import Course
from hw_grading.rubrics.book import GradeBook
from hw_grading.rubrics.model import Question

_SECONDS_BETWEEN_ROUNDS = 10.0
_SECONDS_OF_QUESTIONS = 5.0
_log = logging.getLogger(__name__)


class NotThere(RuntimeError):
    """The course has no such homework, question or student. The text says what there is."""


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

    def let_pass(self) -> None:
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
        self._asked = threading.Condition()
        self._soon: tuple[str, str] | None = None  # cell and student, next to which to render
        self._threads: list[threading.Thread] = []
        self._start = threading.Lock()
        self._ended = threading.Event()

    def questions(self) -> tuple[Question, ...]:
        """Return the manually graded questions. A changed notebook is seen within seconds."""
        now = time.monotonic()
        read, at = self._questions
        if now - at > _SECONDS_OF_QUESTIONS:
            read = self.book.questions()
            self._questions = (read, now)
        return read

    def question(self, cell: str) -> Question:
        """Return a question by its grade id; `NotThere` if nobody grades it by hand."""
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
            if not self._threads:
                for work in (self._rounds, self._ahead):
                    thread = threading.Thread(target=work, name="desk", daemon=True)
                    thread.start()
                    self._threads.append(thread)
        self._wake.set()

    def soon(self, cell: str, student: str) -> None:
        """Read and render the answers next to this one, because the grader will open them next."""
        with self._asked:
            self._soon = (cell, student)
            self._asked.notify()

    def close(self) -> None:
        """Stop the background work."""
        self._ended.set()
        self._wake.set()
        with self._asked:
            self._asked.notify()
        for thread in self._threads:
            thread.join(5)
        self.book.close()

    def _rounds(self) -> None:
        while not self._ended.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                self._look_around()
            except Exception as error:  # the next request reports the error
                _log.warning("The graded notebooks cannot be listed: %s", error)
            self._ended.wait(_SECONDS_BETWEEN_ROUNDS)

    def _look_around(self) -> None:
        """Read new notebooks, and make missing thumbnails; requests go first."""
        for student in self.answers.look_around():
            self._busy.let_pass()
            if self._ended.is_set():
                return
            self.answers.submission(student)
        for student, submission in self.answers.known().items():
            missing = {
                cell: glance.digest
                for cell, glance in submission.glances.items()
                if glance.pictures and not self.thumbnails.is_kept(glance.digest)
            }
            cells = self.answers.cells_apart(student) if missing else {}
            for cell in missing.keys() & cells.keys():
                self._busy.let_pass()
                if self._ended.is_set():
                    return
                self.thumbnails.make(cells[cell], missing[cell])

    def _ahead(self) -> None:
        """Render the questions, then the answers that `soon` names, until the desk is closed."""
        with contextlib.suppress(Exception):  # the request reports the error
            for question in self.questions():  # every page of answers begins with a question
                self.renderer.markdown(question.text)
                self.renderer.markdown(question.scheme)
        while True:
            with self._asked:
                while self._soon is None and not self._ended.is_set():
                    self._asked.wait()
                wanted, self._soon = self._soon, None
            if wanted is None:
                return
            cell, student = wanted
            with contextlib.suppress(Exception):  # the request reports the error
                order = self.book.order(cell)
                at = order.index(student)
                for near in [*order[at + 1 : at + 3], *order[max(0, at - 1) : at]]:
                    self._busy.let_pass()
                    if self._soon is not None:
                        break
                    self.html(cell, near, self.answers.cells(near))
