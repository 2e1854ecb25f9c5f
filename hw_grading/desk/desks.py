"""The desks of a server's course, one for each homework, and their background work."""

import logging
import threading
import time
from pathlib import Path
from typing import Any

from hw_grading.analysis.words import similar
from hw_grading.desk.answers import Answers, Glance
from hw_grading.desk.pictures import Thumbnails
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.model import Question
from hw_grading.homework.course import Course
from hw_grading.homework.homework import why_no_id
from hw_grading.lms.roster import FILE_NAME, people_in
from hw_grading.notebooks import size_and_time
from hw_grading.outcome import Status
from hw_support.submission.file import UserError

_FORMGRADER = "nbgrader_formgrader"  # key in a server's settings
_SECONDS_BETWEEN_ROUNDS = 10.0
_SECONDS_BETWEEN_NOTEBOOKS = 0.01  # in which requests are answered
_SECONDS_OF_QUESTIONS = 5.0
_log = logging.getLogger(__name__)


class NotThere(UserError):
    """The course has no such homework, question or student. The text says which exist."""


class HomeworkDesk:
    """The desk's data for one homework."""

    def __init__(self, course: Course, assignment: str, thumbnails: Thumbnails) -> None:
        self.course, self.assignment = course, assignment
        self.thumbnails = thumbnails
        self.book = ManualGrading(course, assignment)
        self._questions = (self.book.questions(), time.monotonic())
        self.answers = Answers(course, assignment, self._shown)
        self._similar: dict[str, tuple[dict[str, str], list[list[str]]]] = {}  # by question
        self._sections: tuple[object, dict[str, str]] = (None, {})
        self._wake = threading.Event()  # set when a round is due
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._rounds, name="desk", daemon=True)
        self._thread.start()

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
        if student not in names or why_no_id(student):
            raise NotThere(
                "The gradebook has no answers of this student. Run `nbgrader autograde "
                f"{self.assignment}`, which adds the answers of each notebook that it grades."
            )
        return names[student]

    def expect_student(self, student: str) -> None:
        """Raise `NotThere` if the gradebook has no answers of a student."""
        self.name_of(student)

    def sections(self) -> dict[str, str]:
        """Return the section of each student who has one in the course's list."""
        path = self.course.root / FILE_NAME
        if (state := size_and_time(path)) != self._sections[0]:
            people = people_in(path) if state else []
            self._sections = (
                state,
                {person.id: person.section for person in people if person.section},
            )
        return self._sections[1]

    def not_run(self) -> set[str]:
        """Return the students whose submissions `autograde` has still to run."""
        known = self.answers.known().items()
        return {student for student, one in known if one.status is Status.NOT_GRADED}

    def similar(self, cell: str) -> list[list[str]]:
        """Return groups of students whose texts are similar to that of the first one."""
        known = self.answers.known().items()
        glances = {s: g for s, one in known if (g := one.glances.get(cell)) and not g.empty}
        key = {student: glance.digest for student, glance in glances.items()}
        before, groups = self._similar.get(cell, ({}, []))
        if key != before:
            groups = similar({student: glance.bag for student, glance in glances.items()})
            self._similar[cell] = key, groups
        return groups

    def _shown(self) -> set[str]:
        """Return the grade ids of the cells that are shown: answers, and what is beside them."""
        return {cell for q in self.questions() for cell in (q.cell, *q.beside, *q.numbers)}

    # -- in the background

    def wake(self) -> None:
        """Start a round soon: read new notebooks, and make their thumbnails."""
        self._wake.set()

    def close(self) -> None:
        """Stop the background work."""
        self._ended.set()
        self._wake.set()
        self._thread.join(5)
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
        for student in self.answers.outdated():
            submission, cells = self.answers.read(student)
            for question in self.questions():
                glance = submission.glances.get(question.cell, Glance())
                if glance.pictures:
                    self.thumbnails.make(cells[question.cell], glance.digest)
                if self._ended.wait(_SECONDS_BETWEEN_NOTEBOOKS):
                    return


class Desks:
    """The desks of all homeworks of a server.

    Without a `folder`, the course is formgrader's, in the server's `settings` once formgrader is
    loaded, or else the folder in which the server was started.
    """

    def __init__(self, folder: Path | None, settings: dict[str, Any]) -> None:
        self._folder, self._settings = folder, settings
        self._here = Path.cwd()
        self._lock = threading.Lock()
        self._courses: dict[Path, Course] = {}
        self._desks: dict[tuple[Path, str], HomeworkDesk] = {}
        self._thumbnails = Thumbnails()

    def course(self) -> Course:
        """Return the course, whose settings are read when they are needed."""
        folder = self._folder
        if folder is None:
            formgrader = self._settings.get(_FORMGRADER)
            folder = Path(formgrader.coursedir.root) if formgrader else self._here
        with self._lock:
            return self._courses.setdefault(folder, Course(folder))

    def desk(self, assignment: str) -> HomeworkDesk:
        """Return the desk of a homework; `NotThere` if the course has no such homework.

        `UserError` if something cannot be read.
        """
        course = self.course()
        try:
            course.expect_homework(assignment)
        except UserError as why:
            raise NotThere(f"{why}.") from None
        key = (course.folder, assignment)
        with self._lock:
            if key not in self._desks:
                self._desks[key] = HomeworkDesk(course, assignment, self._thumbnails)
            desk = self._desks[key]
        desk.wake()
        return desk

    def close(self) -> None:
        """Stop the background work."""
        for desk in self._desks.values():
            desk.close()
