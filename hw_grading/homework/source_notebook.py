"""The instructor's notebook: its solutions, and checks of it before its release.

nbgrader removes what is between two lines, such as ``### BEGIN SOLUTION`` and ``### END SOLUTION``.
If one of them is mistyped, students could read what is between them.
"""

import ast
import copy
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbgrader.utils import is_solution

from hw_grading.homework.cells import as_released, is_test, uses_checks
from hw_grading.homework.checks_cells import Above, unused_generators, wrong_in
from hw_grading.homework.course import Course
from hw_grading.homework.homework import STAFF, Manifest
from hw_grading.homework.points import not_understood, worth_of
from hw_support.submission.cells import grade_id_of, marks_of
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

_KINDS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
_MEANT = re.compile(
    r"\s*(?:#+|<!--)\s*(?:begin|end)[\s_-]*(?:solution|hidden[\s_-]*test|mark\w*[\s_-]*scheme)",
    re.IGNORECASE,
)
_FOR_STAFF = re.compile(r"^\s*(?:from|import)\s+staff\b", re.MULTILINE)


def solved(released: NotebookNode, source: NotebookNode) -> NotebookNode:
    """Return a copy of the released notebook with the solutions from the source.

    ValueError if the source lacks one of its answers.
    """
    notebook = copy.deepcopy(released)
    solutions = {grade_id_of(cell): cell.source for cell in source.cells}
    for cell in filter(is_solution, notebook.cells):
        if (name := grade_id_of(cell)) not in solutions:
            raise ValueError(f"the source has no cell {quoted(name)}, which the release has")
        lines = solutions[name].split("\n")
        kept = [s for s in lines if "BEGIN SOLUTION" not in s and "END SOLUTION" not in s]
        cell.source = "\n".join(kept)
    return notebook


def mistakes(notebook: NotebookNode, *, with_checks_alone: bool = False) -> Iterator[str]:
    """Yield a sentence for each mistake: students would see too much, or a test cannot be right.

    With `with_checks_alone` only cells with `Checks` and points that a text states count: all else
    is as nbgrader has it.
    """
    about = [notebook.metadata.get(name, {}) for name in ("kernelspec", "language_info")]
    language = about[0].get("language") or about[1].get("name") or "python"
    if not with_checks_alone and not language.lower().startswith("python"):
        yield f"its kernel runs {quoted(language)}. Only Python kernels can be graded."
    above, worth = Above(), worth_of(notebook.cells)
    for number, cell in enumerate(notebook.cells, 1):
        name = marks_of(cell).get("grade_id") or f"{number} from the top"
        has_checks = is_test(cell) and uses_checks(cell)
        said = next(_in_cell(cell), "") if has_checks or not with_checks_alone else ""
        if said:
            yield f"cell {name}: {said}"
        elif has_checks:
            for line, sentence in wrong_in(cell.source, above):
                yield f"cell {name}, line {line}: {sentence}"
        elif cell.cell_type == "markdown":
            for line, word in not_understood(cell.source, worth):
                yield (
                    f"cell {name}, line {line}: {quoted(word)} in {{{{ points }}}} is not a grade "
                    "id of a cell with points, and no pattern of some, such as test_*."
                )
        above.add(cell, name)


def check_cells(notebook: NotebookNode, file: Path, *, with_checks_alone: bool = False) -> None:
    """Raise `UserError`, with these sentences, if the notebook of a file has `mistakes`."""
    found = mistakes(notebook, with_checks_alone=with_checks_alone)
    refuse(f"{file}: {sentence}" for sentence in found)


def check_generators(course: Course, assignment: str) -> None:
    """Raise `UserError` if a function of a homework's ``fresh.py`` draws for no test cell."""
    read = [nbformat.read(path, as_version=4) for path in course.sources(assignment)]
    refuse(unused_generators(course.root / STAFF / assignment / "fresh.py", read))


def refuse(sentences: Iterable[str]) -> None:
    """Raise `UserError` with these sentences, if there are any."""
    if wrong := list(sentences):
        raise UserError("\n".join([*wrong, "Nothing was released."]))


def unknown_cells(manifest: Manifest, cells: Iterable[NotebookNode]) -> Iterator[str]:
    """Yield a sentence for each cell that a manifest names and a homework does not have."""
    named = {*manifest.limits, *manifest.shown_beside, *manifest.plots}
    if "certification" in manifest.model_fields_set:
        named |= {manifest.certification} - {""}
    for beside in manifest.shown_beside.values():
        named |= {*beside.answers, *beside.printed}
    for grade_id in sorted(named - {marks_of(cell).get("grade_id") for cell in cells}):
        yield f"it names the cell {quoted(grade_id)}, but no cell of the notebook has this id."


def _in_cell(cell: NotebookNode) -> Iterator[str]:
    open_kind = ""
    for line in cell.source.splitlines():
        marks = [(w, kind) for w in ("BEGIN", "END") for kind in _KINDS if f"{w} {kind}" in line]
        if not marks and _MEANT.match(line):
            names = ", ".join(f"BEGIN {kind} and END {kind}" for kind in _KINDS)
            yield f"the line {quoted(line.strip())} removes nothing. Allowed are {names}."
        for word, kind in marks:
            if open_kind != (kind if word == "END" else ""):
                yield f"{word} {kind} is not allowed here: each BEGIN needs its own END below it."
            open_kind = kind if word == "BEGIN" else ""
    if open_kind:
        yield f"BEGIN {open_kind} has no END {open_kind} below it."
    is_answer, is_solved = marks_of(cell).get("solution"), "BEGIN SOLUTION" in cell.source
    if cell.get("attachments") and (is_answer or is_solved or "BEGIN MARK SCHEME" in cell.source):
        yield (
            f"students would get its attached picture {quoted(min(cell.attachments))} although "
            "text is removed. Move the picture into a cell of its own, or into the text as data."
        )
    if is_solved and not is_answer:
        yield "it has a solution, but its type is not that of an answer (panel Create Assignment)."
    if is_test(cell):
        yield from _in_test(cell)
    elif "BEGIN HIDDEN TESTS" in cell.source:
        yield "it has hidden tests, but its type is not Autograder tests (panel Create Assignment)."


def _in_test(cell: NotebookNode) -> Iterator[str]:
    released = as_released(cell.source, "code")
    if found := _FOR_STAFF.search(released):
        yield (
            f"students would read {quoted(found[0].strip())}. Put it between BEGIN HIDDEN TESTS "
            "and END HIDDEN TESTS."
        )
    for text, whose in ((cell.source, ""), (released, ", without its hidden tests")):
        try:
            # A cell without `Checks` runs in the kernel, where magics are allowed.
            ast.parse(text if uses_checks(cell) else TransformerManager().transform_cell(text))
        except (SyntaxError, ValueError) as error:
            where = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
            yield f"it is not valid Python{whose} ({error.args[0]}{where})."
