"""Corrects the points of a question, for everybody or for some; undoes and lists corrections."""

from collections.abc import Sequence

from hw_grading.gradebook import corrections
from hw_grading.gradebook.corrections import Correction, CorrectionKind, corrections_in
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.results import Results, read_results
from hw_grading.gradebook.scores import ScoredCell, open_gradebook
from hw_grading.homework.course import Course
from hw_grading.texts import counted, in_digits, typed
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
        kind: CorrectionKind,
        *,
        points: float,
        reason: str,
        author: str,
        students: Sequence[str] = (),
        dry_run: bool = False,
    ) -> list[str]:
        """Correct a question, for everybody or for students; return the effect and the list.

        With `dry_run` nothing is stored, and each student whose points would change is named.
        """
        if bool(students) != (kind is CorrectionKind.SET):
            raise UserError("--student and --to go together: name the students and their points")
        for student in students:
            final = self._before.students.get(student)
            if final is None or not final.record:
                raise UserError(f"{quoted(student)} has submitted nothing for {self._assignment}")
        cell, whose = self.cell(label), [*dict.fromkeys(students)] or [""]
        if dry_run:
            reason = corrections.checked(cell, kind, points, reason)
            planned = [
                Correction(0, cell.name, points, reason, kind, self._assignment, student)
                for student in whose
            ]
            after = read_results(self._course, self._assignment, planned=planned)
            return [*self._effect(after, named=True), "Nothing was changed (--dry-run)."]
        corrections.correct(
            self._database,
            self._assignment,
            cell,
            kind=kind,
            points=points,
            reason=reason,
            author=author,
            students=whose,
        )
        return [*self._effect(self._now()), *self.listed()]

    def undo(self, key: int, author: str) -> list[str]:
        """Undo a correction; return the effect and the list."""
        corrections.undo(self._database, self._assignment, key, author)
        return [*self._effect(self._now()), *self.listed()]

    def listed(self) -> list[str]:
        """Return a line for each correction, including those that were undone."""
        with open_gradebook(self._course.db_url, self._assignment) as (db, _):
            stored = corrections_in(db, self._assignment, undone=True)
        lines = [self._line_of(one) for one in stored]
        undo = typed("hw-grading correct", self._assignment, "--undo", "NUMBER")
        undo = f"To undo a correction: {undo}"
        return [*lines, undo] if lines else [f"{self._assignment} has no corrections."]

    def cell(self, label: str) -> ScoredCell:
        """Return the cell with points that a label means; `UserError` unless it is one."""
        cells, places = self._before.cells, self._before.places
        meant = places.matching(label, [one.name for one in cells])
        found = [one for one in cells if one.name in meant]
        if len(found) == 1:
            return found[0]
        said = "fits several questions" if found else "is not a question with points"
        names = "".join(f"\n  {one.name}: {places[one.name]}" for one in found or cells)
        how = "Type the grade id (before the colon) or the label (after it)"
        raise UserError(f"{quoted(label)} {said}. Expected one of these:{names}\n{how}")

    def _line_of(self, change: Correction) -> str:
        alike = counted(len(change.who), "student")
        what = {
            CorrectionKind.ADD: f"{change.points:+g} for everyone in",
            CorrectionKind.ANSWERED: f"{change.points:+g} for everyone who answered",
            CorrectionKind.DROP: "dropped:",
            CorrectionKind.FULL: "full marks for everyone in",
            CorrectionKind.SET: f"{change.student} has {in_digits(change.points)} points in",
            CorrectionKind.GROUP: f"{change.points:+g} for {alike} alike in",
        }[change.kind]
        where = f"{change.cell}, {self._before.places[change.cell]}"
        by = f"{change.author}, {change.at:%Y-%m-%d %H:%M} UTC"
        if change.undone_at is not None:
            by += f"; undone by {change.undone_by}, {change.undone_at:%Y-%m-%d %H:%M} UTC"
        return f"{change.key}: {what} {where}: {change.reason} ({by})"

    def _now(self) -> Results:
        return read_results(self._course, self._assignment)

    def _effect(self, after: Results, *, named: bool = False) -> list[str]:
        """Return what changed, in lines; with `named`, for each student."""
        before = self._before.students
        both = [(before[n], now) for n, now in after.students.items() if n in before and now.record]
        changes = [now.score - then.score for then, now in both]
        lines = [
            f"  {now.student.id}: {in_digits(then.score)} → {in_digits(now.score)}"
            for then, now in both
            if named and then.score != now.score
        ]
        more, less = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
        same = len(changes) - more - less
        return [
            f"Students with more points: {more}, with fewer: {less}, unchanged: {same}.",
            *lines,
            f"The homework has {in_digits(after.max_score)} points.",
        ]
