"""Says of students that they submitted nothing and get 0, or left the course; takes it back."""

from collections.abc import Sequence

from hw_grading.gradebook import absences
from hw_grading.gradebook.absences import Absence
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import Course
from hw_grading.lms.roster import read_roster
from hw_grading.lms.tables import folded
from hw_support.submission.file import UserError
from hw_support.submission.problems import encodable, quoted


class Absences:
    """The absences of one homework; `Unavailable` or `UserError` if it cannot be read."""

    def __init__(self, course: Course, assignment: str) -> None:
        self._database, self._assignment = Database(course.db_url), assignment
        self._results = read_results(course, assignment)
        people = [person.id for person in read_roster(course).people]
        self._ids = {folded(one): one for one in [*people, *self._results.students]}

    def say(self, students: Sequence[str], *, left: bool, reason: str, author: str) -> list[str]:
        """Say it of all these students or of none; return a line for each."""
        names, reason = self._known(students), encodable(" ".join(reason.split())[:500])
        handed_in = {result.student.id for result in self._results.handed_in}
        if there := sorted(handed_in.intersection(names)) if not left else []:
            raise UserError(f"{', '.join(there)}: submitted {self._assignment}. Nothing was saved")
        where = "" if left else self._assignment
        rows = [Absence(where, student, reason, author) for student in names]
        absences.store(self._database, rows)
        return self.listed(names)

    def remove(self, students: Sequence[str]) -> list[str]:
        """Take back what was said of students; return a line for each."""
        names = self._known(students)
        without = absences.remove(self._database, self._assignment, names)
        done = {True: "nothing was said of this student", False: "taken back"}
        return [f"{student}: {done[student in without]}" for student in names]

    def missing(self) -> list[str]:
        """Return the students who submitted nothing, and of whom nothing is said."""
        there = {folded(result.student.id) for result in self._results.handed_in}
        there |= set(map(folded, self._results.absent))
        return sorted(one for key, one in self._ids.items() if key not in there)

    def zeros(self) -> list[str]:
        """Return the students of whom it is said that they submitted nothing."""
        return self._results.zeros

    def listed(self, students: Sequence[str] = ()) -> list[str]:
        """Return a line for each absence; `students` are all if none is named."""
        with self._database.reading() as db:
            found = absences.absences_in(db, self._assignment)
        lines = [
            f"{one.student}: {'left the course' if one.has_left else 'no submission: 0'}"
            f" (by {one.author}, {one.at:%Y-%m-%d}{one.reason and f': {one.reason}'})"
            for one in found.values()
            if not students or one.student in students
        ]
        return lines or [f"Nothing is said of anybody for {self._assignment}."]

    def _known(self, students: Sequence[str]) -> list[str]:
        """Return students' ids as the course spells them; `UserError` if there is none."""
        if not students:
            raise UserError("no student is named, or --all has nobody: add --student ID")
        for student in students:
            if folded(student) not in self._ids:
                raise UserError(f"the course has no student {quoted(student)}: check the id")
        return [*dict.fromkeys(self._ids[folded(student)] for student in students)]
