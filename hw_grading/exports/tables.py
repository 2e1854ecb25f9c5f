"""The project's own tables: nbgrader's with final scores, Gradescope's, and all questions."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin

from hw_grading.exports.filling import Exported
from hw_grading.exports.grades import Grade, Grades, two_decimals
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.scores import Cell, Score, counted
from hw_grading.gradebook.writing import csv_of, expect_ending, write_whole
from hw_grading.homework.course import Course
from hw_grading.term.roster import FILE_NAME
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


class PlainCsv(ExportPlugin):
    """What `nbgrader export` writes: its own columns, with final scores, as plain data."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to `to`, ``grades.csv`` by default."""
        to = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", to)
        course = Course.of(self.parent.coursedir)
        chosen = (set(map(str, self.assignment)), set(map(str, self.student)))
        try:
            write_table(to, _plain(course, gradebook, *chosen), course.root / FILE_NAME)
        except (Unreadable, RuntimeError) as why:
            self.log.error("Nothing was exported. %s", visible(str(why)))
            sys.exit(1)


def write_table(out: Path, content: bytes, roster: Path) -> None:
    """Write a CSV file; `Unreadable` or RuntimeError if it would replace something else."""
    if out.is_dir():
        raise Unreadable(f"{quoted(out)} is a folder. Name a file with --output")
    expect_ending(out, "--output", ".csv")
    if out.resolve() == roster.resolve():
        raise Unreadable(f"{out} is the list of students. Name another file with --output")
    write_whole(out, content)


def _plain(
    course: Course, gradebook: Gradebook, assignments: set[str], students: set[str]
) -> bytes:
    """Return nbgrader's own export with final scores; an empty set means all."""
    rows: list[Sequence[Any]] = [PLAIN]
    for assignment in gradebook.assignments:
        if assignments and assignment.name not in assignments:
            continue
        finals = read_results(course, assignment.name)
        for student in gradebook.students:
            if students and student.id not in students:
                continue
            final = finals.students[student.id]
            when = final.record.handed_in if final.record else None
            about = (student.id, student.last_name, student.first_name, student.email)
            scores = (final.score, final.penalty, final.final, finals.max_score)
            rows.append((assignment.name, assignment.duedate, when or "", *about, *scores))
    return csv_of(rows).encode(errors="replace")


def like_gradescope(grades: Grades) -> Exported:
    """Return a table like Gradescope's export of an assignment, with a column per question."""
    questions: defaultdict[str, list[Cell]] = defaultdict(list)
    for cell in grades.finals.counting:
        if cell.max_points:
            questions[grades.places[cell.name].question].append(cell)
    heads = [_head(grades, name, cells) for name, cells in questions.items()]
    rows: list[Sequence[Any]] = [[*GRADESCOPE, *heads]]
    for grade in grades.wanted:
        given = [_given(grade, cells) for cells in questions.values()]
        rows.append([*_like_gradescope(grades, grade), *given])
    return _exported(grades, rows)


def by_question(grades: Grades) -> Exported:
    """Return a row for each student, with all the parts of the final score.

    Each cell has the columns ``<grade id>``, ``<grade id> max`` and ``<grade id> by``. The last
    says who graded it (tests or a person) or who has to. `score` is the sum of all cells and
    `corrections`. `final` is `score` less `penalty`.
    """
    first = ["student_id", "last_name", "first_name", "email", "section", "handed_in", "late"]
    last = ["corrections", "why_corrections", "score", "penalty", "why_penalty", "final", "max"]
    names = [cell.name for cell in grades.finals.counting]
    heads = [f"{name}{what}" for name in names for what in ("", " max", " by")]
    rows: list[Sequence[Any]] = [[*first, *heads, *last]]
    for grade in grades.wanted:
        scores = grade.scores
        values: list[Any] = []
        for cell in grades.finals.counting:
            score = scores.get(cell.name)
            number = _rounded(score.points) if score and not score.is_open else ""
            values += [number, _rounded(cell.max_points), _by(score)]
        rows.append([*_about(grades, grade), *values, *_made_of(grades, grade)])
    return _exported(grades, rows)


def _exported(grades: Grades, rows: Sequence[Sequence[Any]]) -> Exported:
    without = sum(not grade.is_scored for grade in grades.wanted)
    summary = f"{counted(len(grades.wanted), 'student')}, {without} of them without a score."
    content = csv_of(rows).encode(errors="replace")
    return Exported(content, (summary,), tuple(grades.left_to_do()))


def _head(grades: Grades, question: str, cells: Sequence[Cell]) -> str:
    headings = (grades.places[cell.name].heading for cell in cells)
    heading = next(filter(None, headings), "")
    most = _rounded(sum(cell.max_points for cell in cells))
    return f"{question}: {heading} ({most} pts)" if heading else f"{question} ({most} pts)"


def _like_gradescope(grades: Grades, grade: Grade) -> list[Any]:
    record = grade.final.record if grade.final else None
    sid = grade.person.sid or grade.id
    about = [*grade.names, sid, grade.person.email, grade.person.section]
    most = float(grades.finals.max_score)
    if not record or not grade.final:
        return [*about, "", most, "Missing", *[""] * 5]
    total = _rounded(grade.final.final) if grade.is_scored else ""
    status = "Graded" if grade.is_scored and not grade.waiting else "Ungraded"
    when = _local(grades, record.handed_in, "%Y-%m-%d %H:%M:%S %z")
    seconds = round(record.seconds_late)
    late = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" if when else ""
    return [*about, total, most, status, record.key, when, late, "", ""]


def _given(grade: Grade, cells: Iterable[Cell]) -> Any:
    names = {cell.name for cell in cells}
    held = [score for name, score in grade.scores.items() if name in names and not score.is_open]
    if not held or not grade.final:
        return ""
    more = sum(one.points for one in grade.final.corrections if one.cell in names)
    return _rounded(sum(score.points for score in held) + more)


def _about(grades: Grades, grade: Grade) -> list[Any]:
    first, last = grade.names
    record = grade.final.record if grade.final else None
    when = _local(grades, record.handed_in, "%Y-%m-%d %H:%M:%S") if record else ""
    person = grade.person
    late = record.late if record else ""
    return [grade.id, last, first, person.email, person.section, when, late]


def _made_of(grades: Grades, grade: Grade) -> list[Any]:
    most = _rounded(grades.finals.max_score)
    final = grade.final
    if not final or not final.record:
        return ["", "", "", "", "", "", most]
    # A dropped cell has no column here, so the correction that dropped it is left out too.
    more = sum(one.points for one in final.corrections if not one.drops)
    why = "; ".join(one.reason for one in final.corrections)
    numbers = [_rounded(final.penalty), final.why_penalty, _rounded(final.final), most]
    return [_rounded(more), why, _rounded(final.score), *numbers]


def _by(score: Score | None) -> str:
    if score is None:
        return ""
    if score.cell.by_hand and score.waits:
        return "waits"
    if score.manual is not None:
        return "person"
    return "nobody" if score.is_open else "person" if score.cell.by_hand else "tests"


def _rounded(number: float) -> float:
    return float(two_decimals(number))


def _local(grades: Grades, when: datetime | None, form: str) -> str:
    return when.replace(tzinfo=UTC).astimezone(grades.zone).strftime(form) if when else ""
