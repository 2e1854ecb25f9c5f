"""A graded toy course: gradebook by nbgrader's own API, runs and notebooks by hand."""

import functools
import json
import shutil
from datetime import datetime

import pytest
from nbgrader.api import Gradebook

from hw_grading.gradebook.database import Database
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.runs import Run, save_run
from hw_grading.homework.course import Course
from hw_grading.homework.notes import problems_in
from hw_grading.notebooks import error_of, errors_in
from hw_grading.outcome import PartResult

DUE = datetime(2022, 10, 5, 7)
SCHEME = "- 1: both <axes> have labels.\n- 1: it has a legend."
QUESTION = f"""### 1.2 Plots (6 points)
#### i. A plot (4 points)
Draw it.
<!-- BEGIN MARK SCHEME -->
{SCHEME}
<!-- END MARK SCHEME -->"""
TEST = "test_double"
PASSED = PartResult(TEST, "values at 0", 1.0, 1.0, passed=True)
FAILED = PartResult(TEST, "values at 1", 2.0, 0.0, passed=False, message="out: expected 2, got 3")
WITH = {"cells": {TEST: "t", "setup": "s"}, "limits": {"cpu_seconds_per_cell": "60"}}
WITH |= {"code": {"staff/hw2/fresh.py": "a"}, "packages": {"numpy": "2.0"}}


def cell(cell_type, source, grade_id=None, *, points=None, solution=False, outputs=()):
    metadata = {}
    if grade_id:
        flags = {"solution": solution, "locked": not solution, "grade": bool(points)}
        metadata["nbgrader"] = {"grade_id": grade_id, **flags}
    content = {"cell_type": cell_type, "source": source, "metadata": metadata}
    of_code = {"outputs": list(outputs), "execution_count": None}
    return content | (of_code if cell_type == "code" else {})


def stream(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def error(name, message):
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": []}


def notebook(*, test=(), plot=(), answer="Because.", experiment=(), problems=(), finished=True):
    """A graded notebook (or, with its mark scheme, the instructor's own)."""
    cells = [
        cell("markdown", "## Part 1\n### 1.1a Double (3 points)"),
        cell("code", "def double(x): ...", "double", solution=True),
        cell("code", "checks.score()", "test_double", points=3, outputs=test),
        cell("markdown", QUESTION, "plot_question"),
        cell("code", "plt.show()", "plot", points=4, solution=True, outputs=plot),
        cell("markdown", answer, "answer", points=2, solution=True),
        cell("code", "try()", "experiment", solution=True, outputs=experiment),
    ]
    about = {"problems": list(problems), "finished": finished}
    metadata = {"hw_grading": about}
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}


def problem(message, severity="failed", kind="time-limit"):
    return {"kind": kind, "cell": "double", "message": message, "severity": severity}


def run_of(content, parts=(), **other):
    """The row of a run that left this notebook; errors in its cells are parts, as in grading."""
    parts = list(parts)
    notebook = content if isinstance(content, dict) else {"cells": [], "metadata": {}}
    for one in notebook["cells"]:
        name = one["metadata"].get("nbgrader", {}).get("grade_id") if isinstance(one, dict) else ""
        for output in errors_in(one) if name else ():
            parts.append(PartResult(name, name, 0.0, 0.0, passed=False, message=error_of(output)))
    problems = problems_in(notebook["metadata"].get("hw_grading", {}).get("problems"))
    about = {"digest": "", "answers": {"double": "x", "": "y"}, "graded_with": WITH, "seed": "7"}
    about |= {"problems": tuple(problems)}
    about |= {"cpu_seconds": 1.0, "wall_seconds": 2.0, "parts": tuple(parts)}
    return Run(**about | other)


class ToyCourse:
    """A course with the assignment "hw2": one test of 3 points, two manual cells of 4 and 2."""

    def __init__(self, root):
        self.root = root
        self.write(root / "source" / "hw2", notebook())
        with self.gradebook() as book:
            book.add_assignment("hw2", duedate=DUE)
            book.add_assignment("hw1")
            book.add_notebook("hw2", "hw2")
            # Out of order: the order has to come from the notebook.
            for name, points, kind in [
                ("answer", 2, "markdown"),
                ("plot", 4, "code"),
                ("test_double", 3, "code"),
            ]:
                book.add_grade_cell(name, "hw2", "hw2", max_score=points, cell_type=kind)
            for name in ("plot", "answer", "double", "experiment"):
                book.add_solution_cell(name, "hw2", "hw2")

    def gradebook(self):
        return Gradebook(f"sqlite:///{self.root}/gradebook.db")

    @staticmethod
    def write(folder, content):
        folder.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / "hw2.ipynb").write_text(text, encoding="utf-8")

    def hand_in(self, student):
        self.write(self.root / "submitted" / student / "hw2", notebook())

    def grade(self, student, content, auto=3.0, manual=None, parts=(), **submission):
        """Hand in, and grade: `manual` has the points for "plot", `parts` are those of the test."""
        self.hand_in(student)
        if content is not None:
            self.write(self.root / "autograded" / student / "hw2", content)
        with self.gradebook() as book:
            book.add_student(student)
            book.add_submission("hw2", student, timestamp=DUE, **submission)
            for name, score in (("test_double", auto), ("plot", None), ("answer", 0.0)):
                grade = book.find_grade(name, "hw2", "hw2", student)
                grade.auto_score, grade.needs_manual_grade = score, score is None
            if manual is not None:
                grade = book.find_grade("plot", "hw2", "hw2", student)
                grade.manual_score, grade.needs_manual_grade = manual, False
            book.db.commit()
        if auto is not None:
            self.save(student, run_of(content, parts))

    def save(self, student, run):
        """Store a run, and return its number."""
        with Database(f"sqlite:///{self.root}/gradebook.db").writing() as connection:
            return save_run(connection, "hw2", student, run)

    @property
    def results(self):
        return read_results(Course(self.root), "hw2")

    def result(self, student):
        return next(one for one in self.results.handed_in if one.student.id == student)


@functools.cache
def empty_course(folder):
    """Made once for all modules: copying a gradebook is quicker than making it."""
    return ToyCourse(folder).root


@pytest.fixture
def course(tmp_path, tmp_path_factory):
    root = tmp_path / "course"
    shutil.copytree(empty_course(tmp_path_factory.getbasetemp() / "empty-course"), root)
    copied = ToyCourse.__new__(ToyCourse)
    copied.root = root
    return copied
