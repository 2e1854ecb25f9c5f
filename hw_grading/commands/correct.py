"""Corrects the points of a question, for everybody or for some; undoes and lists corrections."""

import re
from collections.abc import Sequence

from hw_grading.gradebook import corrections
from hw_grading.gradebook.corrections import Correction, Kind, corrections_in
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.scores import Cell, in_digits, open_gradebook
from hw_grading.homework.course import Course
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted


class Corrections:
    """The corrections of one homework; `Unavailable` or `UserError` if it cannot be read."""

    def __init__(self, course: Course, assignment: str) -> None:
        self._course, self._assignment = course, assignment
        self._before = read_results(course, assignment)
        self._database = Database(course.db_url)

    def correct(
        self,
        label: str,
        kind: Kind,
        points: float,
        reason: str,
        author: str,
        students: Sequence[str] = (),
    ) -> list[str]:
        """Correct a question, for everybody or for students; return the effect and the list."""
        if bool(students) != (kind is Kind.SET):
            raise UserError("--student and --to go together: whose points, and how many they are")
        for student in students:
            final = self._before.students.get(student)
            if final is None or not final.record:
                raise UserError(f"{quoted(student)} has submitted nothing for {self._assignment}")
        about = (self.cell(label), kind, points, reason, author, [*dict.fromkeys(students)] or [""])
        corrections.correct(self._database, self._assignment, *about)
        return [*self._effect(), *self.listed()]

    def undo(self, key: int, author: str) -> list[str]:
        """Undo a correction; return the effect and the list."""
        corrections.undo(self._database, self._assignment, key, author)
        return [*self._effect(), *self.listed()]

    def listed(self) -> list[str]:
        """Return a line for each correction, including those that were undone."""
        with open_gradebook(self._course.db_url, self._assignment) as (db, _):
            stored = corrections_in(db, self._assignment, undone=True)
        lines = [self._in_words(one) for one in stored]
        undo = f"To undo a correction: hw-grading correct {self._assignment} --undo NUMBER"
        return [*lines, undo] if lines else [f"{self._assignment} has no corrections."]

    def cell(self, label: str) -> Cell:
        """Return the cell with points that has a grade id, or a label that begins so.

        A label is what people see, such as ``"Q1.3b iv. Why"``. Case and punctuation do not matter.
        Raises `UserError` if no cell fits, or several do.
        """
        cells, places = self._before.cells, self._before.places
        asked = _words(label)
        found = [one for one in cells if one.name == label] or [
            one for one in cells if asked and _words(str(places[one.name])).startswith(asked)
        ]
        if len(found) == 1:
            return found[0]
        said = "fits several questions" if found else "is not a question with points"
        names = "".join(f"\n  {one.name}: {places[one.name]}" for one in found or cells)
        how = "Type the grade id (before the colon) or the label (after it)"
        raise UserError(f"{quoted(label)} {said}. Expected one of these:{names}\n{how}")

    def _in_words(self, change: Correction) -> str:
        what = {
            Kind.ADD: f"{change.points:+g} for everyone in",
            Kind.DROP: "dropped:",
            Kind.FULL: "full marks for everyone in",
            Kind.SET: f"{change.student} has {in_digits(change.points)} points in",
        }[change.kind]
        where = f"{change.cell}, {self._before.places[change.cell]}"
        by = f"{change.author}, {change.at:%Y-%m-%d %H:%M} UTC"
        if change.undone_at is not None:
            by += f"; undone by {change.undone_by}, {change.undone_at:%Y-%m-%d %H:%M} UTC"
        return f"{change.key}: {what} {where}: {change.reason} ({by})"

    def _effect(self) -> list[str]:
        before, after = self._before, read_results(self._course, self._assignment)
        both = [(before.students.get(n), now) for n, now in after.students.items() if now.record]
        changes = [now.score - then.score for then, now in both if then]
        more, less = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
        same = len(changes) - more - less
        return [
            f"Students with more points: {more}, with fewer: {less}, unchanged: {same}.",
            f"The homework has {in_digits(after.max_score)} points.",
        ]


def _words(label: str) -> str:
    """Return a label's words: ``"Q1.3b iv."`` and ``"1.3 b iv"`` give ``" 1.3 b iv "``."""
    numbered = re.sub(r"\bq(?=\d)", "", label.casefold())
    words = [word.strip(".") for word in re.findall(r"\d[\d.]*|[^\W\d]+", numbered)]
    return f" {' '.join(words)} " if words else ""
