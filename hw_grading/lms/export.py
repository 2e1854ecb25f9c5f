"""Exports the grades of one homework: into a platform's file, or as a table of our own.

In Canvas' gradebook an assignment's title ends in ``(id)``, and Canvas skips a column whose points
possible are ``(read only)``. It treats a blank cell in place of an existing score as a change. In
Moodle's grading worksheet the maximum comes right after the grade; Moodle skips a row that was
graded after the worksheet was made.
"""

import os
import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin

from hw_grading.gradebook.results import Result, Results, read_results
from hw_grading.gradebook.scores import Cell, Student, counted
from hw_grading.gradebook.writing import csv_of, expect_ending, write_whole
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.lms.platforms import CANVAS, PLATFORMS, Platform, read_sheet
from hw_grading.lms.roster import (
    FILE_NAME,
    Person,
    Roster,
    Unknown,
    Who,
    folded,
    last_and_first,
    read_roster,
)
from hw_grading.lms.tables import Table, number_in
from hw_grading.outcome import Status
from hw_support.failures import visible
from hw_support.submission.file import UserError
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
_EXCUSED = "ex"  # in the place of a score, in Canvas' files
_TITLE_AND_ID = re.compile(r"(.*?)\s*\((\d+)\)\s*")  # of a column in Canvas' file
_READ_ONLY = re.compile(r"read\s+only")


@dataclass(frozen=True)
class Grade:
    """One student's grade, with what the roster, or else the gradebook, knows of the student."""

    person: Person
    result: Result
    zone: ZoneInfo

    @property
    def is_scored(self) -> bool:
        """Whether there is a score to write."""
        return self.result.known.scored

    @property
    def has_faulty_test(self) -> bool:
        """Whether a test has no score, because the test has a fault."""
        return self.result.status is Status.SUBMISSION_FAILED and not self.is_scored

    @property
    def waits(self) -> bool:
        """Whether a person has to grade an answer, without dropped questions."""
        return self.is_scored and any(score.waits for score in self.result.counting)

    def handed_in(self, offset: str = "") -> str:
        """Return the time of the submission in the homework's zone; "" if there is none."""
        when = self.result.known.handed_in
        local = when.replace(tzinfo=UTC).astimezone(self.zone) if when else None
        return local.strftime(f"%Y-%m-%d %H:%M:%S{offset}") if local else ""


@dataclass(frozen=True)
class Grades:
    """The grades of a class."""

    results: Results
    title: str  # of the homework
    wanted: dict[str, Grade]  # by the ids of those whose grades are asked for
    roster: Roster  # of everybody in the gradebook or the list
    has_list: bool  # of the whole course


@dataclass(frozen=True)
class Exported:
    """A file to be written, and sentences on what was done, and on what you have to check."""

    content: bytes
    messages: list[str]
    to_check: list[str]


def export(
    course: Course,
    assignment: str,
    kind: str,
    to: Path | None = None,
    *,
    fill: Path | None = None,
    column: str = "",
    columns: Mapping[str, str],
    roster: Path | None = None,
    students: Collection[str] = (),
    accept_names: bool = False,
) -> tuple[Path, Exported]:
    """Write the grades of a homework; return the file, and what was exported.

    The default file, ``<assignment>_<kind>.csv`` in this folder, must not exist yet; `to` is
    replaced in one step. `fill` is the file of Canvas or Moodle, `column` its column if it
    cannot be found by itself, `columns` titles of others in it. No `students` means all. Raises
    `Unavailable` or `UserError` if nothing was written.
    """
    if (kind in PLATFORMS) != bool(fill):
        raise UserError(
            f"{kind} writes its own table and fills in no file. Leave out --fill"
            if fill
            else f"expected a file from {kind.title()} to fill in, found none. Name it: --fill FILE"
        )
    grades = read_grades(course, assignment, roster, students)
    if fill:
        exported = _filled(PLATFORMS[kind], fill, grades, column, columns, accept_names)
    else:
        without = sum(not grade.is_scored for grade in grades.wanted.values())
        said = f"{counted(len(grades.wanted), 'student')}, {without} of them without a score."
        table = (_like_gradescope if kind == "gradescope" else _by_question)(grades)
        exported = Exported(csv_of(table).encode(errors="replace"), [said], [])
    exported.to_check[:0] = _not_final(grades)
    out = to or Path(f"{assignment}_{kind}.csv")
    if not to and os.path.lexists(out):
        raise UserError(f"{out} exists already. Name another file with --output")
    _write(out, exported.content, roster or course.root / FILE_NAME)
    return out, exported


def read_grades(
    course: Course, assignment: str, roster: Path | None = None, students: Collection[str] = ()
) -> Grades:
    """Read the grades of a homework, of all students if none is named.

    Raises `Unavailable`, or `UserError` if the roster cannot be read, or a student is unknown.
    """
    results, listed = read_results(course, assignment), read_roster(course, roster)
    manifest = manifest_of(course.root, assignment)
    zone = ZoneInfo(manifest.time_zone)
    grades = {p.id: Grade(p, result, zone) for p, result in _joined(results, listed)}
    if unknown := sorted(set(students) - set(grades)):
        raise UserError(
            f"no student in the gradebook or the roster has the id {quoted(unknown[0])}"
        )
    wanted = {student: grades[student] for student in sorted(students or grades)}
    everybody = Roster([grade.person for grade in grades.values()], True, listed.source)
    return Grades(results, manifest.title, wanted, everybody, listed.is_whole)


def _joined(results: Results, roster: Roster) -> Iterator[tuple[Person, Result]]:
    of = {folded(person.id): person for person in roster.people}
    for student, result in results.students.items():
        person, known = of.pop(folded(student), Person(student)), result.student
        values = {
            "name": person.name or (f"{known.last_name}, {known.first_name}" if known.name else ""),
            "email": person.email or known.email,
            "canvas_id": person.canvas_id or known.platform_id,
        }
        yield replace(person, id=student, **values), result
    for person in of.values():
        yield person, results.others.get(person.id, Result(Student(person.id)))


def _not_final(grades: Grades) -> list[str]:
    """Return a sentence on the students whose grades are not final, if there are any."""
    found = [
        student
        for student, one in grades.wanted.items()
        if one.result.status is Status.NOT_GRADED
        or one.has_faulty_test
        or one.waits
        or one.result.too_high
    ]
    said = (
        f"not final are the grades of {counted(len(found), 'student')}: "
        f"{', '.join(map(quoted, found))}. A submission is not graded, a test has a "
        "fault and therefore no score, an answer waits for a person, or a score by a person is "
        "above the question's points. To see more: hw-grading report "
        f"{grades.results.assignment}"
    )
    return [said] if found else []


# -- a platform's file


def _filled(
    platform: Platform,
    path: Path,
    grades: Grades,
    column: str,
    columns: Mapping[str, str],
    accept_names: bool,
) -> Exported:
    """Write the wanted students' scores into a column of a platform's file.

    A row keeps its value if the student has no score, or if the value is "ex". A student who
    is known by name only gets a score with `accept_names`.
    """
    sheet = read_sheet(platform, path, columns)
    table = sheet.table
    to_check: list[str] = []
    chosen, maximum = _column(platform, table, grades, column)
    found, strangers = _matched(path.name, sheet.students, grades, accept_names, to_check)
    scores: dict[int, str] = {}  # by line
    written = 0
    for row in table.rows:
        grade, old = grades.wanted.get(found.get(row.line, "")), row.cells[chosen]
        if grade and grade.is_scored and old.strip().casefold() != _EXCUSED:
            written += 1
            if number_in(old) != number_in(text := _in_digits(grade.result.final)):
                scores[row.line] = text
    most, assignment = number_in(maximum), grades.results.assignment
    if most is not None and abs(most - grades.results.max_score) >= 0.005:
        to_check.append(
            f"{path.name} has a maximum of {_in_digits(most)} points, but {assignment} has "
            f"{_in_digits(grades.results.max_score)}. The scores were not rescaled. Change the "
            "platform's maximum"
        )
    if not table.is_ended:
        to_check.append(f"the last line of {path.name} has no end. Check that it is complete")
    messages = [
        f"{counted(written, 'score')} in the column {quoted(table.titles[chosen])}; {len(scores)} "
        "of them changed. All other values are as before."
    ]
    if strangers:
        (to_check if grades.has_list else messages).append(
            f"{counted(len(strangers), 'row')} of people not in {grades.roster.source}, unchanged: "
            f"{', '.join(strangers)}"
        )
    return Exported(table.with_values(chosen, scores), messages, to_check)


def _column(platform: Platform, table: Table, grades: Grades, asked: str) -> tuple[int, str]:
    """Return the number of the homework's column, and its maximum as the file says it.

    `asked` is a title, on Canvas with or without its ``(id)``, or the id alone. By default, the
    column on Canvas has the homework's name, or its title, whole or up to the colon.
    """
    may_be = {number: [name] for number, name in enumerate(table.titles)}
    wanted, names = "named 'Grade'", ["Grade"]
    maxima: Sequence[str] = ()
    if platform is CANVAS:
        maxima = next((r.cells for r in table.rows if "Points Possible" in r.cells[0]), ())
        if not maxima:
            raise UserError(
                f"{table.path.name}: expected {platform.file}, with a row that begins with Points "
                f"Possible, found none. {platform.how}"
            )
        titles = {n: _TITLE_AND_ID.fullmatch(title) for n, [title] in may_be.items()}
        may_be = {
            number: [found[0], found[1], *([found[2]] if asked else [])]
            for number, found in titles.items()
            if found and not _READ_ONLY.search(maxima[number])
        }
        wanted = "with the homework's name or title"
        names = [grades.results.assignment, grades.title, grades.title.partition(":")[0]]
    if asked:
        wanted, names = f"named {quoted(asked)}", [asked]
    known = set(map(folded, filter(None, names)))
    found = [number for number, called in may_be.items() if known & set(map(folded, called))]
    if len(found) != 1:
        what = f"{len(found)} of them" if found else "none"
        there = ", ".join(quoted(table.titles[n], 100) for n in found or may_be) or "none"
        raise UserError(
            f"{table.path.name}, line 1: expected one column {wanted}, found {what}. Choose one "
            f"with --column: {there}"
        )
    after: set[str] = set()
    if not maxima:
        after = {cell for row in table.rows for cell in row.cells[found[0] + 1 : found[0] + 2]}
    return found[0], maxima[found[0]] if maxima else after.pop() if len(after) == 1 else ""


def _matched(
    file: str, rows: Mapping[int, Who], grades: Grades, accept_names: bool, to_check: list[str]
) -> tuple[dict[int, str], list[str]]:
    """Return the student of each row, by its line, and strangers; add sentences on the others."""
    of: defaultdict[str, list[tuple[int, bool]]] = defaultdict(list)
    strangers: list[str] = []
    for line, who in rows.items():
        try:
            match = grades.roster.find(who)
            of[match.person.id].append((line, match.by_name))
        except Unknown:
            strangers.append(f"{who.said} (line {line})")
        except UserError as why:
            to_check.append(f"{file}, line {line}: {why}. The row is unchanged")
    found: dict[int, str] = {}
    named: list[str] = []
    for student, places in of.items():
        # Whose name is that of a student with a row is somebody else.
        sure = [line for line, by_name in places if not by_name]
        others = [line for line, by_name in places if by_name and sure]
        strangers += [f"{rows[line].said} (line {line})" for line in others]
        lines = sure or [line for line, _ in places]
        named += [] if sure else [f"{student} (line {line})" for line in lines]
        if len(lines) > 1:
            to_check.append(
                f"{file}, lines {' and '.join(map(str, lines))}: these are rows of {student}. They "
                "are unchanged: remove all but one, and export again"
            )
        elif sure or accept_names:
            found[lines[0]] = student
    if named:
        todo = "Compare their rows with the platform, since their scores are written"
        if not accept_names:
            todo = "Their rows are unchanged. To fill them in all the same: --accept-names"
        names = ", ".join(named)
        to_check.append(f"known by name only, which students can change: {names}. {todo}")
    there = set(found.values())
    if missing := [s for s, g in grades.wanted.items() if g.is_scored and s not in there]:
        names = ", ".join(f"{s} ({quoted(grades.wanted[s].person.name)})" for s in missing)
        number = counted(len(missing), "student")
        to_check.append(f"{number} with a score but without a row in the file: {names}")
    return found, strangers


# -- tables of our own


def _like_gradescope(grades: Grades) -> Iterator[Sequence[Any]]:
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
        last, first = last_and_first(person.name)
        about = (first, last, person.sid or person.id, person.email, person.section)
        if not grade.result.record:
            yield (*about, "", most, "Missing", *[""] * (5 + len(heads)))
            continue
        total = _rounded(grade.result.final) if grade.is_scored else ""
        status = "Graded" if grade.is_scored and not grade.waits else "Ungraded"
        when, seconds = grade.handed_in(" %z"), round(record.seconds_late)
        late = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" if when else ""
        graded = {score.cell for score in record.scores if not score.is_open}
        given = [
            _rounded(sum(grade.result.points(cell.name) for cell in cells))
            if graded.intersection(cells)
            else ""
            for cells in questions.values()
        ]
        yield (*about, total, most, status, record.key, when, late, "", "", *given)


def _by_question(grades: Grades) -> Iterator[Sequence[Any]]:
    """Yield a row for each student, with the points for each cell and all that follows from them.

    A cell is empty as long as it is not graded. `score` is the sum of all cells and `corrections`;
    `final` is `score` less `penalty`.
    """
    cells, most = grades.results.counting, _rounded(grades.results.max_score)
    yield (*QUESTIONS[:7], *(cell.name for cell in cells), *QUESTIONS[7:])
    for grade in grades.wanted.values():
        person, result, record = grade.person, grade.result, grade.result.known
        about = (person.id, *last_and_first(person.name), person.email, person.section)
        scores = {s.cell: _rounded(s.points) for s in record.scores if not s.is_open}
        ends: Sequence[Any] = ("", "", "", "", "", "")
        if result.record:
            # A dropped cell has no column here, so the correction that dropped it is left out too.
            more = sum(one.points for one in result.corrections if not one.drops)
            why = "; ".join(one.reason for one in result.corrections)
            numbers = (_rounded(result.penalty), result.why_penalty, _rounded(result.final))
            ends = (_rounded(more), why, _rounded(result.score), *numbers)
        points = [scores.get(cell, "") for cell in cells]
        yield (*about, grade.handed_in(), record.late, *points, *ends, most)


class PlainCsv(ExportPlugin):
    """What `nbgrader export` writes: its own columns, with final scores, as plain data."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to `to`, ``grades.csv`` by default."""
        to = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", to)
        course = Course.of(self.parent.coursedir)
        try:
            rows = [PLAIN, *self._rows(course, gradebook)]
            _write(to, csv_of(rows).encode(errors="replace"), course.root / FILE_NAME)
        except (UserError, RuntimeError) as why:
            self.log.error("Nothing was exported. %s", visible(str(why)))
            sys.exit(1)

    def _rows(self, course: Course, gradebook: Gradebook) -> Iterator[Sequence[Any]]:
        """Yield a row for each homework and student.

        Who submitted nothing has 0 points, as in nbgrader, but no number before the homework is
        released.
        """
        homeworks, students = set(map(str, self.assignment)), set(map(str, self.student))
        for name, due in [(one.name, one.duedate) for one in gradebook.assignments]:
            if homeworks and name not in homeworks:
                continue
            results = read_results(course, name)
            for who, one in results.students.items():
                if not students or who in students:
                    known, when = one.student, one.known.handed_in or ""
                    names = (known.last_name, known.first_name, known.email)
                    scores: Sequence[Any] = (one.score, one.penalty, one.final)
                    if not (one.record or course.release(name).is_dir()):
                        scores = ("", "", "")
                    yield (name, due, when, who, *names, *scores, results.max_score)


def _write(out: Path, content: bytes, roster: Path) -> None:
    """Write a CSV file; `UserError` or RuntimeError if it would replace something else."""
    if out.is_dir():
        raise UserError(f"{quoted(out)} is a folder. Name a file with --output")
    expect_ending(out, "--output", ".csv")
    if out.resolve() == roster.resolve():
        raise UserError(f"{out} is the list of students. Name another file with --output")
    write_whole(out, content)


def _in_digits(points: float) -> str:
    """Return points with at most two decimals, as platforms keep them: ``"87.5"``."""
    return f"{round(points, 2):.12g}"


def _rounded(points: float) -> float:
    return round(float(points), 2)
