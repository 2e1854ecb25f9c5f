"""Compares the scores of stock nbgrader with those of this grader, cell by cell.

Both grade the same submissions in a scratch copy of the course: the instructor's own solutions, and
the untouched release. Stock nbgrader runs them with your rights, as it always does.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.api import Gradebook

from hw_grading.grade.trial import try_alone, write_both
from hw_grading.homework.course import CONFIG, Course, released_copy
from hw_grading.texts import aligned, counted, in_digits

_STOCK = """
import os
from nbgrader.converters import Autograde
os.environ["PYTHONPATH"] = {root!r}  # stock nbgrader runs hidden lines with staff code in kernels
c.Autograde.exporter_class = "nbconvert.exporters.NotebookExporter"
for name in ("sanitize_preprocessors", "autograde_preprocessors"):
    c.Autograde[name] = Autograde.class_traits()[name].default()
c.CourseDirectory.db_url = {db_url!r}
c.CourseDirectory.autograded_directory = "autograded_by_stock"
"""
_OURS = """
from hw_grading.configuration import configure, is_configured
if not is_configured(c):
    configure(c)
"""
_SUBMISSIONS = ("solutions", "release")  # the ids of the students who hand them in
_MAX_LOG = 2_000  # characters from the end of a log

Cell = tuple[str, str, str]  # submission, notebook, grade id
Scores = dict[Cell, float | None]  # None: a person has to grade it, or it has no score


@dataclass(frozen=True)
class Comparison:
    """What stock nbgrader and this grader gave to the same submissions."""

    stock: Scores
    ours: Scores
    tests: Sequence[Cell]  # the cells that no person grades
    times: Sequence[str]  # a line on each grader
    failures: Sequence[str]  # the logs of graders that did not grade every submission
    findings: Sequence[str] = ()  # on tests that this grader's trial of the solutions fails

    @property
    def different(self) -> list[Cell]:
        """The cells whose scores differ, or that only one of the two has graded."""
        cells = dict.fromkeys([*self.stock, *self.ours])
        return [cell for cell in cells if self.stock.get(cell, -1) != self.ours.get(cell, -1)]

    @property
    def is_fine(self) -> bool:
        """Whether both gave the same scores, and full marks to the instructor's solutions."""
        return not (self.different or self.findings or self.failures)

    def lines(self) -> Iterator[str]:
        """Yield the lines that the command prints."""
        yield from self.findings
        cells, different = counted(len({*self.stock, *self.ours}), "cell"), self.different
        yield f"Stock nbgrader and hw-grading differ in {len(different)} of {cells}."
        if different:
            rows = [["submission", "notebook", "cell", "stock nbgrader", "hw-grading"]]
            rows += [
                [*c, *(self._shown(of, c) for of in (self.stock, self.ours))] for c in different
            ]
            yield from aligned(rows)
        yield from (*self.times, *self.failures)

    def _shown(self, scores: Scores, cell: Cell) -> str:
        score = scores.get(cell)
        if score is not None:
            return in_digits(score)
        return "not graded" if cell in self.tests or cell not in scores else "by a person"


def compare(course: Course, assignment: str) -> Comparison:
    """Grade the instructor's solutions and the untouched release of a homework by both graders.

    Nothing is written into the course, whose settings in JSON do not count. `UserError` if it has
    no such homework, or if nbgrader cannot release it.
    """
    course.expect_homework(assignment)
    with tempfile.TemporaryDirectory(prefix="hw-compare-") as folder:
        scratch = released_copy(course, assignment, Path(folder))
        folders = [scratch.submitted(name, assignment) for name in _SUBMISSIONS]
        write_both(scratch, assignment, *folders)
        tried = [cell for cell in try_alone(scratch, assignment) if not cell.is_sound]
        findings = [said for cell in tried for said in cell.findings]
        return replace(grade_both(scratch, assignment), findings=findings)


def grade_both(scratch: Course, assignment: str) -> Comparison:
    """Grade what was submitted in a scratch course whose homework was released by nbgrader."""
    stock_book = scratch.root / "gradebook_of_stock.db"
    shutil.copy(scratch.root / "gradebook.db", stock_book)
    stock_url = f"sqlite:///{stock_book}"
    graders = {
        "Stock nbgrader": (stock_url, _STOCK.format(root=str(scratch.root), db_url=stock_url)),
        "hw-grading": (scratch.db_url, _OURS),
    }
    file, grades, times, failures = scratch.folder / f"{CONFIG}.py", [], [], []
    before = file.read_text(encoding="utf-8")
    for grader, (url, settings) in graders.items():
        file.write_text(before + settings, encoding="utf-8")
        log, began = scratch.root.parent / f"log of {grader}", time.monotonic()
        if scratch.nbgrader("autograde", assignment, log=log):
            end = log.read_text(encoding="utf-8", errors="replace")[-_MAX_LOG:]
            failures.append(f"{grader} did not grade every submission. The end of its log:\n{end}")
        times.append(f"{grader} took {time.monotonic() - began:.1f} s.")
        grades.append(_grades(url, assignment))
    file.write_text(before, encoding="utf-8")
    stock, ours = ({cell: score for cell, (score, _) in found.items()} for found in grades)
    tests = [cell for cell, (_, is_test) in grades[1].items() if is_test]
    return Comparison(stock, ours, tests, times, failures)


def _grades(db_url: str, assignment: str) -> dict[Cell, tuple[float | None, bool]]:
    """Return the score of each graded cell, and whether it is a test."""
    with Gradebook(db_url) as gradebook:
        found = {}
        for submission in gradebook.assignment_submissions(assignment):
            for notebook in submission.notebooks:
                answers = {cell.name for cell in notebook.notebook.solution_cells}
                for grade in notebook.grades:
                    is_test = grade.cell_type == "code" and grade.name not in answers
                    cell = (submission.student_id, notebook.name, grade.name)
                    found[cell] = grade.auto_score, is_test
        return found
