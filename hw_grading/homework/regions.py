"""Checks what a release removes: solutions, hidden tests and mark schemes.

nbgrader removes what is between two lines, such as ``### BEGIN SOLUTION`` and ``### END SOLUTION``.
If one of them is mistyped, students could read what is between them.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from hw_grading.homework.cells import is_test, uses_checks
from hw_grading.homework.instructor_cells import as_released
from hw_grading.homework.manifest import Manifest
from hw_support.submission.cells import marks_of
from hw_support.submission.problems import quoted

_KINDS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
_MEANT = re.compile(
    r"\s*(?:#+|<!--)\s*(?:begin|end)[\s_-]*(?:solution|hidden[\s_-]*test|mark\w*[\s_-]*scheme)",
    re.IGNORECASE,
)
_FOR_STAFF = re.compile(r"\w+\.grade_with\(.*|^\s*(?:from|import)\s+staff\b", re.MULTILINE)
_GRADE_WITH = re.compile(r"\w+\.grade_with\(\"staff\.\w+\"\)")


def mistakes(notebook: NotebookNode) -> Iterator[str]:
    """Yield a sentence for each cell that would show students what is hidden, or is broken."""
    ids = Counter(marks_of(cell).get("grade_id") for cell in notebook.cells)
    for grade_id, cells in ids.items():
        if grade_id and cells > 1:
            yield f"cell {grade_id}: {cells} cells have this id. Each needs its own."
    for number, cell in enumerate(notebook.cells, 1):
        grade_id = marks_of(cell).get("grade_id")
        for said in _in_cell(cell):
            yield f"cell {grade_id or f'{number} from the top'}: {said}"
            break


def check_regions(notebook: NotebookNode, file: Path) -> None:
    """Raise `RuntimeError`, with these sentences, if the notebook of a file has `mistakes`."""
    if wrong := [f"{file}: {sentence}" for sentence in mistakes(notebook)]:
        raise RuntimeError("\n".join([*wrong, "Nothing was released."]))


def unknown_cells(manifest: Manifest, notebook: NotebookNode) -> Iterator[str]:
    """Yield a sentence for each cell that a manifest names and the notebook does not have."""
    there = {marks_of(cell).get("grade_id") for cell in notebook.cells}
    named = {manifest.certification, *manifest.limits} - {""}
    for answer, beside in manifest.shown_beside.items():
        named |= {answer, *beside.answers, *beside.printed}
    for grade_id in sorted(named - there):
        yield f"it names the cell {quoted(grade_id)}, but no cell of the notebook has this id."


def _in_cell(cell: NotebookNode) -> Iterator[str]:
    open_kind = ""
    kept: list[str] = []  # lines that students get
    hidden: list[str] = []  # lines between BEGIN HIDDEN TESTS and END HIDDEN TESTS
    for line in cell.source.splitlines():
        marks = [(w, kind) for w in ("BEGIN", "END") for kind in _KINDS if f"{w} {kind}" in line]
        if not marks and _MEANT.match(line):
            names = ", ".join(f"BEGIN {kind} and END {kind}" for kind in _KINDS)
            yield f"the line {quoted(line.strip())} removes nothing. Allowed are {names}."
        for word, kind in marks:
            if open_kind != (kind if word == "END" else ""):
                yield f"{word} {kind} is not allowed here: each BEGIN needs its own END below it."
            open_kind = kind if word == "BEGIN" else ""
        if not (marks or open_kind):
            kept.append(line)
        elif not marks and open_kind == "HIDDEN TESTS":
            hidden.append(line)
    if open_kind:
        yield f"BEGIN {open_kind} has no END {open_kind} below it."
    if marks_of(cell).get("solution") and "BEGIN SOLUTION" not in cell.source:
        kept = []  # all of it is the solution
    for name in cell.get("attachments", ()):
        if not any(f"attachment:{name}" in unquote(line) for line in kept):
            yield (
                f"students would get the attached picture {quoted(name)}, which only removed lines "
                "show. Remove the attachment and write the picture "
                "into the text as data."
            )
    if is_test(cell) and uses_checks(cell):
        for line in filter(None, map(str.strip, hidden)):
            if not _GRADE_WITH.fullmatch(line):
                yield (
                    f"its hidden line {quoted(line)} is not allowed, because students see every "
                    "part: the only hidden line of a cell with `Checks` is "
                    'checks.grade_with("staff.<homework>").'
                )
    yield from _in_code(cell)


def _in_code(cell: NotebookNode) -> Iterator[str]:
    if "BEGIN SOLUTION" in cell.source and not marks_of(cell).get("solution"):
        yield "it has a solution, but its type is not that of an answer (panel Create Assignment)."
    if "BEGIN HIDDEN TESTS" in cell.source and not is_test(cell):
        yield "it has hidden tests, but its type is not Autograder tests (panel Create Assignment)."
    if not is_test(cell):
        return
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
