"""The students of the course, and the one rule that says which of them a platform means.

``students.csv`` has the columns id, sid, email, login, name, section and canvas_id, of which only
id is required. A gradebook that Canvas exported is such a list too. Without one, nbgrader's own
table of students is used.

The rule serves files that come in and rows of grades that go out. Values for which the platform
vouches decide: an id, a number, a login, an email. A name never does, because students can change
it.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from nbgrader import api
from nbgrader.api import Gradebook

from hw_grading.gradebook.database import Database, Unavailable
from hw_grading.gradebook.scores import students_of
from hw_grading.homework.course import Course
from hw_grading.homework.homework import why_no_id
from hw_grading.lms.tables import folded, read_table
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

FILE_NAME = "students.csv"
TEST_STUDENT = ("student, test", "test student")  # Canvas' own
CANVAS_ID = "Canvas id"  # Canvas' own number, which is not an id of the university


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


_COLUMNS = {field.name: field.name for field in fields(Person)}
_OF_CANVAS = {"id": "sis login id", "sid": "sis user id", "name": "student", "canvas_id": "id"}


@dataclass(frozen=True)
class Who:
    """A student, as a platform names them."""

    said: str  # for messages
    # Values for which the platform vouches, each with its name there, such as "SIS User ID"
    keys: tuple[tuple[str, str], ...] = ()
    name: str = ""  # which the student can change, to be shown; "" if there is none
    account: str = ""  # on the platform, and nobody else's; "" if unknown


class Unknown(UserError):
    """Nobody in the list has the values that the platform gives."""


T = TypeVar("T")  # a file that comes in, or a row of grades that goes out


class Roster:
    """All students, in the order of the list.

    If it is not the whole course (`is_whole`), other ids from a platform are accepted.
    """

    def __init__(self, people: Iterable[Person], is_whole: bool, source: str) -> None:
        self.people, self.is_whole, self.source = tuple(people), is_whole, source
        self._by_canvas_id: defaultdict[str, list[Person]] = defaultdict(list)
        self._by_value: defaultdict[str, list[Person]] = defaultdict(list)
        for person in self.people:
            self._by_canvas_id[folded(person.canvas_id)].append(person)
            for value in {folded(v) for v in (person.id, person.sid, person.email, person.login)}:
                self._by_value[value].append(person)

    def find(self, who: Who) -> Person:
        """Return the student whom a platform means.

        Raises `Unknown`, or `UserError` if several students fit or two values contradict.
        """
        found: dict[Person, str] = {}  # and what says so
        for called, value in who.keys:
            of = self._by_canvas_id if called == CANVAS_ID else self._by_value
            people = of.get(folded(value), ()) if value else ()
            said = f"the {called} {quoted(value)}"
            if len(people) > 1:
                both = " and ".join(person.id for person in people)
                raise UserError(
                    f"{said} belongs to {both}. Find out whose it is, and correct {self.source}"
                )
            found |= {person: said for person in people if person not in found}
        if len(found) > 1:
            both = ", but ".join(f"{said} belongs to {one.id}" for one, said in found.items())
            raise UserError(
                f"{both}. Find out whose it is, and correct the wrong one there or in {self.source}"
            )
        for person in found:
            return person
        ids = [composed(value) for called, value in who.keys if called != CANVAS_ID]
        if ids and not self.is_whole:
            if why := why_no_id(ids[0]):
                raise UserError(f"{quoted(ids[0])} is not a student id: {why}")
            new = Person(ids[0])
            self._by_value[folded(new.id)].append(new)  # also in another case
            return new
        tried = " or ".join(f"{called} {quoted(value)}" for called, value in who.keys)
        raise Unknown(f"no student in {self.source} has the {tried or 'id: only a name is known'}")

    def match(
        self, items: Iterable[T], who: Callable[[T], Who]
    ) -> tuple[dict[Person, list[T]], list[tuple[T, UserError]]]:
        """Return the files or rows of each student; and those of nobody, with the reason."""
        of: defaultdict[Person, list[T]] = defaultdict(list)
        unknown = []
        for item in items:
            try:
                of[self.find(who(item))].append(item)
            except UserError as why:
                unknown.append((item, why))
        return of, unknown

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
                row.email = row.email or person.email or None
                row.lms_user_id = row.lms_user_id or person.canvas_id or None
                if not (row.first_name or row.last_name):
                    row.last_name, row.first_name = last_and_first(person.name)
            gradebook.db.commit()


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
                Person(
                    student.id,
                    name=student.name,
                    email=student.email,
                    canvas_id=student.platform_id,
                )
                for student in students_of(course.db_url)
                if not why_no_id(student.id)
            ]
            return Roster(people, False, f"the gradebook (there is no {FILE_NAME})")
        path = canvas_gradebook
    return Roster(people_in(path), True, path.name)


def people_in(path: Path) -> list[Person]:
    """Return the students in a list, or in a gradebook of Canvas; may raise `UserError`.

    A row of Canvas with neither login nor SIS id is left out.
    """
    table = read_table(path)
    table.expect("id")
    is_canvas = {"student", "id", "section"} <= set(table.columns)
    columns = _COLUMNS | (_OF_CANVAS if is_canvas else {})
    if twice := [name for name in columns.values() if table.columns.count(name) > 1]:
        raise UserError(f"{path}, line 1: the column {quoted(twice[0])} is there twice")
    found: dict[str, Person] = {}
    for row in table.rows:
        known = {name: row.values.get(column, "") for name, column in columns.items()}
        if is_canvas:
            known["id"] = known["id"] or known["sid"]
            if not (known["id"] and known["canvas_id"]) or folded(known["name"]) in TEST_STUDENT:
                continue
        known["id"] = composed(known["id"])
        person = Person(**known)
        why = why_no_id(person.id) if person.id else "it is empty"
        if found.setdefault(folded(person.id), person) is not person:
            why = "another line has it too"
        if why:
            place = f"{path}, line {row.line}"
            raise UserError(f"{place}: the student id {person.id!a} cannot be used: {why}")
    return list(found.values())


def composed(text: str) -> str:
    """Return a text with each letter and its accents as one character, as in ids."""
    return unicodedata.normalize("NFC", text)


def last_and_first(name: str) -> tuple[str, str]:
    """Return last and first name. Without a comma, the last word is the last name."""
    last, comma, first = name.partition(",")
    if not comma:
        first, _, last = name.strip().rpartition(" ")
    return last.strip(), first.strip()
