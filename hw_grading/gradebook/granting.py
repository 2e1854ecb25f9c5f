"""Extensions and slip days: reads them from a CSV or a command, and stores them.

If there is a submission, nbgrader's own extension is updated to match.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from nbgrader import api
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from hw_grading.gradebook.database import Database, now
from hw_grading.gradebook.extensions import EXTENSIONS, Extension, extensions_in, own_of_nbgrader
from hw_grading.gradebook.lateness import days_later
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import encodable, quoted

HOW_MUCH = ("until", "hours", "days")
MOST_DAYS = 366
MOST_SLIP_DAYS = 100
_DAY_FIRST = re.compile(r"^([0-9]{2})\.([0-9]{2})\.([0-9]{4})")
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]+([0-9]{2}:[0-9]{2}(?::[0-9]{2})?))?")
_NUMBER = re.compile(r"[0-9]{1,5}(?:[.,][0-9]{1,3})?")


@dataclass(frozen=True)
class Grant:
    """What one student is to be granted. None leaves a value unchanged."""

    student: str
    until: datetime | None = None  # the new due date, UTC without a time zone
    seconds: float | None = None  # alternatively, after the due date
    slip: int | None = None  # the most slip days that may be used
    reason: str = ""


def grant_of(
    student: str, asked: Mapping[str, str], due: datetime, zone: tzinfo, dashes: str = ""
) -> Grant:
    """Parse what a student is to be granted, or raise `Unreadable`.

    `asked` has texts by ``"until"``, ``"hours"``, ``"days"``, ``"slip"`` and ``"reason"``; at
    most one of the first three. `due` is the homework's due date, UTC without a time zone.
    `zone` is that of `until`, in which days are counted. Messages have `dashes` before the names.
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
    return Grant(student, until, seconds, slip, reason)


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


def grant(database: Database, assignment: str, grants: Iterable[Grant], author: str) -> None:
    """Store what students are granted, in one transaction; raise `Unavailable` if impossible."""
    at = now().replace(microsecond=0)
    with database.writing() as connection:
        there = extensions_in(connection, assignment)
        for one in grants:
            before = there.get((assignment, one.student)) or Extension(assignment, one.student)
            after = replace(before, author=author[:128], at=at, reason=one.reason or before.reason)
            if one.until is not None or one.seconds is not None:
                after = replace(after, until=one.until, seconds=one.seconds)
            if one.slip is not None:
                after = replace(after, slip=one.slip)
            connection.execute(delete(EXTENSIONS).where(_of(assignment, one.student)))
            connection.execute(insert(EXTENSIONS).values(asdict(after)))
            mirror(connection, assignment, one.student)


def remove(database: Database, assignment: str, students: Iterable[str]) -> list[str]:
    """Remove students' extensions, but not nbgrader's own. Return the students who had none."""
    without = []
    with database.writing() as connection:
        for student in students:
            ours = extensions_in(connection, assignment, student).get((assignment, student))
            if ours is None:
                without.append(student)
                continue
            connection.execute(delete(EXTENSIONS).where(_of(assignment, student)))
            if found := _submission(connection, assignment, student):
                key, of_nbgrader, _ = found
                _write(connection, key, own_of_nbgrader(of_nbgrader, ours))
    return without


def mirror(connection: Connection, assignment: str, student: str) -> None:
    """Update nbgrader's own extension to match ours, if there is a submission.

    The later of both counts. If nbgrader's own extension is later, it stays as it is.
    """
    ours = extensions_in(connection, assignment, student).get((assignment, student))
    found = _submission(connection, assignment, student) if ours else None
    if ours is None or found is None:
        return
    key, of_nbgrader, due = found
    if due is None:
        return
    theirs = own_of_nbgrader(of_nbgrader, ours)
    more = ours.due(due) - due
    counts = more > max(theirs or timedelta(0), timedelta(0))
    kept: dict[str, float | None] = {"mirrored": None, "theirs": None}
    if counts:
        before = theirs.total_seconds() if theirs is not None else None
        kept = {"mirrored": more.total_seconds(), "theirs": before}
    # All transactions write our row before nbgrader's, so no two can wait for each other.
    connection.execute(update(EXTENSIONS).where(_of(assignment, student)).values(kept))
    _write(connection, key, more if counts else theirs)


def _of(assignment: str, student: str) -> ColumnElement[bool]:
    return (EXTENSIONS.c.assignment == assignment) & (EXTENSIONS.c.student == student)


def _submission(connection: Connection, assignment: str, student: str) -> Sequence[Any] | None:
    """Return a submission's key, nbgrader's own extension, and the homework's due date."""
    submission = api.SubmittedAssignment
    query = (
        select(submission.id, submission.extension, api.Assignment.duedate)
        .join(api.Assignment, submission.assignment_id == api.Assignment.id)
        .where(api.Assignment.name == assignment, submission.student_id == student)
    )
    return connection.execute(query).first()


def _write(connection: Connection, submission: str, extension: timedelta | None) -> None:
    table = api.SubmittedAssignment.__table__
    connection.execute(update(table).where(table.c.id == submission).values(extension=extension))
