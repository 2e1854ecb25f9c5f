"""The grades of a class, with the known names and ids of the students."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from hw_grading.final_scores.scores import FinalScore, FinalScores, final_scores
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.records.questions import Places, read_places
from hw_grading.records.scores import Score, counted
from hw_grading.records.students import last_and_first
from hw_grading.term.roster import Person, Roster, folded, read_roster
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted


def two_decimals(number: float) -> str:
    """Return points with at most two decimals, as platforms keep them: ``"87.5"``."""
    return f"{round(number, 2):.12g}"


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
        """The student's scores by grade id; {} if there is none."""
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
    places: Places
    all: Sequence[Grade]  # everybody in the gradebook or the roster, by id
    wanted: Sequence[Grade]  # whose grades are asked for
    is_whole: bool  # the course, because there is a roster
    complaints: Sequence[str]  # on the roster

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
            names = ", ".join(map(quoted, without))
            run = f"Run `nbgrader autograde {self.finals.assignment}`"
            yield f"{counted(len(without), 'submission')} without a score yet: {names}. {run}"


def read_grades(
    course: Course, assignment: str, roster: Path | None = None, students: Collection[str] = ()
) -> Grades:
    """Read the grades of a homework, of all students if none is named.

    Raises `NoScores`, or `Unreadable` if the roster or the instructor's notebook cannot be
    read, or a student is unknown.
    """
    finals = final_scores(course, assignment)
    manifest = manifest_of(course.root, assignment)
    places = read_places(course.source(assignment) / f"{assignment}.ipynb")
    known = read_roster(course, assignment, roster, None)
    complaints = list(known.complaints)
    grades = sorted(_joined(finals, known, complaints), key=lambda grade: grade.id)
    if unknown := sorted(set(students) - {grade.id for grade in grades}):
        raise Unreadable(
            f"no student in the gradebook or the roster has the id {quoted(unknown[0])}"
        )
    wanted = [grade for grade in grades if not students or grade.id in students]
    title, zone = manifest.title or assignment, ZoneInfo(manifest.time_zone)
    return Grades(finals, title, zone, places, grades, wanted, known.is_whole, complaints)


def _joined(finals: FinalScores, roster: Roster, complaints: list[str]) -> Iterator[Grade]:
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
