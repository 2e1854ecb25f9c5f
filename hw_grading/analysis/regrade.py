"""Regrades a class after its tests or limits changed, and reports whose scores changed.

The numbers of the runs at the first start are kept in a file until everybody is graded. So if a
regrade is killed, the same command continues it, and compares with the right runs.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from nbgrader.preprocessors import ClearSolutions
from nbgrader.utils import is_grade, is_solution, is_task

from hw_grading.analysis.changes import Comparison, compare, graded_differently
from hw_grading.analysis.regrade_page import as_csv, as_page, in_words
from hw_grading.batch.job import graded_with, installed
from hw_grading.batch.settings import WholeClass
from hw_grading.batch.submitted import digest_of as digest_of_file
from hw_grading.gradebook.questions import read_places
from hw_grading.gradebook.results import Result, Results, read_results
from hw_grading.gradebook.runs import GradedWith, digest_of, read_runs
from hw_grading.gradebook.scores import counted, in_digits, named, open_gradebook
from hw_grading.gradebook.writing import write_whole
from hw_grading.homework.cells import instructor_cells
from hw_grading.homework.course import Course
from hw_grading.homework.homework import FILE_NAME, STAFF, START, homework_of, manifest_of
from hw_grading.homework.source_notebook import check_regions, check_total
from hw_grading.plugins.releasing import PLACEHOLDER, is_saved
from hw_grading.run.settings import ExecuteSubmission
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import Unreadable

Say = Callable[[str], None]
_MOST_NAMED = 8


@dataclass(frozen=True)
class Edits:
    """Grade ids of the instructor's cells that differ since the release."""

    changed: list[str]  # with another text, other points, or another position
    added_or_removed: list[str]  # in words
    released: dict[str, str]  # digests of the released cells' sources
    worth: dict[str, tuple[float, float]]  # cells for people with other points: before, now


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

        Raises `Unavailable`, `Unreadable` or `RuntimeError` if nothing was compared.
        """
        is_continued = self._begun.exists()
        numbers = self._numbers_at_the_start()
        edits = self._releasable_edits()
        with open_gradebook(self.course.db_url, self.assignment) as (db, _):
            before = read_runs(db, self.assignment, numbers=numbers)
        moment = max((run.at for run in before.values()), default=None)
        compares = f"compares with the scores of {moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
        if is_continued:
            self._say(f"An earlier regrade did not finish. This one continues it, and {compares}.")
        else:  # a regrade that is refused has not begun
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._begun, json.dumps(numbers).encode())
        self._release(edits)
        words = ["autograde", self.assignment, "--force"]
        for student in self.students or [""]:  # nbgrader takes one student or all
            self.course.nbgrader(*words, *([f"--student={student}"] if student else []))
        results, chosen = self._graded()
        if all(one.run is None or one.run.number == numbers.get(one.student.id) for one in chosen):
            raise RuntimeError(
                f"nbgrader {' '.join(words)} did not finish. See its messages above, then run "
                f"this command again: it continues{f', and {compares}' if compares else ''}"
            )
        found = compare(before, results, [one.student.id for one in chosen])
        self._report(found)
        if not found.not_graded:
            self._begun.unlink()
        return not found.not_graded

    def show_plan(self) -> None:
        """Show what would be done; raise as `run`. Nothing is written."""
        _, chosen = self._graded()
        edits = self._releasable_edits()
        if edits.changed:
            self._say(
                f"These cells were edited since the release: {named(edits.changed, _MOST_NAMED)}. "
                "A regrade would release the notebook again. It would run "
                f"{counted(len(chosen), 'submission')} again, each with all tests."
            )
            return
        self._say("The notebook is unchanged since the release.")
        settings = ExecuteSubmission(config=self.course.config).plain()
        homework = homework_of(self.course.root, self.assignment)
        now = {"cells": edits.released, **graded_with(settings, installed(), homework)}
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
        if digest_of_file(folder / f"{self.assignment}.ipynb") != run.digest:
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
        try:
            numbers = json.loads(self._begun.read_bytes())
            return {str(student): int(number) for student, number in numbers.items()}
        except (ValueError, AttributeError, TypeError) as error:
            raise Unreadable(f"{self._begun} is damaged ({error}). Remove it") from None

    def _releasable_edits(self) -> Edits:
        """Return the instructor's edits; `RuntimeError` if nbgrader would not release them."""
        course, name = self.course, self.assignment
        edits = edits_since_release(course, name)
        if edits.added_or_removed:
            raise RuntimeError(
                f"Cells with a grade id were added to or removed from the notebook of {name} "
                f"since it was released ({named(edits.added_or_removed, _MOST_NAMED)}). "
                "nbgrader refuses this once there are submissions. Undo these changes. To drop "
                "a test, use a correction or give it 0 points"
            )
        if edits.changed:
            path = course.source(name) / f"{name}.ipynb"
            notebook = nbformat.read(path, as_version=4)
            check_regions(notebook, path)
            manifest = course.root / STAFF / name / FILE_NAME
            check_total(manifest_of(course.root, name), manifest, notebook)
        return edits

    def _release(self, edits: Edits) -> None:
        if not edits.changed:
            return
        course, name = self.course, self.assignment
        self._say(
            f"Edited since the release: {named(edits.changed, _MOST_NAMED)}. Releasing the "
            "notebook again."
        )
        places = read_places(course.source(name) / f"{name}.ipynb")
        for cell, (old, new) in edits.worth.items():
            self._say(
                f"{places[cell]} is worth {in_digits(new)} now, {in_digits(old)} before. Scores "
                f"that people gave did not change. To check them: hw-grading desk {name}"
            )
        released = course.release(name) / f"{name}.ipynb"
        start = released.with_name(START)
        before, page = (p.read_bytes() if p.is_file() else b"" for p in (released, start))
        course.must("generate_assignment", name, "--force")
        if page:  # nbgrader deletes the folder before writing to it
            write_whole(start, page)
        if before and before != released.read_bytes():
            self._say(
                "The students' version of the notebook changed too. To release it to them: "
                f"hw-grading release {name}"
            )

    def _report(self, found: Comparison) -> None:
        self._say(in_words(found, shutil.get_terminal_size((140, 24)).columns))
        if not found.changes:
            return
        name = f"{self.assignment}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        for suffix, text in ((".csv", as_csv(found)), (".html", as_page(found))):
            path = self._folder / f"{name}{suffix}"
            write_whole(path, text.encode("utf-8", "replace"))
            self._say(str(path))
        students = {change.student for change in found.changes}
        if any(self.course.feedback(student, self.assignment).is_dir() for student in students):
            self._say(
                "Existing feedback pages show the old points. To make them again: nbgrader "
                f"generate_feedback {self.assignment} --force"
            )


def edits_since_release(course: Course, assignment: str) -> Edits:
    """Compare the instructor's notebook with its version in the gradebook.

    Solutions and cells without a grade id are ignored, because grading does not use them.
    Raises `Unreadable` if the notebook is missing or damaged.
    """
    path = course.source(assignment) / f"{assignment}.ipynb"
    try:
        read_places(path)  # raises an error that says what is wrong
        notebook = nbformat.read(path, as_version=4)
    except (Unreadable, OSError, ValueError) as error:
        raise Unreadable(f"{path} cannot be read as a notebook: {error}") from None
    notebook, _ = ClearSolutions(config=course.config).preprocess(notebook, {})
    cells = {grade_id_of(cell) or "": cell for cell in notebook.cells if is_saved(cell)}
    with Gradebook(course.db_url) as gradebook:
        places = (course.release(assignment) / path.name, path)
        cells_then = instructor_cells(gradebook, assignment, assignment, *places)
    known = {cell.grade_id: cell for cell in cells_then}
    both = [name for name in cells if name in known]
    moved = both != [name for name in known if name in cells]
    changed, worth = [], {}
    for name in both:
        cell, old = cells[name], known[name]
        points = cell.metadata.nbgrader.get("points") if is_grade(cell) or is_task(cell) else None
        is_text_same = PLACEHOLDER in cell.source or cell.source == old.source
        same_points = points is None or float(points) == old.points
        marks = (is_grade(cell), is_solution(cell), is_task(cell), cell.cell_type)
        same_marks = marks == (old.grade, old.solution, old.task, old.cell_type)
        if not (is_text_same and same_points and same_marks) or moved:
            changed.append(name)
        if points is not None and old.points and not same_points and (old.solution or old.task):
            worth[name] = (old.points, float(points))
    others = [f"added {name}" for name in cells if name not in known]
    others += [f"removed {name}" for name in known if name not in cells]
    digests = {name: digest_of(cell.source) for name, cell in known.items()}
    return Edits(changed, others, digests, worth)
