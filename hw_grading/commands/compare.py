"""Compares the scores of stock nbgrader with those of this grader, cell by cell.

Both grade the same submissions in a scratch copy of the course: the instructor's own solutions, and
the untouched release. Stock nbgrader runs them with your rights, as it always does.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Gradebook

from hw_grading.grade.trial import write_both
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import CONFIG, Course, released_copy
from hw_grading.texts import aligned, counted, in_digits
from hw_support.submission.problems import quoted

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
SOLUTIONS = "solutions"  # the id of the student who hands in the instructor's own
_MAX_LOG = 2_000  # characters from the end of a log

Cell = tuple[str, str, str]  # submission, notebook, grade id
Scores = dict[Cell, float | None]  # None: a person has to grade it


@dataclass(frozen=True)
class Comparison:
    """What stock nbgrader and this grader gave to the same submissions."""

    stock: Scores
    ours: Scores
    most: Mapping[Cell, float] = field(default_factory=dict)  # points of each test cell
    why: Mapping[Cell, str] = field(default_factory=dict)  # this grader gave no score to a test
    times: tuple[str, ...] = ()  # a line on each grader
    failures: tuple[str, ...] = ()  # the logs of graders that did not grade every submission

    @property
    def different(self) -> list[Cell]:
        """The cells whose scores differ, or that only one of the two has graded."""
        cells = dict.fromkeys([*self.stock, *self.ours])
        return [cell for cell in cells if self.stock.get(cell, -1) != self.ours.get(cell, -1)]

    @property
    def failing(self) -> list[Cell]:
        """The test cells in which both graders take points from the instructor's solutions."""
        found = []
        for cell, most in self.most.items():
            scores = [given.get(cell) for given in (self.stock, self.ours)]
            if cell[0] == SOLUTIONS and all(s is not None and s < most for s in scores):
                found.append(cell)
        return found

    @property
    def is_fine(self) -> bool:
        """Whether both gave the same scores, and full marks to the instructor's solutions."""
        return not (self.different or self.failing or self.why or self.failures)

    def lines(self) -> Iterator[str]:
        """Yield the lines that the command prints."""
        tests = [cell for cell in self.most if cell[0] == SOLUTIONS]
        if tests:
            earned = in_digits(sum(self.ours.get(cell) or 0.0 for cell in tests))
            line = (
                f"Your solutions: {earned} of {in_digits(sum(self.most[c] for c in tests))} points"
            )
            names = ", ".join(f"{name} ({notebook})" for _, notebook, name in self.failing)
            yield f"{line}; these cells fail under both graders: {names}." if names else f"{line}."
        said = dict[str, None]()
        for cell, why in self.why.items():
            said[f"hw-grading, {cell[1]}.ipynb, {in_digits(self.most[cell])} points: {why}"] = None
        yield from said
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
        return "not graded" if cell in self.most or cell not in scores else "by a person"


def compare(course: Course, assignment: str) -> Comparison:
    """Grade the instructor's solutions and the untouched release of a homework by both graders.

    Nothing is written into the course, whose settings in JSON do not count. `UserError` if it has
    no such homework, or if nbgrader cannot release it.
    """
    course.expect_homework(assignment)
    with tempfile.TemporaryDirectory(prefix="hw-compare-") as folder:
        scratch = released_copy(course, assignment, Path(folder))
        write_both(
            scratch, assignment, *(scratch.submitted(s, assignment) for s in (SOLUTIONS, "release"))
        )
        return grade_both(scratch, assignment)


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
    most = {cell: points for cell, (_, points) in grades[1].items() if points is not None}
    why = {cell: _why(scratch, assignment, cell) for cell in most if ours[cell] is None}
    return Comparison(stock, ours, most, why, tuple(times), tuple(failures))


def _grades(db_url: str, assignment: str) -> dict[Cell, tuple[float | None, float | None]]:
    """Return the score and the points of each graded cell; no points for what a person grades."""
    with Gradebook(db_url) as gradebook:
        found = {}
        for submission in gradebook.assignment_submissions(assignment):
            for notebook in submission.notebooks:
                answers = {cell.name for cell in notebook.notebook.solution_cells}
                for grade in notebook.grades:
                    is_test = grade.cell_type == "code" and grade.name not in answers
                    most = grade.max_score if is_test else None
                    cell = (submission.student_id, notebook.name, grade.name)
                    found[cell] = grade.auto_score, most
        return found


def _why(scratch: Course, assignment: str, cell: Cell) -> str:
    """Return why this grader gave no score to a test."""
    submission, _, name = cell
    run = read_results(scratch, assignment, submission).of(submission).run
    if not run:
        return f"Cell {quoted(name)} has no score: {submission} was not graded."
    return next(
        (one.message for one in run.problems if one.cell == name),
        f"Cell {quoted(name)} has no score.",
    )
