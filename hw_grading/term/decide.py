"""Decides which of the found submissions to collect; nothing is written here."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from hw_grading.gradebook.folders import read_time
from hw_grading.homework.course import Course
from hw_grading.term.found import Found, LeftOut, Who
from hw_grading.term.roster import Person, Roster, folded
from hw_support.submission.file import MAX_BYTES, Unreadable, notebook_of, read_regular_file
from hw_support.submission.problems import quoted


class Action(StrEnum):
    """What to do with a submission."""

    NEW = "new"
    REPLACES = "replaces an older one"
    THERE = "already there"


@dataclass(frozen=True)
class Entry:
    """One student's submission."""

    person: Person
    found: Found
    sha256: str  # of the notebook, hexadecimal
    action: Action
    late_by: timedelta | None  # after the student's due date; None if on time, or if not known
    trouble: str  # why the file cannot be graded; "" if it can

    @property
    def is_late(self) -> bool | None:
        """Whether it was late, by its time or as the platform says; None if unknown."""
        if self.found.when is None:
            return self.found.late
        return bool(self.late_by) or bool(self.found.late)


@dataclass(frozen=True)
class Record:
    """The submission of a student that was collected last."""

    file: str  # the download and the path in it
    platform: str
    named: str  # the platform's name for the student
    sha256: str  # of the notebook, hexadecimal
    handed_in: str | None  # ISO 8601 in UTC; None if the platform gave no time
    late: bool | None  # by its time or as the platform says; None if unknown
    seconds_late: float | None  # without extensions; None without a time or a due date
    attempt: int  # as in `Found`
    collected: str  # ISO 8601 in UTC
    account: str = ""  # as in `Who`


@dataclass(frozen=True)
class Plan:
    """What to write and what not."""

    homework: str
    due: datetime | None
    entries: Sequence[Entry]  # by student id
    older: Sequence[LeftOut]  # of students for whom a newer file was found
    left_out: Sequence[LeftOut]
    unknown: Sequence[LeftOut]  # of people who match nobody, or several people, in the roster
    missing: Sequence[Person]  # without a submission, here or in ``submitted/``
    complaints: Sequence[str]  # of the roster

    @property
    def is_all_well(self) -> bool:
        """Whether every submission is collected."""
        return not (self.left_out or self.unknown or self.complaints)

    @property
    def to_write(self) -> list[Entry]:
        """The submissions that `submitted/` lacks."""
        return [entry for entry in self.entries if entry.action is not Action.THERE]


def before_of(folder: Path) -> Path:
    """Return the temporary path of a student's folder while a newer one replaces it."""
    return folder.with_name(f".{folder.name}.before")


def decide(
    course: Course,
    homework: str,
    due: datetime | None,
    roster: Roster,
    found: Sequence[Found],
    left_out: Iterable[LeftOut],
    collected: Mapping[str, Record],
    extended: Mapping[str, datetime],
) -> Plan:
    """Decide what to collect; `collected` and `extended` are by student id."""
    left_out, unknown, older, entries = list(left_out), [], [], []
    of: defaultdict[str, list[Found]] = defaultdict(list)
    people: dict[str, Person] = {}
    strangers: list[Who] = []
    for one in found:
        try:
            person = roster.person(one.who)
        except Unreadable as why:
            unknown.append(LeftOut(one.file, f"{one.who.said}: {why}"))
            strangers.append(one.who)
        else:
            people[person.id] = person
            of[person.id].append(one)
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for student in sorted(of):
        alike[folded(student)].append(student)
    for student, files in sorted(of.items()):
        try:
            if len(twins := alike[folded(student)]) > 1:
                raise Unreadable(
                    f"the ids {twins[0]!a} and {twins[1]!a} differ only in case or Unicode form. "
                    "Rename the wrong file, or list the students in students.csv"
                )
            _refuse_two_accounts(student, files)
            newest, content = _newest(student, files)
            sha256 = digest_of(content)
            where = course.submitted(student, homework)
            action = _action(where, homework, newest, sha256, collected.get(student))
        except (Unreadable, OSError) as why:
            left_out += [LeftOut(one.file, str(why)) for one in files]
            continue
        said = f"{student} has a newer one, {newest.file}"
        older += [LeftOut(one.file, said) for one in files if one is not newest]
        own = extended.get(student, due)
        moment = newest.when.replace(microsecond=0) if newest.when else None  # as `lateness` counts
        late_by = moment - own if moment and own and moment > own else None
        trouble = _trouble(content)
        entries.append(Entry(people[student], newest, sha256, action, late_by, trouble))
    taken = {entry.person.id for entry in entries}
    folders = {p: course.submitted(p.id, homework) for p in roster.people if p.id not in taken}
    there = {p for p, f in folders.items() if os.path.lexists(f) or os.path.lexists(before_of(f))}
    missing = [person for person in folders if person not in there]
    complaints = [*roster.complaints, *roster.advice(strangers)]
    return Plan(homework, due, entries, older, left_out, unknown, missing, complaints)


def _refuse_two_accounts(student: str, found: Sequence[Found]) -> None:
    """Raise `Unreadable` if files of one student come from two accounts of a platform."""
    first: dict[str, str] = {}
    for one in found:
        account = one.who.account
        other = first.setdefault(one.platform, account) or account
        if account and folded(account) != folded(other):
            raise Unreadable(
                f"{student} has files from {quoted(other)} and {quoted(account)}. Find out whose "
                "they are, and correct the wrong sid or email there. On Canvas, fill in the column "
                "canvas_id of students.csv, or add --canvas-gradebook gradebook.csv"
            )


def _trouble(content: bytes) -> str:
    try:
        notebook_of(content)
    except Unreadable as why:
        return str(why)
    return ""


def _newest(student: str, found: list[Found]) -> tuple[Found, bytes]:
    if all(one.when for one in found):
        latest = max(one.when for one in found if one.when)
        found = [one for one in found if one.when == latest]
    elif all(one.attempt for one in found) and len({one.platform for one in found}) == 1:
        last = max(one.attempt for one in found)
        found = [one for one in found if one.attempt == last]
    content = found[0].read()
    if any(one.read() != content for one in found[1:]):
        raise Unreadable(
            f"{student} has {len(found)} files, and it is not clear which is the newest. Keep "
            "only the one that counts"
        )
    return found[0], content


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a notebook, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _action(where: Path, homework: str, found: Found, sha256: str, before: Record | None) -> Action:
    """Return what to do with a file; raise `Unreadable` if ``submitted/`` may have a newer one."""
    for place in (where, where.parent):
        if place.is_symlink():
            raise Unreadable(f"{place} is a link. Replace it with a folder")
    folder = where if os.path.lexists(where) else before_of(where)
    if not os.path.lexists(folder):
        return Action.NEW
    if not folder.is_dir():
        raise Unreadable(f"{where} is a file, expected a folder. Remove it")
    account = found.who.account
    known = before.account if before and before.platform == found.platform else ""
    if known and account and folded(known) != folded(account):  # names can be chosen
        raise Unreadable(
            f"the submission in {where} is from {quoted(known)} and is kept; this one is from "
            f"{quoted(account)}. Find out whose this file is. If it should count, remove that "
            "folder and collect again"
        )
    notebook = folder / f"{homework}.ipynb"
    there = digest_of(read_regular_file(notebook, MAX_BYTES)) if notebook.is_file() else ""
    handed_in = read_time(folder)
    when = found.when.astimezone(UTC).replace(tzinfo=None) if found.when else None
    if there == sha256 and (when is None or when == handed_in):
        return Action.THERE
    if when and handed_in:
        if when > handed_in:
            return Action.REPLACES
        raise Unreadable(f"the submission in {where} is newer ({handed_in} UTC) and is kept")
    if there == sha256 and when:
        return Action.REPLACES  # this adds the time
    if before and there == before.sha256 and before.platform == found.platform and found.attempt:
        if found.attempt > before.attempt > 0:
            return Action.REPLACES
        raise Unreadable(f"the submission in {where} is newer and is kept")
    raise Unreadable(
        f"it is not clear whether this file is newer than the submission in {where}, so that one "
        "is kept. If this file should count, remove that folder and collect again"
    )
