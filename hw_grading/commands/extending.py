"""Grants extensions and slip days, from the command line or a CSV, and lists them."""

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path

from hw_grading.gradebook.csv_tables import read_table
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.extensions import Extension, extensions_in
from hw_grading.gradebook.final_scores import final_scores
from hw_grading.gradebook.granting import HOW_MUCH, Grant, grant, grant_of, in_zone, remove
from hw_grading.gradebook.policy import zone_of
from hw_grading.gradebook.scores import counted, in_digits, open_gradebook
from hw_grading.gradebook.students import students_of
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.term.found import Who
from hw_grading.term.roster import Roster, folded, read_roster
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_STUDENT = ("student", "student_id", "id", "login")
_HOMEWORK = ("homework", "assignment")
_MOST_SHOWN = 20


class Extensions:
    """The extensions of one homework; `NoScores` or `Unreadable` if it cannot be read."""

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
        grants = [grant_of(student, asked, due, self.zone, "--") for student in ids]
        grant(self._database, self._assignment, grants, author)
        return self._lines(grants)

    def grant_listed(self, path: Path, author: str) -> list[str]:
        """Grant all rows of a CSV or none, and return a line for each row.

        Raises `Unreadable` with file and line of each mistake.
        """
        due = self._due_date()
        table = read_table(path)
        student = table.column(path, _STUDENT, "with the students' ids, such as 'student'")
        table.column(path, (*HOW_MUCH, "slip"), "with until, hours, days or slip")
        grants: list[Grant] = []
        wrong, lines, others = list(table.complaints), dict[str, int](), 0
        for row in table.rows:
            try:
                said = next((row.values[name] for name in _HOMEWORK if row.values.get(name)), "")
                if said and said not in self._due:
                    raise Unreadable(f"the gradebook has no homework {quoted(said)}")
                if said not in ("", self._assignment):
                    others += 1
                    continue
                one = grant_of(self._student(row.values[student]), row.values, due, self.zone)
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
        grant(self._database, self._assignment, grants, author)
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
        finals = final_scores(self._course, self._assignment).students
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

    def _lines(self, grants: Sequence[Grant]) -> list[str]:
        with open_gradebook(self._course.db_url, self._assignment) as (db, _):
            granted = extensions_in(db, self._assignment)
        known = {one.id for one in students_of(self._course.db_url, self._assignment)}
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
