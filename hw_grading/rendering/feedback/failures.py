"""Failures of tests, cells and the submission, a line for each, with a link to the cell.

Parts of tests are rows of the student's last run. Of an error with which a whole test ended, only
the name is shown: its message may quote hidden tests.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nbformat import NotebookNode

from hw_grading.gradebook.graded_notebook import error_of, errors_in
from hw_grading.gradebook.runs import Failure
from hw_grading.gradebook.scores import signed
from hw_grading.homework.cells import is_test
from hw_grading.rendering.feedback.facts import Facts
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import Kind, Problem, Severity

# A failure in words for a student. The grader's own sentence follows it.
_FAILURES = {
    Kind.OTHER_HOMEWORK: "You submitted the notebook of another homework.",
    Kind.TIME_LIMIT: "Your notebook took too long.",
    Kind.MEMORY_LIMIT: "Your notebook needed too much memory.",
    Kind.DISK_LIMIT: "Your notebook wrote too many or too large files.",
    Kind.OUTPUT_LIMIT: "Your notebook printed too much.",
    Kind.PROTOCOL: "Your notebook stopped answering the tests.",
    Kind.KERNEL: "Your notebook's kernel failed.",
    Kind.GRADER: "Grading failed. Your notebook is not the cause. Tell your instructor.",
    Kind.SCORE: "A test could not be scored. Tell your instructor.",
}
# Problems that were mended and may explain a score. Notes on extra files and metadata are for
# staff and mean nothing to a student.
_FOR_STUDENTS = {Kind.UNKNOWN_CELL, Kind.DUPLICATE_CELL, Kind.RETYPED_CELL, Kind.EDITED_CELL}
_FOR_STUDENTS |= {Kind.DELETED_CELL, Kind.MOVED_CELL, Kind.ADDED_CELL, Kind.OUTPUT_LIMIT}


@dataclass(frozen=True)
class Line:
    """A sentence, the number of its cell (None: no cell), and its points."""

    text: str
    cell: int | None = None
    points: str = ""
    place: str = ""


def lines_of(
    cells: Sequence[NotebookNode], facts: Facts, numbers: Mapping[str, int]
) -> dict[str, list[Line]]:
    """Return what failed, by the grade id that each failure belongs to.

    `cells` are the notebook's, without hidden content. Cells without a grade id have no rows.
    """
    lines: dict[str, list[Line]] = {}
    run = facts.final.run if facts.final else None
    for failure in run.failures if run else ():
        cell = cells[numbers[failure.cell]] if failure.cell in numbers else None
        lines.setdefault(failure.cell, []).append(_of_failure(failure, cell, numbers))
    for number, (cell, name) in enumerate(zip(cells, _owners(cells), strict=True)):
        if cell.cell_type == "code" and grade_id_of(cell) is None:
            errors = (Line(error_of(error), number) for error in errors_in(cell))
            lines.setdefault(name, []).extend(errors)
    return lines


def failures_of(
    problems: Iterable[Problem], facts: Facts, numbers: Mapping[str, int]
) -> dict[str, list[Line]]:
    """Return why a submission failed, by the words for a student; `numbers` are of its cells."""
    failures: dict[str, list[Line]] = {}
    for problem in problems:
        if problem.severity is Severity.FAILED:
            said = failures.setdefault(_FAILURES.get(problem.kind, "Something failed."), [])
            said.append(_line(problem, facts, numbers))
    return failures


def mended_in(problems: Iterable[Problem], facts: Facts, numbers: Mapping[str, int]) -> list[Line]:
    """Return the mended problems that mean something to a student."""
    mended = (p for p in problems if p.severity is Severity.MENDED and p.kind in _FOR_STUDENTS)
    return [_line(problem, facts, numbers) for problem in mended]


def merged(lines: Iterable[Line]) -> Iterable[Line]:
    """Merge equal lines into the first one: one missing name makes many cells fail."""
    alike: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        alike.setdefault((line.text, line.points), []).append(line)
    for first, *others in alike.values():
        times = f" ({len(others) + 1} times)" if others else ""
        yield replace(first, text=first.text + times)


def _owners(cells: Sequence[NotebookNode]) -> list[str]:
    """Return the grade id that each cell belongs to.

    A cell without a grade id belongs to the answer above it. If there is a heading in between, it
    belongs to the next answer below.
    """
    owners, above, waiting = list[str](), "", 0
    for cell in cells:
        name = grade_id_of(cell)
        if name is not None:
            owners += [name] * (waiting + 1)
            above, waiting = name, 0
        elif waiting or (cell.cell_type == "markdown" and cell.source.lstrip().startswith("#")):
            waiting += 1
        else:
            owners.append(above)
    return owners + [above] * waiting


def _of_failure(failure: Failure, cell: NotebookNode | None, numbers: Mapping[str, int]) -> Line:
    said, what = failure.message, failure.what
    if len(failure.parts) > 1:
        said += f" ({what} of the test)"
    elif what:
        said = f"{what}: {said}"
    elif cell is None or is_test(cell):  # the error is in the outputs too, without its details
        errors = errors_in(cell) if cell else []
        name = error_of(errors[0]) if errors else "NotScored"
        said = "the test did not finish" if name == "NotScored" else name
    return Line(said, numbers.get(failure.cell), signed(-failure.lost) if failure.lost else "")


def _line(problem: Problem, facts: Facts, numbers: Mapping[str, int]) -> Line:
    name = problem.cell or ""
    place = str(facts.places[name]) if name in facts.places else ""
    return Line(problem.message, numbers.get(name), place=place)
