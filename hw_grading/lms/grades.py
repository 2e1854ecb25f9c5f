"""The grades of a class with what the roster knows of it; writes them into a platform's file."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from hw_grading.gradebook.results import Result, Results, read_results
from hw_grading.gradebook.scores import Student, counted
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.lms.roster import Match, Person, Roster, Unknown, Who, folded, read_roster
from hw_grading.lms.tables import Row, Table, number_in
from hw_grading.outcome import Status
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_EXCUSED = "ex"  # in the place of a score, in Canvas' files


@dataclass(frozen=True)
class Grade:
    """One student's grade, with what the roster, or else the gradebook, knows of the student."""

    person: Person
    result: Result

    @property
    def is_scored(self) -> bool:
        """Whether there is a score to write."""
        return self.result.known.scored

    @property
    def waits(self) -> bool:
        """Whether a person has to grade an answer, without dropped questions."""
        return self.is_scored and any(score.waits for score in self.result.counting)


@dataclass(frozen=True)
class Grades:
    """The grades of a class."""

    results: Results
    title: str  # the homework's, which a platform's column may have too
    zone: ZoneInfo
    wanted: dict[str, Grade]  # by the ids of those whose grades are asked for
    roster: Roster  # of everybody in the gradebook or the list
    has_list: bool  # of the whole course
    left_to_do: tuple[str, ...]  # sentences on grades that are not final


@dataclass(frozen=True)
class Exported:
    """A file to be written, and sentences on what was done, and on what you have to check."""

    content: bytes
    messages: tuple[str, ...] = ()
    left_to_do: tuple[str, ...] = ()


def two_decimals(number: float) -> str:
    """Return points with at most two decimals, as platforms keep them: ``"87.5"``."""
    return f"{round(number, 2):.12g}"


def read_grades(
    course: Course, assignment: str, roster: Path | None = None, students: Collection[str] = ()
) -> Grades:
    """Read the grades of a homework, of all students if none is named.

    Raises `Unavailable`, or `Unreadable` if the roster or the instructor's notebook cannot be
    read, or a student is unknown.
    """
    results = read_results(course, assignment)
    manifest = manifest_of(course.root, assignment)
    listed = read_roster(course, roster)
    grades = {grade.person.id: grade for grade in _joined(results, listed)}
    if unknown := sorted(set(students) - set(grades)):
        raise Unreadable(
            f"no student in the gradebook or the roster has the id {quoted(unknown[0])}"
        )
    wanted = {student: grades[student] for student in sorted(students or grades)}
    people = [grade.person for grade in grades.values()]
    everybody = Roster(people, True, listed.source)
    left_to_do = tuple(_left_to_do(results, wanted))
    zone = ZoneInfo(manifest.time_zone)
    about = (results, manifest.title or assignment, zone, wanted, everybody)
    return Grades(*about, listed.is_whole, left_to_do)


def _joined(results: Results, roster: Roster) -> Iterator[Grade]:
    of = {folded(person.id): person for person in roster.people}
    for student, result in results.students.items():
        person, known = of.pop(folded(student), Person(student)), result.student
        yield Grade(
            replace(
                person,
                id=student,
                name=person.name or known.name,
                email=person.email or known.email,
                canvas_id=person.canvas_id or known.platform_id,
            ),
            result,
        )
    for person in of.values():
        empty = Result(Student(person.id))
        yield Grade(person, results.others.get(person.id, empty))


def _left_to_do(results: Results, wanted: dict[str, Grade]) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for student, grade in wanted.items():
        problems = {
            "with a submission that is not graded": grade.result.status is Status.NOT_GRADED,
            "with a test that has no score, because the test has a fault": (
                grade.result.status is Status.SUBMISSION_FAILED and not grade.is_scored
            ),
            "with answers that no person has graded yet (these scores are the points so far)": (
                grade.waits
            ),
            "with a score by a person above the question's points": bool(grade.result.too_high),
        }
        for problem in (problem for problem, is_so in problems.items() if is_so):
            found.setdefault(problem, []).append(student)
    for problem, students in found.items():
        names = ", ".join(map(quoted, students))
        see = f"To see more: hw-grading report {results.assignment}"
        yield f"{counted(len(students), 'student')} {problem}: {names}. {see}"


def filled(
    table: Table,
    column: int,
    rows: Iterable[Row],  # of students
    who: Callable[[Row], Who],
    grades: Grades,
    accept_names: bool,
    maximum: str,  # of points, as the platform says; "" if it says none
) -> Exported:
    """Write the wanted students' scores into a column of a platform's file.

    A row keeps its value if the student has no score, or if the value is "ex". A student who
    is known by name only gets a score with `accept_names`.
    """
    to_check, name = list(grades.left_to_do), table.path.name
    people = {row.line: who(row) for row in rows}
    found, strangers = _matched(table, people, grades, accept_names, to_check)
    scores: dict[int, str] = {}  # by line
    written = 0
    for row in table.rows:
        grade = grades.wanted.get(found.get(row.line, ""))
        if grade and grade.is_scored and row.cells[column].strip().casefold() != _EXCUSED:
            written += 1
            text = two_decimals(grade.result.final)
            if number_in(row.cells[column]) != number_in(text):
                scores[row.line] = text
    most = number_in(maximum)
    if most is not None and abs(most - grades.results.max_score) >= 0.005:
        to_check.append(
            f"{name} has a maximum of {two_decimals(most)} points, but {grades.results.assignment} "
            f"has {two_decimals(grades.results.max_score)}. The scores were not rescaled. Change "
            "the platform's maximum"
        )
    if not table.is_ended:
        to_check.append(f"the last line of {name} has no end. Check that the file is complete")
    said = (
        f"{counted(written, 'score')} in the column {quoted(table.titles[column])}; {len(scores)} "
        "of them changed. All other values are as before."
    )
    messages = [said]
    if strangers:
        (to_check if grades.has_list else messages).append(
            f"{counted(len(strangers), 'row')} of people not in {grades.roster.source}, unchanged: "
            f"{', '.join(strangers)}"
        )
    return Exported(table.with_values(column, scores), tuple(messages), tuple(to_check))


def the_one(table: Table, wanted: str, found: Sequence[int], columns: Iterable[int]) -> int:
    """Return the column, if exactly one was found; else raise `Unreadable` with the choices."""
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} of them" if found else "none"
    names = ", ".join(quoted(table.titles[column], 100) for column in found or columns) or "none"
    raise Unreadable(
        f"{table.path.name}, line 1: expected one column {wanted}, found {what}. Choose one with "
        f"--column: {names}"
    )


def _matched(
    table: Table, rows: dict[int, Who], grades: Grades, accept_names: bool, to_check: list[str]
) -> tuple[dict[int, str], list[str]]:
    """Return the student of each row, by its line, and strangers; add sentences on the others."""
    matches: dict[int, Match] = {}
    strangers: list[str] = []
    for line, who in rows.items():
        try:
            matches[line] = grades.roster.find(who)
        except Unknown:
            strangers.append(f"{who.said} (line {line})")
        except Unreadable as why:
            to_check.append(f"{table.path.name}, line {line}: {why}. The row is unchanged")
    sure = {match.person.id for match in matches.values() if not match.by_name}
    by_name = {line: m.person.id for line, m in matches.items() if m.by_name}
    strangers += [f"{rows[n].said} (line {n})" for n, one in by_name.items() if one in sure]
    by_name = {line: student for line, student in by_name.items() if student not in sure}
    found = {line: match.person.id for line, match in matches.items() if not match.by_name}
    if by_name:
        names = ", ".join(f"{student} (line {line})" for line, student in by_name.items())
        todo = "Compare their rows with the platform, since their scores are written"
        if not accept_names:
            todo = "Their rows are unchanged. To fill them in all the same: --accept-names"
        to_check.append(f"known by name only, which students can change: {names}. {todo}")
        found |= by_name if accept_names else {}
    for student, times in Counter(found.values()).items():
        if times > 1:
            lines = [line for line, one in found.items() if one == student]
            to_check.append(
                f"{table.path.name}, lines {' and '.join(map(str, lines))}: these are rows of "
                f"{student}. They are unchanged: remove all but one, and export again"
            )
            found = {line: one for line, one in found.items() if one != student}
    there = set(found.values())
    if missing := [s for s, g in grades.wanted.items() if g.is_scored and s not in there]:
        names = ", ".join(f"{s} ({quoted(grades.wanted[s].person.name)})" for s in missing)
        number = counted(len(missing), "student")
        to_check.append(f"{number} with a score but without a row in the file: {names}")
    return found, strangers
