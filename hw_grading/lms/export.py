"""Exports the grades of one homework: into a platform's file, or as a table of our own."""

import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin

from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.scores import Cell, counted
from hw_grading.gradebook.writing import csv_of, expect_ending, write_whole
from hw_grading.homework.course import Course
from hw_grading.lms import canvas, moodle
from hw_grading.lms.grades import Exported, Grade, Grades, read_grades
from hw_grading.lms.roster import FILE_NAME, last_and_first
from hw_support.failures import visible
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

PLAIN = (
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
)
# The columns in Gradescope's export of an assignment. The questions' columns follow them.
GRADESCOPE = (
    *("First Name", "Last Name", "SID", "Email", "Sections", "Total Score", "Max Points"),
    *("Status", "Submission ID", "Submission Time", "Lateness (H:M:S)", "View Count"),
    "Submission Count",
)
QUESTIONS = (
    *("student_id", "last_name", "first_name", "email", "section", "handed_in", "late"),
    *("corrections", "why_corrections", "score", "penalty", "why_penalty", "final", "max"),
)


def export(
    course: Course,
    assignment: str,
    kind: str,
    to: Path | None = None,
    *,
    fill: Path | None = None,
    column: str = "",
    columns: moodle.Columns | None = None,
    roster: Path | None = None,
    students: Collection[str] = (),
    accept_names: bool = False,
) -> tuple[Path, Exported]:
    """Write the grades of a homework; return the file, and what was exported.

    The default file, ``<assignment>_<kind>.csv`` in this folder, must not exist yet; `to` is
    replaced in one step. `fill` is the file of Canvas or Moodle, `column` its column if it
    cannot be found by itself, `columns` those of Moodle that identify students. No `students`
    means all. Raises `Unavailable` or `Unreadable` if nothing was written.
    """
    fills = kind in ("canvas", "moodle")
    if fills != bool(fill):
        raise Unreadable(
            f"expected a file from {kind.title()} to fill in, found none. Name it with --fill FILE"
            if fills
            else f"{kind} writes its own table and fills in no file. Leave out --fill"
        )
    grades = read_grades(course, assignment, roster, students)
    if kind == "canvas" and fill:
        exported = canvas.fill(fill, grades, column, accept_names)
    elif kind == "moodle" and fill:
        exported = moodle.fill(fill, grades, column, columns or moodle.Columns(), accept_names)
    else:
        exported = _table(grades, _like_gradescope if kind == "gradescope" else _by_question)
    out = to or Path(f"{assignment}_{kind}.csv")
    if not to and os.path.lexists(out):
        raise Unreadable(f"{out} exists already. Name another file with --output")
    _write(out, exported.content, roster or course.root / FILE_NAME)
    return out, exported


class PlainCsv(ExportPlugin):
    """What `nbgrader export` writes: its own columns, with final scores, as plain data."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to `to`, ``grades.csv`` by default."""
        to = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", to)
        course = Course.of(self.parent.coursedir)
        homeworks, students = set(map(str, self.assignment)), set(map(str, self.student))
        rows: list[Sequence[Any]] = [PLAIN]
        try:
            for one in gradebook.assignments:
                if not homeworks or one.name in homeworks:
                    rows += _plain(course, one.name, one.duedate, students)
            _write(to, csv_of(rows).encode(errors="replace"), course.root / FILE_NAME)
        except (Unreadable, RuntimeError) as why:
            self.log.error("Nothing was exported. %s", visible(str(why)))
            sys.exit(1)


def _plain(course: Course, name: str, due: Any, students: set[str]) -> Iterable[Sequence[Any]]:
    """Yield a homework's rows.

    Who submitted nothing has 0 points, as in nbgrader, but no number before the homework is
    released.
    """
    results = read_results(course, name)
    is_released = course.release(name).is_dir()
    for student, result in results.students.items():
        if not students or student in students:
            who, when = result.student, result.known.handed_in or ""
            about = (name, due, when, who.id, who.last_name, who.first_name, who.email)
            scores: Sequence[Any] = (result.score, result.penalty, result.final)
            if not result.record and not is_released:
                scores = ("", "", "")
            yield (*about, *scores, results.max_score)


def _write(out: Path, content: bytes, roster: Path) -> None:
    """Write a CSV file; `Unreadable` or RuntimeError if it would replace something else."""
    if out.is_dir():
        raise Unreadable(f"{quoted(out)} is a folder. Name a file with --output")
    expect_ending(out, "--output", ".csv")
    if out.resolve() == roster.resolve():
        raise Unreadable(f"{out} is the list of students. Name another file with --output")
    write_whole(out, content)


def _table(grades: Grades, rows_of: Any) -> Exported:
    without = sum(not grade.is_scored for grade in grades.wanted.values())
    summary = f"{counted(len(grades.wanted), 'student')}, {without} of them without a score."
    content = csv_of(rows_of(grades)).encode(errors="replace")
    return Exported(content, (summary,), grades.left_to_do)


def _like_gradescope(grades: Grades) -> Iterable[Sequence[Any]]:
    """Yield a table like Gradescope's export of an assignment, with a column for each question."""
    places, most = grades.results.places, _rounded(grades.results.max_score)
    questions: defaultdict[str, list[Cell]] = defaultdict(list)
    for cell in grades.results.counting:
        if cell.max_points:
            questions[places[cell.name].question].append(cell)
    heads = []
    for name, cells in questions.items():
        heading = next(filter(None, (places[cell.name].heading for cell in cells)), "")
        points = _rounded(sum(cell.max_points for cell in cells))
        heads.append(f"{name}{f': {heading}' if heading else ''} ({points} pts)")
    yield (*GRADESCOPE, *heads)
    for grade in grades.wanted.values():
        person, record = grade.person, grade.result.known
        last, first = _last_and_first(grade)
        about = (first, last, person.sid or person.id, person.email, person.section)
        if not grade.result.record:
            yield (*about, "", most, "Missing", *[""] * (5 + len(heads)))
            continue
        total = _rounded(grade.result.final) if grade.is_scored else ""
        status = "Graded" if grade.is_scored and not grade.waits else "Ungraded"
        when, seconds = _when(grades, grade, " %z"), round(record.seconds_late)
        late = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" if when else ""
        given = [_points(grade, cells) for cells in questions.values()]
        yield (*about, total, most, status, record.key, when, late, "", "", *given)


def _by_question(grades: Grades) -> Iterable[Sequence[Any]]:
    """Yield a row for each student, with the points for each cell and all that follows from them.

    A cell is empty as long as it is not graded. `score` is the sum of all cells and `corrections`;
    `final` is `score` less `penalty`.
    """
    cells, most = grades.results.counting, _rounded(grades.results.max_score)
    yield (*QUESTIONS[:7], *(cell.name for cell in cells), *QUESTIONS[7:])
    for grade in grades.wanted.values():
        person, result, record = grade.person, grade.result, grade.result.known
        about = (person.id, *_last_and_first(grade), person.email, person.section)
        scores = {
            score.cell: _rounded(score.points) for score in record.scores if not score.is_open
        }
        points = [scores.get(cell, "") for cell in cells]
        ends: Sequence[Any] = ("", "", "", "", "", "")
        if result.record:
            # A dropped cell has no column here, so the correction that dropped it is left out too.
            more = sum(one.points for one in result.corrections if not one.drops)
            why = "; ".join(one.reason for one in result.corrections)
            numbers = (_rounded(result.penalty), result.why_penalty, _rounded(result.final))
            ends = (_rounded(more), why, _rounded(result.score), *numbers)
        yield (*about, _when(grades, grade), record.late, *points, *ends, most)


def _last_and_first(grade: Grade) -> tuple[str, str]:
    """Return the names, from the gradebook or else derived from the roster's name."""
    known = grade.result.student
    if known.first_name or known.last_name:
        return known.last_name, known.first_name
    return last_and_first(grade.person.name)


def _points(grade: Grade, cells: Iterable[Cell]) -> Any:
    """Return the points for several cells with corrections; "" if none of them is graded."""
    held = [s for s in grade.result.known.scores if s.cell in cells and not s.is_open]
    names = {cell.name for cell in cells}
    more = sum(one.points for one in grade.result.corrections if one.cell in names)
    return _rounded(sum(score.points for score in held) + more) if held else ""


def _rounded(number: float) -> float:
    return round(float(number), 2)


def _when(grades: Grades, grade: Grade, zone: str = "") -> str:
    when = grade.result.known.handed_in
    local = when.replace(tzinfo=UTC).astimezone(grades.zone) if when else None
    return local.strftime(f"%Y-%m-%d %H:%M:%S{zone}") if local else ""
