"""The students of the course, and the one rule that says which of them a platform means.

``students.csv`` has the columns id, sid, email, login, name, section and canvas_id, of which only
id is required. A gradebook that Canvas exported is such a list too. Without one, nbgrader's own
table of students is used.

The rule serves files that come in and rows of grades that go out. A value decides if the platform
vouches for it: an id, a number, a login, an email. A name does not, because students can change it:
who is known by name only is marked so (`Match.by_name`), and counts only if the instructor agrees.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

from nbgrader import api
from nbgrader.api import Gradebook

from hw_grading.gradebook.database import Database, Unavailable
from hw_grading.gradebook.scores import students_of
from hw_grading.homework.course import Course
from hw_grading.homework.homework import why_no_id
from hw_grading.lms.tables import first_of, read_table
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

FILE_NAME = "students.csv"
TEST_STUDENT = ("student, test", "test student")  # Canvas' own
CANVAS_ID, PARTICIPANT = "Canvas id", "participant"  # a platform's own numbers
_OF_CANVAS = {
    "login": "sis login id",
    "sid": "sis user id",
    "name": "student",
    "section": "section",
    "canvas_id": "id",
}


@dataclass(frozen=True)
class Person:
    """A student of the course; unknown values are empty."""

    id: str  # in nbgrader and in ``submitted/``
    sid: str = ""  # the university's number, if it is not the id
    email: str = ""
    login: str = ""  # if it is not the id
    name: str = ""
    section: str = ""
    canvas_id: str = ""
    place: str = "the gradebook"  # or the file and line


_COLUMNS = {field.name: field.name for field in fields(Person) if field.name != "place"}


@dataclass(frozen=True)
class Who:
    """A student, as a platform names them."""

    said: str  # for messages
    # Values for which the platform vouches, each with its name there, such as "SIS User ID"
    keys: tuple[tuple[str, str], ...] = ()
    name: str = ""  # which the student can change; "" if there is none
    account: str = ""  # on the platform, and nobody else's; "" if unknown


class Match(NamedTuple):
    """The student whom a platform means."""

    person: Person
    by_name: bool = False  # nothing but a name says so


class Unknown(UserError):
    """Nobody in the list has the values that the platform gives."""


class Roster:
    """All students, in the order of the list.

    If it is not the whole course (`is_whole`), other ids from a platform are accepted.
    """

    def __init__(self, people: Iterable[Person], is_whole: bool, source: str) -> None:
        self.people, self.is_whole, self.source = tuple(people), is_whole, source
        self._by_value: defaultdict[tuple[str, str], list[Person]] = defaultdict(list)
        self._by_name: defaultdict[str, list[Person]] = defaultdict(list)
        for person in self.people:
            values = {("", folded(v)) for v in (person.id, person.sid, person.email, person.login)}
            for key in values | {(CANVAS_ID, folded(person.canvas_id))}:
                if key[1]:
                    self._by_value[key].append(person)
            for name in set(_forms_of(person.name)):
                self._by_name[name].append(person)

    def find(self, who: Who) -> Match:
        """Return the student whom a platform means.

        Raises `Unknown`, or `UserError` if several students fit or two values contradict.
        """
        found: dict[str, tuple[str, Person]] = {}
        for called, value in who.keys:
            said = f"the {called} {quoted(value)}"
            here = self._by_value.get((_kind(called), folded(value)), [])
            if person := self._only(here, said):
                found.setdefault(person.id, (said, person))
        if len(found) > 1:
            (first, one), (second, other) = [*found.values()][:2]
            raise UserError(
                f"{first} belongs to {one.id}, but {second} belongs to {other.id}. Find out whose "
                f"it is, and correct the wrong one there or in {self.source}"
            )
        for _, person in found.values():
            return Match(person)
        ids = [composed(value) for called, value in who.keys if not _kind(called)]
        if ids and not self.is_whole:
            if why := why_no_id(ids[0]):
                raise UserError(f"{quoted(ids[0])} is not a student id: {why}")
            new = Person(ids[0])
            self._by_value["", folded(new.id)].append(new)  # also in another case
            return Match(new)
        said = f"the name {quoted(who.name)}"
        named = self._by_name.get(_form(who.name), []) if who.name else []
        if person := self._only(named, said):
            for called, value in who.keys:  # which nobody has
                known = person.canvas_id if called == CANVAS_ID else person.sid
                if known and (called == CANVAS_ID or (not _kind(called) and value.isdigit())):
                    raise UserError(
                        f"{said} belongs to {person.id}, but this student's {called} is "
                        f"{quoted(known)}, not {quoted(value)}"
                    )
            return Match(person, by_name=True)
        tried = [f"{called} {quoted(value)}" for called, value in who.keys]
        tried += [f"name {quoted(who.name)}"] if who.name else []
        raise Unknown(f"no student in {self.source} has the {' or '.join(tried) or 'name'}")

    def store(self, db_url: str) -> None:
        """Add the students to nbgrader's table, and fill in what it does not know of others.

        Grading and exports take names from there.
        """
        try:
            Database(db_url).make_tables()
        except Unavailable:
            return
        with Gradebook(db_url) as gradebook:
            known = {student.id: student for student in gradebook.students}
            for person in self.people if self.is_whole else ():
                row = known.get(person.id) or api.Student(id=person.id)
                gradebook.db.add(row)
                last, first = last_and_first(person.name)
                values = {"email": person.email, "lms_user_id": person.canvas_id}
                if not (row.first_name or row.last_name):
                    values |= {"first_name": first, "last_name": last}
                for what, value in values.items():
                    setattr(row, what, getattr(row, what) or value or None)
            gradebook.db.commit()

    def _only(self, found: Sequence[Person], said: str) -> Person | None:
        if len(found) > 1:
            both = " and ".join(f"{p.id} ({p.place})" for p in found[:2])
            raise UserError(
                f"{said} belongs to {both}. Find out whose it is, and correct {self.source}"
            )
        return found[0] if found else None


def read_roster(
    course: Course, roster: Path | None = None, canvas_gradebook: Path | None = None
) -> Roster:
    """Read the students, by default from the course's ``students.csv``; may raise `UserError`.

    If the course has none, the gradebook that Canvas exported takes its place.
    """
    path = roster or course.root / FILE_NAME
    if not roster and not path.exists():
        if not canvas_gradebook:
            people = [
                Person(one.id, name=one.name, email=one.email, canvas_id=one.platform_id)
                for one in students_of(course.db_url)
                if not why_no_id(one.id)
            ]
            return Roster(people, False, f"the gradebook (there is no {FILE_NAME})")
        path = canvas_gradebook
    return Roster(people_in(path), True, path.name)


def people_in(path: Path) -> list[Person]:
    """Return the students in a list, or in a gradebook of Canvas.

    `UserError` has all mistakes in it. A row of Canvas with neither login nor SIS id is left out.
    """
    table = read_table(path)
    table.expect("id")
    is_canvas = {"student", "id", "section"} <= set(table.columns)
    columns = _OF_CANVAS if is_canvas else _COLUMNS
    first: dict[str, Person] = {}
    twice = [name for name in columns.values() if table.columns.count(name) > 1]
    wrong = [f"line 1: the column {quoted(name)} is there twice" for name in twice]
    for row in table.rows:
        known = {name: row.values.get(column, "") for name, column in columns.items()}
        if is_canvas:
            known["id"] = known["login"] or known["sid"]
            if not (known["id"] and known["canvas_id"]) or folded(known["name"]) in TEST_STUDENT:
                continue
        known["id"] = composed(known["id"])
        person = Person(**known, place=f"{path.name}, line {row.line}")
        other = first.setdefault(folded(person.id), person)
        if why := why_no_id(person.id) if person.id else "it is empty":
            wrong.append(f"line {row.line}: {quoted(person.id)} is not a student id: {why}")
        elif other is not person:
            wrong.append(f"line {row.line}: the id {person.id!a} is {other.id!a} in {other.place}")
    if wrong:
        raise UserError("\n".join([f"Correct {path}:", *first_of(wrong)]))
    return list(first.values())


def _kind(called: str) -> str:
    """Return the kind of a value: a platform's own number, or else ""."""
    return called if called in (CANVAS_ID, PARTICIPANT) else ""


def folded(text: str) -> str:
    """Return a text in a normal form, independent of case, Unicode form and spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def composed(text: str) -> str:
    """Return a text with each letter and its accents as one character, as in ids."""
    return unicodedata.normalize("NFC", text)


def last_and_first(name: str) -> tuple[str, str]:
    """Return last and first name. Without a comma, the last word is the last name."""
    if "," in name:
        last, first = name.split(",", 1)
    else:
        first, _, last = name.rpartition(" ")
    return last.strip(), first.strip()


def _form(name: str) -> str:
    """Return a name as its letters only; Canvas writes them into file names."""
    return re.sub(r"[\W_]", "", folded(name))


def _forms_of(name: str) -> Iterator[str]:
    """Yield the forms of a name whose first or last names are written first."""
    words = folded(name).replace(",", " ").split()
    for number in range(len(words)):
        yield _form("".join(words[number:] + words[:number]))
