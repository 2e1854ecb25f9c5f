"""A course with homeworks that people grade, their due dates, and students who have answered them.

Each homework has a question "why" of 4 points and one "plot" of 6, under the headings "Q1 a. Why"
and "Q1 b. The plot". Nothing is run: graded notebooks are written as autograding leaves them.
"""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nbgrader.api import Gradebook

from hw_grading.__main__ import main
from hw_grading.gradebook.results import StudentResult, read_results
from hw_grading.homework.course import Course

ASSIGNMENT = "ps1"
ALL_POINTS = 10.0
ZONE = "America/Los_Angeles"
DUE = "2022-10-04 23:59:59"
SCHEME = """## Q1 Limits (10 points)

### a. Why (4 points)

Why is $x^2$ continuous?

<!-- BEGIN MARK SCHEME -->
**Mark scheme (graders only), 4 points**

- 2: names the definition, with
  both quantifiers.
- 1: chooses a $\\delta$.
- 1: concludes.

Half a point for a picture alone.
<!-- END MARK SCHEME -->
"""
PLOT = "### b. The plot (6 points)\n\nPlot it."
CELLS = {"why": ("markdown", 4.0), "plot": ("code", 6.0)}


def utc(wall: str, zone: str = ZONE, fold: int = 0) -> datetime:
    """Return a local time in UTC, as the gradebook stores it."""
    local = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return local.astimezone(UTC).replace(tzinfo=None)


class Term:
    """A course in a folder; `settings` are more lines of its configuration."""

    def __init__(self, folder: Path, settings: str = "", **policy: object) -> None:
        self.folder, self._settings = folder, settings
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "gradebook.db").exists():
            shutil.copy(_empty_gradebook(), folder / "gradebook.db")
        self.policy(**policy)

    def policy(self, **settings: object) -> None:
        """Set ``c.LatePolicy`` instead of what was set before."""
        lines = ["c = get_config()", f"c.CourseDirectory.root = {str(self.folder)!r}"]
        lines += [f"c.LatePolicy.{name} = {value!r}" for name, value in settings.items()]
        (self.folder / "nbgrader_config.py").write_text("\n".join([*lines, self._settings]))

    @property
    def course(self) -> Course:
        return Course(self.folder)

    def gradebook(self) -> Gradebook:
        return Gradebook(self.course.db_url)

    def homework(
        self, name: str = ASSIGNMENT, due: str | None = DUE, zone: str = ZONE, more: str = ""
    ) -> Term:
        """Add a homework with its manifest; `more` are lines below it."""
        manifest = self.folder / "staff" / name / "homework.toml"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(f'time_zone = "{zone}"\n{more}', encoding="utf-8")
        write(self.course.source(name) / f"{name}.ipynb")
        with self.gradebook() as book:
            book.add_assignment(name, duedate=utc(due, zone) if due else None)
            book.add_notebook(name, name)
            for cell, (kind, points) in CELLS.items():
                book.add_grade_cell(cell, name, name, max_score=points, cell_type=kind)
                book.add_solution_cell(cell, name, name)
        return self

    def hand_in(
        self,
        student: str,
        when: str | datetime | None = None,
        points: float | None = ALL_POINTS,
        name: str = ASSIGNMENT,
        zone: str = ZONE,
        **names: str,
    ) -> Term:
        """Hand in; a person gives these points: up to 4 for "why", the rest for "plot"."""
        moment = utc(when, zone) if isinstance(when, str) else when
        with self.gradebook() as book:
            book.update_or_create_student(student, **names)
            book.update_or_create_submission(name, student, timestamp=moment)
            for cell in CELLS:
                grade = book.find_grade(cell, name, name, student)
                grade.needs_manual_grade = points is None
                if points is not None:
                    of_why = min(points, 4.0)
                    grade.manual_score = of_why if cell == "why" else points - of_why
            book.db.commit()
        answers = (f"Because, says {student}.", f"plt.plot({len(student)})")
        write(self.course.autograded(student, name) / f"{name}.ipynb", *answers)
        return self

    def final(self, student: str = "ada", name: str = ASSIGNMENT) -> StudentResult:
        return read_results(self.course, name).students[student]

    def type(self, *words: object) -> int:
        """Run one of our commands, and return its exit status."""
        return main(["--course", str(self.folder), *map(str, words)])


@functools.cache
def _empty_gradebook() -> Path:
    """Made once: copying it is quicker than making it."""
    folder = _kept_folder()
    with Gradebook(f"sqlite:///{folder}/gradebook.db"):
        return folder / "gradebook.db"


@functools.cache
def _class(*students: str) -> Path:
    term = Term(_kept_folder()).homework(due=None)
    for student in students:
        term.hand_in(student, points=None)
    return term.folder


def _kept_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hw-term-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def make_course(folder: Path, *students: str) -> Course:
    """Make a course. Every student has answered both questions, and no person has graded them."""
    shutil.copytree(_class(*students), folder)
    return Term(folder).course


def add_student(course: Course, student: str, **names: str) -> None:
    """Add a student whose answers no person has graded."""
    Term(course.folder).hand_in(student, points=None, **names)


def grade_of(course: Course, student: str, cell: str = "why") -> tuple[float | None, bool]:
    """Return the manual score in nbgrader's tables, and whether it waits for a person."""
    with Gradebook(course.db_url) as gradebook:
        grade = gradebook.find_grade(cell, ASSIGNMENT, ASSIGNMENT, student)
        return grade.manual_score, grade.needs_manual_grade


def grade_elsewhere(
    course: Course, student: str, points: float, cell: str = "why", comment: str = ""
) -> None:
    """Give points as formgrader does."""
    with Gradebook(course.db_url) as gradebook:
        grade = gradebook.find_grade(cell, ASSIGNMENT, ASSIGNMENT, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        if comment:
            of = gradebook.find_comment(cell, ASSIGNMENT, ASSIGNMENT, student)
            of.manual_comment = comment
        gradebook.db.commit()


def write(path: Path, *answers: str) -> None:
    """Write a notebook with answers, or the instructor's one with none."""
    cells: list[dict[str, Any]] = []
    for number, (name, (kind, points)) in enumerate(CELLS.items()):
        cells.append({"cell_type": "markdown", "metadata": {}, "source": (SCHEME, PLOT)[number]})
        marks = {"schema_version": 3, "grade_id": name, "grade": True, "solution": True}
        marks |= {"locked": False, "task": False, "points": points}
        source = answers[number] if answers else ""
        cell = {"cell_type": kind, "metadata": {"nbgrader": marks}, "source": source}
        cells.append(cell | ({"outputs": [], "execution_count": 1} if kind == "code" else {}))
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    path.write_text(json.dumps(notebook), encoding="utf-8")
