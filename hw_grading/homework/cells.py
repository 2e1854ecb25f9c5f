"""The kinds of a submission's cells (tests, the instructor's, the student's), and their names."""

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution

from hw_support.source import bound_by
from hw_support.submission.cells import InstructorCell, grade_id_of
from hw_support.submission.problems import quoted


def is_test(cell: NotebookNode) -> bool:
    """Return whether a cell is a test cell, whose outputs are a score."""
    return bool(cell.cell_type == "code" and is_grade(cell) and not is_solution(cell))


def uses_checks(cell: NotebookNode | InstructorCell) -> bool:
    """Whether a test cell is written with `hw_support.Checks`."""
    return "Checks(" in cell.source


def is_trusted(cell: NotebookNode) -> bool:
    """Return whether a cell is an unchanged code cell of the instructor, and not a test."""
    locked = cell.cell_type == "code" and is_locked(cell)
    return bool(locked and not is_grade(cell) and not is_solution(cell))


def instructors_first_cells(nb: NotebookNode) -> dict[str, str]:
    """Return the instructor's code cells before the first answer or test, by grade id.

    They bind the same names in every submission, so the examiner runs them only once.
    """
    first = {}
    for cell in nb.cells:
        if cell.cell_type == "code" and (is_solution(cell) or is_grade(cell)):
            break
        if is_trusted(cell):
            first[grade_id_of(cell) or ""] = cell.source
    return first


def instructors_names(nb: NotebookNode) -> set[str]:
    """Return the names that the instructor's cells bind, other than test cells."""
    return {name for cell in nb.cells if is_trusted(cell) for name in bound_by(cell.source)}


def name_of(cell: NotebookNode) -> str:
    """Return a name for a cell, for the middle of a sentence."""
    grade_id = grade_id_of(cell)
    if grade_id:
        return f"cell {quoted(grade_id)}"
    return f"the cell that begins with {quoted(cell.source.strip().partition(chr(10))[0], 40)}"


def at_start(cell: NotebookNode) -> str:
    """Return a name for a cell, for the start of a sentence."""
    name = name_of(cell)
    return name[0].upper() + name[1:]
