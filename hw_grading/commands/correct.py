"""Corrects the points of a question, for everybody or for some; undoes and lists corrections."""

import re
from collections.abc import Sequence
from pathlib import Path

from hw_grading.gradebook import corrections
from hw_grading.gradebook.corrections import Correction, Kind, corrections_in
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.scores import Cell, counted_points, in_digits, open_gradebook
from hw_grading.homework.course import Course
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted


class Corrections:
    """The corrections of one homework; `Unavailable` or `UserError` if it cannot be read."""

    def __init__(self, folder: Path, assignment: str) -> None:
        self._course, self._assignment = Course(folder), assignment
        self._before = read_results(self._course, assignment)
        self._cells = {cell.name: cell for cell in self._before.cells}
        self._database = Database(self._course.db_url)

    def correct(
        self,
        label: str,
        kind: Kind,
        points: float,
        reason: str,
        author: str,
        students: Sequence[str] = (),
    ) -> list[str]:
        """Correct a question, for everybody or for students; return lines on the effect."""
        if bool(students) != (kind is Kind.SET):
            raise UserError("--student and --to go together: whose points, and how many they are")
        cell, ids = self.cell(label), list(dict.fromkeys(map(str.strip, students)))
        for student in ids:
            final = self._before.students.get(student)
            if final is None or not final.record:
                raise UserError(f"{quoted(student)} has submitted nothing for {self._assignment}")
        about = (cell, kind, points, reason, author, ids or [""])
        keys = corrections.correct(self._database, self._assignment, *about)
        of_cell = [one for one in self._stored() if one.cell == cell.name and not one.undone_at]
        earlier = [one for one in of_cell if one.key not in keys and one.student in ("", *ids)]
        return [
            *(self._in_words(one) for one in of_cell if one.key in keys),
            *self._effect(),
            *(f"This earlier correction also counts: {self._in_words(one)}" for one in earlier),
            *(f"To undo it: hw-grading correct {self._assignment} --undo {key}" for key in keys),
        ]

    def undo(self, key: int, author: str) -> list[str]:
        """Undo a correction, and return lines on the effect."""
        change = corrections.undo(self._database, self._assignment, key, author)
        return [f"Undone: {self._in_words(change)}", *self._effect()]

    def listed(self) -> list[str]:
        """Return a line for each correction, including those that were undone."""
        lines = []
        for change in self._stored():
            line = f"{self._in_words(change)} ({change.author}, {change.at:%Y-%m-%d %H:%M} UTC)"
            if change.undone_at is not None:
                line += f", undone by {change.undone_by}, {change.undone_at:%Y-%m-%d %H:%M} UTC"
            lines.append(line)
        return lines or [f"{self._assignment} has no corrections."]

    def cell(self, label: str) -> Cell:
        """Return the cell with points that has a grade id or a question's label.

        A label is the number that people see, such as ``"1.3b iv"``. Case and punctuation
        do not matter. Raises `UserError` if no cell fits, or several do.
        """
        asked, places = _words(label), self._before.places
        found = [self._cells[label]] if label in self._cells else []
        for width in (None, len(asked)):  # the whole label first, then its beginning
            found = found or [
                cell
                for name, cell in self._cells.items()
                if (place := places.get(name)) and asked
                if asked in (_words(str(place))[:width], _words(place.title)[:width])
            ]
        if len(found) == 1:
            return found[0]
        names = "".join(f"\n  {c.name}: {places[c.name]}" for c in found or self._before.cells)
        unknown = "is not a question with points. The questions are"
        said = "fits several questions" if found else unknown
        how = "Type the grade id (before the colon) or the label (after it)"
        raise UserError(f"{quoted(label)} {said}:{names}\n{how}")

    def _stored(self) -> list[Correction]:
        with open_gradebook(self._course.db_url, self._assignment) as (db, _):
            return corrections_in(db, self._assignment, undone=True)

    def _in_words(self, change: Correction) -> str:
        most = self._cells[change.cell].max_points if change.cell in self._cells else 0.0
        what = {
            Kind.ADD: f"{change.points:+g} for everyone in",
            Kind.DROP: f"dropped ({counted_points(most)}):",
            Kind.FULL: f"full marks ({counted_points(most)}) for everyone in",
            Kind.SET: f"{change.student} has {in_digits(change.points)} of {in_digits(most)} in",
        }[change.kind]
        where = f"{change.cell}, {self._before.places[change.cell]}"
        return f"{change.key}: {what} {where}: {change.reason}"

    def _effect(self) -> list[str]:
        before, after = self._before, read_results(self._course, self._assignment)
        both = [(before.students.get(n), now) for n, now in after.students.items() if now.record]
        changes = [now.score - then.score for then, now in both if then]
        more, less = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
        same = len(changes) - more - less
        lines = [f"Students with more points: {more}, with fewer: {less}, unchanged: {same}."]
        if after.max_score != before.max_score:
            now, then = in_digits(after.max_score), in_digits(before.max_score)
            lines.append(f"The homework's total is now {now} points; it was {then}.")
        return lines


def _words(label: str) -> list[str]:
    """Split a label into lower-case words: ``"Q1.3b iv."`` and ``"1.3 b iv"`` give 1.3, b, iv."""
    numbered = re.sub(r"\bq(?=\d)", "", label.casefold())
    words = re.findall(r"\d[\d.]*|[^\W\d]+", numbered)
    return [word.strip(".") for word in words]
