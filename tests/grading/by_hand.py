"""A course with a homework that people grade, and a gradebook with students who have answered it.

Nothing is run: graded notebooks are written as autograding leaves them.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from hw_grading.gradebook.runs import remember
from hw_grading.homework.course import Course

ASSIGNMENT = "ps1"
SCHEME = """## Q1 Limits (6 points)

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
PLOT = "### b. The plot (2 points)\n\nPlot it."
CELLS = {"why": ("markdown", 4.0), "plot": ("code", 2.0)}


def copied(course: Course, folder: Path) -> Course:
    """Copy a course."""
    shutil.copytree(course.folder, folder)
    configure(folder)
    return Course(folder)


def configure(folder: Path, more: str = "") -> None:
    """Write the course's settings, and more lines of them."""
    setting = f"c = get_config()\nc.CourseDirectory.root = {str(folder)!r}\n{more}"
    (folder / "nbgrader_config.py").write_text(setting)


def make_course(folder: Path, students: Iterable[str], settings: str = "") -> Course:
    """Make the course. Every student has answered both questions, and no person has graded them."""
    folder.mkdir(parents=True, exist_ok=True)
    configure(folder, settings)
    cells = [text(SCHEME), answer("why"), text(PLOT), answer("plot")]
    write(folder / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", cells)
    course = Course(folder)
    with Gradebook(course.db_url) as gradebook:
        gradebook.add_assignment(ASSIGNMENT)
        gradebook.add_notebook(ASSIGNMENT, ASSIGNMENT)
        for name, (kind, points) in CELLS.items():
            of = (name, ASSIGNMENT, ASSIGNMENT)
            gradebook.add_grade_cell(*of, max_score=points, cell_type=kind)
            gradebook.add_solution_cell(*of)
    for student in students:
        add_student(course, student)
    return course


def add_student(course: Course, student: str, **names: str) -> None:
    """Add a student whose submission was graded by tests."""
    with Gradebook(course.db_url) as gradebook:
        gradebook.add_student(student, **names)
        gradebook.add_submission(ASSIGNMENT, student)
        for name in CELLS:
            gradebook.find_grade(name, ASSIGNMENT, ASSIGNMENT, student).needs_manual_grade = True
        gradebook.db.commit()
    cells = [
        text(SCHEME),
        answer("why", f"Because, says {student}."),
        text(PLOT),
        answer("plot", f"plt.plot({len(student)})"),
    ]
    write(course.autograded(student, ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", cells)


def grade_of(course: Course, student: str, cell: str = "why") -> tuple[float | None, bool]:
    """Return the manual score in nbgrader's tables, and whether it waits for a person."""
    with Gradebook(course.db_url) as gradebook:
        grade = gradebook.find_grade(cell, ASSIGNMENT, ASSIGNMENT, student)
        return grade.manual_score, grade.needs_manual_grade


def comment_of(course: Course, student: str, cell: str = "why") -> str | None:
    """Return the comment that the student gets."""
    with Gradebook(course.db_url) as gradebook:
        return gradebook.find_comment(cell, ASSIGNMENT, ASSIGNMENT, student).comment


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


def grade_again(course: Course, student: str, digest: str, cell: str = "why") -> None:
    """Leave the gradebook as tests do that grade another answer of this digest."""
    with Gradebook(course.db_url) as gradebook:
        grade = gradebook.find_grade(cell, ASSIGNMENT, ASSIGNMENT, student)
        grade.needs_manual_grade = True
        gradebook.db.flush()
        remember(gradebook.db.connection(), ASSIGNMENT, student, {cell: digest})
        gradebook.db.commit()


def text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def answer(name: str, source: str = "", **more: Any) -> dict[str, Any]:
    kind = CELLS[name][0]
    marks = {"grade_id": name, "grade": True, "solution": True, "points": CELLS[name][1]}
    cell = {"cell_type": kind, "metadata": {"nbgrader": marks}, "source": source}
    if kind == "code":
        cell |= {"outputs": [], "execution_count": 1}
    return cell | more


def write(path: Path, cells: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")
