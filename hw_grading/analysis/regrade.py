"""Regrades a class after its tests or limits changed, and reports whose scores changed.

Each student's last run is compared with the newest one before that was graded with something else.
So if a regrade is killed, the same command continues it, and reports the same.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from hw_grading.analysis.changes import as_csv, as_text, compare
from hw_grading.grade.settings import WholeClass
from hw_grading.gradebook.results import Results, StudentResult, read_results
from hw_grading.gradebook.runs import runs_before
from hw_grading.gradebook.scores import open_gradebook
from hw_grading.homework.cells import instructor_cells
from hw_grading.homework.course import Course, released_copy
from hw_grading.plugins.releasing import release_description
from hw_grading.texts import named, typed, write_whole
from hw_support.submission.cells import InstructorCell
from hw_support.submission.file import UserError
from hw_support.submission.released import ENDING

Say = Callable[[str], None]
_MAX_NAMED = 8


class Regrade:
    """A class that is to be regraded, or the named students of it."""

    def __init__(self, folder: Path, assignment: str, students: Sequence[str], say: Say) -> None:
        self.course = Course(folder)
        self.students = sorted(set(students))  # empty: all
        self.assignment, self._say = assignment, say
        place = WholeClass(config=self.course.config).place(self.course.root)
        self._folder = place / "regrades"
        self.is_described_anew = False  # whether a run wrote the students' description

    def run(self) -> bool:
        """Release the instructor's edits, regrade, and report; return whether everybody was graded.

        Raises `Unavailable` or `UserError` if nothing was compared.
        """
        began = {one.student.id: one.run.number for one in self._graded()[1] if one.run}
        if edited := self._edited():
            self._say(f"Releasing the notebook again; edited: {named(edited, _MAX_NAMED)}.")
            self.course.run_nbgrader("generate_assignment", self.assignment, "--force")
        self.is_described_anew = bool(edited) or self.describe_anew()
        words = ["autograde", self.assignment, "--force"]
        for student in self.students or [""]:  # nbgrader takes one student or all
            self.course.nbgrader(*words, *([f"--student={student}"] if student else []))
        results, chosen = self._graded()
        if all(one.run is None or one.run.number == began.get(one.student.id) for one in chosen):
            raise UserError(
                f"{typed('nbgrader', *words)} graded no submission. Repair what its messages above "
                "name, then type this command again: it compares with the same scores"
            )
        with open_gradebook(self.course.db_url, self.assignment) as (db, _):
            before = runs_before(db, self.assignment)
        found = compare(before, results, [one.student.id for one in chosen], began)
        self._say(as_text(found, shutil.get_terminal_size((140, 24)).columns))
        if found.changes:
            name = f"{self.assignment}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.csv"
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / name, as_csv(found).encode("utf-8", "replace"))
            self._say(
                f"{self._folder / name}\nFeedback that you generated before shows the old points: "
                + typed("hw-grading feedback", self.assignment, "--force")
            )
        return not found.not_graded

    def describe_anew(self) -> bool:
        """Write the descriptions in the release if they have changed, such as by other limits.

        Return whether any has.
        """
        folder, is_anew = self.course.release(self.assignment), False
        for name in self.course.notebooks(self.assignment):
            path = folder / f"{name}{ENDING}"
            if path.exists():
                released = nbformat.read(folder / f"{name}.ipynb", as_version=4)
                text = release_description(self.course, self.assignment, name, released).encode()
                if text != path.read_bytes():
                    write_whole(path, text)
                    is_anew = True
        return is_anew

    def _graded(self) -> tuple[Results, list[StudentResult]]:
        """Return the results of the class, and those of the students to regrade."""
        results = read_results(self.course, self.assignment)
        graded = {name: one for name, one in results.students.items() if one.record}
        if not graded:
            raise UserError(
                f"No submission of {self.assignment} is graded yet: run "
                f"`{typed('nbgrader autograde', self.assignment)}`"
            )
        if unknown := [name for name in self.students if name not in graded]:
            raise UserError(
                f"The gradebook has no scores of {', '.join(map(repr, unknown))} in "
                f"{self.assignment}. Type the ids of students who were graded"
            )
        return results, [graded[name] for name in self.students or graded]

    def _edited(self) -> list[str]:
        """Return the cells that another release would change.

        `UserError` if nbgrader would not release the notebook.
        """
        known = self._cells_of(self.course)
        with tempfile.TemporaryDirectory(prefix="hw-regrade-") as folder:
            copy = released_copy(self.course, self.assignment, Path(folder), only_released=True)
            again = self._cells_of(copy)
        if others := sorted(known.keys() ^ again.keys()):
            raise UserError(
                f"Cells with a grade id were added to or removed from the notebook of "
                f"{self.assignment} since it was released ({named(others, _MAX_NAMED)}). nbgrader "
                "refuses this once there are submissions. Undo these changes. To drop a test, use "
                "a correction or give it 0 points"
            )
        is_moved = list(again) != list(known)
        return [name for name, cell in again.items() if is_moved or cell != known[name]]

    def _cells_of(self, course: Course) -> dict[str, InstructorCell]:
        """Return the released cells of a course by grade id, in the notebook's order."""
        cells: dict[str, InstructorCell] = {}
        for path in course.notebooks_in(course.source(self.assignment), self.assignment):
            released = course.release(self.assignment) / path.name
            with Gradebook(course.db_url) as gradebook:
                found = instructor_cells(gradebook, self.assignment, path.stem, released, path)
            cells |= {one.grade_id: one for one in found}
        return cells
