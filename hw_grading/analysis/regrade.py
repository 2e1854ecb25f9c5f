"""Regrades a class after its tests or limits changed, and reports whose scores changed.

The numbers of the runs at the first start are kept in a file until everybody is graded. So if a
regrade is killed, the same command continues it, and compares with the right runs.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import ClearSolutions
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from hw_grading.analysis.changes import as_csv, compare, graded_differently, in_words
from hw_grading.batch.job import graded_with, installed
from hw_grading.batch.settings import WholeClass
from hw_grading.batch.submissions import digest_of as digest_of_file
from hw_grading.gradebook.results import Result, Results, read_results
from hw_grading.gradebook.runs import GradedWith, digest_of, joined_digest, read_runs
from hw_grading.gradebook.scores import counted, named, open_gradebook
from hw_grading.gradebook.writing import write_whole
from hw_grading.homework.cells import instructor_cells
from hw_grading.homework.course import Course
from hw_grading.homework.homework import START, homework_of
from hw_grading.homework.source_notebook import check_cells, set_points
from hw_grading.plugins.releasing import PLACEHOLDER
from hw_grading.run.settings import ExecuteSubmission
from hw_support.submission.cells import InstructorCell, grade_id_of
from hw_support.submission.file import UserError

Say = Callable[[str], None]
_MAX_NAMED = 8
_SAVED = is_grade, is_solution, is_locked, is_task  # cells that nbgrader's `SaveCells` stores


class Regrade:
    """A class that is to be regraded, or the named students of it."""

    def __init__(self, folder: Path, assignment: str, students: Sequence[str], say: Say) -> None:
        self.course = Course(folder)
        self.students = sorted(set(students))  # empty: all
        self.assignment, self._say = assignment, say
        place = WholeClass(config=self.course.config).place(self.course.root)
        self._folder = place / "regrades"
        key = hashlib.sha256("\n".join(self.students).encode()).hexdigest()[:16]
        self._begun = self._folder / f"{assignment}-{key}.unfinished"

    def run(self) -> bool:
        """Release the instructor's edits, regrade, and report; return whether everybody was graded.

        Raises `Unavailable`, `UserError` or `RuntimeError` if nothing was compared.
        """
        is_continued = self._begun.exists()
        numbers = self._numbers_at_the_start()
        edited, _ = self._edited()
        with open_gradebook(self.course.db_url, self.assignment) as (db, _):
            before = read_runs(db, self.assignment, numbers=numbers)
        if is_continued:
            self._say("An earlier regrade did not finish. This one continues it.")
        else:  # a regrade that is refused has not begun
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._begun, json.dumps(numbers).encode())
        if edited:
            self._say(f"Releasing the notebook again; edited: {named(edited, _MAX_NAMED)}.")
            self._release()
        words = ["autograde", self.assignment, "--force"]
        for student in self.students or [""]:  # nbgrader takes one student or all
            self.course.nbgrader(*words, *([f"--student={student}"] if student else []))
        results, chosen = self._graded()
        if all(one.run is None or one.run.number == numbers.get(one.student.id) for one in chosen):
            raise RuntimeError(
                f"nbgrader {' '.join(words)} did not finish. See its messages above, then run "
                "this command again: it continues, and compares with the same scores"
            )
        found = compare(before, results, [one.student.id for one in chosen])
        self._say(in_words(found, shutil.get_terminal_size((140, 24)).columns))
        if found.changes:
            name = f"{self.assignment}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.csv"
            write_whole(self._folder / name, as_csv(found).encode("utf-8", "replace"))
            self._say(
                f"{self._folder / name}\nFeedback that you generated before shows the old points: "
                f"nbgrader generate_feedback {self.assignment} --force"
            )
        if not found.not_graded:
            self._begun.unlink()
        return not found.not_graded

    def show_plan(self) -> None:
        """Show what would be done; raise as `run`. Nothing is written."""
        _, chosen = self._graded()
        edited, released = self._edited()
        if edited:
            self._say(
                f"These cells were edited since the release: {named(edited, _MAX_NAMED)}. "
                "A regrade would release the notebook again. It would run "
                f"{counted(len(chosen), 'submission')} again, each with all tests."
            )
            return
        settings = ExecuteSubmission(config=self.course.config).plain()
        files = self.course.files(self.assignment)
        homework = homework_of(self.course.root, self.assignment, files)
        now = {"cells": released, **graded_with(settings, installed(), homework)}
        stale: dict[str, list[str]] = {}
        for one in chosen:
            if why := "; ".join(self._why_stale(one, now)):
                stale.setdefault(why, []).append(one.student.id)
        for why, students in stale.items():
            who = "" if len(students) == len(chosen) > 1 else f" ({', '.join(students)})"
            number = counted(len(students), "submission")
            self._say(f"A regrade would run {number} again{who}: {why}.")
        if not stale:
            self._say("A regrade would run no submission again: all results are up to date.")

    def _why_stale(self, result: Result, now: GradedWith) -> Iterator[str]:
        """Yield why a submission's last run is no longer what grading would give."""
        run = result.run
        if run is None:
            yield "never graded by this version"
            return
        cells = {name: now["cells"].get(name, "") for name in run.graded_with["cells"]}
        yield from graded_differently(run.graded_with, {**now, "cells": cells}).values()
        folder = self.course.submitted(result.student.id, self.assignment)
        paths = self.course.notebooks_in(folder, self.assignment)
        there = list(filter(Path.exists, paths)) or paths[:1]
        if joined_digest([digest_of_file(path) for path in there]) != run.digest:
            yield "submitted again"

    def _graded(self) -> tuple[Results, list[Result]]:
        """Return the results of the class, and those of the students to regrade."""
        results = read_results(self.course, self.assignment)
        graded = {name: one for name, one in results.students.items() if one.record}
        if not graded:
            raise RuntimeError(
                f"No submission of {self.assignment} is graded yet: run `nbgrader autograde "
                f"{self.assignment}`"
            )
        if unknown := [name for name in self.students if name not in graded]:
            raise RuntimeError(
                f"The gradebook has no scores of {', '.join(map(repr, unknown))} in "
                f"{self.assignment}. Type the ids of students who were graded"
            )
        return results, [graded[name] for name in self.students or graded]

    def _numbers_at_the_start(self) -> dict[str, int]:
        """Return the numbers of the runs to compare with, by student."""
        if not self._begun.exists():
            return {one.student.id: one.run.number for one in self._graded()[1] if one.run}
        numbers: dict[str, int] = json.loads(self._begun.read_bytes())
        return numbers

    def _edited(self) -> tuple[list[str], dict[str, str]]:
        """Return the cells edited since the release, and the digests of the released cells.

        Solutions and cells without a grade id are ignored, because grading does not use them.
        Raises `UserError`, or `RuntimeError` if nbgrader would not release the notebook.
        """
        course, name = self.course, self.assignment
        cells: dict[str, NotebookNode] = {}
        known: dict[str, InstructorCell] = {}
        for path in course.notebooks_in(course.source(name), name):
            try:
                notebook = nbformat.read(path, as_version=4)
            except Exception as error:  # nbformat may raise any error
                raise UserError(f"{path} cannot be read as a notebook: {error}") from None
            check_cells(notebook, path)
            set_points(notebook)
            notebook, _ = ClearSolutions(config=course.config).preprocess(notebook, {})
            saved = [c for c in notebook.cells if any(is_so(c) for is_so in _SAVED)]
            cells |= {grade_id_of(cell) or "": cell for cell in saved}
            with Gradebook(course.db_url) as gradebook:
                released = course.release(name) / path.name
                of_one = instructor_cells(gradebook, name, path.stem, released, path)
            known |= {one.grade_id: one for one in of_one}
        if others := sorted(cells.keys() ^ known.keys()):
            raise RuntimeError(
                f"Cells with a grade id were added to or removed from the notebook of {name} "
                f"since it was released ({named(others, _MAX_NAMED)}). nbgrader refuses this once "
                "there are submissions. Undo these changes. To drop a test, use a correction or "
                "give it 0 points"
            )
        is_moved = list(cells) != list(known)
        edited = []
        for one, cell in cells.items():
            old = known[one]
            kind = (is_grade(cell), is_solution(cell), is_task(cell), cell.cell_type)
            is_same = kind == (old.grade, old.solution, old.task, old.cell_type)
            if is_grade(cell) or is_task(cell):
                is_same = is_same and float(cell.metadata.nbgrader.get("points") or 0) == old.points
            text_same = PLACEHOLDER in cell.source or cell.source == old.source
            if is_moved or not (is_same and text_same):
                edited.append(one)
        return edited, {one: digest_of(cell.source) for one, cell in known.items()}

    def _release(self) -> None:
        start = self.course.release(self.assignment) / START
        page = start.read_bytes() if start.is_file() else b""
        self.course.must("generate_assignment", self.assignment, "--force")
        if page:  # nbgrader deletes the folder before writing to it
            write_whole(start, page)
