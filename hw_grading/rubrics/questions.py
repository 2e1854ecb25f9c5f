"""The manually graded questions of one homework, and the progress of each."""

import contextlib
import hashlib
from collections import Counter
from collections.abc import Iterator

from nbgrader import api
from sqlalchemy import select

from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.records.database import Database
from hw_grading.records.questions import Places, order_in, read_places
from hw_grading.records.scores import Cell, cells_of
from hw_grading.rubrics.gradings import read_grading, read_gradings
from hw_grading.rubrics.model import Grading, Question, Refused, Rubric
from hw_grading.rubrics.rows import Rows, read_rubric
from hw_grading.rubrics.seed import first_rubric


class Questions:
    """The manually graded questions of a course's homework, in nbgrader's gradebook."""

    def __init__(self, course: Course, assignment: str) -> None:
        self.course, self.assignment = course, assignment
        self._database = Database(course.db_url)

    def close(self) -> None:
        """Close all connections to the gradebook."""
        self._database.close()

    def questions(self) -> tuple[Question, ...]:
        """Return the manually graded questions, in the notebook's order."""
        places = self._places()
        manifest = manifest_of(self.course.root, self.assignment)
        cells = self._cells(places)
        often = Counter(str(places[cell.name]) for cell in cells)
        found = []
        for cell in cells:
            place = places[cell.name]
            title = str(place)
            if often[title] > 1:
                title += ": code" if cell.is_code else ": text"
            about = (cell.name, title, cell.max_points, cell.is_code, place.text, place.scheme)
            beside = manifest.shown_beside.get(cell.name)
            found.append(Question(*about, *((beside.answers, beside.printed) if beside else ())))
        return tuple(found)

    def names(self) -> dict[str, str]:
        """Return the names of students with an answer in the gradebook, by id; "" if not known."""
        student = api.Student
        query = select(student.id, student.first_name, student.last_name)
        query = query.join(api.SubmittedAssignment).join(api.Assignment)
        with self._database.reading() as connection:
            rows = connection.execute(query.where(api.Assignment.name == self.assignment)).all()
        return {row[0]: " ".join(filter(None, row[1:])) for row in rows}

    def order(self, cell: str) -> list[str]:
        """Return all students in the question's own order, which looks random but is fixed."""
        before = f"{self.assignment}\n{cell}\n"
        return sorted(self.names(), key=lambda s: hashlib.sha256((before + s).encode()).digest())

    def rubric(self, cell: str) -> Rubric:
        """Return the rubric of a question."""
        _, first = self._question(cell)
        with self._reading(cell) as rows:
            return read_rubric(rows, first)[0]

    def gradings(self, cell: str) -> dict[str, Grading]:
        """Return the state of every student's answer."""
        _, first = self._question(cell)
        with self._reading(cell) as rows:
            return read_gradings(rows, read_rubric(rows, first)[0])

    def grading(self, cell: str, student: str) -> Grading:
        """Return the state of one answer."""
        _, first = self._question(cell)
        with self._reading(cell) as rows:
            return read_grading(rows, read_rubric(rows, first)[0], student)

    @contextlib.contextmanager
    def _reading(self, cell: str) -> Iterator[Rows]:
        with self._database.reading() as connection:
            yield Rows(connection, self.assignment, cell)

    @contextlib.contextmanager
    def _writing(self, cell: str) -> Iterator[Rows]:
        with self._database.writing() as connection:
            yield Rows(connection, self.assignment, cell)

    def _places(self) -> Places:
        return read_places(self.course.source(self.assignment) / f"{self.assignment}.ipynb")

    def _cells(self, places: Places) -> list[Cell]:
        with self._database.reading() as connection:
            cells = cells_of(connection, self.assignment).values()
        order = order_in(places)
        by_hand = (cell for cell in cells if cell.by_hand and cell.max_points > 0)
        return sorted(by_hand, key=lambda cell: order(cell.name))

    def _question(self, cell: str) -> tuple[float, Rubric]:
        """Return a question's maximum points, and its rubric before anybody changes it."""
        places = self._places()
        cells = self._cells(places)
        for one in cells:
            if one.name == cell:
                return one.max_points, first_rubric(one, cells, places)
        raise Refused(f"{self.assignment} has no question {cell!r} for people to grade.")
