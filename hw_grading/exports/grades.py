"""The grades of a class, with the known names and ids of the students."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from hw_grading.gradebook.graded_notebook import Places
from hw_grading.gradebook.results import Result, Results, is_outdated, read_results
from hw_grading.gradebook.scores import Record, Score, counted, in_digits
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.term.roster import Person, Roster, folded, last_and_first, read_roster
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted


def two_decimals(number: float) -> str:
    """Return points with at most two decimals, as platforms keep them: ``"87.5"``."""
    return f"{round(number, 2):.12g}"


@dataclass(frozen=True)
class Grade:
    """One student's grade. If the roster lacks the student, `person` is from the gradebook."""

    person: Person
    final: Result | None = None  # None if the gradebook does not know the student

    @property
    def id(self) -> str:
        """The student id in nbgrader."""
        return self.person.id

    @property
    def record(self) -> Record | None:
        """The student's row of the gradebook; None if nothing was graded."""
        return self.final.record if self.final else None

    @property
    def is_scored(self) -> bool:
        """Whether there is a score to write."""
        return bool(self.record and self.record.scored)

    @property
    def scores(self) -> dict[str, Score]:
        """The student's scores by grade id; {} if there is none."""
        return {score.cell.name: score for score in self.record.scores} if self.record else {}

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

    finals: Results
    title: str  # the homework's, which a platform's column may have too
    zone: ZoneInfo
    all: Sequence[Grade]  # everybody in the gradebook or the roster, by id
    wanted: Sequence[Grade]  # whose grades are asked for
    is_whole: bool  # the course, because there is a roster
    complaints: Sequence[str]  # on the roster
    without: Sequence[str]  # who handed in, and has no score
    outdated: Sequence[str]  # who handed in again after the submission that has the score

    @property
    def places(self) -> Places:
        """Where the cells are in the instructor's notebook."""
        return self.finals.places

    def left_to_do(self) -> Iterator[str]:
        """Yield sentences on grades that are not final."""
        yield from self.complaints
        if waiting := [grade for grade in self.wanted if grade.waiting]:
            answers = sum(grade.waiting for grade in waiting)
            yield (
                f"{counted(answers, 'answer')} of {counted(len(waiting), 'student')} not graded "
                "by a person yet; the exported scores are the points so far. To grade them: "
                f"hw-grading desk {self.finals.assignment}"
            )
        high = [(g.id, score) for g in self.wanted if g.final for score in g.final.too_high]
        if high:
            names = ", ".join(
                f"{quoted(student)} {in_digits(score.manual or 0.0)} of "
                f"{in_digits(score.cell.max_points)} in {self.places[score.cell.name]}"
                for student, score in high
            )
            yield (
                f"{counted(len(high), 'score')} by people above the question's points: {names}. "
                f"To change them: hw-grading desk {self.finals.assignment}"
            )
        for ids, what in ((self.without, "without a score yet"), (self.outdated, "not graded yet")):
            if ids:
                names = ", ".join(map(quoted, ids))
                run = f"Run `nbgrader autograde {self.finals.assignment}`"
                yield f"{counted(len(ids), 'submission')} {what}: {names}. {run}"


def read_grades(
    course: Course, assignment: str, roster: Path | None = None, students: Collection[str] = ()
) -> Grades:
    """Read the grades of a homework, of all students if none is named.

    Raises `Unavailable`, or `Unreadable` if the roster or the instructor's notebook cannot be
    read, or a student is unknown.
    """
    finals = read_results(course, assignment)
    manifest = manifest_of(course.root, assignment)
    known = read_roster(course, assignment, roster, None)
    complaints = list(known.complaints)
    grades = sorted(_joined(finals, known, complaints), key=lambda grade: grade.id)
    if unknown := sorted(set(students) - {grade.id for grade in grades}):
        raise Unreadable(
            f"no student in the gradebook or the roster has the id {quoted(unknown[0])}"
        )
    wanted = [grade for grade in grades if not students or grade.id in students]
    title, zone = manifest.title or assignment, ZoneInfo(manifest.time_zone)
    folders = {grade.id: course.submitted(grade.id, assignment) for grade in wanted}
    without = [
        grade.id
        for grade in wanted
        if not grade.is_scored
        and (grade.record or os.path.lexists(folders[grade.id] / f"{assignment}.ipynb"))
    ]
    scored = [(g.id, g.record) for g in wanted if g.record and g.is_scored]
    outdated = [student for student, record in scored if is_outdated(folders[student], record)]
    about = (finals, title, zone, grades, wanted, known.is_whole, complaints)
    return Grades(*about, without, outdated)


def _joined(finals: Results, roster: Roster, complaints: list[str]) -> Iterator[Grade]:
    of = {folded(person.id): person for person in roster.people}
    for final in finals.students.values():
        student = final.student
        person = of.pop(folded(student.id), None) or Person(student.id, place="the gradebook")
        if person.id != student.id:
            complaints.append(
                f"{person.place}: the id {person.id!a} differs from {student.id!a} in the "
                "gradebook only in case or Unicode form. Both count as one student"
            )
        known = {
            "id": student.id,
            "name": person.name or student.name,
            "email": person.email or student.email,
            "canvas_id": person.canvas_id or student.platform_id,
        }
        yield Grade(replace(person, **known), final)
    yield from map(Grade, of.values())
