"""Exports the grades of one homework: into a platform's file, or as a table of our own.

In Canvas' gradebook an assignment's title ends in ``(id)``. Canvas treats a blank cell in place of
an existing score as a change. In Moodle's grading worksheet the maximum comes right after the
grade; Moodle skips a row that was graded after the worksheet was made. It reads its feedback
comments as HTML.
"""

import os
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import escape
from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin
from traitlets import Bool
from traitlets.config import Configurable

from hw_grading.gradebook.extensions import extensions_by_student
from hw_grading.gradebook.given import NBGRADERS, note_export
from hw_grading.gradebook.results import Results, StudentResult, read_results
from hw_grading.gradebook.scores import Student, open_gradebook, record_by
from hw_grading.gradebook.tables import now
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.lms.platforms import CANVAS, PLATFORMS, Platform, read_sheet
from hw_grading.lms.roster import (
    FILE_NAME,
    Person,
    Roster,
    Unknown,
    Who,
    last_and_first,
    read_roster,
)
from hw_grading.lms.tables import Table, folded
from hw_grading.outcome import Status
from hw_grading.rendering.feedback.summary import in_short
from hw_grading.texts import counted, csv_of, expect_ending, in_digits, typed, write_whole
from hw_support.checks.failures import visible
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

_EXCUSED = "ex"  # in the place of a score, in Canvas' files
_ID = re.compile(r"\s*\(\d+\)\s*$")  # at the end of a column's title in Canvas' file


class Exports(Configurable):
    """What all exports have in common; ``c.Exports``."""

    zeros = Bool(
        False,
        help="Everybody who submitted nothing has 0 points, once the homework is released and the "
        "student's due date is over. False: only students of whom `hw-grading absent` says so.",
    ).tag(config=True)


@dataclass(frozen=True)
class Grade:
    """One student's grade, with what the roster, or else the gradebook, knows of the student."""

    person: Person
    result: StudentResult
    is_zero: bool = False  # nothing was submitted, and that counts 0

    @property
    def is_scored(self) -> bool:
        """Whether there is a score to write."""
        return self.result.known.scored or self.is_zero

    @property
    def why_not_final(self) -> str:
        """What has to be graded or repaired; "" if nothing has."""
        result = self.result
        if result.status is Status.NOT_GRADED:
            return "not graded"
        if result.too_high:
            return "a person gave more than the question's points"
        if not self.is_scored:
            failed = result.status is Status.SUBMISSION_FAILED
            return "it could not be graded completely" if failed else ""
        waiting = [score.cell for score in result.counting if score.waits]
        if any(cell.by_hand for cell in waiting):
            return "an answer waits for a person"
        return "a test has no score" if waiting else ""

    @property
    def last_and_first(self) -> tuple[str, str]:
        """The last and the first name."""
        name, known = self.person.name, self.result.student
        is_known = name == known.name
        return (known.last_name, known.first_name) if is_known else last_and_first(name)


@dataclass(frozen=True)
class Grades:
    """The grades of a class."""

    results: Results
    wanted: dict[str, Grade]  # by the ids of those whose grades are asked for
    roster: Roster  # of everybody in the gradebook or the list
    left: list[str]  # who left the course, and has no grade here

    def absent(self) -> list[str]:
        """Return sentences on those who submitted nothing and on those who left."""
        zeros = [student for student, one in self.wanted.items() if one.is_zero]
        told = (("no submission, 0 points", zeros), ("left the course, no score", self.left))
        return [f"{what}: {', '.join(map(quoted, who))}" for what, who in told if who]


@dataclass
class Exported:
    """A file to be written, and sentences on what was done, and on what you have to do."""

    message: str
    content: bytes
    to_check: list[str]
    given: dict[str, StudentResult]  # whose scores are in the file, by student

    @property
    def last_line(self) -> str:
        """What remains to be done."""
        if not self.to_check:
            return "Nothing is left to do."
        return f"To do before you upload it: see the {counted(len(self.to_check), 'warning')}."


def export(
    course: Course,
    assignment: str,
    kind: str,
    to: Path | None = None,
    *,
    fill: Path | None = None,
    column: str = "",
    roster: Path | None = None,
    students: Collection[str] = (),
) -> tuple[Path, Exported]:
    """Write the grades of a homework; return the file, and what was exported.

    The default file, ``<assignment>_<kind>.csv`` in this folder, must not exist yet; `to` is
    replaced in one step. `fill` is the file of Canvas or Moodle, `column` its column if it
    cannot be found by itself. No `students` means all. Raises
    `Unavailable` or `UserError` if nothing was written.
    """
    if (kind in PLATFORMS) != bool(fill):
        raise UserError(
            f"{kind} writes its own table and fills in no file. Leave out --fill"
            if fill
            else f"expected a file from {kind.title()} to fill in, found none. Name it: --fill FILE"
        )
    grades = grades_of(course, assignment, roster, students)
    if fill:
        exported = _filled(PLATFORMS[kind], fill, grades, column)
    else:
        without = sum(not grade.is_scored for grade in grades.wanted.values())
        said = f"{counted(len(grades.wanted), 'student')}, {without} of them without a score."
        content = _csv([_by_question(grades.results, one) for one in grades.wanted.values()])
        given = {who: one.result for who, one in grades.wanted.items() if one.is_scored}
        exported = Exported(said, content, [], given)
    exported.to_check[:0] = not_final(grades)
    exported.message = "\n".join([exported.message, *grades.absent()])
    out = to or Path(f"{assignment}_{kind}.csv")
    if not to and os.path.lexists(out):
        raise UserError(f"{out} exists already. Name another file with --output")
    _write(out, exported.content, roster or course.root / FILE_NAME)
    note_export(course, assignment, kind, out, exported.given)
    return out, exported


def grades_of(
    course: Course, assignment: str, roster: Path | None = None, students: Collection[str] = ()
) -> Grades:
    """Read the grades of a homework, of all who did not leave if nobody is named.

    Raises `Unavailable`, or `UserError` if the roster cannot be read, or a student is unknown.
    """
    results, listed = read_results(course, assignment), read_roster(course, roster)
    of = {folded(person.id): person for person in listed.people}
    grades = {}
    for student, result in results.students.items():
        person, known = of.pop(folded(student), Person(student)), result.student
        more = {
            "name": person.name or known.name,
            "email": person.email or known.email,
            "canvas_id": person.canvas_id or known.platform_id,
        }
        grades[student] = Grade(replace(person, id=student, **more), result)
    for person in of.values():
        result = results.others.get(person.id, StudentResult(Student(person.id)))
        grades[person.id] = Grade(person, result)
    for student in _zeros(results, [s for s, one in grades.items() if not one.result.status]):
        grades[student] = replace(grades[student], is_zero=True)
    if unknown := sorted(set(students) - set(grades)):
        raise UserError(
            f"no student in the gradebook or the roster has the id {quoted(unknown[0])}"
        )
    left = [] if students else [student for student in results.left if student in grades]
    wanted = {s: grades[s] for s in sorted(students or grades) if s not in left}
    everybody = [grade.person for grade in grades.values()]
    return Grades(results, wanted, Roster(everybody, True, listed.source), left)


def not_final(grades: Grades) -> list[str]:
    """Return a sentence on the grades that are not final, if there are any."""
    unfinished: dict[str, list[str]] = {}
    for student, one in grades.wanted.items():
        if why := one.why_not_final:
            unfinished.setdefault(why, []).append(quoted(student))
    if not unfinished:
        return []
    number = counted(sum(map(len, unfinished.values())), "student")
    whose = "; ".join(f"{why}: {', '.join(them)}" for why, them in unfinished.items())
    report = typed("hw-grading report", grades.results.assignment)
    return [f"not final: {number} ({whose}). To see more: {report}"]


def why_other_maximum(most: float | None, of: str, results: Results) -> list[str]:
    """Return a sentence if a platform's maximum is not the homework's; `of` is what has it."""
    if most is None or abs(most - results.max_score) < 0.005:
        return []
    return [
        f"{of} has a maximum of {in_digits(most)} points, but {results.assignment} has "
        f"{in_digits(results.max_score)}. The scores were not rescaled. Change the platform's "
        "maximum"
    ]


def _zeros(results: Results, without: Collection[str]) -> list[str]:
    """Return who of those without a submission has 0 points: the same in all exports."""
    course, assignment, due = results.course, results.assignment, results.rules.due
    said = [student for student in results.zeros if student in without]
    if not Exports(config=course.config).zeros or not course.release(assignment).is_dir():
        return said
    with open_gradebook(course.db_url, assignment) as (db, _):
        granted = extensions_by_student(db, assignment)
    others = [student for student in without if student not in results.absent]
    if due is not None:
        at = now()
        others = [one for one in others if record_by(one, at, due, granted.get(one)).late]
    return said + others


# -- a platform's file


def _filled(platform: Platform, path: Path, grades: Grades, column: str) -> Exported:
    """Write the wanted students' scores into a column of a platform's file.

    A row keeps its value if the student has no score, or if the value is "ex".
    """
    table, students = read_sheet(platform, path)
    results, to_check, notes = grades.results, list[str](), list[str]()
    chosen, most = _column(platform, table, results, column)
    lines = _lines_of(students, grades, to_check, notes)
    old = {row.line: row.cells[chosen].strip().casefold() for row in table.rows}
    given = {
        student: grades.wanted[student].result
        for student, line in lines.items()
        if student in grades.wanted and grades.wanted[student].is_scored and old[line] != _EXCUSED
    }
    to_check += why_other_maximum(most, path.name, results)
    if not table.is_ended:
        to_check.append(f"the last line of {path.name} has no end. Check that it is complete")
    scores = {lines[student]: in_digits(result.final) for student, result in given.items()}
    said = f"{counted(len(scores), 'score')} in the column {quoted(table.titles[chosen])}"
    values = {chosen: scores}
    title = platform.columns.get("feedback", "")
    if folded(title) in table.columns:
        column_of_comments = table.columns.index(folded(title))
        comments, kept = _comments(table, column_of_comments, given, lines, results)
        values[column_of_comments] = comments
        said += f", {counted(len(comments), 'comment')} in {quoted(title)}"
        if kept:
            notes.append(f"comments that a person wrote are kept: {', '.join(kept)}")
    message = "\n".join([f"{said}. All other values are as before.", *notes])
    return Exported(message, table.with_values(values), to_check, given)


def _comments(
    table: Table,
    column: int,
    given: Mapping[str, StudentResult],
    lines: Mapping[str, int],
    of: Results,
) -> tuple[dict[int, str], list[str]]:
    """Return a comment on the result for each line, and the students who have a person's.

    A comment of ours begins with the homework's name.
    """
    ours = f"{of.assignment}: "
    old = {row.line: row.cells[column].strip() for row in table.rows}
    comments, kept = {}, []
    for student, result in given.items():
        line = lines[student]
        if old[line] and not old[line].startswith(ours):
            kept.append(student)
            continue
        said = in_short(result, of.max_score, of.places)
        comments[line] = ours + "<br>".join(map(str, map(escape, said)))
    return comments, kept


def _column(
    platform: Platform, table: Table, results: Results, asked: str
) -> tuple[int, float | None]:
    """Return the number of the homework's column, and its maximum if the file says it.

    `asked` is a title, on Canvas with or without its ``(id)``. By default, the column on Canvas has
    the homework's name, or its title, whole or up to the colon; on Moodle it is called Grade.
    """
    names = [asked or "Grade"]
    if platform is CANVAS and not asked:
        title = manifest_of(results.course.root, results.assignment).title
        names = [results.assignment, title, title.partition(":")[0]]
    known = set(map(folded, filter(None, names)))
    found = [
        number
        for number, title in enumerate(table.titles)
        if known & {folded(title), folded(_ID.sub("", title))}
    ]
    if len(found) != 1:
        there = ", ".join(quoted(title, 100) for title in table.titles)
        raise UserError(
            f"{table.path.name}, line 1: expected one column named "
            f"{' or '.join(map(quoted, filter(None, names)))}, found {len(found)}. Choose one with "
            f"--column: {there}"
        )
    if platform is CANVAS:
        maxima = {r.cells[found[0]] for r in table.rows if "Points Possible" in r.cells[0]}
    else:
        maxima = {cell for row in table.rows for cell in row.cells[found[0] + 1 : found[0] + 2]}
    with suppress(ValueError):
        [most] = maxima
        return found[0], float(most.replace(",", "."))
    return found[0], None


def _lines_of(
    students: Mapping[int, Who], grades: Grades, to_check: list[str], notes: list[str]
) -> dict[str, int]:
    """Return the line of each student's row; add sentences on other rows and students.

    Rows of other people are no more than a note: the platform has teachers and other courses.
    """
    by_student, unknown = grades.roster.match(students, students.__getitem__)
    strangers = [n for n, why in unknown if isinstance(why, Unknown)]
    to_check += [f"line {n}: {why}" for n, why in unknown if n not in strangers]
    if strangers:
        said = ", ".join(f"{students[line].said} (line {line})" for line in strangers)
        number = counted(len(strangers), "row")
        notes.append(f"{number} of people not in {grades.roster.source}, unchanged: {said}")
    lines = {}
    for person, rows in by_student.items():
        if len(rows) == 1:
            lines[person.id] = rows[0]
        else:
            to_check.append(
                f"lines {' and '.join(map(str, rows))}: these are rows of {person.id}. They are "
                "unchanged: remove all but one, and export again"
            )
    if missing := [s for s, g in grades.wanted.items() if g.is_scored and s not in lines]:
        names = ", ".join(f"{s} ({quoted(grades.wanted[s].person.name)})" for s in missing)
        number = counted(len(missing), "student")
        to_check.append(f"{number} with a score but without a row in the file: {names}")
    return lines


# -- tables of our own


def _by_question(results: Results, grade: Grade) -> dict[str, Any]:
    """Return a row with the points for each cell. They and `corrections` add up to `raw_score`."""
    corrections = grade.result.corrections
    # A dropped cell has no column here, so the correction that dropped it is left out too.
    added = float(sum(correction.points for correction in corrections if not correction.drops))
    return {
        **_plain(results, grade, grade.is_scored),
        "section": grade.person.section,
        "late": grade.result.known.late,
        "why_penalty": grade.result.why_penalty,
        "corrections": added if grade.is_scored else "",
        "why_corrections": "; ".join(
            correction.reason for correction in corrections if grade.is_scored
        ),
        **_points(results, grade),
    }


def _plain(results: Results, grade: Grade, has_score: bool) -> dict[str, Any]:
    """Return a row as `nbgrader export` has it, with times in UTC."""
    last, first = grade.last_and_first
    result = grade.result
    return {
        "assignment": results.assignment,
        "duedate": results.rules.due,
        "timestamp": result.known.handed_in,
        "student_id": grade.person.id,
        "last_name": last,
        "first_name": first,
        "email": grade.person.email,
        "raw_score": result.score if has_score else "",
        "late_submission_penalty": result.penalty if has_score else "",
        "score": result.final if has_score else "",
        "max_score": float(results.max_score),
    }


def _points(results: Results, grade: Grade) -> dict[str, Any]:
    """Return the points for each cell that counts; "" as long as it is not graded."""
    given = {s.cell: s.points for s in grade.result.known.scores if not s.is_open}
    cells = results.counting
    return {f"{c.name} ({in_digits(c.max_points)} pts)": given.get(c, "") for c in cells}


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a table, whose first row names all columns; points have no error of rounding."""
    values = [[round(v, 9) if isinstance(v, float) else v for v in row.values()] for row in rows]
    return csv_of([[*rows[0]] if rows else [], *values]).encode(errors="replace")


class PlainCsv(ExportPlugin):
    """What `nbgrader export` writes: its own columns, with final scores, as plain data.

    As in all other exports, ``c.Exports.zeros`` says whether students who submitted nothing have 0
    points.
    """

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to `to`, ``grades.csv`` by default."""
        to, students = Path(self.to or "grades.csv"), set(map(str, self.student))
        self.log.info("Exporting grades to %s", to)
        course = Course.of(self.parent.coursedir)
        names, asked = (
            [assignment.name for assignment in gradebook.assignments],
            set(map(str, self.assignment)),
        )
        rows, given = list[dict[str, Any]](), dict[str, dict[str, StudentResult]]()
        waiting = dict[str, int]()
        try:
            for name in names:
                if asked and name not in asked:
                    continue
                grades = grades_of(course, name)
                rows += [
                    _plain(grades.results, one, bool(one.result.record or one.is_zero))
                    for student, one in grades.wanted.items()
                    if not students or student in students
                ]
                given[name] = {
                    student: one.result
                    for student, one in grades.wanted.items()
                    if one.is_scored and (not students or student in students)
                }
                for line in grades.absent():
                    self.log.info("%s: %s", name, visible(line))
                waiting[name] = sum(bool(one.why_not_final) for one in grades.wanted.values())
            _write(to, _csv(rows), course.root / FILE_NAME)
            for name, results in given.items():
                note_export(course, name, NBGRADERS, to, results)
        except UserError as why:
            self.log.error("Nothing was exported. %s", visible(str(why)))
            sys.exit(1)
        for name, count in waiting.items():
            if count:
                self.log.warning(
                    "%s: %s without a final score, which counts as far as it is known. "
                    "`hw-grading report %s` says what is missing",
                    name,
                    counted(count, "student"),
                    name,
                )


def _write(out: Path, content: bytes, roster: Path) -> None:
    """Write a CSV file; `UserError` if it would replace something else."""
    expect_ending(out, "--output", ".csv")
    if out.resolve() == roster.resolve():
        raise UserError(f"{out} is the list of students. Name another file with --output")
    write_whole(out, content)
