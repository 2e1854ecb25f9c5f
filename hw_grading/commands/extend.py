"""Grants extensions and slip days, from the command line or a CSV, and lists them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from hw_grading.gradebook.database import Database
from hw_grading.gradebook.extensions import Extension, extensions_in, grant, remove
from hw_grading.gradebook.lateness import zone_of
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.scores import open_gradebook
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of, why_no_id
from hw_grading.lms.tables import read_table
from hw_grading.texts import counted, typed
from hw_support.submission.file import UserError
from hw_support.submission.problems import encodable, quoted

MAX_HOURS = 366 * 24
Row = tuple[str, Mapping[str, str]]  # the place of a row, "" if none, and its values by name


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a CSV; `UserError` if it is none, or lacks a column."""
    table = read_table(path)
    table.expect("student")
    table.expect("until", "hours", "slip")
    return [(f"{path}, line {row.line}: ", row.values) for row in table.rows]


class Extensions:
    """The extensions of one homework; `Unavailable` or `UserError` if it cannot be read."""

    def __init__(self, course: Course, assignment: str) -> None:
        self._course, self._assignment = course, assignment
        self._zone = zone_of(course, manifest_of(course.root, assignment))
        with open_gradebook(course.db_url, assignment) as (_, due):
            self._due = due
        self._database = Database(course.db_url)

    def grant(self, rows: Iterable[Row], author: str) -> list[str]:
        """Grant all rows or none; return a line for each student, or raise `UserError`.

        A row has texts by ``"student"``, ``"until"``, ``"hours"``, ``"slip"``, ``"reason"`` and
        ``"homework"``; rows for other homeworks are left out.
        """
        due, found, wrong = self._due[self._assignment], dict[str, Extension](), []
        if due is None:
            raise UserError(
                f"{self._assignment} has no due date in the gradebook. Set `due` in its manifest, "
                f"then: {typed('hw-grading release', self._assignment)}"
            )
        for place, row in rows:
            try:
                name = row.get("homework") or self._assignment
                if name not in self._due:
                    raise UserError(f"the gradebook has no homework {quoted(name)}")
                if name == self._assignment:
                    one = self._extension(row, due)
                    if found.setdefault(one.student, one) is not one:
                        raise UserError(f"{one.student} is named twice")
            except UserError as why:
                wrong.append(f"{place}{why}")
        if not wrong and not found:
            wrong = [f"expected students of {self._assignment}: --student ID or --from-csv FILE"]
        if wrong:
            raise UserError("\n".join([*wrong, "No extension was granted."]))
        grant(self._database, found.values(), author)
        return self.listed(list(found))

    def remove(self, students: Sequence[str]) -> list[str]:
        """Remove students' extensions, and return a line for each student."""
        without = remove(self._database, self._assignment, students)
        done = {True: "had no extension", False: "extension removed"}
        return [f"{student}: {done[student in without]}" for student in students]

    def listed(self, students: Sequence[str] = ()) -> list[str]:
        """Return a line for each extension; `students` are all if none is named."""
        with open_gradebook(self._course.db_url, self._assignment) as (db, _):
            granted = extensions_in(db, self._assignment).values()
        finals = read_results(self._course, self._assignment).students
        lines = []
        for one in granted:
            if students and one.student not in students:
                continue
            due, final, said = self._due[self._assignment], finals.get(one.student), []
            if due is not None and (one.until is not None or one.seconds):
                local = one.due(due).replace(tzinfo=UTC).astimezone(self._zone)
                said.append(f"until {local:%Y-%m-%d %H:%M:%S} {self._zone}")
            if one.slip is not None:
                said.append(f"at most {counted(one.slip, 'slip day')}")
            if final and final.slip_days_left is not None:
                said.append(f"{final.slip_days} used here, {final.slip_days_left} left")
            why = f": {one.reason}" if one.reason else ""
            line = f"{one.student}: {', '.join(said)} (by {one.author}, {one.at:%Y-%m-%d}{why})"
            unknown = ". The gradebook has no such student yet: check the id"
            lines.append(line if one.student in finals else line + unknown)
        return lines or [f"Nobody has an extension for {self._assignment}."]

    def _extension(self, row: Mapping[str, str], due: datetime) -> Extension:
        """Parse what a student is to be granted, or raise `UserError`."""
        student = row.get("student", "").strip()
        if why := why_no_id(student) if student else "it is empty":
            raise UserError(f"{quoted(student)} is not a student's id: {why}")
        until, hours, days = (row.get(name) for name in ("until", "hours", "slip"))
        if (until and hours) or not (until or hours or days):
            raise UserError("expected until or hours, or slip days")
        moment = moment_of(until, self._zone) if until else None
        seconds = 3600 * _number(hours, "hours", MAX_HOURS, float) if hours else None
        more = (moment - due).total_seconds() if moment else seconds
        if more is not None and not 0 < more <= 3600 * MAX_HOURS:
            raise UserError("expected a time after the due date, and within a year")
        slip = int(_number(days, "whole slip days", 100, int)) if days else None
        reason = encodable(" ".join(row.get("reason", "").split())[:500])
        return Extension(self._assignment, student, moment, seconds, slip, reason)


def moment_of(text: str, zone: tzinfo) -> datetime:
    """Return the moment in a text such as ``2022-10-08 23:59``, in UTC, or raise `UserError`.

    A day without a time means its last second. If clocks show a time twice, the second one counts.
    """
    try:
        wall = datetime.fromisoformat(text.strip())
        if len(text.strip()) <= len("2022-10-08"):
            wall += timedelta(hours=23, minutes=59, seconds=59)
        local = wall if wall.tzinfo else wall.replace(tzinfo=zone, fold=1)
        return local.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        said = f"expected a time such as 2022-10-08 23:59 in {zone}"
        raise UserError(f"{said}, found {quoted(text)}") from None


def _number(text: str, what: str, most: float, kind: Callable[[str], float]) -> float:
    with suppress(ValueError):
        number = kind(text.replace(",", "."))
        if 0 <= number <= most:
            return number
    raise UserError(f"expected a number of {what} up to {most:g}, found {quoted(text)}")
