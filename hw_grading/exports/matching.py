"""Find the student for each row of a platform's file."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hw_grading.exports.grades import Grade, Grades
from hw_grading.exports.sheet import Line, Sheet
from hw_grading.gradebook.scores import counted
from hw_grading.term.roster import folded
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

# The values that a platform gives for a student: kind, the word for it in messages, and value. A
# name is used only if there is no other value.
Asked = Sequence[tuple[str, str, str]]
NUMBER, LOGIN, PLATFORM_ID, NAME = "number", "login", "platform id", "name"


@dataclass(frozen=True)
class Matches:
    """The students for the rows of a file."""

    platform: str
    grades: Grades
    found: Mapping[int, Grade]  # by the row's line number
    complaints: Sequence[str]  # on each row that fits no student or several
    strangers: Sequence[str]  # rows of people outside the gradebook and the roster
    missing: Sequence[Grade]  # students with a score but without a row

    def left_to_do(self) -> Iterator[str]:
        """Yield sentences on unmatched students and rows, and on ambiguous rows."""
        yield from self.complaints
        if self.missing:
            names = ", ".join(
                f"{grade.id} ({quoted(grade.person.name)})" if grade.person.name else grade.id
                for grade in self.missing
            )
            number = counted(len(self.missing), "student")
            yield f"{number} with a score but without a row in the file: {names}"
        if self.strangers and self.grades.is_whole:
            yield self._of_strangers("students.csv")

    def messages(self) -> Iterator[str]:
        """Yield a sentence on strangers, if there is no full list of the course."""
        if self.strangers and not self.grades.is_whole:
            yield self._of_strangers("the gradebook")

    def _of_strangers(self, source: str) -> str:
        return (
            f"{counted(len(self.strangers), 'student')} of {self.platform} not in {source}; their "
            f"rows are unchanged: {', '.join(self.strangers)}"
        )


class Finder:
    """Finds students by the values that a platform gives."""

    def __init__(self, grades: Grades) -> None:
        self.grades = grades
        self._by: defaultdict[tuple[str, str], list[Grade]] = defaultdict(list)
        for grade in grades.all:
            for key in set(_keys(grade)):
                self._by[key].append(grade)

    def knows(self, kind: str, value: str) -> bool:
        """Whether a student has this value."""
        return (kind, _key(kind, value)) in self._by

    def by_identifier(self, asked: Asked) -> Grade | None:
        """Return the student with these values, names aside, or None; may raise `Unreadable`."""
        said: dict[str, tuple[str, Grade]] = {}  # by student
        for kind, called, value in asked:
            if kind != NAME and value.strip() and (one := self._one(kind, called, value)):
                said.setdefault(one.id, (f"the {called} {quoted(value)}", one))
        if len(said) > 1:
            (first, one), (second, other) = [*said.values()][:2]
            raise Unreadable(f"{first} belongs to {one.id}, but {second} belongs to {other.id}")
        return next((one for _, one in said.values()), None)

    def by_name(self, asked: Asked, telling: Collection[str]) -> Grade | None:
        """Return the student with this name, or None; raise `Unreadable` if ambiguous.

        `telling` are the kinds of values that identify other rows. If a row has such a
        value but it fits no student, the row belongs to another person of that name.
        """
        for kind, called, value in asked:
            if kind == NAME and value.strip() and (found := self._one(kind, called, value)):
                _refuse_another(asked, found, value, telling)
                return found
        return None

    def _one(self, kind: str, called: str, value: str) -> Grade | None:
        found = self._by.get((kind, _key(kind, value)), [])
        if len(found) > 1:
            both = " and to ".join(f"{g.id} ({g.person.place})" for g in found[:2])
            more = ". Add their emails or numbers to students.csv" if kind == NAME else ""
            raise Unreadable(f"the {called} {quoted(value)} belongs to {both}{more}")
        return found[0] if found else None


def match(
    platform: str,
    sheet: Sheet,
    rows: Sequence[Line],
    asked_of: Callable[[Line], Asked],
    finder: Finder,
) -> Matches:
    """Find the student for each row.

    Numbers and logins are tried first, for all rows. A name is tried only if the row lacks such
    values, and never for a student who has a row already.
    """
    found: dict[int, Grade] = {}
    complaints: list[str] = []
    rest: list[Line] = []
    for row in rows:
        try:
            if grade := finder.by_identifier(asked_of(row)):
                found[row.number] = grade
            else:
                rest.append(row)
        except Unreadable as why:
            complaints.append(_kept(sheet, row, str(why)))
    taken = {grade.id for grade in found.values()}
    telling = {
        kind
        for row in rows
        for kind, _, value in asked_of(row)
        if kind in (NUMBER, LOGIN) and row.number in found and finder.knows(kind, value)
    }
    strangers: list[str] = []
    for row in rest:
        name = next((value for kind, _, value in asked_of(row) if kind == NAME), "")
        try:
            named = finder.by_name(asked_of(row), telling)
        except Unreadable as why:
            complaints.append(_kept(sheet, row, str(why)))
            continue
        if named and named.id not in taken:
            found[row.number] = named
        else:
            strangers.append(f"{quoted(name)} (line {row.number})")
    _drop_twice(sheet, found, complaints)
    there = {grade.id for grade in found.values()}
    missing = [g for g in finder.grades.wanted if g.is_scored and g.id not in there]
    return Matches(platform, finder.grades, found, complaints, strangers, missing)


def _drop_twice(sheet: Sheet, found: dict[int, Grade], complaints: list[str]) -> None:
    lines: defaultdict[str, list[int]] = defaultdict(list)
    for number, grade in found.items():
        lines[grade.id].append(number)
    for student, numbers in lines.items():
        if len(numbers) > 1:
            both = " and ".join(map(str, sorted(numbers)))
            complaints.append(
                f"{sheet.path.name}, lines {both}: both are rows of {student}. They are "
                "unchanged: remove one, and export again"
            )
            for number in numbers:
                del found[number]


def _kept(sheet: Sheet, row: Line, why: str) -> str:
    return f"{sheet.place(row)}: {why}. The row is unchanged"


def _refuse_another(asked: Asked, found: Grade, name: str, telling: Collection[str]) -> None:
    person = found.person
    for kind, called, value in asked:
        own = {NUMBER: person.sid, PLATFORM_ID: person.canvas_id}.get(kind, "")
        if own and value.strip() and folded(own) != folded(value):
            raise Unreadable(
                f"the name {quoted(name)} belongs to {found.id}, but this student's {called} is "
                f"{quoted(own)}, not {quoted(value)}"
            )
        if kind in telling and value.strip():
            raise Unreadable(
                f"the name {quoted(name)} belongs to {found.id}, but no student has the {called} "
                f"{quoted(value)}. If it is {found.id}, add the {called} to students.csv"
            )


def _keys(grade: Grade) -> Iterator[tuple[str, str]]:
    person = grade.person
    for kind, values in (
        (NUMBER, (person.sid, person.id)),
        (LOGIN, (person.id, person.email, person.sid)),
        (PLATFORM_ID, (person.canvas_id,)),
        (NAME, (person.name, person.moodle_name, " ".join(grade.names))),
    ):
        yield from ((kind, key) for value in values if (key := _key(kind, value)))


def _key(kind: str, value: str) -> str:
    """Return a value in a normal form, independent of spelling; a name as its words."""
    if kind != NAME:
        return folded(value)
    return " ".join(sorted(re.findall(r"\w+", re.sub(r"['’`´]", "", folded(value)))))
