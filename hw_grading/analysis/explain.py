"""Runs the tests of a graded submission again, and keeps how each part ended.

The seed in the graded notebook gives the tests the same inputs as in grading. Student code runs in
the sandbox. Nothing is written.
"""

import copy
import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry

from hw_grading.batch.settings import WholeClass
from hw_grading.gradebook.corrections import Correction
from hw_grading.gradebook.final_scores import final_score
from hw_grading.gradebook.graded_notebook import FINISHED, error_of, errors_in, open_notebook
from hw_grading.gradebook.questions import Place
from hw_grading.gradebook.results import Roster, read_roster
from hw_grading.gradebook.scores import Record, Score
from hw_grading.homework.cells import is_test
from hw_grading.homework.course import Course
from hw_grading.homework.homework import homework_of
from hw_grading.homework.instructor_cells import instructor_cells
from hw_grading.outcome import GraderFault
from hw_grading.run.ready import expect_ready
from hw_grading.run.settings import ExecuteSubmission
from hw_grading.run.submission import Submission
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import METADATA_KEY, Problem, Severity, read_problems


@dataclass(frozen=True)
class Explained:
    """The details of one test."""

    name: str
    place: Place
    score: Score  # in the gradebook
    cell: NotebookNode  # with its outputs from this run
    parts: list[dict[str, Any]] | None  # as in a `Verdict`; None if the test was not run
    is_newer: bool  # whether the instructor has changed the test since
    corrections: Sequence[Correction]


@dataclass(frozen=True)
class Explanation:
    """The details of one submission."""

    student: str
    assignment: str
    seed: int
    notebook: NotebookNode  # as it was graded
    tests: Sequence[Explained]  # in the notebook's order
    problems: Sequence[Problem] = ()  # what went wrong in this run
    errors: Mapping[str, str] = field(default_factory=dict)  # of the student's cells, by name


def explain(folder: Path, assignment: str, student: str, test: str = "") -> Explanation:
    """Run the tests of a graded submission again.

    `test` is a grade id, a question such as ``"1.3b"``, or a heading; "" for all tests that
    lost points, which may be none. Raises `NoScores`, `Unreadable` or `RuntimeError`.
    """
    roster = read_roster(folder, assignment)
    record = _record(roster, student)
    chosen = _chosen(roster, record, test)
    course = roster.course
    notebook, seed = _graded_notebook(course, assignment, student)
    as_graded = copy.deepcopy(notebook)
    if not chosen:
        return Explanation(student, assignment, seed, as_graded, ())
    settings = ExecuteSubmission(config=course.config)
    homework = homework_of(course.root, assignment)
    secret = WholeClass(config=course.config).secret(course.root, course.directory.course_id)
    expect_ready(settings, homework, [course.root, secret])
    submission = Submission(notebook, seed, settings, homework, explained=list(chosen))
    try:
        submission.run()
    except GraderFault:
        raise
    except Exception as error:  # errors of the submission itself are in its outputs, as in grading
        raise GraderFault(f"The submission cannot be run here: {error}") from error
    cells = {grade_id_of(cell) or "": cell for cell in notebook.cells if is_test(cell)}
    newer = _newer(course, assignment, cells)
    final, _ = final_score(course, assignment, student, roster.cells, record)
    tests = []
    for name, score in chosen.items():
        if name in cells:
            place, parts = roster.places[name], submission.parts.get(name)
            of_it = [one for one in final.corrections if one.cell == name]
            about = (cells[name], parts, name in newer, of_it)
            tests.append(Explained(name, place, score, *about))
    failed = [p for p in read_problems(notebook) if p.severity is Severity.FAILED]
    errors = {name: error_of(e) for name, cell in _own(notebook) for e in errors_in(cell)}
    return Explanation(student, assignment, seed, as_graded, tests, failed, errors)


def _record(roster: Roster, student: str) -> Record:
    for record in roster.records:
        if record.student == student:
            if record.scores:
                return record
            raise RuntimeError(
                f"{student} is not graded yet: run `nbgrader autograde {roster.assignment}`"
            )
    known = [r.student for r in roster.records]
    alike = [name for name in known if student.casefold() in name.casefold()]
    alike = alike or difflib.get_close_matches(student, known, 1)
    hint = f": did you mean {' or '.join(alike[:3])}?" if alike else ""
    raise RuntimeError(f"{student!r} has submitted nothing for {roster.assignment}{hint}")


def _chosen(roster: Roster, record: Record, test: str) -> dict[str, Score]:
    tests = {s.cell.name: s for s in record.scores if not s.cell.by_hand}
    if not test:
        return {n: s for n, s in tests.items() if (s.auto or 0.0) < s.cell.max_points}
    if test in tests:
        return {test: tests[test]}
    wanted = _plainly(test)
    found = {n: s for n, s in tests.items() if wanted in _labels(n, roster.places[n])}
    if not found:
        names = ", ".join(f"{n} ({roster.places[n]})" for n in tests)
        raise RuntimeError(
            f"{roster.assignment} has no test {test!r}. Type the name or the question of one of "
            f"these: {names}. People grade the other questions"
        )
    return found


def _labels(name: str, place: Place) -> set[str]:
    labels = {name, name.removeprefix("test_"), place.question, place.title, str(place)}
    return {_plainly(label) for label in labels}


def _plainly(label: str) -> str:
    words = " ".join(label.replace("`", "").split()).casefold()
    return re.sub(r"^q(?=\d)", "", words)  # "1.3b" means the same as Q1.3b


def _graded_notebook(course: Course, assignment: str, student: str) -> tuple[NotebookNode, int]:
    """Return a notebook as it was graded, without outputs, and its seed."""
    path = course.autograded(student, assignment) / f"{assignment}.ipynb"
    again = f"grade it again: nbgrader autograde {assignment} --force --student={student}"
    try:
        notebook = nbformat.reads(json.dumps(open_notebook(path)), as_version=4)
    except OSError as error:
        raise Unreadable(
            f"There is no graded notebook {path} ({error.strerror}): {again}"
        ) from None
    except Unreadable as why:
        raise Unreadable(f"{path}: {why}. Then {again}") from None
    section = notebook.metadata.get(METADATA_KEY, {})
    seed = str(section.get("seed", ""))
    if not (seed.isascii() and seed.isdigit()) or section.get(FINISHED) is not True:
        raise Unreadable(
            f"{path} was not graded completely, or an old version of the grader wrote it: {again}"
        )
    section["problems"] = []  # this run finds them again
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook, int(seed)


def _newer(course: Course, assignment: str, cells: dict[str, NotebookNode]) -> set[str]:
    """Return the tests whose text in the gradebook differs from the graded notebook."""
    source = course.source(assignment) / f"{assignment}.ipynb"
    with Gradebook(course.db_url) as gradebook:
        try:
            own = instructor_cells(gradebook, assignment, assignment, source)
        except MissingEntry:
            return set()
    sources = {cell.grade_id: cell.source for cell in own}
    return {n for n, cell in cells.items() if sources.get(n, cell.source) != cell.source}


def defining(notebook: NotebookNode, functions: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return name and source of the student's cell that defines each function, by function."""
    found: dict[str, tuple[str, str]] = {}
    for cell_name, cell in _own(notebook):
        for name in functions:
            if f"def {name}(" in cell.source:  # the last definition counts
                found[name] = cell_name, cell.source
    return found


def _own(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Yield the code cells that are no tests, with their names."""
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code" and not is_test(cell):
            yield grade_id_of(cell) or f"cell {number}", cell
