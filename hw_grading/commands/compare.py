"""Compares the scores of stock nbgrader with those of this grader, cell by cell.

Both grade the same submissions in a scratch copy of the course: the instructor's own solutions, and
the untouched release. Stock nbgrader runs them with your rights, as it always does.
"""

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook

from hw_grading.gradebook.scores import counted, in_digits
from hw_grading.gradebook.writing import aligned
from hw_grading.homework.course import CONFIG, Course, fixed_folder, scratch_course
from hw_support.submission.file import UserError

SOLUTIONS, RELEASE = "solutions", "release"  # the two submissions, by their student ids
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
# The solutions as a submission: with header and footer, and not yet run.
_SOLUTIONS = """
c.GenerateSolution.preprocessors = ["nbgrader.preprocessors.IncludeHeaderFooter"]
"""
_MAX_LOG = 2_000  # characters from the end of a log

Cell = tuple[str, str, str]  # student, notebook, grade id


@dataclass(frozen=True)
class Graded:
    """What one of the two graders gave to the submissions of a course."""

    scores: dict[Cell, float | None]  # None: a person has to grade it
    seconds: float
    log: str  # the end of its log if it could not grade every submission, else ""


@dataclass(frozen=True)
class Comparison:
    """What both graders gave to the same submissions."""

    stock: Graded
    ours: Graded

    @property
    def different(self) -> list[Cell]:
        """The cells whose scores differ, or that only one of the two has graded."""
        cells = dict.fromkeys([*self.stock.scores, *self.ours.scores])
        one, other = self.stock.scores, self.ours.scores
        return [cell for cell in cells if one.get(cell, -1) != other.get(cell, -1)]

    def lines(self) -> Iterator[str]:
        """Yield the lines that the command prints."""
        cells = counted(len({*self.stock.scores, *self.ours.scores}), "cell")
        if not self.stock.scores and not self.ours.scores:
            yield "Neither stock nbgrader nor hw-grading has graded anything."
        elif different := self.different:
            yield f"Scores differ in {len(different)} of {cells}:"
            rows = [["submission", "notebook", "cell", "stock nbgrader", "hw-grading"]]
            for cell in different:
                both = (_shown(graded.scores, cell) for graded in (self.stock, self.ours))
                rows.append([*cell, *both])
            yield from aligned(rows)
        else:
            yield f"Stock nbgrader and hw-grading give the same scores in all of {cells}."
        for name, graded in (("Stock nbgrader", self.stock), ("hw-grading", self.ours)):
            yield f"{name} took {graded.seconds:.1f} s."
            if graded.log:
                yield f"{name} did not grade every submission. The end of its log:\n{graded.log}"


def compare(course: Course, name: str) -> Comparison:
    """Grade the instructor's solutions and the untouched release of a homework by both graders.

    Nothing is written into the course. `UserError` if it has no such homework; `RuntimeError` if
    nbgrader cannot release it.
    """
    course.expect_homework(name)
    if (course.folder / f"{CONFIG}.json").exists():
        raise UserError(
            f"compare works in a copy of the course, and {CONFIG}.json may lead nbgrader back to "
            f"the course. Move its settings into {CONFIG}.py"
        )
    with tempfile.TemporaryDirectory(prefix="hw-compare-") as folder:
        scratch = scratch_course(Path(folder, "course"), course.folder)
        _copy_shared_files(course, scratch)
        log = Path(folder, "log")
        with (scratch.folder / f"{CONFIG}.py").open("a", encoding="utf-8") as file:
            file.write(_SOLUTIONS)
        for command in ("generate_assignment", "generate_solution"):
            scratch.must(command, name, log=log)
        solution = scratch.directory.format_path(scratch.directory.solution_directory, ".", name)
        for student, made in ((SOLUTIONS, solution), (RELEASE, scratch.release(name))):
            shutil.copytree(made, scratch.submitted(student, name))
        return grade_both(scratch, name)


def grade_both(scratch: Course, name: str) -> Comparison:
    """Grade what was submitted in a scratch course whose homework was generated by both graders."""
    database = scratch.root / "gradebook_of_stock.db"
    shutil.copy(scratch.root / "gradebook.db", database)
    db_url, secret = f"sqlite:///{database}", str(scratch.root.parent / "secret")
    stock = _graded(scratch, name, _STOCK.format(root=str(scratch.root), db_url=db_url), db_url)
    return Comparison(stock, _graded(scratch, name, _OURS.format(secret=secret), scratch.db_url))


def _copy_shared_files(course: Course, scratch: Course) -> None:
    """Copy what several homeworks share: headers, templates of tests, and modules."""
    places = [
        [here.root, fixed_folder(here.directory, here.directory.source_directory)]
        for here in (course, scratch)
    ]
    for old, new in zip(*places, strict=True):
        for path in old.iterdir():
            if path.is_file() and path.suffix != ".db" and not (new / path.name).exists():
                shutil.copy(path, new)


def _graded(scratch: Course, name: str, settings: str, db_url: str) -> Graded:
    """Grade a course with these settings, which it has only meanwhile."""
    file, log = scratch.folder / f"{CONFIG}.py", scratch.root.parent / "log_of_grading"
    before = file.read_text(encoding="utf-8")
    file.write_text(before + settings, encoding="utf-8")
    log.unlink(missing_ok=True)
    began = time.monotonic()
    status = scratch.nbgrader("autograde", name, log=log)
    seconds = time.monotonic() - began
    file.write_text(before, encoding="utf-8")
    said = log.read_text(encoding="utf-8", errors="replace")[-_MAX_LOG:] if status else ""
    return Graded(dict(_scores(db_url, name)), seconds, said)


def _scores(db_url: str, name: str) -> Iterable[tuple[Cell, float | None]]:
    with Gradebook(db_url) as gradebook:
        for submission in gradebook.assignment_submissions(name):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    yield (submission.student_id, notebook.name, grade.name), grade.auto_score


def _shown(scores: dict[Cell, float | None], cell: Cell) -> str:
    if cell not in scores:
        return "not graded"
    score = scores[cell]
    return "by a person" if score is None else in_digits(score)
