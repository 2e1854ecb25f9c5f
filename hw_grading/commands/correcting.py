"""Corrects the points of a question for everybody; undoes and lists corrections."""

import re
from pathlib import Path

from hw_grading.gradebook.corrections import Change, Kind, correct, corrections_in, undo
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.final_scores import FinalScores, final_scores
from hw_grading.gradebook.questions import order_in, read_places
from hw_grading.gradebook.scores import (
    Cell,
    counted_points,
    in_digits,
    open_gradebook,
    read_gradebook,
)
from hw_grading.homework.course import Course
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted


class Corrections:
    """The corrections of one homework; `NoScores` or `Unreadable` if it cannot be read."""

    def __init__(self, folder: Path, assignment: str) -> None:
        self._course, self._assignment = Course(folder), assignment
        self._places = read_places(self._course.source(assignment) / f"{assignment}.ipynb")
        cells, _, _ = read_gradebook(self._course.db_url, assignment)
        order = order_in(self._places)
        self._cells = {c.name: c for c in sorted(cells, key=lambda cell: order(cell.name))}
        self._database = Database(self._course.db_url)

    def correct(self, label: str, kind: Kind, points: float, reason: str, author: str) -> list[str]:
        """Correct a question for everybody, and return lines on the effect."""
        cell = self.cell(label)
        if kind is Kind.ADD and points < -cell.max_points:
            most = in_digits(cell.max_points)
            raise Unreadable(
                f"{cell.name} has {most} points, and its score stops at 0. Expected at least "
                f"-{most}, found {points:g}. If the question should not count, use --drop"
            )
        before = final_scores(self._course, self._assignment)
        where = (self._database, self._assignment, cell.name)
        key = correct(*where, kind, points, reason, author)
        changes = [one for one in self._changes() if one.undone_at is None]
        change = next(one for one in changes if one.key == key)
        lines = [self._in_words(change), *self._effect(before)]
        if earlier := [one for one in changes if one.cell == cell.name and one.key != key]:
            lines.append("Earlier corrections of this question also count:")
            lines += [f"  {self._in_words(one)}" for one in earlier]
        back = f"python -m hw_grading correct {self._assignment} --undo {key}"
        return [*lines, f"To undo the new one: {back}" if earlier else f"To undo it: {back}"]

    def undo(self, key: int, author: str) -> list[str]:
        """Undo a correction, and return lines on the effect."""
        before = final_scores(self._course, self._assignment)
        change = undo(self._database, self._assignment, key, author)
        return [f"Undone: {self._in_words(change)}", *self._effect(before)]

    def listed(self) -> list[str]:
        """Return a line for each correction, including those that were undone."""
        lines = []
        for change in self._changes():
            line = f"{self._in_words(change)} ({change.author}, {change.at:%Y-%m-%d %H:%M} UTC)"
            if change.undone_at is not None:
                line += f", undone by {change.undone_by}, {change.undone_at:%Y-%m-%d %H:%M} UTC"
            lines.append(line)
        return lines or [f"{self._assignment} has no corrections."]

    def cell(self, label: str) -> Cell:
        """Return the cell with points that has a grade id or a question's label.

        A label is the number that people see, such as ``"1.3b iv"``. Case and punctuation
        do not matter. Raises `Unreadable` if no cell fits, or several do.
        """
        if label in self._cells:
            return self._cells[label]
        asked = _words(label)
        for width in (None, len(asked)):  # the whole label first, then its beginning
            found = [
                cell
                for cell in self._cells.values()
                if asked and any(words[:width] == asked for words in self._labels(cell.name))
            ]
            if len(found) == 1:
                return found[0]
            if found:
                break
        are = found or list(self._cells.values())
        names = "".join(f"\n  {c.name}: {self._places[c.name]}" for c in are)
        unknown = "is not a question with points. The questions are"
        said = "fits several questions" if found else unknown
        how = "Type the grade id (before the colon) or the label (after it)"
        raise Unreadable(f"{quoted(label)} {said}:{names}\n{how}")

    def _labels(self, name: str) -> list[list[str]]:
        place = self._places.get(name)
        return [_words(str(place)), _words(place.title)] if place else []

    def _changes(self) -> list[Change]:
        with open_gradebook(self._course.db_url, self._assignment) as (db, _):
            return corrections_in(db, self._assignment, undone=True)

    def _in_words(self, change: Change) -> str:
        most = self._cells[change.cell].max_points if change.cell in self._cells else 0.0
        what = {
            Kind.ADD: f"{change.points:+g} for everyone in",
            Kind.DROP: f"dropped ({counted_points(most)}):",
            Kind.FULL: f"full marks ({counted_points(most)}) for everyone in",
        }[change.kind]
        where = f"{change.cell}, {self._places[change.cell]}"
        return f"{change.key}: {what} {where}: {change.reason}"

    def _effect(self, before: FinalScores) -> list[str]:
        after = final_scores(self._course, self._assignment)
        there = {n: one for n, one in after.students.items() if one.record and n in before.students}
        changes = [one.score - before.students[name].score for name, one in there.items()]
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
