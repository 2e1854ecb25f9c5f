"""Tries a homework beside its class: the solutions and the untouched release are graded too.

They are two more submissions in the same run, and their results are kept like all others. They are
in no gradebook and no folder. A test cell that the solutions pass is *sound*: it has no fault, so
nothing that a student wrote can make it one (`hw_grading.run.faults`).
"""

import functools
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from hw_grading.grade.class_run import ClassRun, Log, running
from hw_grading.grade.job import Job
from hw_grading.grade.read import Reader
from hw_grading.grade.settings import WholeClass
from hw_grading.homework.cells import test_cells
from hw_grading.homework.course import Course
from hw_grading.homework.notebook import is_test
from hw_grading.homework.source_notebook import solved
from hw_grading.outcome import CellScore, Outcome, Status
from hw_grading.run.faults import settled
from hw_grading.texts import in_digits
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

# In the place of students' ids, which have no brackets.
SOLUTIONS, UNTOUCHED = "(solutions)", "(release)"
# What a part says that got an object of a class, and what an instructor should do then.
_OBJECT = "got an object of type"
_OBJECTS_STAY = (
    "Objects stay in the notebook, and a test gets numbers, texts, and lists of them. Call the "
    "methods in a function of this cell, and have it run there: Checks(..., function=its_name)"
)
_HIDDEN = "HIDDEN TESTS", "UNHIDDEN TESTS"  # what marks hidden lines, and what does not


@dataclass(frozen=True)
class TriedCell:
    """A test cell, and what the solutions and the untouched release earn there."""

    notebook: str
    name: str  # the grade id
    points: float
    solutions: float | None  # None: no score, because of a fault
    untouched: float | None
    why: str  # why the solutions do not pass; "" if they do

    @property
    def is_sound(self) -> bool:
        """Whether the solutions pass it, so that it has no fault."""
        return self.solutions is not None and not self.why

    @property
    def findings(self) -> Iterator[str]:
        """Sentences on what an instructor should repair."""
        of = f"of {in_digits(self.points)} points"
        where = f"{self.notebook}.ipynb, cell {quoted(self.name)}"
        if not self.is_sound:
            earned = "no score" if self.solutions is None else f"{in_digits(self.solutions)} {of}"
            yield f"{where}: the solutions get {earned}. {self.why}"
        if self.untouched:
            yield f"{where}: the untouched release gets {in_digits(self.untouched)} {of}."


def write_both(course: Course, assignment: str, solutions: Path, untouched: Path) -> None:
    """Write two submissions into folders: the release with the solutions in it, and as it is.

    `UserError` if there is no source or no release, or if they do not belong together.
    """
    for name in course.notebooks(assignment):
        path = course.source(assignment) / f"{name}.ipynb"
        released = _read(course.release(assignment) / path.name)
        try:
            answered = solved(released, _read(path))
        except ValueError as error:
            raise UserError(f"{path}: {error}") from error
        for folder, notebook in ((solutions, answered), (untouched, released)):
            folder.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, folder / path.name)


def _read(path: Path) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise UserError(f"there is no {path}") from None
    except Exception as error:  # nbformat may raise any error
        raise UserError(f"{path} cannot be read as a notebook: {error}") from error
    return notebook


class Trial:
    """The trial of a homework: two more submissions of a run."""

    def __init__(self, course: Course, assignment: str, reader: Reader, run: ClassRun) -> None:
        self._course, self.assignment, self._reader, self.run = course, assignment, reader, run
        # The futures of the solutions and of the untouched release, by notebook.
        self._begun: list[tuple[Job, list[Future[Outcome]]]] | None = None
        self._failed: UserError | None = None

    @functools.cached_property
    def jobs(self) -> list[tuple[Job, Job]]:
        """The jobs of the solutions and of the untouched release, by notebook.

        There are none without a test. `UserError` if they cannot be read.
        """
        with tempfile.TemporaryDirectory(prefix="hw-trial-") as place:
            folders = {one: Path(place, one) for one in (SOLUTIONS, UNTOUCHED)}
            write_both(self._course, self.assignment, *folders.values())
            names = sorted(path.name for path in folders[SOLUTIONS].iterdir())
            try:
                read = {
                    who: [_open(self._reader.read(who, folder / name)) for name in names]
                    for who, folder in folders.items()
                }
            except ValueError as error:  # the gradebook has no such notebook
                raise UserError(str(error)) from error
        both = [*zip(*read.values(), strict=True)]
        has_tests = any(is_test(cell) for job, _ in both for cell in job.nb().cells)
        return both if has_tests else []

    @property
    def is_kept(self) -> bool:
        """Whether all its results are there already."""
        try:
            return all(self.run.has_kept(job) for pair in self.jobs for job in pair)
        except UserError:
            return False

    def begin(self) -> None:
        """Begin its runs, if they have not begun. `cells` raises the error if that fails."""
        if self._begun is None:
            self._begun = []
            try:
                self._begun += [(pair[0], [*map(self.run.begin, pair)]) for pair in self.jobs]
            except UserError as error:
                self._failed = error

    @property
    def has_ended(self) -> bool:
        """Whether `cells` need not wait."""
        return self._begun is not None and all(f.done() for _, both in self._begun for f in both)

    @functools.cached_property
    def cells(self) -> list[TriedCell]:
        """All test cells, in their order. `UserError` if they cannot be tried."""
        self.begin()
        if self._failed:
            raise self._failed
        found: list[TriedCell] = []
        for job, futures in self._begun or ():
            outcomes = [settled(future.result(), ()) for future in futures]
            for outcome in outcomes:
                if outcome.status is Status.NOT_GRADED:
                    raise UserError(outcome.why)
            found += _tried(job, *outcomes)
        return found


class BesideClass:
    """A trial beside its class: scores wait for it only where a test has a fault.

    The trial begins when `workers` have begun a submission each, and the command ends with it.
    Without workers, for a class of one, it is left out unless its results are kept.
    """

    def __init__(self, trial: Trial, workers: int, log: Log) -> None:
        self._trial, self._left, self._log = trial, workers, log
        self._has_workers = workers > 0
        if not workers and trial.is_kept:
            trial.begin()

    def one_more(self) -> None:
        """Note that a submission has begun."""
        self._left -= 1
        if not self._left:
            self._trial.begin()

    def settled(self, job: Job, outcome: Outcome) -> Outcome:
        """Return an outcome of the class in which it is decided which tests have a score."""
        if not outcome.faults:
            return outcome
        made = settled(outcome, self._sound.get(job.name, ()))
        self._trial.run.keep(job, made)
        return made

    def tell(self, *, is_last: bool = False) -> None:
        """Tell the instructor which tests the solutions do not pass, if that is known."""
        if self._trial.has_ended or (is_last and self._has_workers):
            self._sound  # noqa: B018
        elif is_last:
            name = self._trial.assignment
            self._log.info(
                f"{name}: the tests were not tried with the solutions, for one submission alone. "
                f"`hw-grading release {name}` tries them, and keeps the results"
            )

    @functools.cached_property
    def _sound(self) -> dict[str, list[str]]:
        """The tests that the solutions pass, by notebook. All others were named."""
        name, sound = self._trial.assignment, dict[str, list[str]]()
        try:
            cells = self._trial.cells
        except UserError as why:
            self._log.warning("%s: tests were not tried with the solutions: %s", name, why)
            return {}
        for cell in cells:
            for finding in cell.findings:
                self._log.warning("%s: %s", name, finding)
            if cell.is_sound:
                sound.setdefault(cell.notebook, []).append(cell.name)
        return sound


def try_alone(course: Course, assignment: str) -> list[TriedCell]:
    """Try a homework outside of `nbgrader autograde`; or `UserError`.

    Two submissions do not justify processes of their own.
    """
    whole_class = WholeClass(config=course.config)
    whole_class.executor = "serial"
    tests, notebooks = test_cells(course.db_url, assignment), 2 * len(course.notebooks(assignment))
    with running(course, assignment, tests, notebooks, whole_class=whole_class) as run:
        reader = Reader(course, assignment, course.db_url, run.conditions)
        return Trial(course, assignment, reader, run).cells


def _open(job: Job) -> Job:
    """Return a job whose hidden lines stay in the notebook, as tracebacks need them."""
    return replace(job, notebook=job.notebook.replace(*_HIDDEN))


def _tried(job: Job, solutions: Outcome, untouched: Outcome) -> Iterator[TriedCell]:
    cells = {grade_id_of(cell): cell for cell in job.nb().cells}
    for score, other in zip(solutions.scores, untouched.scores, strict=True):
        why = " ".join(_why(score, cells[score.cell], solutions))
        yield TriedCell(job.name, score.cell, score.points, score.earned, other.earned, why)


def _why(score: CellScore, cell: NotebookNode, outcome: Outcome) -> Iterator[str]:
    """Yield sentences on why the solutions do not pass a test."""
    if score.earned is None:
        for problem in outcome.problems:
            if problem.cell == score.cell:
                yield f"It has {problem.message.partition('because of ')[2]}"
        return
    failed = [part for part in outcome.parts if part.cell == score.cell and not part.passed]
    for part in failed:
        said = part.message
        if _OBJECT in said:
            said += f". {_OBJECTS_STAY}"
        if not part.is_whole:
            where = [f"line {n}" for n in _lines_with(part.name, cell)[-1:]]
            said = ": ".join(filter(None, (", ".join([*where, quoted(part.name)]), said)))
        yield f"{said[:1].upper()}{said[1:]}."
    if score.earned < score.points and not failed:
        yield "No part failed: its last line gives less than its points."


def _lines_with(text: str, cell: NotebookNode) -> list[int]:
    lines = cell.source.split("\n")
    return [n for n, line in enumerate(lines, 1) if f'"{text}"' in line or f"'{text}'" in line]
