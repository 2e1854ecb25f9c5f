"""Decides what is collected of what was found: nothing is written here."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from hw_grading.homework.course import Course
from hw_grading.records.timestamp import read_time
from hw_grading.term.found import Found, LeftOut
from hw_grading.term.manifest import Record
from hw_grading.term.roster import Person, Roster, folded
from hw_support.submission.file import MAX_BYTES, Unreadable, read_regular_file


class Action(StrEnum):
    """What becomes of a submission."""

    NEW = "new"
    REPLACES = "replaces an older one"
    THERE = "is there already"


@dataclass(frozen=True)
class Entry:
    """One student's submission.

    Attributes
    ----------
    person, found
        Whose it is, and what.
    sha256
        Of the notebook, hexadecimal.
    action
        What becomes of it.
    late_by
        After the student's due date; None if it was in time, or without a time or a due date.
    """

    person: Person
    found: Found
    sha256: str
    action: Action
    late_by: timedelta | None

    @property
    def is_late(self) -> bool | None:
        """Whether it was late, by its time or by the platform's word; None if nobody knows."""
        if self.found.when is None:
            return self.found.late
        return bool(self.late_by) or bool(self.found.late)


@dataclass(frozen=True)
class Plan:
    """What is to be written, and what is not.

    Attributes
    ----------
    homework, due
        Its name, and its due date with a zone, or None.
    entries
        By student id.
    older
        Files of students who have a newer one among those that were found.
    left_out
        Files that are not collected, and why.
    unknown
        Files of people whom the roster does not know, or cannot tell.
    missing
        Students of the roster of whom there is nothing, here or in ``submitted/``.
    complaints
        What is wrong with the roster.
    """

    homework: str
    due: datetime | None
    entries: tuple[Entry, ...]
    older: tuple[LeftOut, ...]
    left_out: tuple[LeftOut, ...]
    unknown: tuple[LeftOut, ...]
    missing: tuple[Person, ...]
    complaints: tuple[str, ...]

    @property
    def is_all_well(self) -> bool:
        """Whether everything that was handed in is collected."""
        return not (self.left_out or self.unknown or self.complaints)

    @property
    def to_write(self) -> list[Entry]:
        """What `submitted/` does not have yet."""
        return [entry for entry in self.entries if entry.action is not Action.THERE]


def before_of(folder: Path) -> Path:
    """Return where a student's folder is for the moment in which a newer one takes its place."""
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
    """Decide what is collected.

    Parameters
    ----------
    course, homework
        Where ``submitted/`` is, and the name.
    due
        The due date with a zone, or None.
    roster
        Who is who.
    found, left_out
        What the downloads hold.
    collected
        What was collected before, by student id.
    extended
        The due dates of those who were granted a later one, by student id.
    """
    left_out = list(left_out)
    unknown: list[LeftOut] = []
    older: list[LeftOut] = []
    of: dict[str, list[Found]] = {}
    people: dict[str, Person] = {}
    for one in found:
        try:
            person = roster.person(one.who)
        except Unreadable as why:
            unknown.append(LeftOut(one.file, f"{one.who.said}: {why}"))
            continue
        people[person.id] = person
        of.setdefault(person.id, []).append(one)
    entries = []
    twins: dict[str, list[str]] = {}
    for student in sorted(of):
        twins.setdefault(folded(student), []).append(student)
    for student in sorted(of):
        try:
            _refuse_twins(twins[folded(student)])
            newest, sha256 = _newest(student, of[student])
            where = course.submitted(student, homework)
            action = _action(where, homework, newest, sha256, collected.get(student))
        except (Unreadable, OSError) as why:
            left_out += [LeftOut(one.file, str(why)) for one in of[student]]
            continue
        said = f"{student} has a newer one, {newest.file}"
        older += [LeftOut(one.file, said) for one in of[student] if one is not newest]
        own = extended.get(student, due)
        late_by = newest.when - own if newest.when and own and newest.when > own else None
        entries.append(Entry(people[student], newest, sha256, action, late_by))
    missing = [p for p in roster.people if p.id not in of and not _is_there(course, p, homework)]
    return Plan(
        homework,
        due,
        tuple(entries),
        tuple(older),
        tuple(left_out),
        tuple(unknown),
        tuple(missing),
        roster.complaints,
    )


def _refuse_twins(twins: Sequence[str]) -> None:
    if len(twins) > 1:
        raise Unreadable(
            f"the ids {twins[0]!a} and {twins[1]!a} differ only in case or Unicode form. "
            "Rename the file of the wrong one, or list the students in students.csv"
        )


def _newest(student: str, found: list[Found]) -> tuple[Found, str]:
    """Return the newest of one student's files, and its digest.

    Raises
    ------
    Unreadable
        It cannot be read, or nothing tells which one it is.
    """
    if all(one.when for one in found):
        latest = max(one.when for one in found if one.when)
        found = [one for one in found if one.when == latest]
    elif all(one.attempt for one in found) and len({one.platform for one in found}) == 1:
        last = max(one.attempt for one in found)
        found = [one for one in found if one.attempt == last]
    digests = [_digest(one.read()) for one in found]
    if len(set(digests)) > 1:
        raise Unreadable(
            f"{student} has {len(found)} files, and nothing tells which is the newest. Keep the "
            "one that counts"
        )
    return found[0], digests[0]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _action(where: Path, homework: str, found: Found, sha256: str, before: Record | None) -> Action:
    """Return what is done with a file, beside what lies in ``submitted/``.

    Raises
    ------
    Unreadable
        Nothing may be written: what is there is newer, or may be.
    """
    for place in (where, where.parent):
        if place.is_symlink():
            raise Unreadable(f"{place} is a link. Put a folder in its place")
    folder = where if os.path.lexists(where) else before_of(where)
    if not os.path.lexists(folder):
        return Action.NEW
    if not folder.is_dir():
        raise Unreadable(f"{where} is a file where a folder was expected. Remove it")
    notebook = folder / f"{homework}.ipynb"
    there = _digest(read_regular_file(notebook, MAX_BYTES)) if notebook.is_file() else ""
    handed_in = read_time(folder)
    when = found.when.astimezone(UTC).replace(tzinfo=None) if found.when else None
    if there == sha256 and (when is None or when == handed_in):
        return Action.THERE
    if when and handed_in:
        if when > handed_in:
            return Action.REPLACES
        raise Unreadable(f"what is in {where} is newer ({handed_in} UTC), and is kept")
    if there == sha256 and when:
        return Action.REPLACES  # which adds the time
    if before and there == before.sha256 and before.platform == found.platform and found.attempt:
        if found.attempt > before.attempt > 0:
            return Action.REPLACES
        raise Unreadable(f"what is in {where} is newer, and is kept")
    raise Unreadable(
        f"nothing tells whether it is newer than what is in {where}, which is kept. Remove that "
        "folder if this one counts"
    )


def _is_there(course: Course, person: Person, homework: str) -> bool:
    where = course.submitted(person.id, homework)
    return os.path.lexists(where) or os.path.lexists(before_of(where))
