"""The grades of a class, with the known names and ids of the students."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from hw_grading.final_scores.scores import FinalScore, FinalScores, final_scores
from hw_grading.homework.course import Course
from hw_grading.homework.homework import homework_of
from hw_grading.records.questions import Place, read_places
from hw_grading.records.scores import Cell, Score, counted
from hw_grading.records.students import last_and_first
from hw_grading.term.roster import Person, Roster, folded, read_roster
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted


@dataclass(frozen=True)
class Grade:
    """One student's grade. If the roster lacks the student, `person` is from the gradebook."""

    person: Person
    final: FinalScore | None = None  # None if the gradebook does not know the student

    @property
    def id(self) -> str:
        """The student id in nbgrader."""
        return self.person.id

    @property
    def is_scored(self) -> bool:
        """Whether there is a score to write."""
        return bool(self.final and self.final.record and self.final.record.scored)

    @property
    def scores(self) -> dict[str, Score]:
        """Points by grade id."""
        record = self.final.record if self.final else None
        return {score.cell.name: score for score in record.scores} if record else {}

    @property
    def waiting(self) -> int:
        """The number of answers that a person has to grade, without dropped questions."""
        if not self.final or not self.is_scored:
            return 0
        dropped = {one.cell for one in self.final.corrections if one.drops}
        return sum(s.waits for name, s in self.scores.items() if name not in dropped)

    @property
    def names(self) -> tuple[str, str]:
        """First and last name, from the gradebook or else derived from the roster's name."""
        if self.final and (self.final.student.first_name or self.final.student.last_name):
            return self.final.student.first_name, self.final.student.last_name
        last, first = last_and_first(self.person.name)
        return first, last


@dataclass(frozen=True)
class Grades:
    """The grades of a class."""

    finals: FinalScores
    title: str  # the homework's, which a platform's column may have too
    zone: ZoneInfo
    cells: tuple[Cell, ...]  # in the notebook's order
    places: dict[str, Place]
    all: tuple[Grade, ...]  # everybody in the gradebook or the roster, by id
    wanted: tuple[Grade, ...]  # whose grades are asked for
    is_whole: bool  # the course, because there is a roster
    complaints: tuple[str, ...]  # on the roster

    def place(self, cell: Cell) -> Place:
        """Return the place of a cell; if the notebook lacks the cell, use its name."""
        return self.places.get(cell.name) or Place(cell.name, cell.name)

    def left_to_do(self) -> Iterator[str]:
        """Yield sentences on grades that are not final."""
        yield from self.complaints
        if waiting := [grade for grade in self.wanted if grade.waiting]:
            answers = sum(grade.waiting for grade in waiting)
            yield (
                f"{counted(answers, 'answer')} of {counted(len(waiting), 'student')} not graded "
                "by a person yet; the exported scores are the points so far. To grade them: "
                f"python -m hw_grading desk {self.finals.assignment}"
            )
        without = [g.id for g in self.wanted if g.final and g.final.record and not g.is_scored]
        if without:
            yield (
                f"{counted(len(without), 'submission')} without a score yet: "
                f"{', '.join(map(quoted, without))}. "
                f"Run `nbgrader autograde {self.finals.assignment}`"
            )


def read_grades(
    course: Course, assignment: str, roster: Path | None = None, students: Collection[str] = ()
) -> Grades:
    """Read the grades of a homework.

    The roster is by default the course's ``students.csv``. No `students` means all. Raises
    `NoScores` as `final_scores`, and `Unreadable` if the roster or the instructor's notebook
    cannot be read, or a student is unknown.
    """
    finals = final_scores(course, assignment)
    manifest = homework_of(course.root, assignment).manifest
    places = read_places(course.source(assignment) / f"{assignment}.ipynb")
    known = read_roster(course, assignment, roster, None)
    complaints = list(known.complaints)
    grades = sorted(_joined(finals, known, complaints), key=lambda grade: grade.id)
    if unknown := sorted(set(students) - {grade.id for grade in grades}):
        raise Unreadable(
            f"no student in the gradebook or the roster has the id {quoted(unknown[0])}"
        )
    order = {name: number for number, name in enumerate(places)}
    return Grades(
        finals,
        manifest.title or assignment,
        ZoneInfo(manifest.time_zone),
        tuple(sorted(finals.cells, key=lambda c: (order.get(c.name, len(order)), c.name))),
        places,
        tuple(grades),
        tuple(grade for grade in grades if not students or grade.id in students),
        known.is_whole,
        tuple(complaints),
    )


def _joined(finals: FinalScores, roster: Roster, complaints: list[str]) -> Iterator[Grade]:
    """Yield a grade for each student in the gradebook or the roster."""
    of: dict[str, list[Person]] = {}
    for person in roster.people:
        of.setdefault(folded(person.id), []).append(person)
    for final in finals.students.values():
        student = final.student
        found = of.pop(folded(student.id), [])
        person = found[0] if found else Person(student.id, place="the gradebook")
        if found and person.id != student.id:
            complaints.append(
                f"{person.place}: the id {person.id!a} differs from {student.id!a} in the "
                "gradebook only in case or Unicode form. Both count as one student"
            )
        yield Grade(_with_what_nbgrader_knows(person, final), final)
    for people in of.values():
        yield from map(Grade, people)


def _with_what_nbgrader_knows(person: Person, final: FinalScore) -> Person:
    student = final.student
    return Person(
        id=student.id,
        name=person.name or student.name,
        email=person.email or student.email,
        section=person.section,
        canvas_id=person.canvas_id or student.platform_id,
        moodle_name=person.moodle_name,
        sid=person.sid,
        place=person.place,
    )
