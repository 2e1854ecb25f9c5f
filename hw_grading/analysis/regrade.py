"""Regrades a class after its tests or limits changed, and reports whose scores changed.

The scores at the first start are pinned until a report is written. So if a run is killed, the same
command continues it and compares with the right scores.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import nbformat

from hw_grading.analysis.changes import Comparison, compare
from hw_grading.analysis.reasons import of_conditions
from hw_grading.analysis.regrade_page import as_csv, as_page, in_words
from hw_grading.analysis.unreleased import Edits, edits_since_release
from hw_grading.batch.settings import WholeClass
from hw_grading.batch.snapshot import Conditions, Snapshot, Work, take
from hw_grading.batch.snapshots import Snapshots
from hw_grading.gradebook.questions import read_places
from hw_grading.gradebook.scores import counted, named
from hw_grading.gradebook.timestamp import read_time
from hw_grading.gradebook.writing import write_whole
from hw_grading.homework.course import Course
from hw_grading.homework.homework import STAFF, START, homework_of, manifest_of
from hw_grading.homework.manifest import FILE_NAME
from hw_grading.homework.points import check_total
from hw_grading.homework.regions import check_regions
from hw_grading.run.settings import ExecuteSubmission
from hw_support.submission.file import Unreadable

Say = Callable[[str], None]
_MOST_NAMED = 8


class Regrade:
    """A class that is to be regraded, or the named students of it."""

    def __init__(self, folder: Path, assignment: str, students: Sequence[str], say: Say) -> None:
        self.course = Course(folder)
        self.students = sorted(set(students))  # empty: all
        self.assignment, self._say = assignment, say
        self._place = WholeClass(config=self.course.config).place(self.course.root)
        self._snapshots = Snapshots(self._place, assignment)
        self._pin = f"regrade of {', '.join(self.students) or 'all'}"

    def run(self) -> bool:
        """Release the instructor's edits, regrade, and report; return whether everybody was graded.

        Raises `NoScores`, `Unreadable` or `RuntimeError` if nothing was compared.
        """
        pinned = self._snapshots.pinned(self._pin)
        before = pinned or self._now()
        edits = edits_since_release(self.course, self.assignment)
        self._expect_releasable(edits)
        if pinned:
            self._say(
                "An earlier regrade did not finish. This one continues it, and compares with "
                f"the scores of {pinned.at:%Y-%m-%d %H:%M:%S} UTC."
            )
        else:  # a regrade that is refused has not begun
            self._snapshots.pin(before, self._pin)
        self._release(edits)
        last = before
        for student in self.students or [""]:  # nbgrader takes one student or all
            last = self._grade(student, before)
        is_everybody_graded = self._report(before, take(self.course, self.assignment, last))
        if is_everybody_graded:
            self._snapshots.unpin(self._pin)
        return is_everybody_graded

    def _grade(self, student: str, before: Snapshot) -> Snapshot:
        """Grade a student's submission, or all; return the snapshot that the run kept."""
        began = datetime.now(UTC)
        words = ["autograde", self.assignment, "--force"]
        self.course.nbgrader(*words, *([f"--student={student}"] if student else []))
        last = self._snapshots.last()
        if last is None or last.at < began:
            raise RuntimeError(
                f"nbgrader {' '.join(words)} did not finish. See its messages "
                "above, then run this command again: it continues, and compares with the scores "
                f"of {before.at:%Y-%m-%d %H:%M:%S} UTC"
            )
        return last

    def show_plan(self) -> None:
        """Show what would be done. Nothing is written."""
        edits = edits_since_release(self.course, self.assignment)
        now = self._now()
        students = self.students or list(now.students)
        for line in self._plan(students, now, edits):
            self._say(line)

    def _plan(self, students: Sequence[str], now: Snapshot, edits: Edits) -> Iterator[str]:
        """Yield the sentences of the plan for regrading these students' submissions."""
        if edits.added or edits.removed:
            both = named(edits.added + edits.removed, _MOST_NAMED)
            yield f"A regrade is not possible: cells were added or removed: {both}."
        if edits.changed:
            changed = named(edits.changed, _MOST_NAMED)
            yield (
                f"These cells were edited since the release: {changed}. A regrade would release "
                "the notebook again."
            )
            number = counted(len(students), "submission")
            yield f"It would run {number} again, each with all tests."
            return
        settings = ExecuteSubmission(config=self.course.config)
        conditions = Conditions.of(settings, homework_of(self.course.root, self.assignment))
        anew = [s for s in students if now.conditions_of(s) != conditions]
        others = [s for s in students if s not in anew]
        tests = {s: self._other_cells(now.students[s], edits) for s in others}
        newer = [s for s in others if not tests[s] and self._handed_in_again(s)]
        yield "The notebook is unchanged since the release."
        if anew:
            known = [now.conditions_of(student) for student in anew]
            why = dict.fromkeys(text for c in known if c for text in of_conditions(c, conditions))
            not_known = ["their limits, code and packages were not recorded"] * (None in known)
            number = counted(len(anew), "submission")
            yield f"A regrade would run {number} again: {'; '.join([*why, *not_known])}."
        if cells := sorted({name for names in tests.values() for name in names}):
            number = counted(sum(map(bool, tests.values())), "submission")
            yield (
                f"A regrade would run {number} again, graded with another version of "
                f"{named(cells, _MOST_NAMED)}."
            )
        if newer:
            number = counted(len(newer), "submission")
            yield (
                f"A regrade would run {number} again because the students submitted again: "
                f"{named(newer, _MOST_NAMED)}."
            )
        if not anew and not cells and not newer:
            yield "A regrade would run no submission again: all results are up to date."

    def _other_cells(self, work: Work, edits: Edits) -> list[str]:
        """Return the instructor's cells that differ from those with which this was graded."""
        released = edits.released
        return [name for name, d in work.notebook.instructors.items() if released.get(name) != d]

    def _handed_in_again(self, student: str) -> bool:
        of = (student, self.assignment)
        folders = [self.course.submitted(*of), self.course.autograded(*of)]
        try:
            times = [read_time(folder) for folder in folders]
            files = [folder / f"{self.assignment}.ipynb" for folder in folders]
            modified = [os.lstat(file).st_mtime for file in files]
        except (Unreadable, OSError):
            return True
        return times[0] != times[1] or modified[0] > modified[1]

    def _now(self) -> Snapshot:
        snapshot = take(self.course, self.assignment, self._snapshots.last())
        if not snapshot.students:
            raise RuntimeError(
                f"No submission of {self.assignment} is graded yet: run `nbgrader autograde "
                f"{self.assignment}`"
            )
        if unknown := [name for name in self.students if name not in snapshot.students]:
            raise RuntimeError(
                f"The gradebook has no scores of {', '.join(map(repr, unknown))} in "
                f"{self.assignment}. Type the ids of students who were graded"
            )
        return snapshot

    def _expect_releasable(self, edits: Edits) -> None:
        if edits.added or edits.removed:
            changed = [f"added {name}" for name in edits.added]
            changed += [f"removed {name}" for name in edits.removed]
            raise RuntimeError(
                "Cells with a grade id were added to or removed from the notebook of "
                f"{self.assignment} since it was released ({', '.join(changed[:_MOST_NAMED])}). "
                "nbgrader refuses this once there are submissions. Undo these changes. To drop "
                "a test, use a correction or give it 0 points"
            )
        if not edits.changed:
            return
        course, name = self.course, self.assignment
        manifest = course.root / STAFF / name / FILE_NAME
        path = course.source(name) / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        check_regions(notebook, path)
        check_total(manifest_of(course.root, name), manifest, notebook)

    def _release(self, edits: Edits) -> None:
        if not edits.changed:
            return
        course, name = self.course, self.assignment
        self._say(
            f"Edited since the release: {named(edits.changed, _MOST_NAMED)}. Releasing the "
            "notebook again."
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
                f"python -m hw_grading release {name}"
            )

    def _report(self, before: Snapshot, after: Snapshot) -> bool:
        source = self.course.source(self.assignment) / f"{self.assignment}.ipynb"
        found = compare(before, after, read_places(source), self.students)
        self._say(in_words(found, shutil.get_terminal_size((140, 24)).columns))
        if found.changes:
            self._write(found)
        return not found.not_graded

    def _write(self, found: Comparison) -> None:
        folder = self._place / "regrades"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self.assignment}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        for suffix, text in ((".csv", as_csv(found)), (".html", as_page(found))):
            path = folder / f"{name}{suffix}"
            write_whole(path, text.encode("utf-8", "replace"))
            self._say(str(path))
        students = {change.student for change in found.changes}
        if any(self.course.feedback(student, self.assignment).is_dir() for student in students):
            self._say(
                "Existing feedback pages show the old points. To make them again: nbgrader "
                f"generate_feedback {self.assignment} --force"
            )
