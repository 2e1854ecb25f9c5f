"""The students of the course, with the names and ids that platforms use for them.

``students.csv`` has the columns id, name, email, section, canvas_id, moodle_name and sid, of which
only id is required. Without it, nbgrader's own table of students is used. A gradebook exported from
Canvas gives the login for each of Canvas' ids.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from nbgrader import api
from nbgrader.api import Gradebook

from hw_grading.gradebook.database import Database, Unavailable
from hw_grading.gradebook.scores import students_of
from hw_grading.homework.course import Course
from hw_grading.homework.homework import why_no_id
from hw_grading.term.csv_tables import read_table
from hw_grading.term.found import Who
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

FILE_NAME = "students.csv"
TEST_STUDENT = ("student, test", "test student")  # Canvas' own
_EXACT = ("id", "sid", "email", "canvas_id")
_NOT_IN_FILES = re.compile(r"""[&<>"'`|:\\/]""")  # Moodle leaves these out
_CALLED = {"canvas_id": "Canvas id", "canvas_name": "name", "moodle_name": "full name"}


@dataclass(frozen=True)
class Person:
    """A student of the course; unknown values are empty."""

    id: str  # in nbgrader and in ``submitted/``
    name: str = ""
    email: str = ""
    section: str = ""
    canvas_id: str = ""
    moodle_name: str = ""
    sid: str = ""  # the university's number, if it is not the id
    place: str = ""  # the file and line


_COLUMNS = tuple(field.name for field in fields(Person) if field.name != "place")


class Roster:
    """All students, in the order of the file, found by the values that platforms give.

    If it is not the whole course (`is_whole`), other ids from a platform are accepted.
    """

    def __init__(
        self,
        people: Iterable[Person],
        is_whole: bool,
        source: str,
        complaints: Iterable[str] = (),
        unused: Iterable[str] = (),  # columns
    ) -> None:
        self.people = tuple(people)
        self.is_whole, self.source = is_whole, source
        self.complaints, self._unused = tuple(complaints), tuple(unused)
        self._by: dict[tuple[str, str], list[Person]] = {}
        for person in self.people:
            for key in set(_keys(person)):
                self._by.setdefault(key, []).append(person)
        self._knows_canvas_ids = any(person.canvas_id for person in self.people)

    def person(self, who: Who) -> Person:
        """Return the student whom a platform names.

        Raises `Unreadable` if none fits, or several, or if two values belong to different students.
        """
        keys = who.keys
        if self._knows_canvas_ids:  # students may change their names
            keys = tuple(key for key in keys if key[0] != "canvas_name")
        person: Person | None = None
        for column, value in keys:
            found = self._by.get(_key(column, value), [])
            said = f"the {_CALLED.get(column, column)} {quoted(value)}"
            if found and not person:
                if len(found) > 1:
                    both = " and ".join(f"{p.id} ({p.place})" for p in found[:2])
                    todo = "rename the file to <student>_<homework>.ipynb, and collect it alone"
                    if column in _EXACT:
                        todo = f"correct {self.source}"
                    raise Unreadable(f"{said} belongs to {both}. Find out whose it is, and {todo}")
                person, first = found[0], said
            elif person and found and column in _EXACT and person not in found:
                raise Unreadable(
                    f"{first} belongs to {person.id}, but {said} belongs to {found[0].id}. Find "
                    f"out whose it is, and correct the wrong one there or in {self.source}"
                )
        if person:
            self._refuse_if_another_is_meant(who, person)
            return person
        ids = [_composed(value) for column, value in who.keys if column == "id"]
        if not self.is_whole and ids:
            if why := why_no_id(ids[0]):
                raise Unreadable(f"{quoted(ids[0])} is not a student id: {why}")
            return Person(ids[0])
        columns: dict[str, dict[str, None]] = {}
        for column, value in keys:
            columns.setdefault(value, {})[_CALLED.get(column, column)] = None
        tried = (f"{'/'.join(names)} {quoted(value)}" for value, names in columns.items())
        raise Unreadable(f"no student in {self.source} has the {' or '.join(tried) or 'name'}")

    def advice(self, unknown: Sequence[Who]) -> Iterator[str]:
        """Yield what may be wrong with the list if it lacks people whom a platform names."""
        if unknown and self._unused:
            names, used = ", ".join(map(quoted, self._unused)), ", ".join(_COLUMNS)
            yield f"{self.source}, line 1: these columns are not used: {names}. Used are: {used}"
        if not self._knows_canvas_ids and any(who.canvas_name for who in unknown):
            yield (
                f"{self.source} has no Canvas ids. Fill in the column canvas_id, or export the "
                "gradebook from Canvas and add --canvas-gradebook gradebook.csv"
            )

    def store(self, db_url: str) -> None:
        """Add the students to nbgrader's table, from which grading and exports take names."""
        if self.is_whole:
            _store_students(db_url, self.people)

    def _refuse_if_another_is_meant(self, who: Who, person: Person) -> None:
        for other in who.or_else:
            found = self._by.get(("canvas_id", other), [])
            is_so_called = _key("canvas_name", who.canvas_name) in _keys(person)
            if not is_so_called or any(one.id != person.id for one in found):
                ids = " and ".join(dict.fromkeys([person.id, *(one.id for one in found)]))
                raise Unreadable(
                    f"its name fits more than one student: {ids}. Look in Canvas whose file it "
                    "is, and rename it"
                )


def read_roster(
    course: Course, homework: str, roster: Path | None = None, canvas_gradebook: Path | None = None
) -> Roster:
    """Read the students, by default from the course's ``students.csv``; may raise `Unreadable`."""
    complaints: list[str] = []
    unused: list[str] = []
    exported = list(_exported(canvas_gradebook, complaints)) if canvas_gradebook else []
    path = roster or course.root / FILE_NAME
    if roster or path.exists():
        people = list(_listed(path, complaints, unused))
        source, is_whole = path.name, True
    elif exported:
        people, exported = exported, []
        source, is_whole = str(canvas_gradebook), True
    else:
        known = students_of(course.db_url)
        people = [Person(s.id, s.name, s.email, canvas_id=s.platform_id, place="the gradebook")
                  for s in known if not why_no_id(s.id)]  # fmt: skip
        source, is_whole = f"the gradebook (there is no {FILE_NAME})", False
    people = _without_duplicates(people, complaints)
    if exported:
        people = _with_canvas_ids(people, exported)
    return Roster(people, is_whole, source, complaints, unused)


def folded(text: str) -> str:
    """Return a text in a normal form, independent of case, Unicode form and spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _composed(text: str) -> str:
    """Return a text with each letter and its accents as one character, as in ids."""
    return unicodedata.normalize("NFC", text)


def _listed(path: Path, complaints: list[str], unused: list[str]) -> Iterator[Person]:
    table = read_table(path)
    complaints += table.complaints
    table.column(path, ["id"], "named id")
    unused += [name for name in table.columns if name and name not in _COLUMNS]
    for row in table.rows:
        values = {name: row.values.get(name, "") for name in _COLUMNS}
        values |= {"id": _composed(values["id"]), "place": f"{path.name}, line {row.line}"}
        yield from _valid(Person(**values), complaints)


def _exported(path: Path, complaints: list[str]) -> Iterator[Person]:
    table = read_table(path)
    complaints += table.complaints
    for name in ("student", "id"):
        table.column(path, [name], f"named {name}")
    for row in table.rows:
        value = row.values
        if not value["id"] or folded(value["student"]) in TEST_STUDENT:
            continue  # the row of possible points, and Canvas' own student
        sid = value.get("sis user id", "")
        person = Person(
            id=_composed(value.get("sis login id", "") or sid),
            name=value["student"],
            section=value.get("section", ""),
            canvas_id=value["id"],
            sid=sid,
            place=f"{path.name}, line {row.line}",
        )
        if not person.id:
            name = quoted(person.name)
            complaints.append(f"{person.place}: {name} has neither a login nor an SIS id")
        else:
            yield from _valid(person, complaints)


def _valid(person: Person, complaints: list[str]) -> Iterator[Person]:
    if not person.id:
        complaints.append(f"{person.place}: the row has no id and is left out")
    elif why := why_no_id(person.id):
        complaints.append(f"{person.place}: {quoted(person.id)} is not a student id: {why}")
    else:
        yield person


def _without_duplicates(people: list[Person], complaints: list[str]) -> list[Person]:
    first: dict[str, Person] = {}
    for person in people:
        other = first.setdefault(folded(person.id), person)
        if other is person:
            continue
        said = f"the id {person.id} is already in {other.place}"
        if person.id != other.id:
            differs = f"the id {person.id!a} differs from {other.id!a} in {other.place}"
            said = f"{differs} only in case or Unicode form"
        complaints.append(f"{person.place}: {said}. The line is left out")
    return list(first.values())


def _with_canvas_ids(people: list[Person], exported: list[Person]) -> list[Person]:
    of: dict[str, list[Person]] = {}
    for one in exported:
        for key in {folded(one.id), folded(one.sid)} - {""}:
            of.setdefault(key, []).append(one)
    joined = []
    for person in people:
        keys = map(folded, (person.id, person.sid, person.email))
        found = {one.canvas_id for key in keys for one in of.get(key, [])}
        is_sure = len(found) == 1 and not person.canvas_id
        joined.append(replace(person, canvas_id=found.pop()) if is_sure else person)
    return joined


def _keys(person: Person) -> Iterator[tuple[str, str]]:
    keys = (_key(column, getattr(person, column)) for column in _EXACT)
    yield from (key for key in keys if key[1])
    if name := person.moodle_name or person.name:
        yield _key("moodle_name", name)
    words = folded(person.name).replace(",", " ").split()
    for number in range(len(words)):
        yield _key("canvas_name", "".join(words[number:] + words[:number]))


def _key(column: str, value: str) -> tuple[str, str]:
    text = folded(value)
    if column == "canvas_name":
        text = re.sub(r"\W", "", text)
    elif column == "moodle_name":  # words in any order, without what Moodle removes
        kept = re.sub(r"[^\w\s]+|_", " ", _NOT_IN_FILES.sub("", text))
        text = " ".join(sorted(kept.split()))
    return column, text


def _store_students(db_url: str, people: Iterable[Person]) -> None:
    """Add students named ``Jane Doe`` or ``Doe, Jane`` to a gradebook, and fill in missing data."""
    try:
        Database(db_url).make_tables()
    except Unavailable:
        return
    with Gradebook(db_url) as gradebook:
        known = {student.id: student for student in gradebook.students}
        for person in people:
            last, first = last_and_first(person.name)
            row = known.get(person.id)
            if row is None:
                row = api.Student(id=person.id)
                gradebook.db.add(row)
            if not (row.first_name or row.last_name):
                row.first_name, row.last_name = first or None, last or None
            row.email = row.email or person.email or None
            row.lms_user_id = row.lms_user_id or person.canvas_id or None
        gradebook.db.commit()


def last_and_first(name: str) -> tuple[str, str]:
    """Return last and first name. Without a comma, the last word is the last name."""
    if "," in name:
        last, first = name.split(",", 1)
    else:
        first, _, last = name.rpartition(" ")
    return last.strip(), first.strip()
