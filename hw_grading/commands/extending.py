"""Grants extensions and slip days, from the command line or a CSV, and lists them."""

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from hw_grading.gradebook.database import Database
from hw_grading.gradebook.extensions import Extension, extensions_in, grant, remove
from hw_grading.gradebook.lateness import days_later, zone_of
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.scores import counted, in_digits, open_gradebook, students_of
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.term.csv_tables import read_table
from hw_grading.term.found import Who
from hw_grading.term.roster import Roster, folded, read_roster
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import encodable, quoted

HOW_MUCH = ("until", "hours", "days")
MOST_DAYS = 366
MOST_SLIP_DAYS = 100
_DAY_FIRST = re.compile(r"^([0-9]{2})\.([0-9]{2})\.([0-9]{4})")
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]+([0-9]{2}:[0-9]{2}(?::[0-9]{2})?))?")
_NUMBER = re.compile(r"[0-9]{1,5}(?:[.,][0-9]{1,3})?")
_STUDENT = ("student", "student_id", "id", "login")
_HOMEWORK = ("homework", "assignment")
_MOST_SHOWN = 20


class Extensions:
    """The extensions of one homework; `Unavailable` or `Unreadable` if it cannot be read."""

    def __init__(self, folder: Path, assignment: str) -> None:
        self._course, self._assignment = Course(folder), assignment
        manifest = manifest_of(self._course.root, assignment)
        self.zone: tzinfo = zone_of(self._course, manifest)
        with open_gradebook(self._course.db_url, assignment) as (_, due):
            self._due = due
        self._roster: Roster = read_roster(self._course, assignment)
        self._database = Database(self._course.db_url)

    def grant(self, students: Sequence[str], asked: Mapping[str, str], author: str) -> list[str]:
        """Grant the same to several students, or raise `Unreadable`; return a line for each."""
        due = self._due_date()
        ids = list(dict.fromkeys(map(self._student, students)))
        grants = [
            grant_of((self._assignment, student), asked, due, self.zone, "--") for student in ids
        ]
        grant(self._database, grants, author)
        return self._lines(grants)

    def grant_listed(self, path: Path, author: str) -> list[str]:
        """Grant all rows of a CSV or none, and return a line for each row.

        Raises `Unreadable` with file and line of each mistake.
        """
        due = self._due_date()
        table = read_table(path)
        student = table.column(path, _STUDENT, "with the students' ids, such as 'student'")
        table.column(path, (*HOW_MUCH, "slip"), "with until, hours, days or slip")
        grants: list[Extension] = []
        wrong, lines, others = list(table.complaints), dict[str, int](), 0
        for row in table.rows:
            try:
                said = next((row.values[name] for name in _HOMEWORK if row.values.get(name)), "")
                if said and said not in self._due:
                    raise Unreadable(f"the gradebook has no homework {quoted(said)}")
                if said not in ("", self._assignment):
                    others += 1
                    continue
                whose = (self._assignment, self._student(row.values[student]))
                one = grant_of(whose, row.values, due, self.zone)
                first = lines.setdefault(folded(one.student), row.line)
                if first != row.line:
                    raise Unreadable(f"{one.student} is already in line {first}")
                grants.append(one)
            except Unreadable as why:
                wrong.append(f"{path}, line {row.line}: {why}")
        if not wrong and not grants:
            wrong.append(f"{path} has no row for {self._assignment}")
        if wrong:
            more = [f"and {len(wrong) - _MOST_SHOWN} more"] if len(wrong) > _MOST_SHOWN else []
            raise Unreadable("\n".join([*wrong[:_MOST_SHOWN], *more, "No extension was granted."]))
        grant(self._database, grants, author)
        skipped = [f"Rows for other homeworks: {others}."] if others else []
        return [*self._lines(grants), *skipped]

    def remove(self, students: Sequence[str]) -> list[str]:
        """Remove students' extensions, and return a line for each student."""
        ids = list(dict.fromkeys(map(self._student, students)))
        without = remove(self._database, self._assignment, ids)
        done = {True: "had no extension", False: "extension removed"}
        return [f"{student}: {done[student in without]}" for student in ids]

    def listed(self) -> list[str]:
        """Return a line for each student with an extension."""
        with open_gradebook(self._course.db_url, self._assignment) as (db, _):
            granted = extensions_in(db, self._assignment).values()
        finals = read_results(self._course, self._assignment).students
        lines = []
        for one in granted:
            final = finals.get(one.student)
            line = f"{one.student}: {self._in_words(one)}"
            if final and final.slip_days_left is not None:
                used = counted(final.slip_days, "slip day")
                line += f"; {used} used here, {final.slip_days_left} left"
            why = f": {one.reason}" if one.reason else ""
            lines.append(f"{line} (granted by {one.author}, {one.at:%Y-%m-%d}{why})")
        return lines or [f"Nobody has an extension for {self._assignment}."]

    def _due_date(self) -> datetime:
        due = self._due[self._assignment]
        if due is None:
            raise Unreadable(
                f"{self._assignment} has no due date in the gradebook. Set `due` in its manifest, "
                f"then: nbgrader generate_assignment {self._assignment} --force"
            )
        return due

    def _student(self, said: str) -> str:
        said = unicodedata.normalize("NFC", said.strip())
        if not said:
            raise Unreadable("expected a student's id, found none")
        try:
            return self._roster.person(Who(said, (("id", said), ("sid", said), ("email", said)))).id
        except Unreadable as why:
            raise Unreadable(f"{why}{self._meant(said)}") from None

    def _meant(self, said: str) -> str:
        """Return a sentence that proposes the student with the most similar id; "" without one."""
        near = difflib.get_close_matches(said, [one.id for one in self._roster.people], 1)
        return f". Did you mean {near[0]}?" if near else ""

    def _lines(self, grants: Sequence[Extension]) -> list[str]:
        with open_gradebook(self._course.db_url, self._assignment) as (db, _):
            granted = extensions_in(db, self._assignment)
        known = {one.id for one in students_of(self._course.db_url)}
        known |= {person.id for person in self._roster.people}
        lines = []
        for one in grants:
            line = f"{one.student}: {self._in_words(granted[self._assignment, one.student])}"
            if one.student not in known:
                meant = self._meant(one.student)
                line += f" (the gradebook has no {one.student} yet: check the id{meant})"
            lines.append(line)
        return lines

    def _in_words(self, one: Extension) -> str:
        said = []
        due = self._due[self._assignment]
        if due is not None and (one.until is not None or one.seconds):
            said.append(f"until {in_zone(one.due(due), self.zone)}")
        if one.seconds:
            said.append(f"{in_digits(one.seconds / 3600)} h after the due date")
        if one.slip is not None:
            said.append(f"at most {counted(one.slip, 'slip day')}")
        return ", ".join(said)


def grant_of(
    whose: tuple[str, str], asked: Mapping[str, str], due: datetime, zone: tzinfo, dashes: str = ""
) -> Extension:
    """Parse what a student is to be granted, or raise `Unreadable`.

    `whose` are the homework and the student. `asked` has texts by ``"until"``, ``"hours"``,
    ``"days"``, ``"slip"`` and ``"reason"``; at most one of the first three. `due` is the homework's
    due date, UTC without a time zone. `zone` is that of `until`, in which days are counted.
    Messages have `dashes` before the names.
    """
    said = {name: text for name in (*HOW_MUCH, "slip") if (text := asked.get(name, ""))}
    names = ", ".join(dashes + name for name in HOW_MUCH)
    if not said:
        raise Unreadable(f"expected {names} or {dashes}slip, found none of them")
    how = [dashes + name for name in HOW_MUCH if name in said]
    if len(how) > 1:
        raise Unreadable(f"expected one of {names}, found {' and '.join(how)}")
    until, seconds = None, None
    if "until" in said:
        until = moment_of(said["until"], zone)
        if until <= due:
            raise Unreadable(
                f"{quoted(said['until'])} is not after the due date, {in_zone(due, zone)}"
            )
        _refuse_more_than_a_year(said["until"], until - due)
    elif "hours" in said:
        seconds = _number(said["hours"], "hours") * 3600
        _refuse_more_than_a_year(said["hours"], timedelta(seconds=seconds))
    elif "days" in said:
        days = _whole(said["days"], "days", MOST_DAYS)
        seconds = (days_later(due, days, zone) - due).total_seconds()
    if seconds == 0:
        raise Unreadable("expected more than 0. To remove an extension, use --remove")
    slip = _whole(said["slip"], "slip days", MOST_SLIP_DAYS) if "slip" in said else None
    reason = encodable(" ".join(asked.get("reason", "").split())[:500])
    return Extension(*whose, until, seconds, slip, reason)


def moment_of(text: str, zone: tzinfo) -> datetime:
    """Return the moment in a text such as ``2022-10-08 23:59``, in UTC, or raise `Unreadable`.

    ``08.10.2022 23:59`` is read too. A day without a time means its last second. If clocks show a
    time twice, the second one counts.
    """
    match = _TIME.fullmatch(_DAY_FIRST.sub(r"\3-\2-\1", text.strip()))
    if not match:
        raise Unreadable(
            f"expected a time such as 2022-10-08 23:59 or 08.10.2022 23:59, found {quoted(text)}"
        )
    try:
        wall = datetime.fromisoformat(f"{match[1]} {match[2] or '23:59:59'}")
        moment = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"{quoted(text)} is not a time: {error}") from None
    if moment.astimezone(zone).replace(tzinfo=None) != wall:
        raise Unreadable(f"{quoted(text)} does not exist in {zone}: the clocks skip it")
    return moment.replace(tzinfo=None)


def in_zone(moment: datetime, zone: tzinfo) -> str:
    """Return a moment as people read it, such as ``2022-10-08 23:59 America/Los_Angeles``."""
    local = moment.replace(tzinfo=UTC).astimezone(zone)
    return f"{local:{'%Y-%m-%d %H:%M:%S' if local.second else '%Y-%m-%d %H:%M'}} {zone}"


def _number(text: str, what: str) -> float:
    if not _NUMBER.fullmatch(text.strip()):
        raise Unreadable(f"expected a number of {what}, such as 2, found {quoted(text)}")
    return float(text.strip().replace(",", "."))


def _whole(text: str, what: str, most: int) -> int:
    number = _number(text, what)
    if number != int(number) or number > most:
        raise Unreadable(f"expected a whole number of {what} up to {most}, found {quoted(text)}")
    return int(number)


def _refuse_more_than_a_year(text: str, more: timedelta) -> None:
    if more > timedelta(days=MOST_DAYS):
        raise Unreadable(f"{quoted(text)} is more than a year after the due date")
