"""Compares the scores of stock nbgrader with those of this grader, cell by cell.

Both grade the same submissions in a scratch copy of the course: the instructor's own solutions, and
the untouched release. Stock nbgrader runs them with your rights, as it always does.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from hw_grading.commands.sample import solved
from hw_grading.gradebook.scores import counted, in_digits
from hw_grading.gradebook.writing import aligned
from hw_grading.homework.course import CONFIG, Course, fixed_folder, scratch_course

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
if c.Autograde.exporter_class != "hw_grading.plugins.autograde.SubmissionExporter":
    from hw_grading import configure
    configure(c)
c.WholeClass.secret_file = {secret!r}
"""
_MAX_LOG = 2_000  # characters from the end of a log

Cell = tuple[str, str, str]  # submission, notebook, grade id
Scores = dict[Cell, float | None]  # None: a person has to grade it


@dataclass(frozen=True)
class Comparison:
    """What stock nbgrader and this grader gave to the same submissions."""

    stock: Scores
    ours: Scores
    times: tuple[str, ...] = ()  # a line on each grader
    failures: tuple[str, ...] = ()  # the logs of graders that did not grade every submission

    @property
    def different(self) -> list[Cell]:
        """The cells whose scores differ, or that only one of the two has graded."""
        cells = dict.fromkeys([*self.stock, *self.ours])
        return [cell for cell in cells if self.stock.get(cell, -1) != self.ours.get(cell, -1)]

    def lines(self) -> Iterator[str]:
        """Yield the lines that the command prints."""
        cells, different = counted(len({*self.stock, *self.ours}), "cell"), self.different
        yield f"Stock nbgrader and hw-grading differ in {len(different)} of {cells}."
        if different:
            rows = [["submission", "notebook", "cell", "stock nbgrader", "hw-grading"]]
            rows += [[*c, *(_shown(of, c) for of in (self.stock, self.ours))] for c in different]
            yield from aligned(rows)
        yield from (*self.times, *self.failures)


def compare(course: Course, name: str) -> Comparison:
    """Grade the instructor's solutions and the untouched release of a homework by both graders.

    Nothing is written into the course, whose settings in JSON do not count. `UserError` if it has
    no such homework; `RuntimeError` if nbgrader cannot release it.
    """
    course.expect_homework(name)
    with tempfile.TemporaryDirectory(prefix="hw-compare-") as folder:
        scratch = scratch_course(Path(folder, "course"), course.folder)
        _copy_shared_files(course, scratch)
        scratch.must("generate_assignment", name, log=Path(folder, "log"))
        for student in ("solutions", "release"):
            shutil.copytree(scratch.release(name), scratch.submitted(student, name))
        for path in scratch.notebooks_in(scratch.submitted("solutions", name), name):
            source = nbformat.read(scratch.source(name) / path.name, as_version=4)
            nbformat.write(solved(nbformat.read(path, as_version=4), source), path)
        return grade_both(scratch, name)


def grade_both(scratch: Course, name: str) -> Comparison:
    """Grade what was submitted in a scratch course whose homework was released by nbgrader."""
    stock_book = scratch.root / "gradebook_of_stock.db"
    shutil.copy(scratch.root / "gradebook.db", stock_book)
    stock_url, secret = f"sqlite:///{stock_book}", str(scratch.root.parent / "secret")
    graders = {
        "Stock nbgrader": (stock_url, _STOCK.format(root=str(scratch.root), db_url=stock_url)),
        "hw-grading": (scratch.db_url, _OURS.format(secret=secret)),
    }
    file, scores, times, failures = scratch.folder / f"{CONFIG}.py", [], [], []
    before = file.read_text(encoding="utf-8")
    for grader, (url, settings) in graders.items():
        file.write_text(before + settings, encoding="utf-8")
        log, began = scratch.root.parent / f"log of {grader}", time.monotonic()
        if scratch.nbgrader("autograde", name, log=log):
            end = log.read_text(encoding="utf-8", errors="replace")[-_MAX_LOG:]
            failures.append(f"{grader} did not grade every submission. The end of its log:\n{end}")
        times.append(f"{grader} took {time.monotonic() - began:.1f} s.")
        scores.append(_scores(url, name))
    file.write_text(before, encoding="utf-8")
    return Comparison(scores[0], scores[1], tuple(times), tuple(failures))


def _copy_shared_files(course: Course, scratch: Course) -> None:
    """Copy what several homeworks share: headers, templates of tests, and modules."""
    places = [
        (one.root, fixed_folder(one.directory, one.directory.source_directory))
        for one in (course, scratch)
    ]
    for old, new in zip(*places, strict=True):
        for path in old.iterdir():
            is_own = path.suffix == ".db" or path.stem == CONFIG or (new / path.name).exists()
            if path.is_file() and not is_own:
                shutil.copy(path, new)


def _scores(db_url: str, name: str) -> Scores:
    with Gradebook(db_url) as gradebook:
        return {
            (submission.student_id, notebook.name, grade.name): grade.auto_score
            for submission in gradebook.assignment_submissions(name)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def _shown(scores: Scores, cell: Cell) -> str:
    score = scores.get(cell)
    given = "by a person" if score is None else in_digits(score)
    return given if cell in scores else "not graded"
