"""Failures of tests, cells and the submission, a line for each, with a link to the cell.

They are read from the notebook without its hidden content, so that they reveal none of it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nbformat import NotebookNode

from hw_grading.gradebook.graded_notebook import Fault, error_of, errors_in, faults_of
from hw_grading.gradebook.scores import signed
from hw_grading.rendering.feedback.facts import Facts
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import Kind, Problem, Severity

_PART = re.compile(r"(.*) \[([0-9.]+) pt\]")

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


def lines_of(cells: Sequence[NotebookNode]) -> dict[str, list[Line]]:
    """Return what failed in a notebook's cells, by the grade id that each failure belongs to."""
    lines: dict[str, list[Line]] = {}
    for number, (cell, name) in enumerate(zip(cells, _owners(cells), strict=True)):
        if cell.cell_type == "code":
            lines.setdefault(name, []).extend(_what_failed(cell, number))
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


def _what_failed(cell: NotebookNode, number: int) -> Iterable[Line]:
    """Yield lines on what failed in one cell. Parts that failed alike become one line."""
    if name := grade_id_of(cell):
        faults = faults_of(name, cell)
    else:
        faults = [Fault("", "", error_of(error)) for error in errors_in(cell)]
    alike: dict[str, list[str]] = {}
    for fault in faults:
        alike.setdefault(fault.message or fault.part, []).append(fault.part)
    for message, these in alike.items():
        parts = [match for part in these if (match := _PART.fullmatch(part))]
        lost = sum(float(part[2]) for part in parts if part[2].count(".") < 2)
        said = "the test did not finish" if message == "NotScored" else message
        if len(these) > 1:
            said = f"{said} ({len(these)} parts of the test)"
        elif parts:
            said = parts[0][1] if message == these[0] else f"{parts[0][1]}: {said}"
        yield Line(said, number, signed(-lost) if lost else "")


def _line(problem: Problem, facts: Facts, numbers: Mapping[str, int]) -> Line:
    name = problem.cell or ""
    place = str(facts.places[name]) if name in facts.places else ""
    return Line(problem.message, numbers.get(name), place=place)
